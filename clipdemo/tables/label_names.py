"""The labels that cells name: those that are known, or a table's own."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping

from clipdemo.errors import TableError
from clipdemo.inputs.labels import COCO18, LabelSet
from clipdemo.tables.label_values import COMMAS, MARKS, parts

_FLOAT = re.compile(r"\d+\.0*")
_JOINED = re.compile(f"{MARKS}|{COMMAS}|[/+&]")  # may also occur within names
_AND = {"and", "&", "+"}  # between labels that spaces separate
# What is left of other notations: of lists, records, markup, text that was cut off, or scores.
_NOTATION = re.compile(
    r"""[{}]|=>|<[^<>]*>|\\|://|\.\.\.|…|^["'\[(:]|^[^\[]*\]|\[[^][]*$|^[^(]*\)|\([^()]*$|^-?\d*\.\d+$"""
)
_OF_VECTOR = re.compile(r"[01](\.0*)?|-?\d*\.\d*[1-9]\d*(e-?\d+)?|true|false", re.IGNORECASE)


def folded(name: str) -> str:
    """The form in which names of the same label are equal: NFC, without case and outer spaces."""
    if not name.isascii():
        name = "".join(c for c in name if unicodedata.category(c) != "Cf")
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def _joined(key: str) -> str:
    """A folded name without separators of words, as for `StopSign` and `#stop-sign`."""
    return re.sub(r"[\s_.-]", "", key.removeprefix("#")) if re.search(r"[^\W\d_]", key) else ""


class LabelReader:
    """Reads cells with known labels.

    A part of a cell is a label's id, or its name in any case; if spaces separate labels, the
    longest matching name is used.
    """

    def __init__(self, labels: LabelSet) -> None:
        names = zip(labels.names, labels.ids, strict=True)
        self._known = {folded(name): label for name, label in names}
        self._known |= {folded(label): label for label in labels.ids}
        self._words = {_joined(key): label for key, label in self._known.items()}
        self._ids = set(labels.ids)
        self._longest = max((key.count(" ") + 1 for key in self._known), default=1)

    def read(self, cell: object) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The ids of a cell in order, each once, and parts that are neither an id nor a name."""
        ids, unknown = [], []
        for part in parts(cell):
            known = self.id_of(part)
            if known is not None:
                ids.append(known)
                continue
            found, strange = self._several(part, isinstance(cell, str))
            ids += found
            unknown += strange
        return tuple(dict.fromkeys(ids)), tuple(dict.fromkeys(unknown))

    def reads_ids(self, cell: object) -> bool:
        """Whether any label of the cell is given by its id."""
        words = (word for part in parts(cell) for word in part.split())
        return any(word.partition(".")[0] in self._ids for word in words)

    def id_of(self, part: str) -> str | None:
        """The id of an id or name; None for any other text."""
        key = folded(part)
        number = key.partition(".")[0] if _FLOAT.fullmatch(key) else key
        for same in (key, number, number.lstrip("0") if number.isdecimal() else key):
            if same in self._known:
                return self._known[same]
        return self._words.get(_joined(key) or None)

    def _several(self, part: str, blanks: bool) -> tuple[list[str], list[str]]:
        """Labels of a part with several: joined by marks that also occur in names, or by spaces."""
        ids = [self.id_of(piece) for piece in _JOINED.split(part)]
        if len(ids) > 1 and None not in ids:
            return ids, []
        return self._by_blanks(part) if blanks else ([], [part])

    def _by_blanks(self, part: str) -> tuple[list[str], list[str]]:
        words = [word for word in part.split() if word not in _AND]
        found, unknown, at = [], [], 0
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


def are_vectors(cells: Iterable[object]) -> bool:
    """Whether each cell that is not empty has a zero or one, a score or a truth value per label."""
    size = None
    for cell in filter(None, cells):
        words = [word for part in parts(cell) for word in part.split()]
        size = size or len(words)
        if size < 2 or len(words) != size or not all(map(_OF_VECTOR.fullmatch, words)):
            return False
    return size is not None


def own_labels(cells: Iterable[object], blanks: bool = True) -> LabelSet:
    """The labels named in a table's cells, without further knowledge about them.

    Names are sorted, as numbers if all are. Those that differ only in case or outer spaces are
    one label, with the study's name for it, else the first one. With `blanks`, spaces separate
    labels if no cell has another separator and the cells are no phrases.

    Args:
        cells: of the rows, each as often as it occurs.
        blanks: whether spaces may separate labels.

    Raises:
        TableError: a name has characters of a notation that is not read.
    """
    times = Counter(cells)
    cells = list(times)
    split = [parts(cell) for cell in cells]
    if blanks and not any(_has_mark(cell) for cell in cells) and not _are_phrases(times):
        split = [[w for part in found for w in part.split() if w not in _AND] for found in split]
    if all(part.startswith("#") for found in split for part in found):  # hashtags
        split = [[part.removeprefix("#") for part in found] for found in split]
    study = {folded(name): name for name in COCO18.names}
    names: dict[str, str] = {}
    for part in (part for found in split for part in found):
        part = part.partition(".")[0] if _FLOAT.fullmatch(part) else part
        names.setdefault(folded(part), study.get(folded(part), part))
    odd = next(filter(_NOTATION.search, names.values()), None)
    if odd is not None:
        raise TableError(
            f"Cells of labels such as {odd[:80]!r} cannot be read: separate names with semicolons, "
            "as in dog;cat."
        )
    numbers = all(name.isascii() and name.isdigit() for name in names.values())
    found = tuple(sorted(names.values(), key=lambda n: (int(n), n) if numbers else n))
    return LabelSet(found, found)


def _are_phrases(times: Mapping[str, int]) -> bool:
    """Whether cells with spaces are names of several words, each of one label.

    Labels occur in many combinations, so that there are more of these than labels; names that are
    repeated as a whole have more words than there are names.
    """
    words = {word for cell in times for word in cell.split()}
    repeated = any(n > 1 and " " in cell.strip() for cell, n in times.items())
    return repeated and len(words) > len(times)


def _has_mark(cell: object) -> bool:
    return not isinstance(cell, str) or bool(re.search(rf"{MARKS}|{COMMAS}|\[", cell.strip()))
