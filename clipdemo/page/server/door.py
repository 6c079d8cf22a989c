"""The door: checks every request before the page, its API, Inspect or MCP sees it."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

from fastapi.exceptions import RequestValidationError
from gradio.route_utils import FnIndexInferError
from gradio.routes import App
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from clipdemo.errors import ClipdemoError
from clipdemo.inputs.photo_files import MAX_BYTES
from clipdemo.page.server.access import Access, Guesses, Role, visitor_of
from clipdemo.page.server.parts import PART
from clipdemo.page.server.requests import NO_ROOM, log_unexpected
from clipdemo.page.server.uploads import Uploads

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

API = "/gradio_api"
UPLOAD, FILE = f"{API}/upload", f"{API}/file="
HEARTBEAT, BY_NAME = f"{API}/heartbeat/", f"{API}/call/v2/"
LONGEST = 4 * MAX_BYTES // 3 + 2**20  # bytes of a request other than an upload: a photo in base64
VALUES = 100_000  # in a request
TOO_LONG = (
    f"A request can have at most {LONGEST // 2**20} MB and {VALUES:,} values: upload large files "
    "instead."
)
HELD = 4 * LONGEST  # bytes of such requests that are in memory at the same time
SMALL = 2**20  # bytes, for which there is always room
TO_ARRIVE = 120  # seconds in which such a request must arrive
FULL = "The server has too many large requests at once: try again in a minute."
SLOW = f"This request took more than {TO_ARRIVE} seconds to arrive: upload large files."
ROOM_EVERY = 2**23  # bytes of an upload between two checks of the disk
# Gradio has more routes than this page needs: some fetch addresses, run ffmpeg, or keep sessions.
OPEN = re.compile(
    r"/(config|login|logout|theme\.css|robots\.txt|manifest\.json|pwa_icon(/(192|512))?|favicon\.ico"
    r"|healthz|preview|plotly\.min\.js|modules/.+|inspect/.+|batch/.+|parts/.+|(assets|static|svelte)/.+"
    r"|gradio_api/(user|login_check|token|app_id|info|openapi\.json|startup-events|theme\.css"
    r"|upload|upload_progress|cancel|reset|queue/(join|data|status)|heartbeat/[^/]+"
    r"|call/.+|run/[^/]+|api/[^/]+|file=.+|mcp(/.*)?))?/?"
)
NOTHING = "This page has nothing at this address"
# Routes for which Gradio asks for no login.
OURS = re.compile(
    r"/(inspect/.+|batch/.+|parts/.+|preview|plotly\.min\.js|gradio_api/(heartbeat/.+|cancel|reset))/?"
)

# Gradio's files with a hash of their content in their names.
UNCHANGING = re.compile(r"/assets/.+-[\w-]{8}\.(js|css)")
FOR_EVER = "public, max-age=31536000, immutable"
TO_COMPRESS = 2**12  # bytes of an answer, at least
# Gradio fails at any other, such as several at once.
RANGE = re.compile(r"bytes=([0-9]{1,15}-[0-9]{0,15}|-[0-9]{1,15})")
NO_GZIP = re.compile(r"gzip\s*;\s*q=0(\.0*)?\s*(,|$)")  # Starlette would compress all the same


class Guarded(App):
    """Gradio's app with the door around all of Gradio's own middleware."""

    def __init__(self, access: Access, uploads: Uploads, live: Counter[str], **options) -> None:
        kinds = (Exception, RequestValidationError, ClipdemoError)
        super().__init__(exception_handlers=dict.fromkeys(kinds, handle), **options)
        self._door = access, uploads, live

    def build_middleware_stack(self) -> ASGIApp:
        """The app's middleware inside the door; Starlette calls this once."""
        compressed = GZipMiddleware(super().build_middleware_stack(), TO_COMPRESS, compresslevel=5)
        return Door(compressed, *self._door)


class Door:
    """ASGI middleware around the page.

    It refuses requests from other sites (`Access`), routes that are not `OPEN`, bodies that are
    too long and files that were not uploaded. An unexpected error becomes a sentence for the
    caller and one line in the log.
    """

    def __init__(self, app: ASGIApp, access: Access, uploads: Uploads, live: Counter[str]) -> None:
        """The door counts in `live` how many heartbeats each open page's session has."""
        self._app, self._access, self._uploads, self._live = app, access, uploads, live
        self._held: dict[int, int] = {}  # bytes, by a number for each request
        self._guesses = Guesses()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return  # the page has no websockets
        request = Request(scope)
        if not RANGE.fullmatch(request.headers.get("range", "")):  # then all of it is sent
            del MutableHeaders(scope=scope)["range"]
            request = Request(scope)
        if NO_GZIP.search(request.headers.get("accept-encoding", "")):
            del MutableHeaders(scope=scope)["accept-encoding"]
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"  # an upload is no page or script
                if self._access.mode != "public":  # for browsers that do not send Sec-Fetch-Dest
                    headers["X-Frame-Options"] = "SAMEORIGIN"
                if message["status"] == 200 and UNCHANGING.fullmatch(_path(request)):
                    headers.setdefault("Cache-Control", FOR_EVER)
                if message["status"] == 200 and _is_login(request):
                    self._guesses.forget(visitor_of(request))
            await send(message)
            begun = True

        session = _rest(request, HEARTBEAT)
        counted = False
        try:
            self._check(request)
            if session:
                self._live[session] += 1
                counted = True
            await self._app(scope, self._measured(receive, request), watched)
        except Exception as error:
            if not isinstance(error, HTTPException):
                log_unexpected(error)
            if not begun:
                await response_to(error, request)(scope, receive, watched)
            else:  # a stream that failed midway, or the answer of `handle`
                with suppress(Exception):
                    await send({"type": "http.response.body"})
        finally:
            self._held.pop(id(request), None)
            if counted:
                self._live[session] -= 1
                self._live += Counter()  # drops those at zero

    def _check(self, request: Request) -> None:
        """Raises HTTPException if the request is refused."""
        path = _path(request)
        if path == "/healthz":
            return  # reveals nothing, and is polled by machines
        request.state.role = self._access.role(request)
        if not OPEN.fullmatch(path):
            raise HTTPException(404, f"{NOTHING}: open the page itself.")
        if _is_login(request) and getattr(request.scope["app"], "auth", None) is not None:
            self._guesses.add(visitor_of(request))
        ours = OURS.fullmatch(path) or (request.method == "POST" and not _is_login(request))
        if ours and not logged_in(request):  # Gradio would read the whole body first
            raise HTTPException(401, "Log in first: open the page itself.")
        if path.startswith(FILE) and self._uploads.find(path.removeprefix(FILE)) is None:
            raise HTTPException(
                403, "Only files uploaded here within the last hour are served: upload it again."
            )
        if _is_upload(request) or _is_part(request):
            if not self._uploads.has_room():
                raise HTTPException(507, NO_ROOM)
        elif content_length(request) > LONGEST:
            raise HTTPException(413, TOO_LONG)

    def _measured(self, receive: Receive, request: Request) -> Receive:
        """`receive`, which refuses a body that is too long, or that there is no room for."""
        upload, part = _is_upload(request), _is_part(request)
        length = values = 0
        end, whole = time.monotonic() + TO_ARRIVE, False

        async def measured() -> Message:
            nonlocal length, values, whole
            if upload or part or whole:
                message = await receive()
            else:
                message = await _by(end, receive)
            whole = not message.get("more_body", False)
            body = message.get("body", b"")
            before, length = length, length + len(body)
            if upload:  # Gradio counts each file
                if length // ROOM_EVERY > before // ROOM_EVERY and not self._uploads.has_room():
                    raise HTTPException(507, NO_ROOM)
                return message
            if part:
                if length > PART:
                    raise HTTPException(413, f"A part can have at most {PART // 2**20} MB.")
                return message
            # Each value of JSON takes 100 times as much memory as in the body.
            values += body.count(b",") + body.count(b"[") + body.count(b"{")
            if length > LONGEST or values > VALUES:
                raise HTTPException(413, TOO_LONG)
            if body and length > SMALL:
                self._held[id(request)] = length
                if sum(self._held.values()) > HELD:
                    raise HTTPException(503, FULL)
            return message

        return measured


async def _by(end: float, receive: Receive) -> Message:
    """The next message, which must arrive before a time of the monotonic clock."""
    try:
        async with asyncio.timeout(max(0, end - time.monotonic())):
            return await receive()
    except TimeoutError:
        raise HTTPException(408, SLOW) from None


async def handle(request: Request, error: Exception) -> Response:
    """`response_to` as Starlette's handler of errors within the app."""
    return response_to(error, request)


def response_to(error: Exception, request: Request) -> Response:
    """One sentence about an error, expected or not, in the form that Gradio and Inspect read."""
    status, sentence = 500, "This request could not be answered: reload the page, or see its API."
    if isinstance(error, HTTPException):
        status, sentence = error.status_code, error.detail
    elif isinstance(error, ClipdemoError):  # from our own routes: not found, or not valid
        status, sentence = 404 if request.method == "GET" else 400, str(error)
    elif isinstance(error, TypeError) and _rest(request, BY_NAME):  # a missing or unknown value
        status, sentence = 400, f"{str(error)[:200].rstrip('.')}."
    elif isinstance(error, RequestValidationError):
        status = 422
        sentence = "This address does not take such values: see the API at the bottom of the page."
    elif isinstance(error, KeyError | FnIndexInferError):  # Gradio's, for an unknown endpoint
        status, sentence = 404, f"{NOTHING}: see the API at the bottom of the page."
    if _is_upload(request):  # Gradio shows the whole body of such an answer
        return PlainTextResponse(sentence, status, {"Cache-Control": "no-store"})
    said = dict.fromkeys(("error", "detail", "notice"), sentence)
    return JSONResponse(said, status, {"Cache-Control": "no-store"})


def role_of(request: HTTPConnection) -> Role:
    """The role that the door found; Gradio's own request holds this one as `request`."""
    return HTTPConnection(request.scope).state.role


def logged_in(request: Request) -> bool:
    """Whether Gradio would answer: there is no login, or this visitor has logged in."""
    app = request.scope["app"]
    if getattr(app, "auth", None) is None:
        return True
    names = (f"access-token-{app.cookie_id}", f"access-token-unsecure-{app.cookie_id}")
    return any(request.cookies.get(name) in app.tokens for name in names)


def content_length(request: Request) -> int:
    """The Content-Length header, in bytes; 0 if it is missing or not a number."""
    text = request.headers.get("content-length", "")
    return int(text) if text.isdecimal() else 0


def _is_login(request: Request) -> bool:
    return request.method == "POST" and _path(request).rstrip("/") == "/login"


def _is_upload(request: Request) -> bool:
    return _path(request).rstrip("/") == UPLOAD


def _is_part(request: Request) -> bool:
    return request.method == "PUT" and _path(request).startswith("/parts/")


def _path(request: Request) -> str:
    """The path relative to where the page is mounted."""
    path, root = request.scope["path"], request.scope.get("root_path", "").rstrip("/")
    below = path.removeprefix(root)
    return below if below.startswith("/") else path if below else "/"


def _rest(request: Request, start: str) -> str:
    path = _path(request)
    return path.removeprefix(start) if path.startswith(start) else ""
