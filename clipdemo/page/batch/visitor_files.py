"""The files that a visitor uploads to the Batch tab, and their limits."""

from __future__ import annotations

from pathlib import Path

from clipdemo.errors import ClipdemoError
from clipdemo.inputs.photo_source import most_members
from clipdemo.inspection.batch import (
    PACKED,
    TABLE_BYTES,
    TABLES,
    Item,
    Sources,
    gather,
)
from clipdemo.tables.account import Account, account_lines

ZIPS = 4
MEMBERS = 20_000  # files in a zip; reading more names would take seconds
NAME = 1000  # characters of a file name, which is kept with the run


def gather_files(paths: list[Path], sources: Sources, most: int) -> tuple[list[Item], list[str]]:
    """The items in a visitor's files, `most` at most, and sentences about what is left out.

    Opened files are added to `sources`.

    Raises:
        ClipdemoError: they contain nothing, or too much.
    """
    paths = list(dict.fromkeys(paths))
    tables = [path for path in paths if path.suffix.lower()[1:] in (*TABLES, "txt", "xls")]
    photos = [path for path in paths if path not in tables]
    if len(tables) > 1:
        raise ClipdemoError("There is more than one table: give a single table with all captions.")
    if tables and tables[0].stat().st_size > TABLE_BYTES:
        raise ClipdemoError(
            f"The table is larger than {TABLE_BYTES // 2**20} MB: make it smaller, or use "
            "python -m clipdemo batch."
        )
    packed = [path for path in photos if path.suffix.lower() in PACKED]
    if len(packed) > ZIPS:
        raise ClipdemoError(f"There are more than {ZIPS} zips: give the photos in fewer of them.")
    for path in packed:
        if most_members(path) > MEMBERS:
            raise ClipdemoError(
                f"{path.name} holds more than {MEMBERS:,} files: split it, or use "
                "python -m clipdemo batch."
            )
    items, notices, account = gather(photos, tables[0] if tables else None, most, sources)
    notices = [*(_left_out(account) if account else []), *notices]
    if any(len(item.name) > NAME for item in items):
        raise ClipdemoError(f"A file name has more than {NAME:,} characters: make it shorter.")
    return items, notices


def _left_out(account: Account) -> list[str]:
    """Sentences about the rows and photos that a table leaves out."""
    lines = [line for line in account_lines(account.to_dict()) if "left out" in line]
    if account.photos_without_row:
        left = account.photos_without_row
        lines.append(f"photos that are not in the table are left out: {left:,}")
    return [f"{line[0].upper()}{line[1:]}." for line in lines]
