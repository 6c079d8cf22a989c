"""Raw rows of files in any form, before their labels are interpreted."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

import pandas as pd

from clipdemo.inputs.photo_names import respelled
from clipdemo.tables.columns import COLUMNS, Columns
from clipdemo.tables.label_values import CAPTION, DEEPEST, literal

OURS = Columns({name: place for place, name in enumerate(COLUMNS)})
Find = Callable[[Sequence[str]], Columns]
"""Finds the columns by a header; raises TableError."""
_NAMING = ("path", "file_name", "filename", "src", "url", "name")  # keys of a record for an image
_LISTED = re.compile(r"""\s*[\[{]\s*["'{].*[\]}]\s*$""", re.DOTALL)
NO_CAPTION = {"NA", "#N/A", "<NA>", "\\N", "nan", "NaN", "NULL"}
_ATTACHED = re.compile(r"((?:(?! \(https?://).)+\.\w{3,4}) \(https?://[^()\s]+\)")
_SPELLED = r"^\./|\\|//|/\./|[^\x00-\x7f]"  # names that may be spelled in several ways


@dataclass
class Rows:
    """Raw rows of a file, before their labels are interpreted.

    Attributes:
        frame: columns `line` (int, of the file, from 1), `ImageID` (str), `Labels` (object: text,
            a list, or names) and `Caption` (str).
        problems: line -> the row's photo name and why the row cannot be read.
        repaired: what was repaired, and how often.
        read_as: how parts of the file were interpreted.
        by_ids: whether the ids of labels distinguished rows from lines of captions.
    """

    frame: pd.DataFrame
    problems: dict[int, tuple[str, str]] = field(default_factory=dict)
    repaired: dict[str, int] = field(default_factory=dict)
    read_as: dict[str, str] = field(default_factory=dict)
    by_ids: bool = False


def one_per_row(frame: pd.DataFrame) -> bool:
    """Whether most photos have several rows, each with another label in words."""
    said = frame[["ImageID", "Labels"]]
    if not all(isinstance(cell, str) for cell in said["Labels"]):
        return False
    said = said[said["Labels"] != ""]
    if said.duplicated().any():  # captions or workers
        return False
    several = said["ImageID"].value_counts() > 1
    return bool(several.mean() > 0.5) and bool(said["Labels"].str.contains(r"[^\W\d_]").any())


def alike(names: pd.Series) -> pd.Series:
    """Names of photos in the form in which different spellings of one are equal."""
    odd = names.str.contains(_SPELLED)
    return names.where(~odd, names[odd].map(respelled))


def with_note(rows: Rows, **read_as: str) -> Rows:
    rows.read_as |= read_as
    return rows


def cell_text(cell: object) -> str:
    """A cell as text; Excel's numbers without `.0`."""
    if cell is None or cell != cell:  # NaN
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    text = str(cell).strip()
    return text if text.isascii() else text.encode("utf-8", "replace").decode()  # lone surrogates


def caption_text(cell: object, depth: int = 0) -> str:
    """The caption in a cell: the first if there is a list of them, or records of them."""
    cell = cell.tolist() if hasattr(cell, "tolist") else cell
    if isinstance(cell, str) and _LISTED.match(cell):
        found = literal(cell.strip())
        cell = cell if found is None else found
    if isinstance(cell, dict):
        cell = next(filter(None, map(cell.get, CAPTION)), "")
    if isinstance(cell, list | tuple) and depth < DEEPEST:
        return next(filter(None, (caption_text(part, depth + 1) for part in cell)), "")
    text = cell_text(cell)
    return "" if text in NO_CAPTION else text


def photo_name(cell: object) -> str:
    """The photo's name in a cell: of a record in Hugging Face's image columns, or before its
    address in an attachment of Airtable.
    """
    if isinstance(cell, dict):
        cell = next(filter(None, map(cell.get, _NAMING)), None)
    name = cell_text(cell)
    attached = _ATTACHED.fullmatch(name)
    name = attached[1] if attached else name
    local = name.partition("/data/local-files/?d=")[2]  # Label Studio's
    return unquote_plus(local) if local else name
