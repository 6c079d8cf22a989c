"""Gathering the rows of a table from its cells, by its columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain, islice

import pandas as pd

from clipdemo.errors import TableError
from clipdemo.tables.columns import COLUMNS, Columns, is_like_labels
from clipdemo.tables.first_rows import MOST, are_names, settled
from clipdemo.tables.label_values import is_true, number, parts
from clipdemo.tables.own_columns import OwnColumns
from clipdemo.tables.rows import Rows, caption_text, cell_text, photo_name
from clipdemo.tables.scores import likely_labels

CHUNK = 100_000  # rows that are Python objects at the same time


def gathered(
    lines: Iterable[tuple[int, Sequence]], header: Sequence[str], columns: Columns
) -> Rows:
    """Rows from cells in the file's order, collected in chunks to save memory."""
    pieces = []
    columns, lines, taken = _settled(lines, header, columns)
    own, several = OwnColumns(columns), columns.several
    said = (*columns.doubts, *columns.scores.values())
    waiting: list[tuple] = []

    def flush() -> None:
        if waiting:
            frame = pd.DataFrame(waiting, columns=["line", *COLUMNS, "said"])
            texts = all(isinstance(cell, str) for cell in frame["Labels"])
            kinds = {"ImageID": "str", "Caption": "str", "line": "int64"}
            pieces.append(frame.astype(kinds | ({"Labels": "str"} if texts else {})))
            waiting.clear()

    for line, row in lines:
        cells = [row[place] if place < len(row) else None for place in range(len(header))]
        if columns.own:
            found = own.labels(line, [cell_text(cells[place]) for place in columns.own])
        elif several:
            found = tuple(_plain(cells[place]) for place in several)
        else:
            found = _plain(cells[columns.places["Labels"]]) if "Labels" in columns.places else ""
        name = photo_name(cells[columns.places["ImageID"]])
        if columns.folder is not None:
            name = _in_folder(cell_text(cells[columns.folder]), name)
        caption = columns.places.get("Caption")
        waiting.append(
            (
                line,
                name,
                found,
                "" if caption is None else caption_text(cells[caption]),
                tuple(cell_text(cells[place]) for place in said),
            )
        )
        if len(waiting) == CHUNK:
            flush()
    flush()
    frame = pd.concat(pieces, ignore_index=True) if pieces else _empty()
    rows = Rows(frame.drop(columns="said"))
    if columns.own:
        own.finish(rows)
    if said:
        _leave_out_doubtful(rows, frame["said"], header, columns)
    if several:
        rows.frame["Labels"] = _of_several(rows.frame, tuple(several.values()))
        taken["Labels"] = ", ".join(several.values())[:200]
    rows.read_as |= taken
    return rows


def _settled(
    lines: Iterable[tuple[int, Sequence]], header: Sequence[str], columns: Columns
) -> tuple[Columns, Iterable[tuple[int, Sequence]], dict[str, str]]:
    """The columns after a look at the first rows, all rows, and which columns are taken."""
    lines, numbers = iter(lines), None
    if columns.photos or columns.weak or columns.named:
        first = list(islice(lines, MOST))
        columns, lines = settled(columns, header, _texts(first, columns)), chain(first, lines)
    if columns.named:
        lines, numbers = list(lines), columns.places["Labels"]
        cells = _texts(lines, columns)
        if are_names(cells[numbers], cells[columns.named[0]]):
            places = columns.places | {"Labels": columns.named[0]}
            columns = replace(columns, places=places)
        else:
            numbers = None
    taken = {
        ours: header[place]
        for ours, place in columns.places.items()
        if header[place].strip() != ours
    }
    if columns.folder is not None:
        name = header[columns.places["ImageID"]]
        taken["ImageID"] = f"{header[columns.folder]} and {name}"
    if numbers is not None:
        taken["numbers of labels, not used"] = header[numbers]
    used = {*columns.used, numbers}
    others = [name for place, name in enumerate(header) if place not in used]
    unused = ", ".join(filter(is_like_labels, others))[:200]
    if unused and "Labels" in columns.places:
        taken["not used, in spite of their names"] = unused
    return columns, lines, taken


def _texts(rows: Sequence[tuple[int, Sequence]], columns: Columns) -> dict[int, list[str]]:
    """The cells of the columns as text."""
    found = {}
    for place in columns.used:
        read = photo_name if place in columns.photos else cell_text
        found[place] = [read(row[place]) if place < len(row) else "" for _, row in rows]
    return found


def _in_folder(folder: str, name: str) -> str:
    """A photo's name after its folder, from a column of its own."""
    folder = folder.replace("\\", "/").rstrip("/")
    alone = folder and name and "/" not in name and "\\" not in name
    return f"{folder}/{name}" if alone else name


def _leave_out_doubtful(
    rows: Rows, said: pd.Series, header: Sequence[str], columns: Columns
) -> None:
    """Remove labels that are not true because of the columns that say so."""
    labels = rows.frame["Labels"].tolist()
    at_label = {s: list(columns.several).index(p) for p, s in columns.scores.items()}
    scores = {text for texts in said for text in texts[len(columns.doubts) :]}
    for at, place in enumerate((*columns.doubts, *columns.scores.values())):
        one = at_label.get(place)  # of several labels
        cells = labels if one is None else [cell[one] for cell in labels]
        same = () if one is None else scores
        left = likely_labels(cells, said.str[at].tolist(), header[place], same)
        if left is None:
            rows.read_as["numbers on an unknown scale, not used"] = header[place]
            continue
        pairs = zip(cells, left, strict=True)
        rows.repaired[f"labels not used because of {header[place]}"] = sum(
            bool(old) and old != new for old, new in pairs
        )
        if one is not None:
            pairs = zip(labels, left, strict=True)
            left = [(*old[:one], new, *old[one + 1 :]) for old, new in pairs]
        labels = left
    texts = all(isinstance(cell, str) for cell in labels)
    rows.frame["Labels"] = pd.Series(labels, dtype="str" if texts else object)


def _of_several(frame: pd.DataFrame, names: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Labels of rows with several columns of labels; the columns' names if all are yes or no.

    Pandas writes these names below a common heading.
    """
    rows, above = frame["Labels"].tolist(), []
    headed = len(set(names)) == 1 and (frame["ImageID"][:1] == "").any()
    if headed and _are_yes_or_no(rows[1:]):
        names, rows, above = rows[0], rows[1:], [()]
    if _are_yes_or_no(rows):
        said = (zip(names, cells, strict=True) for cells in rows)
        return [*above, *(tuple(name for name, cell in row if is_true(cell)) for row in said)]
    if all(_is_score(cell) for cells in rows for cell in cells):
        raise TableError(
            f"The columns of labels ({', '.join(names)[:80]}) have scores and no names: write the "
            "names of the labels that are likely."
        )
    return [tuple(part for cell in cells for part in parts(cell)) for cells in rows]


def _are_yes_or_no(rows: Iterable[tuple]) -> bool:
    return all(is_true(cell) is not None for cells in rows for cell in cells)


def _is_score(cell: object) -> bool:
    """Whether a cell is empty or a fraction, such as the score of a class."""
    value = number(cell) if isinstance(cell, str) else None
    return not cell or (value is not None and 0 <= value <= 1)


def _empty() -> pd.DataFrame:
    frame = pd.DataFrame(columns=["line", *COLUMNS, "said"], dtype=object)
    return frame.astype({"ImageID": "str", "Caption": "str", "line": "int64"})


def _plain(cell: object) -> object:
    """A cell of labels as text or a tuple, so that equal ones are interpreted only once."""
    cell = cell.tolist() if hasattr(cell, "tolist") else cell
    return tuple(parts(cell)) if isinstance(cell, (dict, list, tuple, set)) else cell_text(cell)
