"""Zips that are downloaded and checked once, whole or not there."""

import json
import zipfile
from pathlib import Path

from clipdemo.errors import DownloadError
from clipdemo.tables.http_download import PATIENT, Patience, Progress, download

_BLOCK = 1 << 20


def fetch_zip(
    url: str,
    path: Path,
    progress: Progress = lambda done, total: None,
    checking: Progress = lambda done, total: None,
    patience: Patience = PATIENT,
) -> None:
    """Have a zip here, downloaded if need be, every file in it checked against its CRC.

    One that was checked before and is unchanged costs neither the network nor a second.

    Args:
        url: where it comes from.
        path: where it lies; one that somebody put there is checked and used.
        progress: told of the download.
        checking: told of the check.
        patience: with the server.

    Raises:
        DownloadError: it cannot be had, or is damaged.
    """
    if not path.is_file():
        remedy = "it was deleted, so run the same command again"
        download(url, path, progress, patience, lambda p: _check(p, url, remedy, checking))
        _remember(path)
    elif not is_checked(path):
        _check(path, path, "delete it and run the same command again", checking)
        _remember(path)


def is_checked(path: Path) -> bool:
    """Whether a zip is here that was found whole and is unchanged since."""
    try:
        return json.loads(_record(path).read_text("utf-8")) == _identity(path)
    except (OSError, ValueError):
        return False


def _check(path: Path, what: str | Path, remedy: str, progress: Progress) -> None:
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
    except Exception as error:  # each compression has errors of its own
        raise DownloadError(f"{what} is no whole zip ({error}): {remedy}.") from error


def _record(path: Path) -> Path:
    return path.with_name(f"{path.name}.checked")


def _remember(path: Path) -> None:
    _record(path).write_text(json.dumps(_identity(path)), "utf-8")


def _identity(path: Path) -> list[int]:
    found = path.stat()
    return [found.st_size, found.st_mtime_ns]
