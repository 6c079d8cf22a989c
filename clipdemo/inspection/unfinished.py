"""Results of an unfinished batch, in a file beside its final results, so that it can resume."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from clipdemo.errors import ClipdemoError

if TYPE_CHECKING:
    from clipdemo.inspection.batch import Item


def unfinished_path(results: Path) -> Path:
    """The file for the results so far."""
    return results.with_name(f"{results.name}.unfinished")


class Unfinished(AbstractContextManager):
    """Entries of a run in `<results>.unfinished`, an SQLite file; `finish` deletes it.

    `run` identifies heads, rule and captions: entries of other runs are ignored.
    """

    def __init__(self, results: Path, run: str) -> None:
        """Raises ClipdemoError if the file cannot be written, or another program uses it."""
        self._path = unfinished_path(results)
        self._run = hashlib.sha256(run.encode()).hexdigest()
        try:
            self._open()
        except sqlite3.DatabaseError as error:
            raise self._unusable(error) from None

    def _open(self) -> None:
        self._database = sqlite3.connect(self._path, timeout=1)
        with self._database as database:
            database.execute(
                "CREATE TABLE IF NOT EXISTS found (run, item, entry, PRIMARY KEY (run, item))"
            )

    def _unusable(self, error: sqlite3.Error) -> ClipdemoError:
        return ClipdemoError(
            f"{self._path} cannot be used ({error}): make room if the disk is full, else delete "
            "it, or choose another --out."
        )

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        with suppress(sqlite3.Error):
            self._database.close()
        if isinstance(error, sqlite3.Error):
            raise self._unusable(error) from None

    def left(self, items: Iterable[Item]) -> list[Item]:
        """The items that have no entry yet."""
        rows = self._database.execute("SELECT item FROM found WHERE run = ?", [self._run])
        done = {key for (key,) in rows}
        return [item for item in items if _key(item) not in done]

    def add(self, found: Iterable[tuple[Item, dict]]) -> None:
        """Store items with their entries in one transaction."""
        rows = [(self._run, _key(item), json.dumps(entry)) for item, entry in found]
        with self._database as database:
            database.executemany("INSERT OR REPLACE INTO found VALUES (?, ?, ?)", rows)

    def entries(self, items: Iterable[Item]) -> Iterator[dict]:
        """The entries so far, in the order of the items."""
        for item in items:
            query = "SELECT entry FROM found WHERE run = ? AND item = ?"
            row = self._database.execute(query, [self._run, _key(item)]).fetchone()
            if row is not None:
                yield json.loads(row[0])

    def finish(self) -> None:
        """Delete the file, after the results have been written."""
        self._database.close()
        self._path.unlink()


def _key(item: Item) -> str:
    """Identifies the item with its caption and the state of its photo's file."""
    place = item.file
    if place is not None and place.is_dir():
        place = place / item.member
    try:
        stamp = place and (place.stat().st_size, place.stat().st_mtime_ns)
    except OSError:
        stamp = None
    said = [item.name, item.caption, str(item.file), item.member, item.problem, stamp]
    return hashlib.sha256(json.dumps(said).encode("utf-8", "backslashreplace")).hexdigest()
