"""Rows as a file has them, in whatever form, before their labels are understood."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

import pandas as pd

from clipdemo.errors import TableError
from clipdemo.tables.columns import COLUMNS, Columns
from clipdemo.tables.label_values import is_true, parts

OURS = Columns({name: place for place, name in enumerate(COLUMNS)})
Find = Callable[[Sequence[str]], Columns]
"""Finds the columns by a header; raises TableError."""
_NAMING = ("path", "file_name", "filename", "src", "url")  # in a record that is an image
CHUNK = 100_000  # rows that are held as Python objects at once


@dataclass
class Rows:
    """Rows as a file has them, before their labels are understood.

    Attributes:
        frame: columns `line` (int, of the file, from 1), `ImageID` (str), `Labels` (object: text,
            a list, or names) and `Caption` (str).
        problems: line -> the row's photo name and why the row cannot be read.
        repaired: what was repaired, and how often.
        read_as: what was taken for what.
        by_ids: whether the ids of labels told rows from lines of captions.
    """

    frame: pd.DataFrame
    problems: dict[int, tuple[str, str]] = field(default_factory=dict)
    repaired: dict[str, int] = field(default_factory=dict)
    read_as: dict[str, str] = field(default_factory=dict)
    by_ids: bool = False


def gathered(
    lines: Iterable[tuple[int, Sequence]], header: Sequence[str], columns: Columns
) -> Rows:
    """Rows from cells in the file's order, made in pieces so that few are Python objects."""
    pieces = []
    own, several = _OwnColumns(columns), columns.several
    waiting: list[tuple] = []

    def flush() -> None:
        if waiting:
            frame = pd.DataFrame(waiting, columns=["line", *COLUMNS])
            texts = all(isinstance(cell, str) for cell in frame["Labels"])
            kinds = {"ImageID": "str", "Caption": "str", "line": "int64"}
            pieces.append(frame.astype(kinds | ({"Labels": "str"} if texts else {})))
            waiting.clear()

    for line, row in lines:
        cells = [row[place] if place < len(row) else None for place in range(len(header))]
        if columns.own:
            found = own.labels(cells)
        elif several:
            found = tuple(_plain(cells[place]) for place in several)
        else:
            found = _plain(cells[columns.places["Labels"]]) if "Labels" in columns.places else ""
        caption = columns.places.get("Caption")
        waiting.append(
            (
                line,
                photo_name(cells[columns.places["ImageID"]]),
                found,
                "" if caption is None else cell_text(cells[caption]),
            )
        )
        if len(waiting) == CHUNK:
            flush()
    flush()
    frame = pd.concat(pieces, ignore_index=True) if pieces else _empty()
    rows = Rows(frame)
    taken = {
        ours: header[place]
        for ours, place in columns.places.items()
        if header[place].strip() != ours
    }
    if columns.own:
        own.finish(rows)
        taken["Labels"] = f"one column per label ({len(columns.own)})"
    if several:
        frame["Labels"] = _of_several(frame["Labels"], tuple(several.values()))
        taken["Labels"] = ", ".join(several.values())[:200]
    rows.read_as |= taken
    return rows


class _OwnColumns:
    """Reads columns that are a label each."""

    def __init__(self, columns: Columns) -> None:
        self._names, self._known = columns.own, columns.known
        self._wrong: set[int] = set()
        self._minus = 0  # CheXpert's uncertain ones, CelebA's noes

    def labels(self, cells: Sequence[object]) -> tuple[str, ...]:
        """The labels that are true of a row."""
        said = {place: is_true(cells[place], self._known) for place in self._names}
        self._wrong |= {place for place, value in said.items() if value is None}
        self._minus += sum(v is False and str(cells[p]).startswith("-1") for p, v in said.items())
        return tuple(self._names[place] for place, value in said.items() if value)

    def finish(self, rows: Rows) -> None:
        """Leave out columns of something else, and note what was read as what."""
        names = {self._names[place] for place in self._wrong}
        if len(self._wrong) == len(self._names) and not any(rows.frame["Labels"]):
            raise TableError(
                f"The columns of labels ({', '.join(sorted(names))[:80]}) say neither yes nor no: "
                "write 1 and 0, or a column Labels."
            )
        if names and self._known:
            rows.repaired["columns of labels with cells neither yes nor no"] = len(names)
        elif names:
            labels = rows.frame["Labels"]
            rows.frame["Labels"] = [tuple(n for n in found if n not in names) for found in labels]
            rows.read_as["no labels"] = ", ".join(sorted(names))[:200]
        if self._minus:
            rows.repaired["-1 read as no"] = self._minus


def _of_several(rows: pd.Series, names: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Labels of rows with several columns of them; where all are yes or no, the columns' names."""
    if all(is_true(cell) is not None for cells in rows for cell in cells):
        return [tuple(n for n, cell in zip(names, c, strict=True) if is_true(cell)) for c in rows]
    return [tuple(part for cell in cells for part in parts(cell)) for cells in rows]


def _empty() -> pd.DataFrame:
    frame = pd.DataFrame(columns=["line", *COLUMNS], dtype=object)
    return frame.astype({"ImageID": "str", "Caption": "str", "line": "int64"})


def with_note(rows: Rows, **read_as: str) -> Rows:
    rows.read_as |= read_as
    return rows


def _plain(cell: object) -> object:
    """A cell of labels as text or a tuple, so that equal ones are understood once."""
    cell = cell.tolist() if hasattr(cell, "tolist") else cell
    return tuple(parts(cell)) if isinstance(cell, (dict, list, tuple, set)) else cell_text(cell)


def cell_text(cell: object) -> str:
    """A cell as text; Excel's numbers without `.0`."""
    if cell is None or cell != cell:  # NaN
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    text = str(cell).strip()
    return text if text.isascii() else text.encode("utf-8", "replace").decode()  # half pairs


def photo_name(cell: object) -> str:
    """The name that a cell gives a photo; the image columns of Hugging Face are records."""
    if isinstance(cell, dict):
        cell = next(filter(None, map(cell.get, _NAMING)), None)
    name = cell_text(cell)
    local = name.partition("?d=")[2]  # Label Studio's local files
    return unquote_plus(local) if local else name
