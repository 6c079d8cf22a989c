"""Visitors' uploads: one folder per run of the app, with the only files that requests may name.

A file is deleted an hour after its last use unless an open page shows it, and all of them when the
run ends. Files of a killed run are deleted when the next one starts.
"""

import os
import secrets
import shutil
import time
from collections.abc import Set
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

KEPT = 3600.0
"""Seconds for which a file is kept after its last use."""
SPARE = 2**30
"""Bytes of disk space that uploads leave free."""
_PREFIX = "clipdemo-uploads-"


class Uploads:
    """The folder of one run.

    A file's last use is its modification time. Gradio's own `delete_cache` would delete photos
    that a page still shows, and misses files that are not in its list.

    Attributes:
        folder: where the files are; its real path.
    """

    def __init__(self, parent: Path) -> None:
        """Create the folder in `parent`, and delete those of runs that have ended.

        Files of other programs and of other running apps in `parent` are not touched.

        Raises:
            OSError: nothing can be written to `parent`.
        """
        parent.mkdir(parents=True, exist_ok=True)
        _delete_ended(parent)
        name = _PREFIX + secrets.token_hex(8)
        self._lock = FileLock(parent / f"{name}.lock")
        self._lock.acquire()  # first, or another run could delete the folder
        folder = parent / name
        folder.mkdir(mode=0o700)
        self.folder = folder.resolve()

    def find(self, path: str) -> Path | None:
        """The file of that path if it is in this folder, links resolved; else None.

        Finding it counts as use.
        """
        try:
            found = Path(path).resolve(strict=True)
            if not found.is_relative_to(self.folder) or not found.is_file():
                return None
            os.utime(found)
        except (OSError, ValueError, RuntimeError):  # missing, too long, a NUL, a link loop
            return None
        return found

    def has_room(self) -> bool:
        """Whether more than `SPARE` bytes of the disk are free."""
        return shutil.disk_usage(self.folder).free > SPARE

    def sweep(self, shown: Set[Path] = frozenset()) -> None:
        """Delete what was not used for `KEPT` seconds, except files that a page shows."""
        old = time.time() - KEPT
        for path in sorted(self.folder.rglob("*"), reverse=True):  # files before their folder
            with suppress(OSError):  # already gone, or a folder that is not empty
                if path.lstat().st_mtime > old or path in shown:
                    continue
                path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()

    def close(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.release()
        Path(self._lock.lock_file).unlink(missing_ok=True)


def _delete_ended(parent: Path) -> None:
    """Delete the folders of runs that no longer hold their lock."""
    for folder in {path.with_suffix("") for path in parent.glob(f"{_PREFIX}*")}:
        lock = FileLock(folder.with_suffix(".lock"), timeout=0)
        with suppress(Timeout, OSError), lock:
            shutil.rmtree(folder, ignore_errors=True)
            Path(lock.lock_file).unlink(missing_ok=True)
