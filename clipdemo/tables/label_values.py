"""What a cell of labels says: ids or names, in any of the forms that people write lists in."""

from __future__ import annotations

import ast
import json
import math
import re
import unicodedata
from collections.abc import Iterable

from clipdemo.inputs.labels import COCO18, LabelSet

_FLOAT = re.compile(r"\d+\.0+")
_EMPTY = {"", "nan", "none", "null", "n/a", "-"}
TRUE, FALSE = {"1", "1.0", "true", "yes", "y", "x"}, {"0", "0.0", "false", "no", "n", ""}


def folded(name: str) -> str:
    """The form in which two names are the same label: NFC, without case and outer blanks."""
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


class LabelReader:
    """Reads cells of labels that are known.

    A part of a cell is a label's id, or its name without regard to case; where blanks separate
    labels, the longest name that fits counts.
    """

    def __init__(self, labels: LabelSet) -> None:
        names = zip(labels.names, labels.ids, strict=True)
        self._known = {folded(name): label for name, label in names}
        self._known |= {folded(label): label for label in labels.ids}
        self._ids = set(labels.ids)
        self._longest = max((key.count(" ") + 1 for key in self._known), default=1)

    def read(self, cell: object) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The ids of a cell in its order, each once, and what is neither an id nor a name."""
        ids, unknown = [], []
        for part in parts(cell):
            known = self.id_of(part)
            if known is not None:
                ids.append(known)
                continue
            found, strange = self._by_blanks(part) if isinstance(cell, str) else ([], [part])
            ids += found
            unknown += strange
        return tuple(dict.fromkeys(ids)), tuple(dict.fromkeys(unknown))

    def reads_ids(self, cell: object) -> bool:
        """Whether a label of the cell is written as its id."""
        words = (word for part in parts(cell) for word in part.split())
        return any(word.partition(".")[0] in self._ids for word in words)

    def id_of(self, part: str) -> str | None:
        """The id of an id or name; None for any other text."""
        key = folded(part)
        for same in (
            key,
            key.replace("_", " "),
            key.partition(".")[0] if _FLOAT.fullmatch(key) else key,
        ):
            if same in self._known:
                return self._known[same]
        return None

    def _by_blanks(self, part: str) -> tuple[list[str], list[str]]:
        words, found, unknown, at = part.split(), [], [], 0
        while at < len(words):
            for size in range(min(self._longest, len(words) - at), 0, -1):
                known = self.id_of(" ".join(words[at : at + size]))
                if known is not None:
                    found.append(known)
                    break
            else:
                size = 1
                unknown.append(words[at])
            at += size
        return (found, unknown) if found else ([], [part.strip()])


def parts(cell: object) -> list[str]:
    """The labels of a cell as `;`, `|`, commas or a list of JSON or Python separate them."""
    if isinstance(cell, str):
        text = cell.strip()
        if text[:1] in "[({" and text[-1:] in "])}":
            listed = _listed(text)
            if listed is not None:
                return parts(listed)
        split = re.split("[;|]", text)
        split = split if len(split) > 1 else text.split(",")
        return [part.strip() for part in split if part.strip().casefold() not in _EMPTY]
    if isinstance(cell, dict):
        return [str(name) for name, on in cell.items() if is_true(on)]
    if isinstance(cell, Iterable):
        return [part for item in cell for part in parts(_text(item)) or ()]
    return parts(_text(cell))


def is_true(cell: object) -> bool | None:
    """What a cell of a label's own column says; None for what is neither yes nor no."""
    text = _text(cell).strip().casefold()
    return True if text in TRUE else False if text in FALSE | _EMPTY else None


def own_labels(cells: Iterable[object]) -> LabelSet:
    """The labels that a table's cells name, where nothing else is known of them.

    Names are sorted, as numbers if all are. Those that differ only in case or outer blanks are
    one label, named as the study names it, else as it first comes. Blanks separate labels where
    no cell has another mark.
    """
    cells = list(cells)
    split = [parts(cell) for cell in cells]
    if not any(_has_mark(cell) for cell in cells):
        split = [[word for part in found for word in part.split()] for found in split]
    study = {folded(name): name for name in COCO18.names}
    names: dict[str, str] = {}
    for part in (part for found in split for part in found):
        part = part.partition(".")[0] if _FLOAT.fullmatch(part) else part
        names.setdefault(folded(part), study.get(folded(part), part))
    numbers = all(name.isascii() and name.isdigit() for name in names.values())
    found = tuple(sorted(names.values(), key=lambda n: (int(n), n) if numbers else n))
    return LabelSet(found, found)


def _has_mark(cell: object) -> bool:
    return not isinstance(cell, str) or any(mark in cell for mark in ";|,[")


def _listed(text: str) -> object | None:
    for read in (json.loads, ast.literal_eval):
        try:
            found = read(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            continue
        return sorted(found, key=str) if isinstance(found, set) else found
    return None


def _text(cell: object) -> str:
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    return str(cell)
