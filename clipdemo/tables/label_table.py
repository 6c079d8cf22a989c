"""Label tables: CSV files `ImageID,Labels,Caption`, well-formed or loose (see `loose_csv`).

>>> table = read_label_table("captions.csv")
>>> table.frame.loc[0, "Labels"]
('1', '19')
"""

import os
import re
import tempfile
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd

from clipdemo.errors import TableError
from clipdemo.inputs.labels import COCO18, LabelSet
from clipdemo.tables.loose_csv import (
    COLUMNS,
    EXTENSIONS,
    PHOTO_ROW,
    decode,
    parse_ids,
    quotes_are_well_formed,
    read_header,
    row_pattern,
    unquote,
    unquote_captions,
)

_NOT_TEXT = re.compile("[\0\udc80-\udcff]")  # NUL, and what surrogateescape makes of non-UTF-8
_PHOTO_NAMES = tuple(f".{e}" for e in EXTENSIONS + tuple(map(str.upper, EXTENSIONS)))


@dataclass(frozen=True)
class Refusal:
    """A row that was left out: the line of the file it starts on (from 1), its id, and why."""

    line: int
    image_id: str
    reason: str


@dataclass(frozen=True)
class LabelTable:
    r"""A table as read.

    Attributes:
        frame: columns `ImageID` (str), `Labels` (tuple of ids, in file order) and
            `Caption` (str, line breaks as `\n`), one row per photo.
        repaired: what was repaired and how often; empty for a well-formed file.
        refused: the rows left out, in file order.
    """

    frame: pd.DataFrame
    repaired: dict[str, int]
    refused: list[Refusal]


def read_label_table(
    path: str | Path, labels: LabelSet = COCO18, strict: bool = False, unlabelled: bool = False
) -> LabelTable:
    """Read a label table in any of its forms.

    Columns may come in any order and any case; others than the three are ignored, and without
    `Caption` all captions are empty. Ids are separated by blanks, `;` or `|`.

    Args:
        path: the CSV file, UTF-8.
        labels: the labels whose ids the `Labels` column holds.
        strict: raise at a row that cannot be read, instead of listing it in `refused`.
        unlabelled: keep rows without any label instead of refusing them.

    Raises:
        TableError: the file is not a label table, or `strict` and a row cannot be read.
    """
    path = Path(path)
    raw = _read_bytes(path)
    table = _read_plain(path, raw, labels) or _read_any(path, raw, labels, unlabelled)
    if strict and table.refused:
        first, count = table.refused[0], len(table.refused)
        raise TableError(
            f"{path}, line {first.line}: the row of {first.image_id!r} {first.reason} ({count} "
            f"row{'s' * (count > 1)} in all cannot be read); correct the file or do not be strict."
        )
    return table


def labels_of(path: str | Path) -> LabelSet:
    """The labels of a table: `COCO18` if all its ids are among them, else its own ids as names.

    Own ids are sorted, as numbers if all are. They may hold blanks if `;` or `|` separates ids
    somewhere in the table.

    Raises:
        TableError: the file is not a label table, or no row has a label.
    """
    path = Path(path)
    raw = _read_bytes(path)
    if _read_plain(path, raw, COCO18):
        return COCO18
    text, _ = decode(raw, path)
    head, _, body = text.lstrip("\n").partition("\n")
    columns, _ = read_header(head, path)
    pattern = row_pattern(columns, LabelSet(("\0",), ("\0",)), body)  # no id is known yet
    column = [name for name in columns if name].index("Labels")
    fields = {unquote(row[column]) for row in pattern.findall(body) if not row[-1]}
    fields = {field for field in fields if not _NOT_TEXT.search(field)}
    blanks = not any(mark in field for field in fields for mark in ";|")
    ids = {i.strip() for f in fields for i in (f.split() if blanks else re.split("[;|]", f))}
    ids.discard("")
    if not ids:
        raise TableError(f"{path} has no row with a label; fill its column Labels.")
    if ids <= set(COCO18.ids):
        return COCO18
    numbers = all(i.isascii() and i.isdigit() for i in ids)
    own = tuple(sorted(ids, key=lambda i: (int(i), i) if numbers else i))
    return LabelSet(own, own)


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise TableError(f"{path} cannot be read ({why}); give the path of a CSV file.") from error


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


def _read_plain(path: Path, raw: bytes, labels: LabelSet) -> LabelTable | None:
    """The table if pandas is sure to read the same as `_read_any`, only faster; else None.

    That is: well-formed quotes, each row begins with the name of a photo, nothing to refuse.
    """
    end, breaks = raw.find(b"\n"), raw.count(b"\r\n") if b"\r" in raw else 0
    try:
        columns, commas = read_header(raw[: max(end, 0)].decode("utf-8-sig"), path)
    except (UnicodeDecodeError, TableError):
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
    codes, parsed = _parse_labels(frame["Labels"], labels)
    if any(isinstance(ids, str) for ids in parsed):
        return None
    if breaks and breaks != len(frame) + raw.endswith(b"\n"):
        captions = captions.str.replace("\r\n", "\n", regex=False)
    repaired = {"byte order mark": int(raw[:1] == b"\xef"), "CRLF line ends": breaks}
    frame = frame.assign(Labels=pd.Series(parsed[codes], dtype=object), Caption=captions)
    return LabelTable(frame, {what: n for what, n in repaired.items() if n}, [])


def _in_order(names: pd.Series) -> bool:
    """Whether each name is longer than the one before, or as long and later in the alphabet.

    Numbered photos usually are, and are then all different, which is faster than hashing them.
    """
    size, after = names.str.len().to_numpy(), names[1:].array > names[:-1].array
    return bool(((size[1:] > size[:-1]) | ((size[1:] == size[:-1]) & np.asarray(after))).all())


def _read_any(path: Path, raw: bytes, labels: LabelSet, unlabelled: bool = False) -> LabelTable:
    """The table from a file in any form."""
    text, repaired = decode(raw, path)
    start = len(text) - len(text.lstrip("\n"))
    head, _, body = text[start:].partition("\n")
    columns, commas = read_header(head, path)
    if not body.strip(" \t,\n"):
        raise TableError(f"{path} has no rows below its header; add at least one.")

    pattern = row_pattern(columns, labels, body)
    *fields, short = zip(*pattern.findall(body), strict=True)
    found = dict(zip(filter(None, columns), fields, strict=True))
    image_ids = pd.Series([unquote(field) for field in found["ImageID"]], dtype=object)
    repaired["trailing comma"] = len(short) if commas else 0
    captions = found.get("Caption") or ("",) * len(short)
    captions = unquote_captions(captions, commas if columns[-1] == "Caption" else 0, repaired)
    codes, parsed = _parse_labels(np.array(found["Labels"], dtype=object), labels, unlabelled)

    reasons = {i: "has too few fields" for i, line in enumerate(short) if line}
    if _NOT_TEXT.search(body):
        for i, match in enumerate(pattern.finditer(body)):
            if dirt := _NOT_TEXT.search(match[0]):
                reasons[i] = "holds a NUL byte" if dirt[0] == "\0" else "is not UTF-8"
    for i in np.flatnonzero(image_ids == "").tolist():
        reasons.setdefault(i, "has no image id")
    wrong = [code for code, ids in enumerate(parsed) if isinstance(ids, str)]
    for i in np.flatnonzero(np.isin(codes, wrong)).tolist():
        reasons.setdefault(i, parsed[codes[i]])
    good = image_ids.drop(list(reasons))
    twice = good.index[good.duplicated()]
    reasons |= dict.fromkeys(twice.tolist(), "repeats an image id of an earlier row")
    good = good.drop(twice)

    refused, line, at = [], start + 2, 0
    for i, match in enumerate(pattern.finditer(body) if reasons else ()):
        if i in reasons:
            line, at = line + body.count("\n", at, match.start()), match.start()
            image_id = image_ids[i] or short[i].split(",")[0]
            image_id = image_id.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            refused.append(Refusal(line, image_id, reasons[i]))
    frame = pd.DataFrame(
        {
            "ImageID": pd.Series(good.to_list(), dtype="str"),
            "Labels": pd.Series(parsed[codes[good.index]], dtype=object),
            "Caption": pd.Series([captions[i] for i in good.index], dtype="str"),
        }
    )
    return LabelTable(frame, {what: n for what, n in repaired.items() if n}, refused)


def _parse_labels(
    column: pd.Series | np.ndarray, labels: LabelSet, unlabelled: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Position of each field among the distinct ones, and the ids of those (see `parse_ids`)."""
    codes, fields = pd.factorize(column)
    parsed = np.empty(len(fields), dtype=object)
    for i, field in enumerate(fields):  # one by one: numpy would turn tuples into a second axis
        text = unquote(field)
        parsed[i] = parse_ids(text, labels) if text or not unlabelled else ()
    return codes, parsed
