"""Runs of the Batch tab: they belong to the server and continue when their page is closed."""

from __future__ import annotations

import contextvars
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from clipdemo.errors import ClipdemoError
from clipdemo.inputs.captions import clean_caption
from clipdemo.inspection.batch import Item, predict_items
from clipdemo.page.batch.visitor_files import gather_files
from clipdemo.page.compare import board as boards
from clipdemo.page.server.requests import log_unexpected
from clipdemo.page.shared.pictures import data_url, shrunk
from clipdemo.page.shared.sentences import on_page

if TYPE_CHECKING:
    from clipdemo.inspection.batch import Result
    from clipdemo.model.captioners.captioner import Captioner
    from clipdemo.model.classifier import Classifier

AT_ONCE = 2
KEPT = 300  # latest runs
KEPT_ROWS = 15_000  # of all runs together; each has a thumbnail of about 10 kB
KEEP = 3600.0  # seconds after a run was last viewed
WAITING = 30  # runs in the queue
OF_ONE = WAITING // 2  # of which so many may be one visitor's
OF_SAME = 2  # of which so many may have the same files
THUMBNAIL = 144  # pixels
OVER = ("done", "stopped", "failed")
GONE = "This run no longer exists: start it again."


class Job:
    """One run.

    Attributes:
        id: a secret; anyone who knows it can see and stop the run.
        files: its input files.
        visitor: who started it, as `visitor_of`.
        state: waiting, reading, running, done, stopped or failed.
        found: the items that were scored, each with its cleaned or written caption.
        looked_at: time of the last request for it, in seconds of a monotonic clock.
    """

    def __init__(
        self,
        files: list[Path],
        own: str,
        classifier: Callable[[], Classifier],
        captioner: Callable[[], Captioner] | None,
        most: int,
        visitor: str = "",
    ) -> None:
        self.id = secrets.token_urlsafe(16)
        self.state = "waiting"
        self.found: list[tuple[Item, str | None]] = []
        self.looked_at = time.monotonic()
        self.files, self._own, self.visitor = files, own, visitor
        self._classifier, self._captioner, self._most = classifier, captioner, most
        self._stop = threading.Event()
        self._rows: list[dict] = []
        self._notices: list[str] = []
        self._frame: dict = {}
        self._total = 0
        self._began = self._seconds = 0.0

    def stop(self) -> None:
        """Stop, and keep the results so far."""
        self._stop.set()
        if self.state == "waiting":  # `run` has its turn later
            self.state = "stopped"

    @property
    def ending(self) -> bool:
        """Whether it is over, or will be soon."""
        return self.state in OVER or self._stop.is_set()

    def run(self) -> None:
        """Score everything; errors appear in `state` and the notices."""
        try:
            self.state = "stopped" if self._stop.is_set() else self._score()
        except ClipdemoError as error:
            kinds = ("CSV, Excel, Parquet or JSON", "CSV or JSON")
            said = on_page(error, self.files).replace(*kinds)
            self._notices = [*self._notices, said]
            self.state = "failed"
        except Exception as error:
            log_unexpected(error)
            self._notices = [*self._notices, "This run failed unexpectedly: start it again."]
            self.state = "failed"

    def _score(self) -> str:
        self.state, sources = "reading", {}
        items, self._notices = gather_files(self.files, sources, self._most)
        classifier, names, notice = boards.with_own(self._classifier(), self._own)
        self._notices += [notice] if notice else []
        writer = None
        if self._captioner is not None and classifier.modes != ["image"]:
            writer = self._captioner()
        self._frame = boards.frame(classifier.card, names)
        self._total, self._began = len(items), time.monotonic()
        self.state = "running"
        for results in predict_items(classifier, items, writer, sources):
            # Without the original caption, which may be long.
            self.found += [(replace(r.item, caption=""), r.caption) for r in results]
            self._rows += [_row(result) for result in results]
            self._seconds = time.monotonic() - self._began
            if self._stop.is_set():
                break
        return "done" if len(self._rows) == self._total else "stopped"

    @property
    def left(self) -> float | None:
        """Estimated seconds until it is done."""
        done = len(self._rows)
        return self._seconds / done * (self._total - done) if done else None

    def seen(self, start: int) -> dict:
        """The data for batch.js, JSON-ready, with the rows from `start` on."""
        self.looked_at = time.monotonic()
        state = self.state  # before the rows: once it is over, they are complete
        rows = self._rows[start:]
        found = {
            "run": self.id, "state": state, "total": self._total, "notices": self._notices,
            "rows": rows, "start": start, "written": self._captioner is not None,
        }  # fmt: skip
        if self.left is not None:
            found |= {"rate": len(self._rows) / max(self._seconds, 1e-9), "left": self.left}
        return found | self._frame


class Jobs:
    """The runs of all visitors: a few at a time, the others wait in a queue.

    Attributes:
        most: maximum number of photos in a run.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="batch")

    def start(self, job: Job) -> None:
        """Start the run as soon as it is its turn.

        Raises:
            ClipdemoError: too many runs are waiting, or have the same files.
        """
        with self._lock:
            self._forget()
            going = [other for other in self._jobs.values() if not other.ending]
            if job.files and sum(other.files == job.files for other in going) >= OF_SAME:
                raise ClipdemoError(
                    "These files are already being processed: wait for that run, or cancel it."
                )
            waiting = [other.visitor for other in going if other.state == "waiting"]
            if len(waiting) >= WAITING or waiting.count(job.visitor) >= OF_ONE:
                raise ClipdemoError("Too many runs are waiting: try again in a few minutes.")
            self._jobs[job.id] = job
        self._pool.submit(contextvars.copy_context().run, job.run)

    def find(self, name: object) -> Job:
        """The run with that id; raises ClipdemoError if there is none."""
        job = self._jobs.get(name) if isinstance(name, str) else None
        if job is None:
            raise ClipdemoError(GONE)
        return job

    def files(self) -> set[Path]:
        """The input files of runs that are not over."""
        jobs = list(self._jobs.values())
        return {path for job in jobs if job.state not in OVER for path in job.files}

    def seen(self, job: Job, start: int) -> dict:
        """`Job.seen`, for a waiting run with its place in the queue and the estimated wait."""
        found = job.seen(start)
        if found["state"] != "waiting":
            return found
        others = list(self._jobs.values())
        before = others[: others.index(job)]
        running = [other.left for other in before if other.state in ("reading", "running")]
        known = [left for left in running if left is not None]
        waiting = sum(other.state == "waiting" for other in before)
        found["place"] = waiting + 1
        if known:
            found["wait"] = min(known) * (1 + waiting / AT_ONCE)
        return found

    def _forget(self) -> None:
        """Drop runs that nobody viewed for an hour. If there are too many, also runs of whoever has
        the most: first those without results, then those not viewed for the longest time.
        """
        old = time.monotonic() - KEEP
        for job in self._over():
            if job.looked_at < old:
                del self._jobs[job.id]
        while over := self._over():
            rows, held = 0, Counter()
            for job in self._jobs.values():
                rows += len(job.found)
                held[job.visitor] += len(job.found) + KEPT_ROWS // KEPT  # one without rows counts
            if rows <= KEPT_ROWS and len(self._jobs) < KEPT:
                break
            job = min(over, key=lambda job: (-held[job.visitor], bool(job.found), job.looked_at))
            del self._jobs[job.id]

    def _over(self) -> list[Job]:
        return [job for job in self._jobs.values() if job.state in OVER]


def routes(jobs: Jobs) -> list[Route]:
    """GET /batch/<id>?from=N for a run and its rows from N on; POST /batch/<id>/stop."""

    def seen(request: Request) -> Response:
        job = jobs.find(request.path_params["name"])
        start = request.query_params.get("from", "0")
        if not start.isdecimal():
            raise ClipdemoError("`from` must be the number of a row.")
        return JSONResponse(jobs.seen(job, int(start[:9])), headers={"Cache-Control": "no-store"})

    def stop(request: Request) -> Response:
        jobs.find(request.path_params["name"]).stop()
        return JSONResponse({})

    return [
        Route("/batch/{name}", seen),
        Route("/batch/{name}/stop", stop, methods=["POST"]),
    ]


def _row(result: Result) -> dict:
    """A result in the form for batch.js; decisions are made on its scores of four decimals."""
    by = "model" if result.written else "given" if result.caption else None
    scores = {
        mode: [round(score, 4) for score in values.values()]
        for mode, values in result.prediction.scores.items()
    }
    thumbnail = None
    if result.photo is not None:
        thumbnail = data_url(shrunk(result.photo, THUMBNAIL, "webp", 70), "webp")
    return {
        "name": clean_caption(result.item.name) or "photo",
        "caption": result.caption,
        "by": by,
        "problem": result.problem,
        "thumbnail": thumbnail,
        "scores": scores,
    }
