"""Rows as a file has them, in whatever form, before their labels are understood."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

import pandas as pd

from clipdemo.tables.columns import COLUMNS, Columns
from clipdemo.tables.label_values import is_true

OURS = Columns({name: place for place, name in enumerate(COLUMNS)})
Find = Callable[[Sequence[str]], Columns]
"""Finds the columns by a header; raises TableError."""
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
    own, labelled = dict(columns.own), "Labels" in columns.places
    waiting: list[tuple] = []
    wrong: set[int] = set()

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
            values = {place: is_true(cells[place]) for place in own}
            wrong |= {place for place, value in values.items() if value is None}
            found = tuple(own[place] for place, value in values.items() if value)
        else:
            found = _plain(cells[columns.places["Labels"]]) if labelled else ""
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
    if wrong and not columns.known:  # columns of something else
        names = {own[place] for place in wrong}
        frame["Labels"] = [tuple(n for n in c if n not in names) for c in frame["Labels"]]
    rows = Rows(frame)
    if wrong and columns.known:
        rows.repaired["cells of labels that are neither yes nor no"] = len(wrong)
    taken = {
        ours: header[place]
        for ours, place in columns.places.items()
        if header[place].strip() != ours
    }
    if own:
        taken["Labels"] = f"one column per label ({len(own)})"
    rows.read_as = taken
    return rows


def _empty() -> pd.DataFrame:
    frame = pd.DataFrame(columns=["line", *COLUMNS], dtype=object)
    return frame.astype({"ImageID": "str", "Caption": "str", "line": "int64"})


def with_note(rows: Rows, **read_as: str) -> Rows:
    rows.read_as |= read_as
    return rows


def _plain(cell: object) -> object:
    """A cell of labels as text or a tuple, so that equal ones are understood once."""
    if isinstance(cell, dict):
        return tuple(name for name, on in cell.items() if is_true(on))
    if isinstance(cell, (list, tuple, set)) or hasattr(cell, "tolist"):
        return tuple(map(cell_text, cell if not hasattr(cell, "tolist") else cell.tolist()))
    return cell_text(cell)


def cell_text(cell: object) -> str:
    """A cell as text; Excel's numbers without `.0`."""
    if cell is None or cell != cell:  # NaN
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    text = str(cell).strip()
    return text if text.isascii() else text.encode("utf-8", "replace").decode()  # half pairs


def photo_name(cell: object) -> str:
    """The name that a cell gives a photo; Hugging Face's image columns are dicts."""
    if isinstance(cell, dict):
        cell = cell.get("path")
    name = cell_text(cell)
    local = name.partition("?d=")[2]  # Label Studio's local files
    return unquote_plus(local) if local else name
