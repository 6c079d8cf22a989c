"""Label tables: photos with their labels and captions, in any of the usual forms.

>>> table = read_label_table("captions.csv")
>>> table.frame.loc[0, "Labels"]
('1', '19')
>>> table.account.used
1
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Literal, TextIO

import numpy as np
import pandas as pd

from clipdemo.errors import PhotoError, TableError
from clipdemo.inputs.atomic import atomic_write
from clipdemo.inputs.labels import COCO18, LabelSet
from clipdemo.inputs.photo_source import PhotoSource
from clipdemo.tables.account import Account, main_reason, photo_reason
from clipdemo.tables.any_form import UNKNOWN, read_rows
from clipdemo.tables.columns import COLUMNS, find_columns, is_one
from clipdemo.tables.label_names import LabelReader, are_vectors, own_labels
from clipdemo.tables.plain_csv import read_plain
from clipdemo.tables.rows import Rows, alike, one_per_row

STUDY = 0.9  # share of a table's labels that must be the study's to use those
Unlabelled = Literal["keep", "leave-out"]


@dataclass(frozen=True)
class LabelTable:
    r"""A table as read.

    Attributes:
        frame: columns `ImageID` (str), `Labels` (tuple of ids, in file order) and
            `Caption` (str, line breaks as `\n`), one row per photo.
        account: what became of the rows of the file.
        labels: the labels whose ids are in `Labels`.
        lines: [N] the line of the file, from 1, of each row of `frame`.
        further: row of `frame` -> the other lines about its photo.
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
        """The lines of the file for a row of `frame`."""
        return int(self.lines[row]), *self.further.get(row, ())

    def match_photos(self, photos: PhotoSource, name: object, strict: bool = False) -> None:
        """Find the rows' photos, all at once (see `PhotoSource.match`).

        Raises:
            TableError: `strict`, and a row's photo is not among these; it names the table.
        """
        photos.match(self.frame["ImageID"])
        for row, photo in enumerate(self.frame["ImageID"] if strict else ()):
            try:
                photos.find(photo)
            except PhotoError as error:
                raise TableError(
                    f"{name}, line {self.lines_of(row)[0]}: {str(error).rstrip('.')}, or omit "
                    "--strict."
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
        """Add inexact matches of photos, and photos that no row names, to the account."""
        self.account.photos_without_row = photos.count_unnamed(self.frame["ImageID"])
        for took, times in photos.matched.items():
            self.account.repaired[f"photos matched without {took}"] = times

    def leave_out(self, reasons: Mapping[int, str]) -> LabelTable:
        """The table without these rows of `frame`, which are added to the account with reasons."""
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

    Labels are ids or names, in any case; a row keeps those that are known, and the account lists
    the others. Several rows of one photo are merged.

    Args:
        path: the file, or the folder of an imagefolder.
        labels: the labels whose ids and names the table uses; None for the table's own: the study's
            if nearly all are among these, else each name is its own id.
        columns: ours (`COLUMNS`) -> the file's, if its names are not recognised.
        unlabelled: whether a row without labels is kept, as one without true labels, or left out.
        strict: raise if a row would be left out.

    Raises:
        TableError: the file is not a label table, or `strict` and a row would be left out.
    """
    path, wanted = Path(path), columns or {}
    plain = None if wanted else read_plain(path, labels)
    if plain is not None:  # each of its rows has labels
        return LabelTable(*plain, labels or COCO18, np.arange(2, len(plain[0]) + 2))
    find = partial(find_columns, labels=labels, wanted=wanted, name=path)
    rows = read_rows(path, find, labels or UNKNOWN)
    if labels is None:
        labels = _own(rows, path)
        if rows.by_ids:
            rows = read_rows(path, find, labels)
        elif labels is COCO18:  # a user's own numbers would look the same
            rows.read_as["numbers of labels"] = "COCO's category ids"
    table = _understood(rows, labels, unlabelled, path)
    if strict:
        table.account.check_strict(path)
    return table


def _own(rows: Rows, path: Path) -> LabelSet:
    """The labels of a table: the study's if nearly all are ids of these, else its own."""
    codes, cells = pd.factorize(rows.frame["Labels"])
    times = np.bincount(codes, minlength=len(cells)).tolist()
    study = LabelReader(COCO18)
    known = unknown = by_id = from_zero = 0
    for cell, n in zip(cells, times, strict=True):
        ids, strange = study.read(cell)
        known, unknown = known + n * len(ids), unknown + n * len(strange)
        by_id += study.reads_ids(cell)
        from_zero += "0" in strange  # COCO counts from one
    if by_id and not from_zero and known >= STUDY * (known + unknown):
        return COCO18
    if known and not unknown:  # all by name: the table's labels are those that occur
        used = {i for cell in cells for i in study.read(cell)[0]}
        pairs = zip(COCO18.names, COCO18.ids, strict=True)
        names = tuple(sorted(name for name, label in pairs if label in used))
        return LabelSet(names, names)
    _refuse_vectors(cells, path)
    blanks = not (is_one(rows.read_as.get("Labels", "Labels")) or one_per_row(rows.frame))
    labels = own_labels(rows.frame["Labels"], blanks)
    for line, (name, reason) in rows.problems.items() if not labels else ():
        raise TableError(f"No row of {path} can be used: line {line} ({name[:80]}) {reason}.")
    if not labels:
        raise TableError(f"{path} has no row with a label; fill its column Labels.")
    return labels


def _refuse_vectors(cells: Iterable[object], path: Path) -> None:
    if are_vectors(cells):
        raise TableError(
            f"{path} has zeros and ones or scores for each photo, without the names of their "
            "labels: write the names, or a column for each label."
        )


def _understood(rows: Rows, labels: LabelSet, unlabelled: Unlabelled, path: Path) -> LabelTable:
    """The table from rows, with its account."""
    account = Account(len(rows.frame), read_as=dict(rows.read_as))
    account.repaired.update({what: n for what, n in rows.repaired.items() if n})
    frame = rows.frame
    reader = LabelReader(labels)
    codes, cells = pd.factorize(frame["Labels"])
    _refuse_vectors(cells, path)
    read = [reader.read(cell) for cell in cells]
    ids = np.empty(len(read), dtype=object)
    for i, (known, _) in enumerate(read):  # one by one: numpy would make tuples a second axis
        ids[i] = known
    for (_, unknown), n in zip(read, np.bincount(codes, minlength=len(read)).tolist(), strict=True):
        account.unknown_labels.update(dict.fromkeys(unknown, n))
    if not any(known for known, _ in read) and any(unknown for _, unknown in read):
        unknown = next(unknown for _, unknown in read if unknown)[0]
        raise TableError(
            f"{path} has none of the requested labels ({', '.join(labels.names[:3])}, ...), but "
            f"others, such as {unknown!r}; choose heads or labels that fit it."
        )
    reasons = {line: reason for line, (_, reason) in rows.problems.items()}
    names = frame["ImageID"].str.strip()
    if names[:1].str.endswith(".0").any() and names.str.fullmatch(r"\d+\.0").all():
        # joined tables have ids with decimals
        names = names.str.removesuffix(".0")
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
    if reasons and frame.empty:
        raise TableError(
            f"No row of {path} can be used; most often: {main_reason(account.to_dict())}."
        )
    lines = frame["line"].to_numpy()
    found = frame[["Caption"]].reset_index(drop=True)
    found.insert(0, "ImageID", names.reset_index(drop=True))
    found.insert(1, "Labels", pd.Series(ids[codes], dtype=object))
    same = alike(found["ImageID"])
    if same.is_unique:
        return LabelTable(found, account, labels, lines)
    return LabelTable(*_joined(found, same, lines, account, labels))


def _joined(
    frame: pd.DataFrame, same: pd.Series, lines: np.ndarray, account: Account, labels: LabelSet
) -> tuple:
    """One row per photo: all its labels, and its first caption; `same` is equal for its names."""
    codes = pd.factorize(same)[0]
    kept = np.unique(codes, return_index=True)[1]
    names = frame["ImageID"].to_numpy(object)[kept]
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


def write_label_table(frame: pd.DataFrame, path: str | Path) -> None:
    r"""Write a table atomically as well-formed CSV: UTF-8, quotes doubled, `\n` line endings.

    Line breaks inside captions are written as `\n`.

    Args:
        frame: columns `ImageID`, `Labels` (tuples of ids) and `Caption`.
        path: its destination; an older file is replaced.
    """
    with (
        atomic_write(Path(path)) as partial,
        partial.open("w", encoding="utf-8", newline="") as file,
    ):
        write_csv(frame, file)


def write_csv(frame: pd.DataFrame, file: TextIO) -> None:
    """Write the content of `write_label_table` to an open file."""
    frame = frame[list(COLUMNS)].assign(
        Labels=_cells(frame["Labels"]),
        Caption=frame["Caption"].str.replace(r"\r\n?", "\n", regex=True),
    )
    frame.to_csv(file, index=False, lineterminator="\n")


def _cells(rows: pd.Series) -> list[str]:
    """The labels of each row as text that is read as the same labels again."""
    ids = set(chain.from_iterable(rows))
    if any(set(i) & set(",;|\r\n") for i in ids):
        return [json.dumps(row, ensure_ascii=False) if row else "" for row in rows]
    if all(i.isdecimal() for i in ids):
        return [" ".join(row) for row in rows]
    # If no row has two ids, only this shows that a space does not separate ids.
    end = ";" if rows.str.len().max() == 1 else ""
    return [";".join(row) + end if row else "" for row in rows]


def target_matrix(frame: pd.DataFrame, labels: LabelSet) -> np.ndarray:
    """The labels of each row: float32 `[N, L]`, 1.0 if the row has the label, else 0.0.

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
            f"{error.args[0]!r} is not the id of a label; read the table with the same labels."
        ) from None
    return targets
