"""Cells of photos' names as programs write them: in lists, records, formulas, links and tags."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from clipdemo.errors import TableError
from clipdemo.inputs.photo_names import EXTENSIONS, is_photo
from clipdemo.tables.label_values import literal
from clipdemo.tables.rows import Rows, photo_name

_ODD = r"""^[\[{(<=!'"]|^data:|^\d+[.,]\d+E\+\d+$|\(https?://|/local-files/\?d=|[;|,\n]"""
_SHORTENED = re.compile(r"\d+[.,]\d+E\+\d+")
_EMBEDDED = re.compile(r"""data:|<PIL|<_io|<memory|b['"]|PIL\.|\{['"]bytes['"]""")
_WRAPPED = (
    re.compile(r'="(?:"(.*)"|(.*))"'),  # a spreadsheet's text
    re.compile(r'=(?:IMAGE|image)\("([^"]+)".*\)'),
    re.compile(r"""<img\b[^>]*\bsrc=["']?([^"'\s>]+).*""", re.IGNORECASE | re.DOTALL),
    re.compile(r"!\[[^\]]*\]\(([^()\s]+).*\)"),  # Markdown
    re.compile(r"""(['"])(.*)\1"""),
    re.compile(r"'(\d[^']*)"),  # a spreadsheet's text, too
)
_LINK = re.compile(r'=HYPERLINK\("([^"]*)"(?:\s*[,;]\s*"([^"]*)")?\)', re.IGNORECASE)
_ATTACHED = re.compile(r"\s*([^,].*?\.\w{3,4}) \(https?://[^()\s]+\)\s*(?:,|$)")
_PATH = re.compile(r"""['"](?:path|file_?name)['"]: ['"]([^'"]+)['"]""")  # of a truncated record
_SEVERAL = "names several photos"
_NAMED = re.compile(r"\.[A-Za-z]\w{1,4}$")  # ends as the name of a file does


def tidy_names(rows: Rows, path: object) -> None:
    """Take photos' names out of what they are wrapped in, and leave out rows that name none.

    Raises:
        TableError: a row names several photos, of which others name some, too.
    """
    names = rows.frame["ImageID"].str.strip()
    found, left = names.tolist(), {}
    for at in np.flatnonzero(names.str.contains(_ODD)).tolist():
        inside = unwrapped(found[at])
        problem = _problem(found[at], inside)
        found[at] = found[at] if problem else "".join(inside)
        left |= {at: problem} if problem else {}
    rows.frame["ImageID"] = pd.Series(found, rows.frame.index, "str")
    several = [at for at, problem in left.items() if problem == _SEVERAL]
    others = set(found) if several else set()
    for at in several:
        twice = others.intersection(unwrapped(found[at]))
        if twice:
            line = rows.frame["line"].iat[at]
            raise TableError(
                f"{path}, line {line}, names several photos, and other rows name {min(twice)[:80]},"
                " too: write one row for each photo."
            )
    _leave_out(rows, left)


def leave_out_others(rows: Rows) -> None:
    """Leave out rows of units, totals, headings and the header again, which name no photo."""
    if "ImageID" in rows.read_as:
        _leave_out(rows, dict.fromkeys(_others(rows.frame), "names no photo, unlike other rows"))


def _leave_out(rows: Rows, reasons: Mapping[int, str]) -> None:
    if not reasons:
        return
    for at, reason in reasons.items():
        line, name = int(rows.frame["line"].iat[at]), rows.frame["ImageID"].iat[at]
        rows.problems.setdefault(line, (name[:80], reason))
    cells = enumerate(rows.frame["Labels"])
    labels = ["" if at in reasons else cell for at, cell in cells]  # none of the table's
    rows.frame["Labels"] = pd.Series(labels, rows.frame.index, rows.frame["Labels"].dtype)


def _problem(cell: str, names: list[str]) -> str:
    """Why a cell does not name one photo; "" if it does."""
    if _SHORTENED.fullmatch(cell):
        return "has a photo's number that a spreadsheet has shortened"
    if len(names) > 1:
        return _SEVERAL
    return "holds a photo instead of its name" if any(map(_EMBEDDED.match, names)) else ""


def unwrapped(cell: str) -> list[str]:
    """The names of photos in a cell.

    >>> unwrapped('=HYPERLINK("https://a.org/1"; "1.jpg")')
    ['1.jpg']
    """
    link = _LINK.fullmatch(cell)
    if link:
        return [link[2] if link[2] and is_photo(link[2]) else link[1]]
    if cell[:1] in "[{(":
        value = literal(cell)
        value = [value] if isinstance(value, dict) else value
        found = list(map(photo_name, value)) if isinstance(value, list | tuple) else []
        cut = _PATH.search(cell)
        return list(filter(None, found)) or [cut[1] if cut else cell]
    if "/local-files/?d=" in cell:
        return [photo_name(cell)]
    attached = _ATTACHED.findall(cell)
    if attached:
        return attached
    for wrapped in _WRAPPED:
        inside = wrapped.fullmatch(cell)
        if inside:
            return [inside[inside.lastindex or 0]]
    several = [part.strip() for part in re.split(r"[;|,\n]", cell)]
    return several if len(several) > 1 and all(map(is_photo, several)) else [cell]


def _others(frame: pd.DataFrame) -> list[int]:
    """Rows that name no photo, if nearly all of the rest do."""
    names = frame["ImageID"]
    photos = names.str.contains(rf"(?i)\.(?:{'|'.join(EXTENSIONS)})$")
    if photos.all() or not photos.any():
        return []
    blank = ~frame["Labels"].astype(bool) & (frame["Caption"] == "")
    odd = ~names.str.contains(r"\d") | names.str.contains(r"^[\[{(]") | blank
    others = odd & (names != "") & ~names.str.contains(_NAMED.pattern)
    rest = ~others & (names != "")
    sure = photos[rest].mean() >= 0.9 and rest.sum() >= others.sum()
    return np.flatnonzero(others).tolist() if sure else []
