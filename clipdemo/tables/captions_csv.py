"""Captions by photo: a CSV `ImageID,Caption`, or a label table, whose labels are ignored here."""

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from clipdemo.errors import TableError
from clipdemo.tables.label_table import labels_of, read_label_table
from clipdemo.tables.loose_csv import decode

COLUMNS = ("imageid", "caption")


def read_captions(path: Path, limit: int | None = None) -> list[tuple[str, str]]:
    """Photo and caption of each row, in file order, at most `limit` of them.

    Columns may come in any order and any case. A loose file (`loose_csv`) needs a column
    `Labels`, and its rows without a label are left out.

    Raises:
        TableError: the file is not such a table.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise TableError(f"{path} cannot be read ({error.strerror}): check the path.") from error
    text, _ = decode(raw, path)
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    header: list[str] = []
    reader = csv.reader(io.StringIO(text.lstrip("\n"), newline=""), strict=True)
    try:
        header = [name.strip().casefold() for name in next(reader)]
        if any(name not in header for name in COLUMNS):
            raise TableError(f"{path} has no columns ImageID and Caption: add them to its header.")
        found = list(islice(_rows(reader, header), limit))
    except (csv.Error, ValueError):
        return _loose(path, header)[:limit]
    if not found:
        raise TableError(f"{path} has no rows below its header: add at least one.")
    return found


def _rows(reader: Iterable[list[str]], header: list[str]) -> Iterator[tuple[str, str]]:
    """Raises ValueError at a row whose length differs from the header's."""
    places = [header.index(name) for name in COLUMNS]
    for row in reader:
        if any(row[len(header) :]) or 0 < len(row) < len(header):
            raise ValueError
        if any(cell.strip() for cell in row):
            yield tuple(row[place].strip() for place in places)


def _loose(path: Path, header: list[str]) -> list[tuple[str, str]]:
    if "labels" not in header:
        raise TableError(f"{path} is not well-formed CSV: put each caption in quotes.")
    frame = read_label_table(path, labels_of(path)).frame
    return list(zip(frame["ImageID"], frame["Caption"], strict=True))
