"""Raw rows of files in any form, before their labels are interpreted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

import pandas as pd

from clipdemo.errors import TableError
from clipdemo.tables.columns import COLUMNS, Columns
from clipdemo.tables.label_values import CAPTION, DEEPEST, FALSE, LIKELY, is_true, literal, parts

OURS = Columns({name: place for place, name in enumerate(COLUMNS)})
Find = Callable[[Sequence[str]], Columns]
"""Finds the columns by a header; raises TableError."""
_NAMING = ("path", "file_name", "filename", "src", "url", "name")  # keys of a record for an image
_LISTED = re.compile(r"""\s*[\[{]\s*["'{].*[\]}]\s*$""", re.DOTALL)
NO_CAPTION = {"NA", "#N/A", "<NA>", "\\N", "nan", "NaN", "NULL"}
_ATTACHED = re.compile(r"([^()]+\.\w{3,4}) \(https?://[^()\s]+\)")
CHUNK = 100_000  # rows that are Python objects at the same time


@dataclass
class Rows:
    """Raw rows of a file, before their labels are interpreted.

    Attributes:
        frame: columns `line` (int, of the file, from 1), `ImageID` (str), `Labels` (object: text,
            a list, or names) and `Caption` (str).
        problems: line -> the row's photo name and why the row cannot be read.
        repaired: what was repaired, and how often.
        read_as: how parts of the file were interpreted.
        by_ids: whether the ids of labels distinguished rows from lines of captions.
    """

    frame: pd.DataFrame
    problems: dict[int, tuple[str, str]] = field(default_factory=dict)
    repaired: dict[str, int] = field(default_factory=dict)
    read_as: dict[str, str] = field(default_factory=dict)
    by_ids: bool = False


def gathered(
    lines: Iterable[tuple[int, Sequence]], header: Sequence[str], columns: Columns
) -> Rows:
    """Rows from cells in the file's order, collected in chunks to save memory."""
    pieces = []
    own, several, doubtful = _OwnColumns(columns), columns.several, 0
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
            if columns.doubt is not None and not is_likely(cells[columns.doubt]):
                found, doubtful = "", doubtful + bool(found)
        caption = columns.places.get("Caption")
        waiting.append(
            (
                line,
                photo_name(cells[columns.places["ImageID"]]),
                found,
                "" if caption is None else caption_text(cells[caption]),
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
    if columns.doubt is not None:
        rows.repaired[f"labels not used because of {header[columns.doubt]}"] = doubtful
    return rows


class _OwnColumns:
    """Reads columns for one label each."""

    def __init__(self, columns: Columns) -> None:
        self._names, self._known = columns.own, columns.known
        self._wrong: set[int] = set()
        self._minus = 0  # CheXpert's uncertain ones, CelebA's noes

    def labels(self, cells: Sequence[object]) -> tuple[str, ...]:
        """The labels that are true for a row."""
        said = {place: is_true(cells[place], self._known) for place in self._names}
        self._wrong |= {place for place, value in said.items() if value is None}
        self._minus += sum(v is False and str(cells[p]).startswith("-1") for p, v in said.items())
        return tuple(self._names[place] for place, value in said.items() if value)

    def finish(self, rows: Rows) -> None:
        """Leave out other columns, and note how the columns were interpreted."""
        names = {self._names[place] for place in self._wrong}
        if len(self._wrong) == len(self._names) and not any(rows.frame["Labels"]):
            raise TableError(
                f"The columns of labels ({', '.join(sorted(names))[:80]}) have neither yes nor no: "
                "write 1 and 0, or say which column has the labels with --columns Labels=NAME."
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
    """Labels of rows with several columns of labels; the columns' names if all are yes or no."""
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
    """A cell of labels as text or a tuple, so that equal ones are interpreted only once."""
    cell = cell.tolist() if hasattr(cell, "tolist") else cell
    return tuple(parts(cell)) if isinstance(cell, (dict, list, tuple, set)) else cell_text(cell)


def is_likely(cell: object) -> bool:
    """Whether a row's label counts, by its score or a word; an empty cell says nothing."""
    text = cell_text(cell).casefold()
    try:
        return float(text.rstrip("%")) / (100 if text.endswith("%") else 1) >= LIKELY
    except ValueError:
        return text not in FALSE and text not in ("reject", "ignore")


def cell_text(cell: object) -> str:
    """A cell as text; Excel's numbers without `.0`."""
    if cell is None or cell != cell:  # NaN
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    text = str(cell).strip()
    return text if text.isascii() else text.encode("utf-8", "replace").decode()  # lone surrogates


def caption_text(cell: object, depth: int = 0) -> str:
    """The caption in a cell: the first if there is a list of them, or records of them."""
    cell = cell.tolist() if hasattr(cell, "tolist") else cell
    if isinstance(cell, str) and _LISTED.match(cell):
        found = literal(cell.strip())
        cell = cell if found is None else found
    if isinstance(cell, dict):
        cell = next(filter(None, map(cell.get, CAPTION)), "")
    if isinstance(cell, list | tuple) and depth < DEEPEST:
        return next(filter(None, (caption_text(part, depth + 1) for part in cell)), "")
    text = cell_text(cell)
    return "" if text in NO_CAPTION else text


def photo_name(cell: object) -> str:
    """The photo's name in a cell: of a record in Hugging Face's image columns, or before its
    address in an attachment of Airtable.
    """
    if isinstance(cell, dict):
        cell = next(filter(None, map(cell.get, _NAMING)), None)
    name = cell_text(cell)
    attached = _ATTACHED.match(name)
    name = attached[1] if attached else name
    local = name.partition("?d=")[2]  # Label Studio's local files
    return unquote_plus(local) if local else name
