"""Fast reading of tables in the study's form that need no repair."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from clipdemo.errors import TableError
from clipdemo.inputs.labels import COCO18, LabelSet
from clipdemo.inputs.photo_names import EXTENSIONS
from clipdemo.tables.account import Account
from clipdemo.tables.columns import COLUMNS
from clipdemo.tables.label_names import LabelReader
from clipdemo.tables.loose_csv import PHOTO_ROW, quotes_are_well_formed, read_header
from clipdemo.tables.rows import NO_CAPTION
from clipdemo.tables.text import read_bytes

_STARTS = ("'", "=", "[", "{", "(", "<", "!", "./", "data:")
_PARTS = {b";": ";", b"|": "[|]", b"\\": r"\\", b"//": "[^:]//", b"/./": "/[.]/"}
_PARTS |= dict.fromkeys((b"\xcc", b"\xcd"), "[\u0300-\u036f]")  # accents on their own
"""Of names in a wrapping, of several names, and of those that can be spelled in two ways."""
_PHOTO_NAMES = tuple(f".{e}" for e in EXTENSIONS + tuple(map(str.upper, EXTENSIONS)))


def read_plain(path: Path, labels: LabelSet | None) -> tuple[pd.DataFrame, Account] | None:
    """Frame and account of a table, if pandas certainly reads the same as `loose_rows`; else None.

    Pandas is several times faster. It needs well-formed quotes, a photo's name at the start of each
    row, and nothing to refuse.
    """
    if path.is_dir() or path.suffix.lower() != ".csv":
        return None
    raw = read_bytes(path)
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
    except ValueError:  # such as rows of different lengths, or bytes that are not UTF-8
        return None
    if not len(frame) or not frame.index.equals(pd.RangeIndex(len(frame))):  # a fourth field
        return None
    if not all(isinstance(d, pd.StringDtype) for d in frame.dtypes):
        return None
    names, captions = frame["ImageID"], frame["Caption"]
    suffixes = [e for e in _PHOTO_NAMES if names[0].endswith(e)]  # usually the only one
    if (
        frame.isna().any(axis=None)
        or (captions == "").any()
        or captions.isin(NO_CAPTION).any()
        or captions.str.startswith(("[", "{")).any()  # perhaps lists of captions
        or not any(names.str.endswith(e).all() for e in (*suffixes, _PHOTO_NAMES))
        or names.str.startswith((" ", "\t")).any()
        or _are_odd(names)
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
    account.repaired.update(
        {"byte order mark": int(raw[:1] == b"\xef"), "CRLF line endings": breaks}
    )
    frame = frame.assign(Labels=pd.Series(parsed[codes], dtype=object), Caption=captions)
    return frame, account


def _are_odd(names: pd.Series) -> bool:
    """Whether a name may not be that of one photo, or be spelled in another way, too.

    Most tables have none of the characters in any name, which is faster to see.
    """
    text = pa.array(names)
    chunks = text.chunks if isinstance(text, pa.ChunkedArray) else [text]
    text = b"".join(chunk.buffers()[2] for chunk in chunks)
    starts = tuple(start for start in _STARTS if start.encode() in text)
    parts = "|".join({part for byte, part in _PARTS.items() if byte in text})
    return bool(
        (starts and names.str.startswith(starts).any())
        or (parts and names.str.contains(parts).any())
    )


def _in_order(names: pd.Series) -> bool:
    """Whether each name is longer than the previous one, or equally long and sorted after it.

    Numbered photos usually are, which shows that all names differ, and is faster than hashing.
    """
    size, after = names.str.len().to_numpy(), names[1:].array > names[:-1].array
    return bool(((size[1:] > size[:-1]) | ((size[1:] == size[:-1]) & np.asarray(after))).all())
