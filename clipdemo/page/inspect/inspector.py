"""The server side of the Inspect tab: a scored table, its rows, photos, map and findings."""

from __future__ import annotations

import gzip
import html
import threading
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from clipdemo.errors import ClipdemoError, PhotoError
from clipdemo.inspection.findings import Findings
from clipdemo.page.inspect.found_rows import rows_csv, steps_of
from clipdemo.page.inspect.query_form import parse_query
from clipdemo.page.inspect.table_paths import resolve_paths
from clipdemo.page.shared.models import BackgroundModel, Models
from clipdemo.page.shared.pictures import shrunk
from clipdemo.page.shared.sentences import on_page
from clipdemo.tables.account import account_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from clipdemo.inspection.predictions import Predictions
    from clipdemo.inspection.queries import Inspection, Query
    from clipdemo.inspection.scored_table import ScoredTable
    from clipdemo.page.server.access import Role
    from clipdemo.page.server.uploads import Uploads

MOST = 96  # rows in one answer
SIDE = 320  # pixels of a thumbnail's long side


class Inspector:
    """One labelled table, scored in the background, and the answers to the tab's requests.

    Args:
        table: the table to inspect.
        models: the page's models; the first one scores the table.
        uploads: the folder with a table uploaded on the page.

    Attributes:
        thumbnail: the bytes of a row's photo as a small JPEG.
    """

    def __init__(self, table: ScoredTable, models: Models, uploads: Uploads | None = None) -> None:
        self._models, self._uploads = models, uploads
        self._opening = threading.Lock()
        self._before: ScoredTable | None = None
        self._inspect(table)

    def _inspect(self, table: ScoredTable) -> None:
        """Replace the table, without scoring the new one yet."""
        self.table = table
        self._progress = (0, 0)
        self._model = BackgroundModel("The table", self._load)
        self._map = BackgroundModel("The map", self._lay_out)
        self._suspects = BackgroundModel("The search for wrong labels", lambda: self.ready.suspects)
        self._findings = Findings(table.folder)
        self.thumbnail = lru_cache(400)(self._thumbnail)
        self.__dict__.pop("counts", None)

    def open(self, asked: dict, role: Role) -> dict:
        """Begin to score another table on this machine, or this one again if none is named.

        `asked` has `table` and `photos`: paths, also of uploads, which are then kept; or `back`,
        for the table that was open before one that failed. This is for the owner only, as a table
        may be anywhere on this machine.

        Raises:
            ClipdemoError: the user is a visitor, the files do not exist, or a table is being
                scored.
        """
        if role != "owner":
            raise ClipdemoError("Only the owner can open tables: run the app yourself to open one.")
        table, photos = (asked.get(name) or "" for name in ("table", "photos"))
        with self._opening:
            if self._model.started and self._model.status == "loading":
                raise ClipdemoError(f"{self.table.name} is being scored: wait until it is done.")
            if table or photos:
                paths = resolve_paths(self.table.folder.parent, self._uploads, table, photos)
                self._replace(self.table.another, *paths)
            elif asked.get("back") and self._before:
                self._replace(self._before.again)
            else:
                self._replace(self.table.again)
            self.start()
        return {"status": self._model.status, "name": self.table.name}

    def _replace(self, make: Callable[..., ScoredTable], *paths: str) -> None:
        """Open the table that `make` returns, and remember the one before unless it failed."""
        try:
            table = make(*paths)
        except ClipdemoError as error:
            raise ClipdemoError(on_page(error, [*paths, *self.table.given])) from error
        if self._model.status != "failed":
            self._before = self.table
        self._inspect(table)

    def start(self) -> None:
        """Begin to score, or to read stored scores; returns at once.

        It does not retry after a failure, since every request for the state calls it.
        """
        if self._model.status != "failed":
            self._model.start()

    @property
    def ready(self) -> Inspection:
        """The scored table; never waits. Raises ClipdemoError if there is none (yet)."""
        if self._model.status == "loading":
            raise ClipdemoError(
                f"{self.table.name} is not scored yet: wait until its figures show."
            )
        try:
            return self._model.get()
        except ClipdemoError as error:
            raise ClipdemoError(on_page(error, self.table.given)) from error

    def state(self, role: Role) -> dict:
        """The `status`, with `done` of `total` rows, a `notice`, or the scored table's metadata.

        With a notice, `before` is the name of the table that can be opened again.

        Findings are for the owner only: visitors could overwrite them.
        """
        self.start()
        found = {"status": self._model.status, "name": self.table.name, "owner": role == "owner"}
        if found["status"] == "loading":
            done, total = self._progress
            return found | {"done": done, "total": total}
        try:
            predictions = self.ready.found
        except ClipdemoError as error:
            before = self._before.name if self._before else None
            return found | {"notice": str(error), "before": before}
        self._suspects.start()
        about = dict(predictions.about)
        account = about.pop("account", None)
        return found | about | {
            "account": account_lines(account) if account else [],
            "rows": len(predictions.ids),
            "known": self.ready.known,
            "key": self._key,
            "findings": len(self._findings) if role == "owner" else 0,
            "corrections": self._corrections(role),
            "photos": self.table.photos is not None,
            "drawn": self.table.drawn,
            "judge": self.ready.judge,
        }  # fmt: skip

    def rows(self, asked: dict, role: Role) -> dict:
        """A query's result: the number of rows, some rows in full, and the confused labels."""
        query, start, count = self._query(asked, role)
        if query.suspect:
            self._suspects.start().get()  # computed once, however many requests there are
        inspection, found = self.ready, self.ready.found
        rows = inspection.select(query)
        shown = [self._row(int(row), found, role) for row in rows[start : start + count]]
        judging = self._suspects.status == "loading"
        confused = [] if start else inspection.confused(query)
        return {"total": len(rows), "rows": shown, "confused": confused, "judging": judging}

    def csv(self, asked: dict, role: Role) -> str:
        """All rows that a query finds, as CSV for spreadsheets."""
        query, *_ = self._query(asked, role)
        return rows_csv(self.ready, query)

    def show(self, row: object, key: object = None) -> tuple[bytes | None, str, str, list[str]]:
        """For the Compare tab: a row's photo (None if it cannot be read), name, caption, labels.

        Raises:
            ClipdemoError: there is no such row, or `key` is another table's.
        """
        self._check_key(key)
        row = self._number(row)
        found = self.ready.found
        try:
            photo = self.table.photos.read(found.ids[row]) if self.table.photos else None
        except PhotoError:
            photo = None
        return photo, found.ids[row], found.captions[row], found.true_of(row)

    @cached_property
    def counts(self) -> bytes:
        """`Inspection.counts` as little-endian uint32, compressed by gzip."""
        return gzip.compress(self.ready.counts().astype("<u4").tobytes(), 5)

    def mark(self, asked: dict, role: Role) -> dict:
        """Store or delete a row's finding; returns the number of findings."""
        self._check_key(asked.get("key"))
        findings, finding = self._own_findings(role), asked.get("finding")
        if finding is not None and not isinstance(finding, dict):
            raise ClipdemoError("This is not a valid finding: reload the page.")
        findings.set(self.ready.found, self._number(asked.get("row")), finding)
        return {"findings": len(findings), "corrections": self._corrections(role)}

    def findings_csv(self, role: Role) -> str:
        """All findings, as CSV for spreadsheets."""
        return self._own_findings(role).as_csv()

    def findings_for_label_studio(self, role: Role) -> list[dict]:
        """The rows with a finding, from `Findings.as_label_studio`."""
        return self._own_findings(role).as_label_studio(self.ready.found)

    def corrected_table(self, role: Role) -> tuple[str, bytes]:
        """Name and content of the table with corrections of the labels found to be wrong."""
        return self.table.corrected(self._own_findings(role).corrections())

    def _corrections(self, role: Role) -> int:
        """How many photos a corrected table would change."""
        own = role == "owner" and self.table.can_be_corrected
        return len(self._findings.corrections()) if own else 0

    def _own_findings(self, role: Role) -> Findings:
        if role != "owner":
            raise ClipdemoError("Visitors cannot save findings: run the app yourself to mark rows.")
        return self._findings

    def map(self) -> dict:
        """The map of embeddings: `loading`, or `rows`, their data, and x and y by kind."""
        found = self.ready.found
        if self._map.status == "loading":
            self._map.start()
            return {"status": "loading"}
        rows, places = self._map.get()
        return {
            "status": "ready",
            "rows": rows,
            "places": places,
            "names": found.ids[rows].map(lambda name: html.escape(name, quote=False)).tolist(),
            "truth": [np.flatnonzero(found.truth[row]).tolist() for row in rows],
            "steps": {
                mode: [steps_of(values[row]) for row in rows]
                for mode, values in found.scores.items()
            },
        }

    def _load(self) -> Inspection:
        from clipdemo.inspection.queries import Inspection

        return Inspection(self.table.predictions(self._models.first.get, self._note))

    def _note(self, done: int, total: int) -> None:
        self._progress = done, total

    def _lay_out(self) -> tuple[list[int], dict]:
        from clipdemo.inspection.projection import project

        rows, embeddings = self.table.embeddings()
        places = {kind: project(values) for kind, values in embeddings.items()}
        return rows.tolist(), {
            kind: [[None if np.isnan(v) else round(float(v), 4) for v in axis] for axis in place.T]
            for kind, place in places.items()
        }

    def _row(self, row: int, found: Predictions, role: Role) -> dict:
        suspects = []
        if self._suspects.status == "ready":
            suspects = np.flatnonzero(self.ready.suspects[row]).tolist()
        finding = self._findings.of(found.ids[row], found.captions[row])
        return {
            "row": row,
            "id": found.ids[row],
            "caption": found.captions[row],
            "truth": np.flatnonzero(found.truth[row]).tolist(),
            "steps": {mode: steps_of(values[row]) for mode, values in found.scores.items()},
            "suspects": suspects,
            "finding": finding if role == "owner" else None,
        }

    def _query(self, asked: dict, role: Role) -> tuple[Query, int, int]:
        """The requested query, and which of its rows are wanted: the first, and how many."""
        from clipdemo.inspection.queries import Query

        self._check_key(asked.get("key"))
        found = self.ready.found
        form = parse_query(asked, found)
        rows = form.rows and [self._number(row) for row in form.rows]
        if form.marked:
            marked = self._own_findings(role).rows(found)
            rows = marked if rows is None else sorted(set(rows) & set(marked))
        thresholds = {mode: np.array(form.thresholds[mode]) for mode in found.scores}
        query = Query(**form.of_query(), thresholds=thresholds, rows=rows)
        return query, form.start, min(form.count, MOST)

    @property
    def _key(self) -> str:
        """Identifies the table and its content: a row's number is only valid with it."""
        return f"{self.table.folder.name}-{self.table.version}"

    def _check_key(self, key: object) -> None:
        if key not in (None, self._key):
            raise ClipdemoError("Another table, or a new version of it, is open: reload the page.")

    def _number(self, row: object) -> int:
        if not isinstance(row, int) or not 0 <= row < len(self.ready.found.ids):
            raise ClipdemoError("There is no such row: reload the page.")
        return row

    def _thumbnail(self, row: int) -> bytes:
        from clipdemo.inputs.images import read_photo

        if self.table.photos is None:
            raise PhotoError("This table has no photos.")
        row = self._number(row)
        photo = read_photo(self.table.photos.read(self.ready.found.ids[row]), SIDE)
        return shrunk(photo, SIDE, quality=82)
