r"""The text of a label table: its header, and the pattern that separates its rows.

A loose table does not escape the quotes inside a quoted caption, may have line breaks inside a
caption, and may have CRLF line endings, a comma after every row or a byte order mark. Quotes then
do not show where a row ends, so the start of the next row must: a line starts a row if it begins
with a photo's file name and a comma, with another file's name or a URL and a field, with
`<one word>,<known ids>,` or with `<one word>,,<a word>`. If all quotes of the file are well-formed,
they are trusted, and a quoted caption may contain any line.
"""

import csv
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from clipdemo.errors import TableError
from clipdemo.inputs.labels import LabelSet
from clipdemo.inputs.photo_names import EXTENSIONS
from clipdemo.tables.columns import COLUMNS
from clipdemo.tables.rows import NO_CAPTION, Rows, caption_text
from clipdemo.tables.text import unquote

_END = r"(?![^\r\n])"  # end of a line
_NAME = rf"\.(?i:{'|'.join(EXTENSIONS)})"
_PHOTO = rf'(?:"[^"\n]*{_NAME}"|[^,"\n]*{_NAME})[ ]*'
PHOTO_ROW = rf"{_PHOTO}(?:,|{_END})"  # how a row starts with the name of a photo
# A file of any other kind and its labels; in a caption, a space follows a comma.
_SUFFIX = r"\.[A-Za-z]\w{1,4}"
_FILE = rf'(?:"[^"\n]*{_SUFFIX}"|[^,"\n]*{_SUFFIX}|https?://[^\s,"]+)'
_FILE_ROW = rf'{_FILE},(?! )(?:"[^"\n]*"|[^,"\n]*),'
_BLANK = r"[ \t,]*"  # spreadsheets write an empty row as commas only
_ODD_QUOTES = re.compile(r'(?<!")(?:"")*"(?!")')


def read_header(head: str, path: Path) -> tuple[list[str], int]:
    """The columns, named as in `COLUMNS` or "" for others, and the number of commas after them.

    Raises:
        TableError: `ImageID` or `Labels` is missing.
    """
    names = [name.strip() for name in next(csv.reader([head]), [])]
    found = names[: max((i for i, name in enumerate(names, 1) if name), default=0)]
    ours = {name.casefold(): name for name in COLUMNS}
    columns = [ours.pop(name.casefold(), "") for name in found]
    for name in COLUMNS[:2]:
        if name not in columns:
            seen = ", ".join(found)[:120]
            raise TableError(f"{path} has no column {name} (found: {seen}); add it to the header.")
    return columns, len(names) - len(found)


def loose_rows(text: str, labels: LabelSet, path: Path) -> Rows:
    """The rows of a table in the study's form, whose quotes may be broken.

    Args:
        text: of the file, with `\\n` line endings.
        labels: their ids distinguish rows from lines of captions.

    Raises:
        TableError: it lacks our columns, or has no rows.
    """
    start = len(text) - len(text.lstrip("\n"))
    head, _, body = text[start:].partition("\n")
    columns, commas = read_header(head, path)
    if not body.strip(" \t,\n"):
        raise TableError(f"{path} has no rows below its header; add at least one.")
    pattern = row_pattern(columns, labels, body)
    matches = list(pattern.finditer(body))
    *fields, short = zip(*(match.groups("") for match in matches), strict=True)
    found = dict(zip(filter(None, columns), fields, strict=True))
    repaired = {"trailing comma": len(short) if commas else 0}
    captions = found.get("Caption") or ("",) * len(short)
    captions = unquote_captions(captions, commas if columns[-1] == "Caption" else 0, repaired)
    captions = [caption_text(c) if c in NO_CAPTION or c[:1] in "[{" else c for c in captions]
    lines, problems, line, at = [], {}, start + 2, 0
    for match, rest in zip(matches, short, strict=True):
        line, at = line + body.count("\n", at, match.start()), match.start()
        lines.append(line)
        if rest:
            problems[line] = rest.split(",")[0], "has too few fields"
        elif "\0" in match[0]:
            problems[line] = "", "holds a NUL byte"
    frame = pd.DataFrame(
        {
            "line": lines,
            "ImageID": pd.Series([unquote(field) for field in found["ImageID"]], dtype="str"),
            "Labels": pd.Series([unquote(field) for field in found["Labels"]], dtype=object),
            "Caption": pd.Series(captions, dtype="str"),
        }
    )
    return Rows(frame, problems, repaired, by_ids=True)


def quotes_are_well_formed(body: str | memoryview, start: str) -> bool:
    """Whether each quote opens at a field's start and closes at its end.

    A quoted field must not extend past what looks like the end of one row and the start of the next
    (`start`, a pattern).
    """
    if not isinstance(body, str) and _simply_quoted(body):
        return True
    go_on = rf"(?!,*\r?\n{start})"
    quoted = rf'(?<![^,\n])"{go_on}[^"]*+(?:""{go_on}[^"]*+)*+"(?![^,\r\n])'
    pattern = rf'(?:[^"]*+{quoted})*+[^"]*+'
    return bool(re.fullmatch(pattern if isinstance(body, str) else pattern.encode(), body))


def _simply_quoted(body: memoryview) -> bool:
    """Whether the quotes come in pairs at the ends of fields that begin with a character.

    This is true for most tables, and several times faster than the pattern, which decides the
    others: those with adjacent quotes, or a field that begins with a comma or a line break.
    """
    text = np.frombuffer(body, np.uint8)
    quotes = np.flatnonzero(text == ord('"'))
    if len(quotes) % 2 or len(quotes) == 0:
        return len(quotes) == 0
    opening, closing = quotes[::2], quotes[1::2]
    before = text[np.maximum(opening - 1, 0)]
    after = text[np.minimum(closing + 1, len(text) - 1)]
    begins = (opening == 0) | (before == ord(",")) | (before == ord("\n"))
    ends = closing == len(text) - 1
    for mark in b",\r\n":
        ends |= after == mark
    first = text[opening + 1]
    plain = ~np.isin(first, np.frombuffer(b'",\r\n', np.uint8))
    return bool(begins.all() and ends.all() and plain.all())


def row_pattern(columns: Sequence[str], labels: LabelSet, body: str) -> re.Pattern[str]:
    """The pattern of one row and the blank lines after it.

    Groups: those of `COLUMNS` that are present, in file order, then a line that is not a row.
    Together the matches cover the body without a gap.
    """
    before = rf"(?:[^,\n]*,){{{columns.index('ImageID')}}}"
    caption_first = "Caption" in columns[: columns.index("ImageID")]
    where = "," if caption_first else f"^{before}"
    photo_names = bool(re.search(rf"(?m){where}{_PHOTO}(?:,|$)", body[:65536]))
    one_id = "|".join(sorted(map(re.escape, labels.ids), key=len, reverse=True))
    ids = rf"(?:{one_id})(?:[ ;|]+(?:{one_id}))*;?"
    ids = rf'[ ]*(?:"{ids}"|{ids})[ ]*'
    if photo_names:
        sure = before + PHOTO_ROW
        start = rf'{before}(?:{PHOTO_ROW}|{_FILE_ROW}|[^\s,"]+,,(?=\w)|[^\s,"]*,{ids},)'
    else:  # image ids are free text: use the labels
        sure = start = rf'{before}(?:(?:"[^"\n]*"|[^,"\n]*),{ids},|[^,"\n]+,(?! )[^,\n]*,)'
    well_formed = quotes_are_well_formed(body, sure)
    any_char = '[^"]' if well_formed else r'[^"\n]'
    quoted = rf'"{any_char}*+(?:""{any_char}*+)*+"'
    field = rf"(?:{quoted}(?=,|{_END})|[^,\n]*)"
    caption = rf"[^\n]*(?:\n(?:{_BLANK}\n)*+(?!{start}|{_BLANK}\Z)[^\n]*)*"
    kept, end = {"ImageID": field, "Labels": field}, rf",*{_END}"
    if caption_first:
        caption = r"(?:[^\n]*\n){0,99}?[^\n]*"  # only the row's end delimits it
        kept["ImageID"] = _PHOTO if photo_names else field
    if columns[-1] == "Caption":
        end = ""  # its commas and the row's are separated later
        kept["Caption"] = rf"{quoted},*{_END}|{caption}" if well_formed else caption
    else:
        kept["Caption"] = rf"{field}|{caption}"
    row = ",".join(f"({kept[c]})" if c else field for c in columns) + end
    return re.compile(rf"(?:{row}|([^\n]+))(?:\n{_BLANK}{_END})*+(?:\n|\Z)")


def unquote_captions(raw: Sequence[str], commas: int, repaired: dict[str, int]) -> list[str]:
    """Captions without the commas after the row and the quotes around them."""
    captions = [c.strip() if c[:1] == " " and c.lstrip()[:1] == '"' else c for c in raw]
    if commas:
        captions = [caption.removesuffix("," * commas) for caption in captions]
        # The comma may be on every line instead of every row, if several line breaks agree.
        broken = [i for i, caption in enumerate(captions) if "\n" in caption]
        joined = "".join(captions[i] for i in broken)
        if joined.count("\n") > 2 and joined.count("\n") == joined.count("," * commas + "\n"):
            for i in broken:
                captions[i] = captions[i].replace("," * commas + "\n", "\n")
    quoted = {}
    for i in [i for i, caption in enumerate(captions) if caption[:1] == '"']:
        if len(caption := captions[i].rstrip(",")) > 1 and caption[-1] == '"':
            quoted[i] = captions[i] = caption[1:-1]
    with_quotes = {i for i, caption in enumerate(captions) if '"' in caption}
    inside = with_quotes & quoted.keys()
    doubled = {i for i in inside if not _ODD_QUOTES.search(quoted[i])}
    # A stray quote does not make a table loose, nor a pair of quotes a table well-formed.
    if 2 * len(doubled) < len(inside):
        doubled = set()
    for i in doubled:
        captions[i] = captions[i].replace('""', '"')
    repaired["unescaped quotes"] = len(with_quotes - doubled)
    repaired["line break in caption"] = sum(
        "\n" in caption and (i not in quoted or i in inside - doubled)
        for i, caption in enumerate(captions)
    )
    return captions
