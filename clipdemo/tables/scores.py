"""Scores of labels, in columns of their own: as fractions, percentages, counts or words."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence

from clipdemo.tables.label_values import FALSE, LIKELY, number, parts

_NOT = FALSE | {"reject", "rejected", "ignore"}
_PERCENT = (50, 100)  # the highest of a column of percentages is one of these,
_SURE = 10  # or, in a column of confidences, above what a rating has


def likely(cells: Iterable[str], name: str = "score") -> Callable[[str], bool] | None:
    """Which of these cells, all of a column, say that a label is true.

    Fractions do from 0.5, or percentages from 50 if the highest is one; words, if they do not mean
    no; and an empty cell, which says nothing. None if the numbers are on another scale.

    Args:
        cells: their texts.
        name: of the column; a count above zero is a yes, and a value is no percentage.
    """
    numbers = {cell: found for cell in cells if (found := number(cell)) is not None}
    top, least = max(numbers.values(), default=0), min(numbers.values(), default=0)
    name = name.strip().casefold()
    counts, from_ = name == "count", _SURE if re.search("conf|prob", name) else _PERCENT[0]
    percent = name != "value" and from_ <= top <= _PERCENT[1]
    if least < 0 or (top > 1 and not percent and not counts):
        return None
    cut = 1 if counts else LIKELY * (100 if percent else 1)
    return lambda cell: numbers[cell] >= cut if cell in numbers else cell.casefold() not in _NOT


def likely_labels(
    labels: Sequence[object],
    said: Sequence[str],
    name: str = "score",
    alike: Collection[str] = (),
) -> list[object] | None:
    """Cells of labels, without those that a column says are not true.

    A list of scores says it of each label in its row. None if the numbers are on another scale.

    Args:
        labels: of the rows.
        said: of the rows, what the column says.
        name: of the column.
        alike: cells of other columns on the same scale.
    """
    lists = {text: parts(text) for text in set(said) if number(text) is None}
    lists = {text: found for text, found in lists.items() if len(found) > 1}
    single = {text for text in said if text not in lists}
    texts = single.union(alike, *lists.values())
    yes = likely(texts, name)
    if yes is None:
        return None
    found: list[object] = []
    for cell, text in zip(labels, said, strict=True):
        names = parts(cell) if text in lists else ()
        if text in lists and len(names) == len(lists[text]):
            found.append(tuple(n for n, s in zip(names, lists[text], strict=True) if yes(s)))
        else:
            found.append(cell if text in lists or yes(text) else "")
    return found
