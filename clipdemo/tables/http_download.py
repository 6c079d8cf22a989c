"""Large files over HTTP that go on where they broke off.

    download("http://host/photos.zip", Path("photos.zip"))

What has arrived lies in `photos.zip.part`, and in `photos.zip.part.json` of which file it is a
part. The name itself appears when the file is whole.
"""

import errno
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
from filelock import FileLock, Timeout

from clipdemo.errors import DownloadError

Progress = Callable[[int, int | None], object]
"""Is told how many bytes are done, of how many (None: the server does not say)."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_UNANSWERED = (
    httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)  # fmt: skip


@dataclass(frozen=True)
class Patience:
    """How long a server is waited for.

    Attributes:
        silence: seconds without a byte until a connection counts as broken.
        tries: in a row that end at the same byte, then it is given up.
        pause: seconds before the second of these tries, twice as many before each further one.
    """

    silence: float = 20.0
    tries: int = 5
    pause: float = 1.0


PATIENT = Patience()


@dataclass(frozen=True)
class _Origin:
    """Which file a part is of: two that are equal here are taken for the same."""

    url: str
    size: int | None
    etag: str | None
    modified: str | None


class _Broken(Exception):
    """This try brought not all of the file; the next may."""


def announced(url: str, patience: Patience = PATIENT) -> int | None:
    """How many bytes the server says a file has; None where it does not say.

    Raises:
        DownloadError: there is no such file, or the server cannot be reached.
    """
    try:
        with _client(patience) as client:
            response = client.head(url)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise DownloadError(_unreachable(url, error)) from error
    _refuse(response)
    return _number(response.headers.get("Content-Length"))


def download(
    url: str,
    path: Path,
    progress: Progress = lambda done, total: None,
    patience: Patience = PATIENT,
    check: Callable[[Path], object] = lambda part: None,
) -> None:
    """Download a file; a part of it that is here already is kept if the server still has that file.

    Args:
        url: of the file.
        path: where it goes, once it is whole.
        progress: told of every block.
        patience: with the server.
        check: is given the whole file before it gets its name; what it raises discards the file.

    Raises:
        DownloadError: one sentence; what has arrived is kept for the next time.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(path):
            _complete(url, part, progress, patience)
            try:
                check(part)
            except DownloadError:
                _discard(part)
                raise
            part.replace(path)
            _discard(part)
    except Timeout:
        raise DownloadError(
            f"{path} is being downloaded by another process: wait for it, or end it."
        ) from None
    except OSError as error:
        raise DownloadError(_of_disk(error, path)) from error


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """No other process downloads the file meanwhile."""
    lock = Path(f"{path}.lock")
    with FileLock(lock, timeout=0):
        try:
            yield
        finally:
            with suppress(OSError):  # not every system deletes what is open
                lock.unlink()


def _complete(url: str, part: Path, progress: Progress, patience: Patience) -> None:
    """Try until the part is whole; each new byte earns the server all of the patience again."""
    most, tries, reached = -1, 0, False
    with _client(patience) as client:
        while not _whole(url, part):
            try:
                _go_on(client, url, part, progress)
            except (httpx.HTTPError, httpx.InvalidURL, _Broken) as error:
                have = _size(part)
                reached |= not isinstance(error, _UNANSWERED)
                tries = 1 if have > most else tries + 1
                most = max(most, have)
                if not reached:
                    raise DownloadError(_unreachable(url, error)) from error
                if tries >= patience.tries:
                    raise DownloadError(_given_up(url, have, error)) from error
                time.sleep(patience.pause * 2 ** (tries - 1))


def _go_on(client: httpx.Client, url: str, part: Path, progress: Progress) -> None:
    """One request for what is missing, appended to the part, or for all where it is of no use."""
    origin, have = _origin(part), _size(part)
    have = have if origin and origin.url == url else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    with client.stream("GET", url, headers=headers) as response:
        if response.status_code == 416:
            _discard(part)
            raise _Broken("it has become shorter")
        if response.status_code == 429 or response.status_code >= 500:
            raise _Broken(f"error {response.status_code}")
        _refuse(response)
        first, size = _span(response)
        found = _Origin(url, size, *map(response.headers.get, ("ETag", "Last-Modified")))
        if first and (first != have or found != origin):
            _discard(part)
            raise _Broken("the file has changed")
        _check_room(part, first, size)
        if not first:  # before the record says that it is of another file
            part.unlink(missing_ok=True)
        _record(part).write_text(json.dumps(asdict(found)), "utf-8")
        with part.open("ab") as file:
            for block in response.iter_raw():
                file.write(block)
                progress(file.tell(), size)
    if size is None:  # it ended in order, and no more is known of its length
        origin = _Origin(url, _size(part), found.etag, found.modified)
        _record(part).write_text(json.dumps(asdict(origin)), "utf-8")
    elif _size(part) != size:
        raise _Broken(f"{_size(part)} of {size} bytes")


def _client(patience: Patience) -> httpx.Client:
    return httpx.Client(
        timeout=patience.silence,
        follow_redirects=True,
        headers={"User-Agent": "clipdemo", "Accept-Encoding": "identity"},
    )


def _span(response: httpx.Response) -> tuple[int, int | None]:
    """First byte of the answer, and size of the whole file."""
    if response.status_code != 206:
        return 0, _number(response.headers.get("Content-Length"))
    found = re.fullmatch(
        r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", "").strip()
    )
    if not found:
        raise _Broken("its answer to a request for the rest is unreadable")
    return int(found[1]), _number(found[2])


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None


def _refuse(response: httpx.Response) -> None:
    if response.status_code not in (200, 206):
        raise DownloadError(
            f"{response.url} answers with error {response.status_code}: check the address."
        )


def _check_room(part: Path, have: int, size: int | None) -> None:
    free = shutil.disk_usage(part.parent).free
    used = _size(part) - have  # what will be overwritten
    if size is not None and size - have > free + used:
        why = f"{(size - have) / 1e9:.1f} GB more are needed, {free / 1e9:.1f} GB are free"
        raise OSError(errno.ENOSPC, why)


def _record(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _origin(part: Path) -> _Origin | None:
    try:
        return _Origin(**json.loads(_record(part).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _whole(url: str, part: Path) -> bool:
    origin = _origin(part)
    return bool(origin) and origin.url == url and part.is_file() and origin.size == _size(part)


def _size(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0


def _discard(part: Path) -> None:
    part.unlink(missing_ok=True)
    _record(part).unlink(missing_ok=True)


def _why(error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "it went silent"
    return str(error).rstrip(".") or type(error).__name__


def _given_up(url: str, have: int, error: Exception) -> str:
    if not have:
        return f"{url} gives nothing ({_why(error)}): try again later."
    return (
        f"{url} breaks off again and again after {have / 1e6:.1f} MB ({_why(error)}): those are "
        "kept, so run the same command later to go on."
    )


def _unreachable(url: str, error: Exception) -> str:
    return f"{url} cannot be reached ({_why(error)}): check the network and the address."


def _of_disk(error: OSError, path: Path) -> str:
    if error.errno in _FULL:
        return (
            f"The disk of {path.parent} has no room for {path.name} ({error.strerror}): free some "
            "and run the same command again, which goes on with what is here."
        )
    reason = error.strerror or os.strerror(error.errno or 0)
    return f"{path} cannot be written ({reason}): choose another folder."
