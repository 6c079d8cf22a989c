"""Paths of a table and its photos that the owner enters or uploads on the page."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from clipdemo.errors import ClipdemoError, TableError

if TYPE_CHECKING:
    from clipdemo.page.server.uploads import Uploads


def resolve_paths(
    folder: Path, uploads: Uploads | None, table: object, photos: object
) -> tuple[str, str]:
    """Paths of a table and its photos; uploaded files are moved to `folder`, where they are kept.

    Raises:
        TableError: there is no such file, or there are no such photos.
        ClipdemoError: an upload cannot be kept.
    """
    table_path, photos_path = _path(table), _path(photos)
    if table_path is None or not table_path.is_file():
        raise TableError("There is no such table: give the path of a file, or choose one.")
    if photos and (photos_path is None or not photos_path.exists()):
        raise TableError("There are no such photos: give the path of a folder or a zip.")
    found = []
    for path in (table_path, photos_path):
        uploaded = path and uploads and uploads.find(str(path))
        found.append(str(_moved(uploaded, folder / "given") if uploaded else path or ""))
    return found[0], found[1]


def _path(given: object) -> Path | None:
    if not isinstance(given, str) or not given.strip():
        return None
    try:
        path = Path(given.strip()).expanduser()
        return path if path.exists() else None
    except (OSError, ValueError, RuntimeError):  # too long, a NUL, a lone surrogate, no such user
        return None


def _moved(path: Path, folder: Path) -> Path:
    """Move an upload to a name from its content, so that the same table keeps its findings."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()[:12]
        target = folder / digest / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            shutil.move(path, target)
    except OSError as error:
        raise ClipdemoError(
            f"The upload could not be kept ({error.strerror}): make room in {folder}."
        ) from error
    return target
