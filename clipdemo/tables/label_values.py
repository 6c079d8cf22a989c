"""Reading cells of labels: ids or names, in any usual notation of lists."""

from __future__ import annotations

import ast
import html
import json
import math
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

# R, spreadsheets, pandas, MySQL and Roboflow each have their own word for no value.
_EMPTY = {
    "", "nan", "none", "null", "n/a", "-", "\u2013", "\u2014", "?", "na", "#n/a", "<na>", "\\n",
    "unlabeled", "unlabelled", "no label", "no labels", "no tags",
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
# Separators of labels, also SharePoint's, of web pages and as full-width characters.
MARKS = r"(?:;\#|<br ?/?>|\\n|[;|\n\uff1b\uff5c•]|\s·\s)"
COMMAS = "[,\uff0c\u3001\u060c]"  # if there is no other separator
_BULLET = re.compile("[-*\u2013]\\s+")
# A list in NumPy, PyTorch, pandas, R or Julia: array(['dog'], dtype='<U3'), c("dog"), String["dog"]
_LIST = re.compile(r"[A-Za-z_.]\w*\(((?=[\[{(\"']).*?|)(?:,\s*\w+=[^=]+)?\)", re.DOTALL)
_TYPED = re.compile(r"^[A-Za-z]\w*(?=\[)")
_BRACKETS = re.compile(r"[\[({]([^][(){}]*)[])}]")
_NUMPY = (re.compile(r"np\.\w+\(([^()]*)\)"), r"\1"), (re.compile(r"(['\"])\s+(?=['\"])"), r"\1, ")
# A label with its score: dog:0.98, dog=1, dog: 98%, dog (0.98)
_SCORED = re.compile(
    r"(.*[^\s:=\d])(?:\s*[:=]\s*([01](?:[.,]\d+)?|[.,]\d+|[\d.,]+%)"
    r"|\s+\(([01]?[.,]\d+|[\d.,]+%)\)|\s+([\d.,]+%))"
)
LIKELY = 0.5  # score from which a label with a score counts
DEEPEST = 20  # nested lists
# Keys for a label in records of exports, the most reliable first: {"id": 18, "name": "dog"}.
_SAYING = (
    "name", "names", "label", "labels", "choice", "choices", "taxonomy", "classname", "class",
    "classes", "categoryname", "category", "categories", "displayname", "tag", "tags", "tagname",
    "title", "classifications", "detections", "regionattributes", "categoryid", "labelid",
)  # fmt: skip
_SCORES = ("score", "confidence", "conf", "prob", "probability", "value", "present", "checked")

CAPTION = ("raw", "caption", "text", "sentence", "description")  # keys of records for a caption


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
        cell = html.unescape(cell).replace("\xa0", " ")
        split = re.split(MARKS, cell.strip())
        return _bare(split if len(split) > 1 else re.split(COMMAS, cell))
    if isinstance(cell, Mapping):
        return _of_record(cell, depth + 1)
    if isinstance(cell, Iterable):
        cell = [p for p in cell if not _is_pair(p) or _is_likely(p[1]) is not False]
        cell = [p[0] if _is_pair(p) else p for p in cell]
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
    """Names without decoration and scores, and without those that mean no label."""
    found = [_plain(part) for part in split]
    if len(found) > 1 and all(part.startswith(f"{n}. ") for n, part in enumerate(found, 1)):
        found = [part.partition(" ")[2].strip() for part in found]  # a numbered list
    scored = [_SCORED.fullmatch(part) for part in found]
    whole = len(found) > 1 and all(scored)  # one whole number may belong to the name
    for at, match in enumerate(scored):
        score = match and "".join(filter(None, match.groups()[1:]))
        if score and (whole or not score.isdigit()):
            found[at] = match[1].strip() if _is_likely(score) else ""
    return [part for part in found if part.casefold() not in _EMPTY]


def _plain(part: str) -> str:
    """A name without its bullet and quotes."""
    part = _BULLET.sub("", part.strip(), count=1)
    return re.sub(r"""^(["'])(.*)\1$|^“(.*)”$""", r"\2\3", part).strip()


def _is_pair(item: object) -> bool:
    """Whether it is a label with its score or count, such as ["dog", 0.98]."""
    return isinstance(item, list | tuple) and list(map(type, item)) in ([str, float], [str, int])


def _of_record(record: Mapping, depth: int) -> list[str]:
    """The labels in a record, else those of its keys that are on."""
    said = {str(key).replace("_", "").casefold(): value for key, value in record.items()}
    if isinstance(said.get("label"), str) and not said["label"].isdigit():
        said.pop("name", None)  # perhaps of who labelled it
    kinds = [key for key in said if key.endswith("labels")]  # such as rectanglelabels
    for key in (*_SAYING, *kinds):
        if said.get(key) is not None:
            scores = (_is_likely(said[k]) for k in _SCORES if k in said and k != key)
            found = said[key] if key != "taxonomy" else leaves(said[key])
            return parts(found, depth) if False not in scores else []
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
    """Like `is_true`, and for a score, as a fraction or percentage, whether it is high enough."""
    text = _text(value)
    if is_true(text) is not None or text.isdigit():  # a whole number may be a count
        return is_true(text)
    score = number(text)
    return None if score is None else score / (100 if score > 1.01 else 1) >= LIKELY


def number(text: str) -> float | None:
    """A number with a point or a comma, or a percentage as a fraction; None for other text."""
    text = text.strip().replace(",", ".")
    share = text.endswith("%")
    try:
        found = float(text.removesuffix("%").rstrip()) / (100 if share else 1)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


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


def _listed(text: str) -> object | None:
    """The list that a text represents in JSON, Python, NumPy, R or SQL; None for other text."""
    named = _LIST.fullmatch(text)
    text = named[1] if named else _TYPED.sub("", text)
    if named and not text.startswith(("[", "(", "{")):
        text = f"[{text}]"
    if not text.startswith(("[", "(", "{")) or not text.endswith(("]", ")", "}")):
        return None
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
