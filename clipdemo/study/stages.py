"""The stages of a long job, recorded in a small file with their inputs, and their progress."""

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path

from clipdemo.inputs.atomic import atomic_write

Progress = Callable[[str, int, int | None], object]
"""Called with the current step, how much is done and the total (None: not known); in bytes for a
download."""


def counted(progress: Progress, step: str, total: int) -> Callable[[int], None]:
    """A function that reports a step's progress, called with the number of rows just done."""
    done = 0

    def add(rows: int) -> None:
        nonlocal done
        done += rows
        progress(step, done, total)

    return add


class Stages:
    """Runs each stage once, and again when its inputs have changed.

    An interrupted stage is not recorded, so it runs again, and resumes by itself if it can.
    """

    def __init__(self, path: Path, tell: Callable[[str], object] = lambda line: None) -> None:
        """`path`: of the file; `tell`: called with a line when a stage begins or is skipped."""
        self._path, self._tell = path, tell

    def run(
        self, name: str, inputs: object, made: Iterable[Path], work: Callable[[], object]
    ) -> None:
        """Run a stage, unless it was done with the same inputs and its files exist.

        Args:
            name: of the stage.
            inputs: everything it depends on, JSON-ready.
            made: files that it writes.
            work: what to do.
        """
        digest = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()
        if self._done().get(name) == digest and all(path.is_file() for path in made):
            self._tell(f"{name}: done before")
            return
        self._tell(name)
        work()
        with atomic_write(self._path) as partial:
            partial.write_text(json.dumps(self._done() | {name: digest}, indent=1) + "\n", "utf-8")

    def _done(self) -> dict[str, str]:
        """Digest by stage; empty if the file is missing or damaged."""
        try:
            found = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}
