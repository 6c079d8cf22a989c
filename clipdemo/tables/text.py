"""Text of tables in any encoding, and the separator of its fields."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Callable
from pathlib import Path

from clipdemo.errors import TableError
from clipdemo.tables.columns import Columns

SEPARATORS = ",;\t|"
ABOVE = 30  # lines above a header: a title, who exported it and when, comments
WIDEST = 2**20  # characters of a header
TELLING = 2**20  # bytes that tell the encoding
LONG = 2**13  # characters of a line that is not a title
csv.field_size_limit(2**31 - 1)  # a file is as large as its fields may be
_LATIN = re.compile(r"cp125[02478]|latin|iso8859|mac|cp(?:037|273|437|500|775|8[56]\d|1026|1140)$"
                    r"|hp_roman|ascii|utf")  # fmt: skip
# Excel's "CSV", "CSV (Macintosh)" and "CSV (MS-DOS)", and the first and last of these in Central
# Europe; the likeliest first.
_EXCELS = ("cp1252", "mac_roman", "cp850", "cp1250", "cp852")
_LETTER = "[à-öø-ÿœąćęłńśźżťđ]"
_PLAUSIBLE = re.compile(
    rf"[a-z]{_LETTER}|{_LETTER}[a-z]|\b[ÄÖÜÉÅØŁŚ][a-z]"
    r"|\B[“„«\u2013\u2014€]\B|\B[“„«€]\b|\b[”»…°™€]\B|\b\u2019[a-z]\b"
)
# Encodings that are easily taken for cp1252. Read as cp1252, a text in one of them has a letter of
# each group, and none of the last letters.
_LIKE_CP1252 = (
    ("cp1250", ("šž", "ìèøùòæðï"), ""),  # Czech, Slovak, Slovene, Croatian
    ("cp1250", ("ìø", "áíý"), "åæ"),  # Czech
    ("cp1250", ("õû", "öü", "áéí"), "ãç"),  # Hungarian
    ("cp1250", ("þ", "ã"), ""),  # Romanian
    ("cp1257", ("ðþ", "ëèøà"), "éíóúýöüç"),  # Lithuanian
    ("cp1257", ("âî", "ðþòìí"), "éêàëóúãõöüý"),  # Latvian
    ("cp1254", ("þð",), "áéíóúæã"),  # Turkish; Icelandic has these, too
    ("cp1254", ("ý", "çöü"), "áéíóúæã"),
)
_ESCAPED = re.compile(r'\\"[^",;\t|\n]')  # not a field that ends in a backslash
_SEP_LINE = re.compile(r"sep=(.)\n")


def decode(raw: bytes, path: Path) -> tuple[str, dict[str, int], str]:
    r"""The text with `\n` line endings and without byte order mark, the repairs, and the encoding.

    Lines that are not UTF-8 are read as cp1252, unless another encoding in which Excel saves CSV
    makes more words of them. A text in a non-Latin script is read in its own encoding.

    Raises:
        TableError: there is no text.
    """
    text, encoding, repaired = _decoded(raw)
    if "\0" in text[:16]:
        raise TableError(f"{path} is not text; give a table as CSV, Excel, Parquet or JSON.")
    repaired["CRLF line endings"] = text.count("\r\n")
    repaired["CR line endings"] = text.count("\r") - repaired["CRLF line endings"]
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n\ufeff", "\n")
    if not text or text.isspace():
        raise TableError(f"{path} is empty; give a table with the columns ImageID and Labels.")
    if re.search("[\0-\x08\x0e-\x1f]", text.lstrip("\n").partition("\n")[0]):
        raise TableError(f"{path} is not text; give a table as CSV, Excel, Parquet or JSON.")
    return text, repaired, encoding


def _decoded(raw: bytes) -> tuple[str, str, dict[str, int]]:
    if raw.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return raw.decode("utf-32", "replace"), "utf-32", {}
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16", "replace"), "utf-16", {}
    start = raw[:64]
    for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if len(start) > 3 and start[first::2].count(0) > len(start) // 3:
            return raw.decode(encoding, "replace"), encoding, {}
    bom = {"byte order mark": int(raw.startswith(codecs.BOM_UTF8))}
    raw = raw.removeprefix(codecs.BOM_UTF8)
    try:
        return raw.decode(), "utf-8", bom
    except UnicodeDecodeError:
        pass
    other = _other_encoding(raw)
    if other:
        return raw.decode(other, "replace"), other, bom
    lines, wrong = raw.splitlines(keepends=True), []
    for at, line in enumerate(lines):
        try:
            lines[at] = line.decode()
        except UnicodeDecodeError:
            wrong.append(at)
    excel = _excel_encoding(b"".join(lines[at] for at in wrong)[:TELLING])
    for at in wrong:
        lines[at] = lines[at].decode(excel, "replace")
    return "".join(lines), excel, bom | {f"lines in {excel}": len(wrong)}


def _excel_encoding(raw: bytes) -> str:
    """The one of Excel's encodings in which the most letters beyond ASCII stand in words.

    Those that look alike are told apart by the letters that their languages use.
    """
    best = max(_EXCELS, key=lambda name: len(_PLAUSIBLE.findall(raw.decode(name, "replace"))))
    if best != "cp1252":
        return best
    letters = set(raw.decode(best, "replace").lower())
    for name, groups, others in _LIKE_CP1252:
        if all(map(letters.intersection, groups)) and letters.isdisjoint(others):
            return name
    return best


def _other_encoding(raw: bytes) -> str | None:
    """The encoding of a non-Latin script, if the bytes clearly have one."""
    from charset_normalizer import from_bytes

    best = from_bytes(raw[:TELLING]).best()
    return None if best is None or _LATIN.match(best.encoding) else best.encoding


def doubled_quotes(text: str) -> tuple[str, dict[str, int]]:
    r"""The text with the quotes that Spark and MySQL write as `\"` doubled, and the repairs."""
    if not _ESCAPED.search(text) or '""' in text.replace('\\""', ""):
        return text, {}
    return text.replace('\\"', '""'), {"quotes escaped by a backslash": text.count('\\"')}


def separator(text: str, find: Callable[[list[str]], Columns]) -> tuple[str, str]:
    """The separator of the fields, and the text without Excel's line `sep=;`.

    Args:
        text: of the table.
        find: finds the columns by a header; raises TableError.
    """
    told = _SEP_LINE.match(text)
    if told:
        return told[1], text[told.end() :]
    head = text.lstrip("\n")[:WIDEST]
    return max(SEPARATORS, key=lambda mark: _suits(header(head, mark), find)), text


def from_header(text: str, find: Callable[[list[str]], Columns]) -> tuple[str, dict[str, int]]:
    """The text with the lines above its header made empty, and the repairs.

    So the other lines keep their numbers. If tables were joined, a repeated header becomes an
    empty line, too.
    """
    at = above = 0
    if _SEP_LINE.match(text):
        return text, {}
    head = _head(text[:WIDEST])
    while not any(m in head and _suits(fields(head, m), find) > 0 for m in SEPARATORS):
        at, above = text.find("\n", at) + 1, above + 1
        if not at or above > ABOVE or len(head) > LONG:
            return text, {}
        head = _head(text[at : at + WIDEST])
    rows = text[at + len(head) :]
    again = rows.count(f"\n{head}\n")
    unread = above if text[:at].strip() else 0
    if again or unread:
        text = "\n" * above + head + rows.replace(f"\n{head}\n", "\n\n")
    return text, {"lines above the header": unread, "lines that say the header again": again}


def header(text: str, mark: str) -> list[str]:
    """The names of the columns in the first line, or the lines that its quotes span."""
    return fields(_head(text), mark)


def _head(text: str) -> str:
    lines = text.split("\n", ABOVE)
    spans = (n for n in range(1, len(lines)) if "\n".join(lines[:n]).count('"') % 2 == 0)
    return "\n".join(lines[: next(spans, 1)])


def _suits(header: list[str], find: Callable[[list[str]], Columns]) -> int:
    """How well a header matches, as a number."""
    try:
        found = find(header)
    except TableError:
        return -1 if len(header) > 1 else -2
    return len(found.places) + bool(found.own or found.several)


def fields(line: str, mark: str) -> list[str]:
    """The fields of one line, even if its quotes are broken."""
    lines = (f"{part}\n" for part in line.split("\n"))
    row = next(csv.reader(lines, delimiter=mark, quotechar=quote(line)), [])
    return [field.strip() for field in row]


def quote(text: str) -> str:
    """A table's quote character: databases use a single quote, also around column names."""
    return "'" if text.lstrip()[:1] == "'" else '"'


def unquote(field: str) -> str:
    """A field without its quotes and surrounding spaces."""
    field = field.strip()
    if len(field) > 1 and field[0] == field[-1] == '"':
        field = field[1:-1].replace('""', '"').strip()
    return field


def read_bytes(path: Path) -> bytes:
    """The bytes of a table's file; raises TableError."""
    try:
        return path.read_bytes()
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise TableError(f"{path} cannot be read ({why}); give the path of a table.") from error
