"""Zips that are downloaded and checked once: complete and undamaged, or an error."""

import json
import zipfile
from pathlib import Path

from clipdemo.errors import DownloadError
from clipdemo.tables.http_download import Progress, download

_BLOCK = 1 << 20


def fetch_zip(
    url: str,
    path: Path,
    progress: Progress = lambda done, total: None,
    checking: Progress = lambda done, total: None,
) -> None:
    """Download a zip unless it is already here, and check every file in it against its CRC.

    A zip that was checked before and is unchanged is neither requested nor read again.

    Args:
        url: its source.
        path: its destination; a zip that is already there is checked and used.
        progress: called during the download.
        checking: called during the check.

    Raises:
        DownloadError: it cannot be downloaded, or is damaged.
    """
    if not path.is_file():
        download(url, path, progress)
        try:
            _check(path, "it was deleted, so run the same command again", checking)
        except DownloadError:
            path.unlink()
            raise
    elif not is_checked(path):
        _check(path, "delete it and run the same command again", checking)
    _record(path).write_text(json.dumps(_identity(path)), "utf-8")


def is_checked(path: Path) -> bool:
    """Whether the zip is there, was found undamaged, and has not changed since."""
    try:
        return json.loads(_record(path).read_text("utf-8")) == _identity(path)
    except (OSError, ValueError):
        return False


def _check(path: Path, remedy: str, progress: Progress) -> None:
    """Read every file of the zip, which compares it with its CRC."""
    try:
        with zipfile.ZipFile(path) as archive:
            files = archive.infolist()
            total, done = sum(file.compress_size for file in files), 0
            for info in files:
                with archive.open(info) as file:
                    while file.read(_BLOCK):
                        pass
                done += info.compress_size
                progress(done, total)
    except Exception as error:  # each compression has its own errors
        raise DownloadError(f"{path} is not an intact zip ({error}): {remedy}.") from error


def _record(path: Path) -> Path:
    return path.with_name(f"{path.name}.checked")


def _identity(path: Path) -> list[int]:
    """Size in bytes and time of the last change."""
    found = path.stat()
    return [found.st_size, found.st_mtime_ns]
