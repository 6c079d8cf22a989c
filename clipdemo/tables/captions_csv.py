"""Captions by photo, from tables that need no labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from clipdemo.errors import TableError
from clipdemo.tables.account import Account
from clipdemo.tables.any_form import read_rows
from clipdemo.tables.columns import Columns, find_columns
from clipdemo.tables.tool_records import NOT_ANNOTATED

_FURTHER = ("comment", "prompt")  # columns of captions where there are no labels


def read_captions(
    path: Path,
    limit: int | None = None,
    columns: Mapping[str, str] | None = None,
    strict: bool = False,
) -> tuple[list[tuple[str, str]], Account]:
    """Photo and caption of each row, in the order of the file, at most `limit`; and its account.

    Args:
        path: a table in any of the forms of a label table; labels are not needed.
        limit: maximum number of rows.
        columns: ours -> the file's, if its names are not recognised.
        strict: raise if a row would be left out.

    Raises:
        TableError: the file is not such a table.
    """
    rows = read_rows(path, partial(_find, wanted=columns or {}, path=path))
    account = Account(len(rows.frame), read_as=rows.read_as)
    account.repaired.update({what: n for what, n in rows.repaired.items() if n})
    found = []
    cells = (rows.frame[name] for name in ("line", "ImageID", "Caption"))
    for line, name, caption in zip(*cells, strict=True):
        named, problem = rows.problems.get(line, (name, ""))
        if problem and problem != NOT_ANNOTATED:
            account.leave_out(problem, f"line {line}: {named}"[:120])
        else:
            found.append((name.strip(), caption.strip()))
    for reason, (_, examples) in account.left_out.items() if not found else ():
        raise TableError(
            f"{path} has no row that can be read: {examples[0]} {reason}; put each caption in "
            "quotes."
        )
    if strict:
        account.check_strict(path)
    return found[:limit], account


def _find(header: Sequence[str], wanted: Mapping[str, str], path: Path) -> Columns:
    """The columns of photos and captions; a comment is a caption if there is no other."""
    find = partial(find_columns, header, None, name=path, needed=("ImageID", "Caption"))
    try:
        return find(wanted)
    except TableError:
        further = [name for name in header if name.strip().casefold() in _FURTHER]
        if len(further) != 1 or "Caption" in wanted:
            raise
        return find({**wanted, "Caption": further[0].strip()})
