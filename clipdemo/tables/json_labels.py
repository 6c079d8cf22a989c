"""Labels in JSON: the names of numbered classes, and which labels count by their scores."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from clipdemo.errors import TableError
from clipdemo.inputs.photo_names import is_photo
from clipdemo.tables.columns import FURTHER, USUAL
from clipdemo.tables.label_values import LIKELY, is_true, number

_LISTS = {
    "classes", "names", "categories", "categorynames", "labelnames", "classnames", "labelmap",
    "classmap", "detectioncategories", "id2label", "label2id", "classtoidx", "idxtoclass",
}  # fmt: skip
_ABOUT = ("info", "meta", "metainfo", "metadata")  # keys of objects about the dataset
_OF_NUMBERS = ("categoryid", "categoryids", "classid", "classids", "labelid", "labelids", "gtlabel")
_NAMING = {
    "name", "displayname", "categoryid", "categoryids", "labelid", "classid",
    *USUAL["Labels"], *FURTHER["Labels"],
}  # fmt: skip
_SCORES = ("score", "confidence", "probability", "prob", "conf")
_PARALLEL = {
    *_SCORES, *(f"{key}s" for key in _SCORES), "probabilities", "logits", "labelscores",
    "labelconfidence",
}  # fmt: skip
_MARKS = ("present", "ispresent", "checked", "selected")
_ROUNDING = 0.001  # by which a score may be beyond its limits
_NUMBERS = re.compile(r"\s*-?\d+(?:[\s,;|]+-?\d+)*\s*")


@lru_cache(1024)
def plain(key: str) -> str:
    """A key without its case and the marks between its words."""
    return re.sub(r"[\W_]+", "", key.casefold())


def class_list(found: dict) -> tuple[str, dict[str, str]]:
    """The key of an object's list of classes, "" for one further inside, and number -> name.

    Both are empty if it has none.
    """
    for key, value in found.items():
        names = _numbered(value) if plain(key) in _LISTS else {}
        if names and not _is_column(found, key):
            return key, names
    inside = (found[key] for key in _ABOUT if isinstance(found.get(key), dict))
    lists = (_numbered(v) for about in inside for k, v in about.items() if plain(k) in _LISTS)
    return "", next(filter(None, lists), {})


def number_key(names: Iterable[str]) -> str | None:
    """The only one of a record's keys that says the number of its label."""
    found = [name for name in names if plain(name) in _OF_NUMBERS]
    return found[0] if len(found) == 1 else None


def _numbered(value: Any) -> dict[str, str]:
    """Number -> name of classes in a list, or in a dict either way round."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        value = {c.get("id"): c.get("name") for c in value if isinstance(c, dict)}
    elif isinstance(value, list):
        value = dict(enumerate(value))
    elif isinstance(value, dict) and all(type(number) is int for number in value.values()):
        value = {number: name for name, number in value.items()}
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value.values()):
        return {}
    if any(map(is_photo, value.values())):
        return {}
    return {str(number): name for number, name in value.items() if _is_number(number)}


def _is_column(found: dict, key: str) -> bool:
    """Whether a key's value has one item for each item of another list, as columns have."""
    others = (value for name, value in found.items() if name != key)
    alike = (v for v in others if type(v) is type(found[key]) and len(v) == len(found[key]))
    return any(
        set(v) == set(found[key]) if isinstance(v, dict) else not isinstance(v[0], dict)
        for v in alike
    )


def _is_number(value: object) -> bool:
    return type(value) is int or (isinstance(value, str) and value.strip().isdecimal())


def named(cells: list, classes: dict[str, str], path: object) -> list:
    """Cells of labels, with the names of classes in place of their numbers.

    Raises:
        TableError: a number is not among the classes.
    """
    vectors = [cell for cell in cells if cell is not None]
    if len(classes) > 1 and all(_is_vector(cell, len(classes)) for cell in vectors):
        pairs = [zip(classes.values(), cell or (), strict=False) for cell in cells]
        return [[name for name, on in found if on] for found in pairs]
    return [_named(cell, classes, path) for cell in cells]


def _is_vector(cell: object, size: int) -> bool:
    return isinstance(cell, list) and len(cell) == size and all(v in (0, 1) for v in cell)


def _named(value: Any, classes: dict[str, str], path: object) -> Any:
    if isinstance(value, list):
        found = [_named(part, classes, path) for part in value]
        return [part for part in found if part is not None]
    if isinstance(value, dict):
        said = [part for key, part in value.items() if plain(key) in _NAMING]
        numbers = [part for part in said if _is_number(part) or isinstance(part, list)]
        if numbers and not any(isinstance(p, str) and not _is_number(p) for p in said):
            return _named(numbers[0], classes, path)
        return {classes.get(str(key), key): part for key, part in value.items()}
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str) and _NUMBERS.fullmatch(value) and value not in classes.values():
        several = re.findall(r"-?\d+", value)
        value = int(several[0])
        if len(several) > 1:
            return [_named(int(part), classes, path) for part in several]
    if type(value) is not int:
        return value
    if value >= 0 and str(value) not in classes:
        raise TableError(
            f"{path} has the label {value}, which is not among its {len(classes)} classes: write "
            "the names of labels in place of their numbers."
        )
    return classes.get(str(value))  # below zero: not known


def scores_of(cells: dict[str, list], labels: str) -> list[list | None]:
    """For each row its list of scores that is as long as its list of labels.

    Args:
        cells: of the rows, by column.
        labels: the column of labels.
    """
    scores = [found for key, found in cells.items() if plain(key) in _PARALLEL]
    rows = zip(*scores, strict=True) if scores else ((),) * len(cells[labels])
    return [_as_long(own, cell) for own, cell in zip(rows, cells[labels], strict=True)]


def _as_long(lists: Iterable[object], cell: object) -> list | None:
    size = len(cell) if isinstance(cell, list) else 0
    return next((v for v in lists if isinstance(v, list) and len(v) == size > 0), None)


def likely(cells: list, scores: list[list | None], path: object) -> tuple[list, int]:
    """Cells of labels without those whose score is too low, and the number of these.

    Args:
        cells: of the rows.
        scores: of each cell's labels, if they are not in the cell itself.
        path: of the file, for error messages.

    Raises:
        TableError: the scores are neither from 0 to 1 nor percentages.
    """
    pairs = [_scored(cell, own) for cell, own in zip(cells, scores, strict=True)]
    all_scores = [s for found in pairs for _, s in found if s is not None] or [0.0]
    least, most = min(all_scores), max(all_scores)
    if least < -_ROUNDING or most > 100 + _ROUNDING or 1 + _ROUNDING < most < 100 * LIKELY:
        raise TableError(
            f"{path} has labels with scores from {least:g} to {most:g}: give scores from 0 to 1, "
            "or only the labels that are true."
        )
    limit = LIKELY * (100 if most > 1 + _ROUNDING else 1)
    unlikely, kept = 0, []
    for cell, found in zip(cells, pairs, strict=True):
        good = [label for label, score in found if score is None or score >= limit]
        unlikely += len(found) - len(good)
        kept.append(good if any(score is not None for _, score in found) else cell)
    return kept, unlikely


def _scored(cell: Any, scores: list | None) -> list[tuple[Any, float | None]]:
    """The labels of a cell, each with its score."""
    if isinstance(cell, dict):
        said = {plain(key): part for key, part in cell.items()}
        naming = [part for key, part in said.items() if key in _NAMING]
        if not naming:  # {"dog": 0.98, "cat": 0.1}
            numbers = [_number(part) for part in cell.values()]
            return list(zip(cell, numbers, strict=True)) if are_scores(cell.values()) else []
        lists = [said[key] for key in (*_SCORES, *_PARALLEL) if isinstance(said.get(key), list)]
        if not lists or not isinstance(naming[0], list):
            return [(cell, _score(said))]
        cell, scores = naming[0], lists[0]
    if not isinstance(cell, list):
        return []
    if scores is not None and len(scores) == len(cell):
        return list(zip(cell, map(_number, scores), strict=True))
    if not any(isinstance(part, dict | list) for part in cell):  # names alone, as most are
        return []
    if all(_is_pair(part) for part in cell):  # [["dog", 0.98], ["cat", 0.02]]
        return [(label, float(score)) for label, score in cell]
    inside = [_scored(part, None) if isinstance(part, dict) else [] for part in cell]
    return [
        pair for part, found in zip(cell, inside, strict=True) for pair in found or [(part, None)]
    ]


def _is_pair(part: object) -> bool:
    kinds = [type(value) for value in part] if isinstance(part, list) else []
    return kinds in ([str, float], [str, int])


def are_scores(values: Iterable[object]) -> bool:
    """Whether values are numbers from 0 to 1, and not just zeros and ones."""
    values = list(values)
    numbers = all(type(value) in (int, float) and 0 <= value <= 1 for value in values)
    return numbers and any(0 < value < 1 for value in values)


def _score(said: dict) -> float | None:
    """The score of a record, by its plain keys; zero for a label that is marked as not there."""
    marks = [said[key] for key in _MARKS if key in said]
    marks += [said["value"]] if isinstance(said.get("value"), bool) else []
    if any(is_true(mark) is False for mark in marks):
        return 0.0
    share = said.get("value")  # Clarifai's; others count with it
    if isinstance(share, float) and 0 <= share <= 1:
        return share
    return next((s for s in map(_number, map(said.get, _SCORES)) if s is not None), None)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    return number(str(value))
