"""Uploads in parts, so that a lost connection costs one part instead of the whole upload.

The browser's side is `shared/upload.js`. A visitor's files are kept together in a bag, whose id
only that visitor knows.
"""

from __future__ import annotations

import os
import re
import threading
import time
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from clipdemo.errors import ClipdemoError
from clipdemo.page.server.uploads import Uploads

PART = 2**20  # bytes of a part at most; each is received into memory
NAME = 200  # bytes of a file's name at most; file systems take 255
ARRIVING = "."  # prefix of the name of an incomplete file; no other name begins with it
_ID = re.compile(r"[0-9a-z-]{16,100}")
_AT = re.compile(r"\d{1,15}")


class Parts:
    """The bags of all visitors.

    Attributes:
        largest: maximum size of a file in bytes.

    A file grows in its own folder, named after the browser's key for it, and gets its name when
    it is complete.
    """

    def __init__(self, uploads: Uploads, largest: int, most: int) -> None:
        """A file has up to `largest` bytes, and a bag up to `most` files."""
        self._folder = uploads.folder / "bags"
        self.largest, self._most = largest, most
        self._lock = threading.Lock()

    def files(self, bag: object) -> list[Path]:
        """The complete files of a bag by name; none for an unknown one."""
        if not isinstance(bag, str) or not _ID.fullmatch(bag):
            return []
        found = [path for path in (self._folder / bag).glob("*/*") if not _arrives(path)]
        return sorted(found, key=lambda path: (path.name.casefold(), path))

    def sizes(self, bag: str) -> list[dict]:
        """The files of a bag so far: key, name, bytes received and whether it is complete.

        Counts as use of its files.
        """
        found, now = [], time.time()
        for path in sorted((self._folder / _checked(bag)).glob("*/*")):
            os.utime(path, (now, now))
            found.append(
                {
                    "key": path.parent.name,
                    "name": path.name.removeprefix(ARRIVING),
                    "bytes": path.stat().st_size,
                    "complete": not _arrives(path),
                }
            )
        return found

    def add(self, bag: str, key: str, name: str, at: int, size: int, part: bytes) -> dict:
        """Append a part that starts at byte `at` of a file of `size` bytes.

        Returns `at`, the number of bytes received so far, and `path` once the file is complete. A
        part that does not continue the file is dropped: the caller continues from `at`.

        Raises:
            ClipdemoError: the file is too large, or there are too many.
        """
        name = _safe(name)
        if size > self.largest:
            raise ClipdemoError(
                f"{name} is {size / 2**20:.0f} MB and the limit is {self.largest // 2**20} MB: "
                "make it smaller or split it."
            )
        if at + len(part) > size:
            raise ClipdemoError(f"{name} is larger than announced: choose it again.")
        folder = self._folder / _checked(bag) / _checked(key)
        with self._lock:  # a part from a lost connection may arrive at the same time
            if not folder.is_dir():
                if sum(1 for _ in folder.parent.glob("*")) >= self._most:
                    raise ClipdemoError(
                        f"There are more than {self._most:,} files: upload them as a zip."
                    )
                folder.mkdir(parents=True)
            whole = next((path for path in folder.iterdir() if not _arrives(path)), None)
            if whole is None:
                arriving = folder / (ARRIVING + name)
                with arriving.open("ab") as file:
                    if file.tell() == at:
                        file.write(part)
                    at = file.tell()
                if at < size:
                    return {"at": at}
                whole = arriving.rename(folder / name)
        return {"at": whole.stat().st_size, "path": str(whole)}


def routes(parts: Parts) -> list[Route]:
    """PUT /parts/<bag>/<key>?name=…&at=…&size=… takes a part; GET /parts/<bag> lists a bag."""

    async def add(request: Request) -> Response:
        asked, place = request.query_params, request.path_params
        at, size = asked.get("at", ""), asked.get("size", "")
        if not (_AT.fullmatch(at) and _AT.fullmatch(size)):
            raise ClipdemoError("`at` and `size` must be numbers of bytes.")
        found = await run_in_threadpool(
            parts.add, place["bag"], place["key"], asked.get("name", ""), int(at), int(size),
            await request.body(),
        )  # fmt: skip
        return JSONResponse(found)

    def sizes(request: Request) -> Response:
        found = {"files": parts.sizes(request.path_params["bag"])}
        return JSONResponse(found, headers={"Cache-Control": "no-store"})

    return [
        Route("/parts/{bag}", sizes),
        Route("/parts/{bag}/{key}", add, methods=["PUT"]),
    ]


def _arrives(path: Path) -> bool:
    return path.name.startswith(ARRIVING)


def _checked(name: str) -> str:
    if not _ID.fullmatch(name):
        raise ClipdemoError(
            "Ids of bags and files have 16 to 100 digits, lower-case letters and -."
        )
    return name


def _safe(name: str) -> str:
    """The name without folders and invalid characters, and not too long for a file system."""
    name = re.sub(r"[\x00-\x1f\x7f\ud800-\udfff]", "", re.split(r"[/\\]", name)[-1]).strip(". ")
    stem, dot, ending = name.rpartition(".")
    room = NAME - len(f".{ending}".encode()) if dot else NAME
    if not dot or room < NAME // 2:  # no usable file extension
        return name.encode()[:NAME].decode(errors="ignore") or "file"
    return stem.encode()[:room].decode(errors="ignore") + dot + ending
