"""Large files over HTTP, resumed where they broke off.

    download("http://host/photos.zip", Path("photos.zip"))

What has arrived is in `photos.zip.part`, and in `photos.zip.part.tag` the server's tag of the file
it is a part of. The file gets its own name when it is complete.
"""

import errno
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
from filelock import FileLock, Timeout

from clipdemo.errors import DownloadError

Progress = Callable[[int, int | None], object]
"""Called with the number of bytes done and the total (None: the server does not say)."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_UNANSWERED = (
    httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)  # fmt: skip


@dataclass(frozen=True)
class Patience:
    """How long to wait for a server.

    Attributes:
        silence: seconds without a byte after which a connection counts as broken.
        tries: consecutive tries without a new byte after which to give up.
        pause: seconds before the second of these tries, doubled before each further one.
    """

    silence: float = 20.0
    tries: int = 5
    pause: float = 1.0


PATIENT = Patience()


class _Interrupted(Exception):
    """This try did not bring the whole file; the next may."""


def content_length(url: str, patience: Patience = PATIENT) -> int | None:
    """The size of a file in bytes, as the server says; None if it does not say.

    Raises:
        DownloadError: there is no such file, or the server cannot be reached.
    """
    try:
        with _client(patience) as client:
            response = client.head(url)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise DownloadError(_unreachable(url, error)) from error
    _check_status(response)
    return _number(response.headers.get("Content-Length"))


def download(
    url: str,
    path: Path,
    progress: Progress = lambda done, total: None,
    patience: Patience = PATIENT,
) -> None:
    """Download a file; a part that is already here is resumed if it is still the server's file.

    Raises:
        DownloadError: one sentence; what has arrived is kept for the next call.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _lock(path), _client(patience) as client:
            _retry(client, url, _Part(path), progress, patience)
    except Timeout:
        raise DownloadError(
            f"{path} is being downloaded by another process: wait for it, or end it."
        ) from None
    except OSError as error:
        raise DownloadError(_disk_error(error, path)) from error


class _Part:
    """What has arrived of a file, and the server's tag of that file."""

    def __init__(self, path: Path) -> None:
        self.target = path
        self.path = path.with_name(f"{path.name}.part")
        self._tag = path.with_name(f"{path.name}.part.tag")

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.is_file() else 0

    @property
    def tag(self) -> str:
        """Empty for a file without one, which cannot be resumed."""
        return self._tag.read_text("utf-8") if self._tag.is_file() else ""

    def restart(self, tag: str) -> None:
        self.path.unlink(missing_ok=True)
        self._tag.write_text(tag, "utf-8")

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        self._tag.unlink(missing_ok=True)

    def finish(self) -> None:
        self.path.replace(self.target)
        self._tag.unlink()


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """No other process downloads the file meanwhile."""
    lock = Path(f"{path}.lock")
    with FileLock(lock, timeout=0):
        try:
            yield
        finally:
            with suppress(OSError):  # not every system deletes open files
                lock.unlink()


def _retry(
    client: httpx.Client, url: str, part: _Part, progress: Progress, patience: Patience
) -> None:
    """Request until the file is complete; each new byte renews the patience."""
    tries, most = 0, part.size
    while True:
        try:
            _request_rest(client, url, part, progress)
            return
        except (httpx.HTTPError, httpx.InvalidURL, _Interrupted) as error:
            tries = 1 if part.size > most else tries + 1
            most = max(most, part.size)
            if isinstance(error, _UNANSWERED) and not most:
                raise DownloadError(_unreachable(url, error)) from error
            if tries >= patience.tries:
                raise DownloadError(_given_up(url, part.size, error)) from error
            time.sleep(patience.pause * 2 ** (tries - 1))


def _request_rest(client: httpx.Client, url: str, part: _Part, progress: Progress) -> None:
    """Request what is missing, or all of a file that has no tag; append it to the part."""
    have = part.size if part.tag else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    with client.stream("GET", url, headers=headers) as response:
        if response.status_code == 429 or response.status_code >= 500:
            raise _Interrupted(f"error {response.status_code}")
        tag = response.headers.get("ETag") or response.headers.get("Last-Modified") or ""
        if response.status_code == 416 or (response.status_code == 206 and tag != part.tag):
            part.discard()
            raise _Interrupted("the file has changed")
        _check_status(response)
        if response.status_code == 206:
            span = response.headers.get("Content-Range", "")
            if not re.match(rf"bytes {have}-", span):
                raise _Interrupted("it sent another range than the requested one")
        else:
            have = 0
            part.restart(tag)
        rest = _number(response.headers.get("Content-Length"))
        total = None if rest is None else have + rest
        _check_room(part, rest)
        with part.path.open("ab") as file:
            for block in response.iter_raw():
                file.write(block)
                progress(file.tell(), total)
    part.finish()


def _client(patience: Patience) -> httpx.Client:
    return httpx.Client(
        timeout=patience.silence,
        follow_redirects=True,
        headers={"User-Agent": "clipdemo", "Accept-Encoding": "identity"},
    )


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None


def _check_status(response: httpx.Response) -> None:
    if response.status_code not in (200, 206):
        raise DownloadError(
            f"{response.url} answers with error {response.status_code}: check the address."
        )


def _check_room(part: _Part, rest: int | None) -> None:
    free = shutil.disk_usage(part.path.parent).free
    if rest is not None and rest > free:
        why = f"{rest / 1e9:.1f} GB more are needed, {free / 1e9:.1f} GB are free"
        raise OSError(errno.ENOSPC, why)


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "it went silent"
    return str(error).rstrip(".") or type(error).__name__


def _given_up(url: str, have: int, error: Exception) -> str:
    if not have:
        return f"{url} sends nothing ({_reason(error)}): try again later."
    return (
        f"{url} keeps breaking off after {have / 1e6:.1f} MB ({_reason(error)}): they are kept, so "
        "run the same command again later to resume."
    )


def _unreachable(url: str, error: Exception) -> str:
    return f"{url} cannot be reached ({_reason(error)}): check the network and the address."


def _disk_error(error: OSError, path: Path) -> str:
    if error.errno in _FULL:
        return (
            f"The disk of {path.parent} has no room for {path.name} ({error.strerror}): free some "
            "space and run the same command again to resume."
        )
    reason = error.strerror or os.strerror(error.errno or 0)
    return f"{path} cannot be written ({reason}): choose another folder."
