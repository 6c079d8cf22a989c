"""What a table's header leaves open about its columns, and its rows show."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from clipdemo.errors import TableError
from clipdemo.inputs.photo_names import is_photo
from clipdemo.tables.columns import Columns, is_usual_photo, is_vague
from clipdemo.tables.label_names import folded
from clipdemo.tables.label_values import parts
from clipdemo.tables.own_columns import may_be_a_label

MOST = 1000  # rows
_NUMBER = re.compile(r"\d+(\.0*)?")

Cells = Mapping[int, Sequence[str]]
"""Position of a column -> its cells."""


def settled(columns: Columns, header: Sequence[str], cells: Cells) -> Columns:
    """The columns, after a look at the first rows.

    `named` remains only for a column that has the names of numbered labels in these rows.

    Raises:
        TableError: several columns may be the photos' names, or the labels.
    """
    if columns.photos:
        columns = _with_photos(columns, header, cells)
    if columns.weak:
        columns = _with_labels(columns, header, cells)
    if columns.named and "Labels" in columns.places:
        numbers = cells[columns.places["Labels"]]
        named = tuple(p for p in columns.named if are_names(numbers, cells[p]))
        columns = replace(columns, named=named[:1])
    return columns


def are_names(numbers: Sequence[str], names: Sequence[str]) -> bool:
    """Whether the cells of a column are names of the numbers in another, each its own."""
    pairs = {pair for pair in zip(numbers, names, strict=True) if any(pair)}
    one_to_one = len({n for n, _ in pairs}) == len({name for _, name in pairs}) == len(pairs)
    texts = not any(not name or _NUMBER.fullmatch(name) or is_photo(name) for _, name in pairs)
    return one_to_one and texts and bool(pairs) and all(_NUMBER.fullmatch(n) for n, _ in pairs)


def _with_photos(columns: Columns, header: Sequence[str], cells: Cells) -> Columns:
    """With the only column whose cells look like photos' names, the usual ones first."""
    usual = [place for place in columns.photos if is_usual_photo(header[place])]
    usual = usual or list(columns.photos)
    looks = [place for place in columns.photos if _are_photos(cells[place])]
    found = usual if len(usual) == 1 else [place for place in usual if place in looks]
    if not set(looks) & set(usual) and len(looks) == 1:
        # An address is where a photo comes from; the file may have the name in another column.
        address = any("://" in cell for cell in cells[looks[0]])
        if not address or all("://" in cell for place in usual for cell in cells[place]):
            found = looks
    if len(found) != 1:
        raise columns.unclear
    folders = (p for p in columns.photos if p not in looks and header[p].lower().endswith("path"))
    return replace(
        columns,
        places=columns.places | {"ImageID": found[0]},
        folder=next(folders, None) if columns.folder is None and looks == found else columns.folder,
    )


def _are_photos(cells: Sequence[str]) -> bool:
    """Whether most of the cells that are not empty end as a photo's name does."""
    found = [is_photo(re.sub(r"[?#].*", "", cell)) for cell in cells if cell]
    return 2 * sum(found) > len(found)


def _with_labels(columns: Columns, header: Sequence[str], cells: Cells) -> Columns:
    """With a column of labels, if only one of the others may be yes and no.

    Raises:
        TableError: there are more of these.
    """
    labels, own = columns.places["Labels"], columns.own
    flags = {place: name for place, name in own.items() if may_be_a_label(cells[place])}
    known = set(map(folded, own.values()))
    agree = all(folded(part) in known for cell in cells[labels] for part in parts(cell))
    if len(flags) > 1 - is_vague(header[labels]) and not agree:
        raise TableError(
            f"Both {header[labels]} and columns such as {next(iter(flags.values()))} may be the "
            f"labels: say --columns Labels={header[labels]}, or remove the column {header[labels]} "
            "if it has none."
        )
    return replace(columns, own={}, weak=False)
