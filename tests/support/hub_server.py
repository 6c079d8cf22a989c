"""A small hub on a loopback port, for huggingface_hub's real client.

It serves what downloads need: HEAD and GET of `/org/repo/resolve/REVISION/FILE` with the headers
that the client reads, and Range requests.
Each file can be given a fault.
"""

import hashlib
import re
import time
from urllib.parse import unquote

from support.loopback import LoopbackServer, QuietHandler

COMMIT = "0123456789abcdef0123456789abcdef01234567"
FAULTS = (
    "silent",  # takes the request and never answers
    "hang",  # stops in the middle of the file
    "cut",  # always closes the connection in the middle
    "short",  # describes the whole file but has only half of it
    "wrong",  # other bytes than described
    "huge",  # claims that the file is larger than any disk
    "gated",  # requires access rights
    "broken",  # error 500
    "slow",  # waits before each answer
)
SLOW = 6.0  # seconds; the hub's own client waits ten


class HubServer(LoopbackServer):
    """Serves `files`, {(repository, name): bytes}, as a context manager.

    Attributes:
        faults: fault by file name.
        asked: method and path of each request for a file so far.
        commit: its revision; without one it is not a hub.
    """

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.files: dict[tuple[str, str], bytes] = {}
        self.asked: list[tuple[str, str]] = []
        self.commit: str | None = COMMIT

    def add(self, repository: str, folder) -> None:
        """Serve the files of a folder."""
        for path in folder.iterdir():
            self.files[repository, path.name] = path.read_bytes()


class _Handler(QuietHandler):
    server: HubServer

    def do_HEAD(self) -> None:
        found = self._found()
        if found:
            self._start(200, found, len(found[1]))

    def do_GET(self) -> None:
        found = self._found()
        if not found:
            return
        name, content = found
        fault = self.server.faults.get(name)
        if fault == "wrong":
            content = bytes(len(content) // 2) + content[len(content) // 2 :]
        if fault == "short":
            content = content[: len(content) // 2]
        first = self.first_byte()
        span = {"Content-Range": f"bytes {first}-{len(content) - 1}/{len(content)}"}
        self._start(206 if first else 200, found, len(content) - first, span if first else {})
        self._send(content, first, fault)

    def _send(self, content: bytes, first: int, fault: str | None) -> None:
        middle = len(content) // 2
        if fault not in ("hang", "cut"):
            self.wfile.write(content[first:])
            return
        self.wfile.write(content[first:middle])
        self.wfile.flush()
        if fault == "hang":
            self.server.closing.wait()
        self.close_connection = True

    def _found(self) -> tuple[str, bytes] | None:
        """Name and content of the requested file; if there is none, sends the hub's refusal."""
        match = re.fullmatch(r"/(.+)/resolve/[^/]+/([^?]+)(\?.*)?", unquote(self.path))
        if not match:
            return self.refuse(404)
        self.server.asked.append((self.command, self.path))
        repository, name = match[1], match[2]
        fault = self.server.faults.get(name)
        if fault == "silent":
            self.server.closing.wait()
            self.close_connection = True
        elif fault == "gated":
            self.refuse(403, X_Error_Code="GatedRepo")
        elif fault == "broken":
            self.refuse(500)
        elif repository not in {r for r, _ in self.server.files}:
            self.refuse(
                401, X_Error_Code="RepoNotFound"
            )  # the hub does not distinguish private from missing
        elif (repository, name) not in self.server.files:
            self.refuse(404, X_Error_Code="EntryNotFound")
        else:
            if fault == "slow":
                time.sleep(SLOW)
            return name, self.server.files[repository, name]
        return None

    def _start(self, status: int, found: tuple[str, bytes], length: int, more=None) -> None:
        name, content = found
        if name.endswith(".json"):  # small files have git's hash
            etag = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        else:
            etag = hashlib.sha256(content).hexdigest()
            size = 10**17 if self.server.faults.get(name) == "huge" else len(content)
            more = (more or {}) | {"X-Linked-Etag": f'"{etag}"', "X-Linked-Size": str(size)}
        self.send_response(status)
        headers = {"ETag": f'"{etag}"', "Accept-Ranges": "bytes"}
        headers |= {"X-Repo-Commit": self.server.commit} if self.server.commit else {}
        for key, value in (headers | (more or {}) | {"Content-Length": str(length)}).items():
            self.send_header(key, value)
        self.end_headers()
