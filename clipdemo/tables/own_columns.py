"""Columns for one label each: yes and no in words and marks, counts of objects, and scores."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache

from clipdemo.errors import TableError
from clipdemo.inputs.labels import COCO18
from clipdemo.tables.columns import Columns, is_like_labels, is_of_others, may_be_counts
from clipdemo.tables.label_names import LabelReader, folded
from clipdemo.tables.label_values import FALSE, LIKELY, is_true, number
from clipdemo.tables.rows import Rows

# Elsewhere, these words and marks may be labels.
_YES = {
    "positive", "pos", "present", "selected", "checked", "ticked", "marked", "sand", "ok", "*", "+",
    "●", "○", "◯", "•", "[x]", "👍", "b'\\x01'", "\x01",
}  # fmt: skip
_NO = {
    "negative", "neg", "absent", "unselected", "not selected", "unchecked", "not checked",
    "unticked", "[ ]", "[]", "\u2013", "\u2014", "👎", "b'\\x00'", "\x00",
}  # fmt: skip
_UNSURE = {"?", "??", "maybe", "unsure", "uncertain", "unclear", "unknown", "not sure", "perhaps"}
_MOST = 99  # objects in a photo; other columns of numbers are years, sizes and the like
_CROWD = 3  # of the averages of several people's yes and no, some are unanimous
_TEXTS = 1000  # different texts, with which a column is none of a label
_FEW = 10  # rows, in which labels need not repeat
_CLEAR = ("yes", "no", "minus")


class OwnColumns:
    """Reads columns for one label each, and tells which of them are none."""

    def __init__(self, columns: Columns) -> None:
        study = LabelReader(COCO18)
        self._names, self._known = columns.own, columns.known
        self._sure = {
            place
            for place, name in columns.own.items()
            if columns.known or study.id_of(name) is not None
        }
        self._kinds: dict[int, Counter[str]] = defaultdict(Counter)
        self._texts: dict[int, Counter[str]] = defaultdict(Counter)  # neither yes nor no
        self._odd: dict[int, tuple[int, str]] = {}  # the first of these, with its line
        self._free: set[int] = set()  # with so many that it is no label
        self._circles: set[str] = set()

    def labels(self, line: int, cells: Sequence[str]) -> tuple[str, ...]:
        """The labels that are true for a row, by the columns' cells, if all are labels."""
        found = []
        for (place, name), text in zip(self._names.items(), cells, strict=True):
            if place in self._free:
                continue
            kind, yes = _kind(text)
            if kind in ("odd", "number"):
                kind, yes = self._odd_cell(place, line, text, kind)
            elif not text.isascii():
                self._circles.update({"●", "○"} & {text})
            self._kinds[place][kind] += 1
            if yes:
                found.append(name)
        return tuple(found)

    def _odd_cell(self, place: int, line: int, text: str, kind: str) -> tuple[str, bool]:
        """The kind of a cell that is neither yes nor no, or a yes if it repeats the label."""
        if kind == "odd" and folded(text) == folded(self._names[place]):
            return "yes", True
        self._odd.setdefault(place, (line, text))
        if kind == "odd":
            self._texts[place][text] += 1
            if len(self._texts[place]) > _TEXTS and place not in self._sure:
                self._free.add(place)
        return kind, False

    def finish(self, rows: Rows) -> None:
        """Leave out the columns that are no labels, and note how the others were interpreted.

        Raises:
            TableError: it is not certain which columns are labels, or what a cell of one means.
        """
        used = {place for place in self._names if self._is_label(place)}
        kinds = Counter[str]()
        for place in used:
            kinds += self._kinds[place]
        left = [self._names[place] for place in self._names if place not in used]
        no_zero = kinds["count"] and not (kinds["no"] or kinds["empty"])
        if no_zero or not used or (kinds["score"] and not kinds["yes"]):
            names = ", ".join(sorted(self._names.values()))
            raise TableError(
                f"The columns of labels ({names[:80]}) have neither yes nor no: "
                "write 1 and 0, or say which column has the labels with --columns Labels=NAME."
            )
        if len(self._circles) > 1:
            raise TableError("The columns of labels have both ● and ○: write yes and no.")
        if not self._known:
            self._check_left(used, len(rows.frame))
        if left:
            labels = rows.frame["Labels"]
            rows.frame["Labels"] = [tuple(n for n in found if n not in left) for found in labels]
            rows.read_as["no labels"] = ", ".join(sorted(left))[:200]
        numbers = {"count": "counts, yes from 1", "score": f"scores, yes from {LIKELY}"}
        for kind, said in numbers.items():
            named = [self._names[place] for place in sorted(used) if self._kinds[place][kind]]
            if named:
                rows.read_as[said] = ", ".join(named)[:200]
        rows.read_as["Labels"] = f"one column per label ({len(used)})"
        rows.repaired["-1 read as no"] = kinds["minus"]
        rows.repaired["uncertain marks, such as ?, read as no"] = kinds["unsure"]

    def _is_label(self, place: int) -> bool:
        """Whether a column is one of a label.

        Raises:
            TableError: it is, but some cells are neither yes nor no.
        """
        kinds, sure = self._kinds[place], place in self._sure
        clear = sum(kinds[kind] for kind in _CLEAR)
        if kinds["odd"] or (sure and kinds["number"]):
            mark = len(self._texts.get(place, ())) == 1  # an unknown one, instead of a yes
            if (sure and (clear or mark)) or (kinds["yes"] and clear > kinds["odd"]):
                line, text = self._odd[place]
                raise TableError(
                    f"The column {self._names[place]} has {text[:40]!r} in line {line}, which is "
                    "neither yes nor no: write one of these, or remove the column if it is no "
                    "label."
                )
            return False
        if sure or not any(kinds[kind] for kind in ("number", "many", "score", "count")):
            return sure or bool(clear or not kinds["unsure"])
        if kinds["number"] or kinds["many"]:
            return False
        beside = any(k["yes"] and k["no"] for p, k in self._kinds.items() if p != place)
        if kinds["count"]:
            counts = kinds["no"] and not kinds["score"] and may_be_counts(self._names[place])
            return beside and bool(counts)
        return beside and _CROWD * clear >= kinds["score"]  # else a measure

    def _check_left(self, used: set[int], rows: int) -> None:
        """Raises TableError if a column that is left out looks like the labels.

        By its name, or since it repeats words next to a single column of yes and no, which then
        may be anything.
        """
        if used & self._sure:
            return
        flags = [place for place in used if self._kinds[place]["yes"]]
        for place in self._texts.keys() - used:
            name, texts = self._names[place], self._texts[place]
            repeats = max(texts.values()) > 1 or rows < _FEW
            alone = len(flags) < 2 and repeats and not is_of_others(name)
            if alone or is_like_labels(name):
                flag = self._names[min(flags or used)]
                raise TableError(
                    f"Either {name} or {flag} may be the labels: say --columns Labels={name}, or "
                    f"remove the column {name} if it has none."
                )


def may_be_a_label(cells: Iterable[str]) -> bool:
    """Whether these may be cells of a label's own column: yes and no, counts or scores."""
    kinds = {_kind(cell)[0] for cell in cells}
    return bool(kinds & {*_CLEAR}) and not kinds & {"odd", "number", "many"}


@lru_cache(4096)
def _kind(text: str) -> tuple[str, bool]:
    """What a cell says, and whether it is a yes if its column is one of a label."""
    key = text.casefold().replace("\ufe0f", "")
    if key in _YES or key in _NO:
        return ("yes", True) if key in _YES else ("no", False)
    if is_true(key):
        return "yes", True
    value = number(key)
    if is_true(key) is False and value is None:
        return "no" if key in FALSE else "empty", False
    if value is None:
        return "unsure" if key in _UNSURE else "odd", False
    if value in (0, 1, -1):
        return {0: "no", 1: "yes", -1: "minus"}[int(value)], value == 1
    if 0 < value < 1:
        return "score", value >= LIKELY
    if value < 0 or not value.is_integer():
        return "number", False
    return ("count" if value <= _MOST else "many"), True
