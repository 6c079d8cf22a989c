"""Reading cells of labels: ids or names, in any usual notation of lists."""

from __future__ import annotations

import ast
import json
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache

from clipdemo.inputs.labels import COCO18, LabelSet

_FLOAT = re.compile(r"\d+\.0*")
# R, spreadsheets, pandas, MySQL and Roboflow each have their own word for no value.
_EMPTY = {
    "", "nan", "none", "null", "n/a", "-", "na", "#n/a", "<na>", "\\n", "unlabeled", "unlabelled",
}  # fmt: skip
# Spreadsheets write yes and no in their user's language.
TRUE = {
    "1", "true", "yes", "y", "x", "t", "on", "wahr", "ja", "j", "vrai", "oui", "verdadero", "sí",
    "si", "verdadeiro", "sim", "vero", "sì", "waar", "prawda", "tak", "pravda", "ano", "igaz",
    "igen", "doğru", "evet", "adevărat", "da", "sant", "sann", "tosi", "kyllä", "истина", "да",
    "істина", "так", "αληθεσ", "ναι", "是", "有", "はい", "예", "네", "✓", "✔", "√",  # noqa: RUF001
    "☑", "✅",
}  # fmt: skip
FALSE = {
    "0", "false", "no", "n", "f", "off", "falsch", "nein", "faux", "non", "falso", "não", "nao",
    "onwaar", "nee", "fałsz", "nie", "nepravda", "ne", "hamis", "nem", "yanliş", "hayir", "fals",
    "nu", "falskt", "falsk", "nej", "usann", "epätosi", "ei", "ложь", "нет", "хибність", "ні",
    "yanlış", "hayır", "ψευδεσ", "οχι", "否", "无", "無", "いいえ", "아니요", "아니오",  # noqa: RUF001
    "✗", "✘", "×", "☐", "❌",  # noqa: RUF001
}  # fmt: skip
_MARKS = "[;|\n\uff1b\uff5c]"  # separators of labels, also as full-width characters
_COMMAS = "[,\uff0c\u3001]"  # if there is no other separator
_JOINED = re.compile(f"{_MARKS}|{_COMMAS}|[/+&]")  # may also occur within names
_LIST = re.compile(r"(?:(?:frozen)?set|array)\((.*?)(?:, *dtype=\w+)?\)", re.DOTALL)
_BRACKETS = re.compile(r"[\[({]([^][(){}]*)[])}]")
_NUMPY = (re.compile(r"np\.\w+\(([^()]*)\)"), r"\1"), (re.compile(r"(['\"])\s+(?=['\"])"), r"\1, ")
_SCORED = re.compile(r"(.*[^\s:=])\s*[:=]\s*(1(?:\.0+)?|0?\.\d+)")  # such as dog:0.98
LIKELY = 0.5  # score from which a label with a score counts
DEEPEST = 20  # nested lists
# Keys for a label in records of exports, the most reliable first: {"id": 18, "name": "dog"}.
_SAYING = (
    "name", "names", "label", "labels", "choice", "choices", "taxonomy", "classname", "class",
    "classes", "categoryname", "category", "categories", "displayname", "tag", "tags",
    "classifications", "detections", "regionattributes", "categoryid", "labelid",
)  # fmt: skip

CAPTION = ("raw", "caption", "text", "sentence", "description")  # keys of records for a caption


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


def parts(cell: object, depth: int = 0) -> list[str]:
    """The labels of a cell: in text, separated by `;`, `|` or commas, or a list in brackets.

    Items of a list are labels, or records with one.
    """
    if depth > DEEPEST:
        return ["lists in lists"]  # not a label, so that the account lists it
    if isinstance(cell, str):
        listed = _listed(cell.strip())
        if listed is not None:
            return parts(listed, depth + 1)
        split = re.split(_MARKS, cell.strip())
        return _bare(split if len(split) > 1 else re.split(_COMMAS, cell))
    if isinstance(cell, Mapping):
        return _of_record(cell, depth + 1)
    if isinstance(cell, Iterable):
        nested = (Mapping, list, tuple)
        return [
            part
            for item in cell
            for part in (
                parts(item, depth + 1) if isinstance(item, nested) else _bare([_text(item)])
            )
        ]
    return parts(_text(cell), depth + 1)


def _bare(split: Iterable[str]) -> list[str]:
    """Names without their quotes and scores, and without those that mean no label."""
    found = (re.sub(r"""^(["'])(.*)\1$""", r"\2", part.strip()).strip() for part in split)
    scored = ((part, _SCORED.fullmatch(part)) for part in found)
    likely = (m[1] if m else part for part, m in scored if not m or float(m[2]) >= LIKELY)
    return [part for part in likely if part.casefold() not in _EMPTY]


def _of_record(record: Mapping, depth: int) -> list[str]:
    """The labels in a record, else those of its keys that are on."""
    said = {str(key).replace("_", "").casefold(): value for key, value in record.items()}
    kinds = [key for key in said if key.endswith("labels")]  # such as rectanglelabels
    for key in (*_SAYING, *kinds):
        if said.get(key) is not None:
            scores = [said[k] for k in ("score", "confidence") if isinstance(said.get(k), float)]
            found = said[key] if key != "taxonomy" else leaves(said[key])
            return parts(found, depth) if all(s >= LIKELY for s in scores) else []
    # {"object": "dog", "seen": {"car": true}, "public": "no", "source": "https://..."}, as the VGG
    # Image Annotator writes
    record = {k: v for k, v in record.items() if k not in CAPTION and "://" not in str(v)}
    named = [v for v in record.values() if isinstance(v, Mapping) or is_true(v) is None]
    if named and all(isinstance(value, Mapping | str) for value in record.values()):
        return [part for value in named for part in parts(value, depth)]
    try:
        on = {str(key): _is_likely(value) for key, value in record.items()}
        if None in on.values():  # neither, so that the account lists it
            return [json.dumps(record, ensure_ascii=False, default=str)]
    except RecursionError:
        return parts(record, DEEPEST + 1)
    return [name for name, value in on.items() if value]


def leaves(paths: object) -> object:
    """The last names of Label Studio's taxonomy, in which each label is a path from the root."""
    if not isinstance(paths, list):
        return paths
    return [path[-1] if isinstance(path, list) and path else path for path in paths]


def _is_likely(value: object) -> bool | None:
    """Like `is_true`, and for a score whether it is high enough."""
    if isinstance(value, float) and 0 <= value <= 1:
        return value >= LIKELY
    return is_true(value)


def is_true(cell: object, counts: bool = False) -> bool | None:
    """The value of a cell in a label's own column; None if it is neither yes nor no.

    Minus one is no; with `counts`, any number of objects is a yes.
    """
    return _says_yes(_text(cell), counts)


@lru_cache(1024)
def _says_yes(text: str, counts: bool) -> bool | None:
    text = text.strip().casefold()
    if text in TRUE or text in FALSE or text in _EMPTY:
        return text in TRUE
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        return None
    if counts and number > 1 and number.is_integer():
        return True
    return {1: True, 0: False, -1: False}.get(number)


def is_vector(cell: object) -> bool:
    """Whether a cell is a vector of zeros and ones."""
    words = [word for part in parts(cell) for word in part.split()]
    return len(words) > 2 and all(re.fullmatch(r"[01](\.0*)?", word) for word in words)


def own_labels(cells: Iterable[object], blanks: bool = True) -> LabelSet:
    """The labels named in a table's cells, without further knowledge about them.

    Names are sorted, as numbers if all are. Those that differ only in case or outer spaces are
    one label, with the study's name for it, else the first one. With `blanks`, spaces separate
    labels if no cell has another separator and the cells are no phrases.

    Args:
        cells: of the rows, each as often as it occurs.
        blanks: whether spaces may separate labels.
    """
    times = Counter(cells)
    cells = list(times)
    split = [parts(cell) for cell in cells]
    if blanks and not any(_has_mark(cell) for cell in cells) and not _are_phrases(times):
        split = [[word for part in found for word in part.split()] for found in split]
    study = {folded(name): name for name in COCO18.names}
    names: dict[str, str] = {}
    for part in (part for found in split for part in found):
        part = part.partition(".")[0] if _FLOAT.fullmatch(part) else part
        names.setdefault(folded(part), study.get(folded(part), part))
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
    return not isinstance(cell, str) or bool(re.search(rf"{_MARKS}|{_COMMAS}|\[", cell.strip()))


def _listed(text: str) -> object | None:
    """The list that a text represents in JSON, Python, NumPy or SQL; None for other text."""
    named = _LIST.fullmatch(text)
    text = named[1] if named else text
    if not text.startswith(("[", "(", "{")) or not text.endswith(("]", ")", "}")):
        return () if named else None
    found = literal(text)
    if found is not None:
        return found
    inside = _BRACKETS.fullmatch(text)
    if inside is None:
        return None
    numbers = re.fullmatch(r"[\d.\s]*", inside[1])
    return inside[1].split() if numbers else inside[1].split(",")


def literal(text: str) -> object | None:
    """The value that a text represents in JSON, Python or NumPy; None for other text."""
    numpy = text
    for pattern, plain in _NUMPY:
        numpy = pattern.sub(plain, numpy)
    for read, form in ((json.loads, text), (ast.literal_eval, numpy)):
        try:
            found = read(form)
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            continue
        return sorted(found, key=str) if isinstance(found, set) else found
    return None


def _text(cell: object) -> str:
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    return str(cell)
