"""Label tables: photos with their labels and captions, in any form that people have them.

>>> table = read_label_table("captions.csv")
>>> table.frame.loc[0, "Labels"]
('1', '19')
>>> table.account.used
1
"""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from clipdemo.errors import PhotoError, TableError
from clipdemo.inputs.labels import COCO18, LabelSet
from clipdemo.inputs.photo_names import EXTENSIONS
from clipdemo.inputs.photo_source import PhotoSource
from clipdemo.tables.account import Account, photo_reason
from clipdemo.tables.columns import COLUMNS, find_columns
from clipdemo.tables.forms import (
    Find,
    Rows,
    read_csv_rows,
    read_excel,
    read_folder,
    read_json,
    read_parquet,
)
from clipdemo.tables.label_values import LabelReader, own_labels
from clipdemo.tables.loose_csv import (
    PHOTO_ROW,
    loose_rows,
    quotes_are_well_formed,
    read_header,
)
from clipdemo.tables.text import decode, fields, separator

_PHOTO_NAMES = tuple(f".{e}" for e in EXTENSIONS + tuple(map(str.upper, EXTENSIONS)))
STUDY = 0.9  # share of the labels named that are the study's, where a table is one of the study
_UNKNOWN = LabelSet(("\0",), ("\0",))  # no id is known yet
Unlabelled = Literal["keep", "leave-out"]


@dataclass(frozen=True)
class LabelTable:
    r"""A table as read.

    Attributes:
        frame: columns `ImageID` (str), `Labels` (tuple of ids, in file order) and
            `Caption` (str, line breaks as `\n`), one row per photo.
        account: what became of the rows of the file.
        labels: whose ids `Labels` holds.
        lines: [N] the line of the file, from 1, that says each row of `frame`.
        further: row of `frame` -> the other lines that say it, too.
    """

    frame: pd.DataFrame
    account: Account
    labels: LabelSet
    lines: np.ndarray
    further: dict[int, tuple[int, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, frame: pd.DataFrame, labels: LabelSet = COCO18) -> LabelTable:
        """A table that was not read from a file."""
        return cls(frame, Account(len(frame)), labels, np.arange(1, len(frame) + 1))

    def lines_of(self, row: int) -> tuple[int, ...]:
        """The lines of the file that say a row of `frame`."""
        return int(self.lines[row]), *self.further.get(row, ())

    def check_photos(self, photos: PhotoSource, name: object) -> None:
        """Raises TableError, naming the table, when a row's photo is not among these."""
        for row, photo in enumerate(self.frame["ImageID"]):
            try:
                photos.find(photo)
            except PhotoError as error:
                raise TableError(
                    f"{name}, line {self.lines_of(row)[0]}: {str(error).rstrip('.')}, or do not "
                    "be strict."
                ) from None

    def without_photos(self, photos: PhotoSource) -> LabelTable:
        """The table without the rows whose photo is not among these."""
        missing = {}
        for row, name in enumerate(self.frame["ImageID"]):
            try:
                photos.find(name)
            except PhotoError as error:
                missing[row] = photo_reason(str(error))
        return self.leave_out(missing) if missing else self

    def note_photos(self, photos: PhotoSource) -> None:
        """Put into the account what it took to find the photos, and those that no row names."""
        self.account.photos_without_row = photos.without(self.frame["ImageID"])
        for took, times in photos.matched.items():
            self.account.repaired[f"photos matched without {took}"] = times

    def leave_out(self, reasons: Mapping[int, str]) -> LabelTable:
        """The table without these rows of `frame`, which the account then names with the reason."""
        for row, reason in reasons.items():
            lines = self.lines_of(row)
            example = f"line {lines[0]}: {self.frame['ImageID'].iat[row]}"
            self.account.leave_out(reason, example, len(lines))
        kept = np.setdiff1d(np.arange(len(self.frame)), list(reasons))
        moved = {row: new for new, row in enumerate(kept.tolist()) if row in self.further}
        return LabelTable(
            self.frame.iloc[kept].reset_index(drop=True),
            self.account,
            self.labels,
            self.lines[kept],
            {new: self.further[row] for row, new in moved.items()},
        )


def read_label_table(
    path: str | Path,
    labels: LabelSet | None = COCO18,
    *,
    columns: Mapping[str, str] | None = None,
    unlabelled: Unlabelled = "keep",
    strict: bool = False,
) -> LabelTable:
    """Read a label table in any of its forms (see `forms` and `loose_csv`).

    Labels are ids or names, in any case; a row keeps those that are known, and the account names
    the others. Several rows of one photo become one.

    Args:
        path: the file, or the folder of an imagefolder.
        labels: whose ids and names the table holds; None for the table's own: the study's where
            all are of these, else each its own id.
        columns: ours (`COLUMNS`) -> the file's, where its names do not tell.
        unlabelled: whether a row without labels is one in which none is true, or left out.
        strict: raise where a row would be left out.

    Raises:
        TableError: the file is no label table, or `strict` and a row would be left out.
    """
    path, wanted = Path(path), columns or {}
    plain = None if wanted else _read_plain(path, labels)
    if plain is not None and (unlabelled == "keep" or plain.frame["Labels"].map(bool).all()):
        return plain
    find = partial(find_columns, labels=labels, wanted=wanted, name=path)
    labels = labels or _own(read_rows(path, find, _UNKNOWN), path)
    rows = read_rows(path, find, labels)
    table = _understood(rows, labels, unlabelled, path)
    if strict:
        table.account.check_strict(path)
    return table


def read_rows(path: Path, find: Find, labels: LabelSet = _UNKNOWN) -> Rows:
    """The rows of a table in any form.

    Args:
        path: the file, or the folder of an imagefolder.
        find: finds the columns that are needed.
        labels: whose ids tell rows from captions where quotes are broken.

    Raises:
        TableError: it cannot be read, or has no rows.
    """
    if path.is_dir():
        found = read_folder(path)
        return found if isinstance(found, Rows) else read_rows(found, find, labels)
    raw = _read_bytes(path)
    suffix = path.suffix.lower()
    if suffix in (".xlsx", ".xlsm") or raw[:4] == b"PK\3\4":
        return read_excel(path, find)
    if raw[:4] == b"PAR1":
        return read_parquet(path, find)
    if suffix in (".json", ".jsonl", ".ndjson") or raw.lstrip()[:1] in (b"{", b"["):
        return read_json(path, find)
    text, repaired, encoding = decode(raw, path)
    del raw  # may be large
    mark, text = separator(text, lambda header: _suits(header, find))
    header = fields(text.lstrip("\n").partition("\n")[0], mark)
    if mark == "," and _is_study_form(header, find(header).places):
        rows = loose_rows(text, labels, path)
    else:
        rows = read_csv_rows(text, mark, find)
    if rows.frame.empty:
        raise TableError(f"{path} has no rows below its header; add at least one.")
    rows.repaired = repaired | rows.repaired
    if encoding != "utf-8":
        rows.read_as["encoding"] = encoding
    return rows


def _is_study_form(header: list[str], places: Mapping[str, int]) -> bool:
    named = all(header[place].casefold() == ours.casefold() for ours, place in places.items())
    return named and "Labels" in places


def _suits(header: list[str], find: Find) -> int:
    """How well a header suits, as a number."""
    try:
        found = find(header)
    except TableError:
        return -1 if len(header) > 1 else -2
    return len(found.places) + min(len(found.own), 1)


def _own(rows: Rows, path: Path) -> LabelSet:
    """The labels of a table: the study's if nearly all are ids of these, else its own."""
    codes, cells = pd.factorize(rows.frame["Labels"])
    times = np.bincount(codes, minlength=len(cells)).tolist()
    study = LabelReader(COCO18)
    known = unknown = by_id = 0
    for cell, n in zip(cells, times, strict=True):
        ids, strange = study.read(cell)
        known, unknown = known + n * len(ids), unknown + n * len(strange)
        by_id += study.reads_ids(cell)
    if by_id and known >= STUDY * (known + unknown):
        return COCO18
    if known and not unknown:  # named, so that the table's labels are those that it names
        used = {i for cell in cells for i in study.read(cell)[0]}
        pairs = zip(COCO18.names, COCO18.ids, strict=True)
        names = tuple(sorted(name for name, label in pairs if label in used))
        return LabelSet(names, names)
    labels = own_labels(cells)
    if not labels:
        raise TableError(f"{path} has no row with a label; fill its column Labels.")
    return labels


def _understood(rows: Rows, labels: LabelSet, unlabelled: Unlabelled, path: Path) -> LabelTable:
    """The table that rows say, with its account."""
    account = Account(len(rows.frame), read_as=dict(rows.read_as))
    account.repaired.update({what: n for what, n in rows.repaired.items() if n})
    frame = rows.frame
    reader = LabelReader(labels)
    codes, cells = pd.factorize(frame["Labels"])
    read = [reader.read(cell) for cell in cells]
    ids = np.empty(len(read), dtype=object)
    for i, (known, _) in enumerate(read):  # one by one: numpy would make tuples a second axis
        ids[i] = known
    for (_, unknown), n in zip(read, np.bincount(codes, minlength=len(read)).tolist(), strict=True):
        account.unknown_labels.update(dict.fromkeys(unknown, n))
    if not any(known for known, _ in read) and any(unknown for _, unknown in read):
        unknown = next(unknown for _, unknown in read if unknown)[0]
        raise TableError(
            f"{path} has none of the labels asked for ({', '.join(labels.names[:3])}, ...) but "
            f"such as {unknown!r}; choose heads or labels that fit it."
        )
    reasons = {line: reason for line, (_, reason) in rows.problems.items()}
    names = frame["ImageID"].str.strip()
    for place in np.flatnonzero(names == "").tolist():
        reasons.setdefault(int(frame["line"].iat[place]), "has no image id")
    if unlabelled == "leave-out":
        empty = np.array([not known for known, _ in read], bool)[codes]
        for place in np.flatnonzero(empty).tolist():
            reasons.setdefault(int(frame["line"].iat[place]), "has no labels")
    if reasons:
        out = frame["line"].isin(list(reasons)).to_numpy(bool)
        for place in np.flatnonzero(out).tolist():
            line = int(frame["line"].iat[place])
            name = rows.problems.get(line, ("", ""))[0] or names.iat[place]
            account.leave_out(reasons[line], f"line {line}: {name}"[:120])
        frame, names, codes = frame[~out], names[~out], codes[~out]
    lines = frame["line"].to_numpy()
    found = frame[["Caption"]].reset_index(drop=True)
    found.insert(0, "ImageID", names.reset_index(drop=True))
    found.insert(1, "Labels", pd.Series(ids[codes], dtype=object))
    if found["ImageID"].is_unique:
        return LabelTable(found, account, labels, lines)
    return LabelTable(*_joined(found, lines, account, labels))


def _joined(frame: pd.DataFrame, lines: np.ndarray, account: Account, labels: LabelSet) -> tuple:
    """One row per photo: all its labels, and its first caption."""
    codes, names = pd.factorize(frame["ImageID"])
    kept = np.unique(codes, return_index=True)[1]
    ids, captions = frame["Labels"].to_numpy(object)[kept], frame["Caption"].to_numpy(object)[kept]
    further: dict[int, tuple[int, ...]] = {}
    unused = 0
    for at in np.setdiff1d(np.arange(len(frame)), kept).tolist():
        row, caption = codes[at], frame["Caption"].iat[at]
        further[row] = (*further.get(row, ()), int(lines[at]))
        ids[row] = tuple(dict.fromkeys(ids[row] + frame["Labels"].iat[at]))
        unused += bool(caption and captions[row] and caption != captions[row])
        captions[row] = captions[row] or caption
    account.repaired["further rows of a photo joined"] = len(frame) - len(names)
    account.repaired["further captions of a photo not used"] = unused
    joined = pd.DataFrame(
        {
            "ImageID": pd.Series(names, dtype="str"),
            "Labels": pd.Series(ids, dtype=object),
            "Caption": pd.Series(captions, dtype="str"),
        }
    )
    return joined, account, labels, lines[kept], further


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise TableError(f"{path} cannot be read ({why}); give the path of a table.") from error


def write_label_table(frame: pd.DataFrame, path: str | Path) -> None:
    r"""Write a table as well-formed CSV: UTF-8, quotes doubled, `\n` line ends.

    The file appears whole or not at all. Line breaks inside captions are written as `\n`.

    Args:
        frame: columns `ImageID`, `Labels` (tuples of ids) and `Caption`.
        path: where to; an older file is replaced.
    """
    path = Path(path)
    separator = ";" if any(" " in i for i in set(chain.from_iterable(frame["Labels"]))) else " "
    # If no row has two ids, only this says that a blank does not separate ids.
    end = separator.strip() if frame["Labels"].str.len().max() == 1 else ""
    frame = frame[list(COLUMNS)].assign(
        Labels=[separator.join(ids) + end for ids in frame["Labels"]],
        Caption=frame["Caption"].str.replace(r"\r\n?", "\n", regex=True),
    )
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            frame.to_csv(file, index=False, lineterminator="\n")
        Path(name).chmod(0o644)  # mkstemp makes it readable by its owner only
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def target_matrix(frame: pd.DataFrame, labels: LabelSet) -> np.ndarray:
    """Which labels each row has: float32 `[N, L]`, 1.0 if the row has the label, else 0.0.

    Raises:
        TableError: a row has an id that is not among `labels`.
    """
    targets = np.zeros((len(frame), len(labels)), dtype=np.float32)
    rows = np.repeat(np.arange(len(frame)), [len(ids) for ids in frame["Labels"]])
    index = labels.index_of_id
    try:
        targets[rows, [index[i] for i in chain.from_iterable(frame["Labels"])]] = 1.0
    except KeyError as error:
        raise TableError(
            f"{error.args[0]!r} is the id of no label; read the table with the same labels."
        ) from None
    return targets


def _read_plain(path: Path, labels: LabelSet | None) -> LabelTable | None:
    """The table where pandas is sure to read the same as `loose_rows`, only faster; else None.

    That is: well-formed quotes, each row begins with the name of a photo, nothing to refuse.
    """
    if path.is_dir() or path.suffix.lower() != ".csv":
        return None
    raw = _read_bytes(path)
    end, breaks = raw.find(b"\n"), raw.count(b"\r\n") if b"\r" in raw else 0
    try:
        columns, commas = read_header(raw[: max(end, 0)].decode("utf-8-sig"), path)
    except (UnicodeDecodeError, TableError, csv.Error):
        return None
    quotes, body = b'"' in raw, memoryview(raw)[end + 1 :]
    if tuple(columns) != COLUMNS or commas or b"\0" in raw or raw.count(b"\r") != breaks:
        return None
    if quotes and not quotes_are_well_formed(body, PHOTO_ROW):
        return None
    try:
        options = {"keep_default_na": False, "compression": None, "dtype": {"Labels": "str"}}
        frame = pd.read_csv(path, header=0, names=COLUMNS, **options)
    except ValueError:  # among them: rows of several lengths, bytes that are not UTF-8
        return None
    if not len(frame) or not isinstance(frame.index, pd.RangeIndex):  # a fourth field: an index
        return None
    if not all(isinstance(d, pd.StringDtype) for d in frame.dtypes):
        return None
    names, captions = frame["ImageID"], frame["Caption"]
    suffixes = [e for e in _PHOTO_NAMES if names[0].endswith(e)]  # usually the only one
    if (
        frame.isna().any(axis=None)
        or (captions == "").any()
        or not any(names.str.endswith(e).all() for e in (*suffixes, _PHOTO_NAMES))
        or names.str.startswith((" ", "\t")).any()
        or (quotes and any(names.str.contains(c, regex=False).any() for c in '"\n'))
        or not (_in_order(names) or names.is_unique)
    ):
        return None
    codes, fields = pd.factorize(frame["Labels"])
    reader = LabelReader(labels or COCO18)
    read = [reader.read(field) for field in fields]
    if any(unknown or not ids for ids, unknown in read):
        return None
    if labels is None and not any(map(reader.reads_ids, fields)):
        return None
    parsed = np.empty(len(read), dtype=object)
    for i, (ids, _) in enumerate(read):  # one by one: numpy would make tuples a second axis
        parsed[i] = ids
    if breaks and breaks != len(frame) + raw.endswith(b"\n"):
        captions = captions.str.replace("\r\n", "\n", regex=False)
    account = Account(len(frame))
    account.repaired.update({"byte order mark": int(raw[:1] == b"\xef"), "CRLF line ends": breaks})
    frame = frame.assign(Labels=pd.Series(parsed[codes], dtype=object), Caption=captions)
    return LabelTable(frame, account, labels or COCO18, np.arange(2, len(frame) + 2))


def _in_order(names: pd.Series) -> bool:
    """Whether each name is longer than the one before, or as long and later in the alphabet.

    Numbered photos usually are, and are then all different, which is faster than hashing them.
    """
    size, after = names.str.len().to_numpy(), names[1:].array > names[:-1].array
    return bool(((size[1:] > size[:-1]) | ((size[1:] == size[:-1]) & np.asarray(after))).all())
