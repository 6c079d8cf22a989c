"""Downloads of large files over HTTP, which resume after an interruption.

    download("http://host/photos.zip", Path("photos.zip"))

Until the file is complete, the bytes received are in `photos.zip.part`, and the server's tag of the
file in `photos.zip.part.tag`.
"""

import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
from filelock import FileLock, Timeout

from clipdemo.errors import DownloadError

Progress = Callable[[int, int | None], object]
"""Called with the number of bytes done and the total (None if unknown)."""

SILENCE = 20.0  # seconds without a byte after which a connection counts as broken
TRIES = 5  # consecutive tries without a new byte after which to give up
PAUSE = 1.0  # seconds before the second try, doubled before each further one

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_UNANSWERED = (
    httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)  # fmt: skip


class _Interrupted(Exception):
    """This try did not get the whole file; the next one may."""


def content_length(url: str, silence: float = SILENCE) -> int | None:
    """The size of a file in bytes as stated by the server; None if it is not.

    Raises:
        DownloadError: there is no such file, or the server cannot be reached.
    """
    try:
        with _client(silence) as client:
            response = client.head(url)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise DownloadError(_unreachable(url, error)) from error
    _check_status(response)
    return _length(response)


def download(url: str, path: Path, progress: Progress = lambda done, total: None) -> None:
    """Download a file; resumes a partial download if the server's file is still the same.

    Raises:
        DownloadError: one sentence; the bytes received are kept for the next call.
    """
    part, tag = (path.with_name(f"{path.name}.{end}") for end in ("part", "part.tag"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _lock(path), _client(SILENCE) as client:
            _retry(client, url, part, tag, progress)
            part.replace(path)
            tag.unlink()
    except Timeout:
        raise DownloadError(
            f"{path} is being downloaded by another process: wait for it, or stop it."
        ) from None
    except OSError as error:
        raise DownloadError(_disk_error(error, path)) from error


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Prevents other processes from downloading the file meanwhile."""
    lock = Path(f"{path}.lock")
    with FileLock(lock, timeout=0):
        try:
            yield
        finally:
            with suppress(OSError):  # some systems cannot delete open files
                lock.unlink()


def _retry(client: httpx.Client, url: str, part: Path, tag: Path, progress: Progress) -> None:
    """Request until the file is complete; any new byte resets the number of tries."""
    tries, most = 0, _size(part)
    while True:
        try:
            return _request_rest(client, url, part, tag, progress)
        except (httpx.HTTPError, httpx.InvalidURL, _Interrupted) as error:
            have = _size(part)
            tries = 1 if have > most else tries + 1
            most = max(most, have)
            if isinstance(error, _UNANSWERED) and not most:
                raise DownloadError(_unreachable(url, error)) from error
            if tries >= TRIES:
                raise DownloadError(_given_up(url, have, error)) from error
            time.sleep(PAUSE * 2 ** (tries - 1))


def _request_rest(
    client: httpx.Client, url: str, part: Path, tag: Path, progress: Progress
) -> None:
    """Request the rest, or all of a file without a tag, and append it to the part."""
    known = tag.read_text("utf-8") if tag.is_file() else ""
    have = _size(part) if known else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    with client.stream("GET", url, headers=headers) as response:
        if response.status_code == 429 or response.status_code >= 500:
            raise _Interrupted(f"error {response.status_code}")
        found = response.headers.get("ETag") or response.headers.get("Last-Modified") or ""
        if response.status_code == 416 or (response.status_code == 206 and found != known):
            part.unlink()
            raise _Interrupted("the file has changed")
        _check_status(response)
        if response.status_code == 200:
            have = 0
            part.unlink(missing_ok=True)
            tag.write_text(found, "utf-8")
        rest = _length(response)
        with part.open("ab") as file:
            for block in response.iter_raw():
                file.write(block)
                progress(file.tell(), None if rest is None else have + rest)


def _client(silence: float) -> httpx.Client:
    headers = {"User-Agent": "clipdemo", "Accept-Encoding": "identity"}
    return httpx.Client(timeout=silence, follow_redirects=True, headers=headers)


def _size(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0


def _length(response: httpx.Response) -> int | None:
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None


def _check_status(response: httpx.Response) -> None:
    if response.status_code not in (200, 206):
        raise DownloadError(
            f"{response.url} answers with error {response.status_code}: check the address."
        )


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "no data received"
    return str(error).rstrip(".") or type(error).__name__


def _given_up(url: str, have: int, error: Exception) -> str:
    if not have:
        return f"{url} sends nothing ({_reason(error)}): try again later."
    return (
        f"{url} keeps failing after {have / 1e6:.1f} MB ({_reason(error)}): they are kept, so "
        "run the same command again later to resume."
    )


def _unreachable(url: str, error: Exception) -> str:
    return f"{url} cannot be reached ({_reason(error)}): check the network and the address."


def _disk_error(error: OSError, path: Path) -> str:
    reason = error.strerror or os.strerror(error.errno or 0)
    if error.errno in _FULL:
        return (
            f"The disk of {path.parent} has no room for {path.name} ({reason}): free some space "
            "and run the same command again to resume."
        )
    return f"{path} cannot be written ({reason}): choose another folder."
