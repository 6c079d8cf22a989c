"""Raw rows of files in any form, before their labels are interpreted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from urllib.parse import unquote_plus

import pandas as pd

from clipdemo.errors import TableError
from clipdemo.inputs.photo_names import respelled
from clipdemo.tables.columns import COLUMNS, Columns, is_like_labels
from clipdemo.tables.first_rows import MOST, are_names, settled
from clipdemo.tables.label_values import CAPTION, DEEPEST, is_true, literal, parts
from clipdemo.tables.own_columns import OwnColumns
from clipdemo.tables.scores import likely_labels, number

OURS = Columns({name: place for place, name in enumerate(COLUMNS)})
Find = Callable[[Sequence[str]], Columns]
"""Finds the columns by a header; raises TableError."""
_NAMING = ("path", "file_name", "filename", "src", "url", "name")  # keys of a record for an image
_LISTED = re.compile(r"""\s*[\[{]\s*["'{].*[\]}]\s*$""", re.DOTALL)
NO_CAPTION = {"NA", "#N/A", "<NA>", "\\N", "nan", "NaN", "NULL"}
_ATTACHED = re.compile(r"((?:(?! \(https?://).)+\.\w{3,4}) \(https?://[^()\s]+\)")
_SPELLED = r"^\./|\\|//|/\./|[^\x00-\x7f]"  # names that may be spelled in several ways
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


def one_per_row(frame: pd.DataFrame) -> bool:
    """Whether most photos have several rows, each with another label in words."""
    said = frame[["ImageID", "Labels"]]
    if not all(isinstance(cell, str) for cell in said["Labels"]):
        return False
    said = said[said["Labels"] != ""]
    if said.duplicated().any():  # captions or workers
        return False
    several = said["ImageID"].value_counts() > 1
    return bool(several.mean() > 0.5) and bool(said["Labels"].str.contains(r"[^\W\d_]").any())


def alike(names: pd.Series) -> pd.Series:
    """Names of photos in the form in which different spellings of one are equal."""
    odd = names.str.contains(_SPELLED)
    return names.where(~odd, names[odd].map(respelled))


def with_note(rows: Rows, **read_as: str) -> Rows:
    rows.read_as |= read_as
    return rows


def _plain(cell: object) -> object:
    """A cell of labels as text or a tuple, so that equal ones are interpreted only once."""
    cell = cell.tolist() if hasattr(cell, "tolist") else cell
    return tuple(parts(cell)) if isinstance(cell, (dict, list, tuple, set)) else cell_text(cell)


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
    attached = _ATTACHED.fullmatch(name)
    name = attached[1] if attached else name
    local = name.partition("/data/local-files/?d=")[2]  # Label Studio's
    return unquote_plus(local) if local else name
