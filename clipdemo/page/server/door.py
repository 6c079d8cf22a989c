"""The door: what every request passes before the page, its API, Inspect or MCP sees it."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

from fastapi.exceptions import RequestValidationError
from gradio.route_utils import FnIndexInferError
from gradio.routes import App
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response

from clipdemo.errors import ClipdemoError
from clipdemo.inputs.images import MAX_BYTES
from clipdemo.page.server.access import Access, Role
from clipdemo.page.server.parts import PART
from clipdemo.page.server.requests import NO_ROOM, report
from clipdemo.page.server.uploads import Uploads

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

API = "/gradio_api"
UPLOAD, FILE = f"{API}/upload", f"{API}/file="
HEARTBEAT, BY_NAME = f"{API}/heartbeat/", f"{API}/call/v2/"
LONGEST = 4 * MAX_BYTES // 3 + 2**20  # bytes of a request that is no upload: a photo in base64
VALUES = 100_000  # in a request
TOO_LONG = (
    f"A request holds {LONGEST // 2**20} MB and {VALUES:,} values at most: upload large files."
)
ROOM_EVERY = 2**23  # bytes of an upload between two looks at the disk
# Gradio has more routes than this page needs: some fetch addresses, run ffmpeg, or keep sessions.
OPEN = re.compile(
    r"/(config|login|logout|theme\.css|robots\.txt|manifest\.json|pwa_icon(/(192|512))?|favicon\.ico"
    r"|healthz|preview|plotly\.min\.js|modules/.+|inspect/.+|batch/.+|parts/.+|(assets|static|svelte)/.+"
    r"|gradio_api/(user|login_check|token|app_id|info|openapi\.json|startup-events|theme\.css"
    r"|upload|upload_progress|cancel|reset|queue/(join|data|status)|heartbeat/[^/]+"
    r"|call/.+|run/[^/]+|api/[^/]+|file=.+|mcp(/.*)?))?/?"
)
NOTHING = "This page has nothing at this address"
# Where Gradio asks for no login.
OURS = re.compile(
    r"/(inspect/.+|batch/.+|parts/.+|preview|plotly\.min\.js|gradio_api/(heartbeat/.+|cancel|reset))/?"
)


# Gradio fails at any other, such as several at once.
RANGE = re.compile(r"bytes=([0-9]{1,15}-[0-9]{0,15}|-[0-9]{1,15})")


class Guarded(App):
    """Gradio's app behind the door, which stands outside all of Gradio's own middleware."""

    def __init__(self, access: Access, uploads: Uploads, live: Counter[str], **options) -> None:
        kinds = (Exception, RequestValidationError, ClipdemoError)
        super().__init__(exception_handlers=dict.fromkeys(kinds, handle), **options)
        self._door = access, uploads, live

    def build_middleware_stack(self) -> ASGIApp:
        """The app's middleware inside the door; Starlette asks for it once."""
        return Door(super().build_middleware_stack(), *self._door)


class Door:
    """ASGI middleware around the page.

    It turns away requests of other sites (`Access`), routes that are not `OPEN`, bodies that are
    too long and files that were not uploaded. An unexpected error becomes a sentence for the
    caller and one line in the log.
    """

    def __init__(self, app: ASGIApp, access: Access, uploads: Uploads, live: Counter[str]) -> None:
        """`live` is kept up to date: how many heartbeats each open page's session has."""
        self._app, self._access, self._uploads, self._live = app, access, uploads, live

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return  # the page has no websockets
        request = Request(scope)
        if not RANGE.fullmatch(request.headers.get("range", "")):  # then all of it is sent
            del MutableHeaders(scope=scope)["range"]
            request = Request(scope)
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start" and self._access.mode != "public":
                # For browsers that do not say who frames a page.
                MutableHeaders(scope=message)["X-Frame-Options"] = "SAMEORIGIN"
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
                report(error)
            if not begun:
                await response_to(error, request)(scope, receive, send)
            else:  # a stream, which said what it could, or what `handle` said
                with suppress(Exception):
                    await send({"type": "http.response.body"})
        finally:
            if counted:
                self._live[session] -= 1
                self._live += Counter()  # drops those at zero

    def _check(self, request: Request) -> None:
        """Raises HTTPException for a request that is turned away."""
        path = _path(request)
        if path == "/healthz":
            return  # says nothing about anybody, and is asked by machines
        request.state.role = self._access.role(request)
        if not OPEN.fullmatch(path):
            raise HTTPException(404, f"{NOTHING}: open the page itself.")
        if OURS.fullmatch(path) and not logged_in(request):
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
        """`receive`, but it refuses a body that is too long, or for which there is no room."""
        upload, part = _is_upload(request), _is_part(request)
        length = values = 0

        async def measured() -> Message:
            nonlocal length, values
            message = await receive()
            body = message.get("body", b"")
            before, length = length, length + len(body)
            if upload:  # Gradio counts each file
                if length // ROOM_EVERY > before // ROOM_EVERY and not self._uploads.has_room():
                    raise HTTPException(507, NO_ROOM)
                return message
            if part:
                if length > PART:
                    raise HTTPException(413, f"A part has {PART // 2**20} MB at most.")
                return message
            # Each value of JSON takes 100 times as much memory as in the body.
            values += body.count(b",") + body.count(b"[") + body.count(b"{")
            if length > LONGEST or values > VALUES:
                raise HTTPException(413, TOO_LONG)
            return message

        return measured


async def handle(request: Request, error: Exception) -> Response:
    """`response_to` as Starlette calls it for an error within the app."""
    return response_to(error, request)


def response_to(error: Exception, request: Request) -> Response:
    """One sentence about an error, expected or not, in the shape that Gradio and Inspect read."""
    status, sentence = 500, "This request could not be answered: reload the page, or see its API."
    if isinstance(error, HTTPException):
        status, sentence = error.status_code, error.detail
    elif isinstance(error, ClipdemoError):  # of Inspect: what it has not, or does not understand
        status, sentence = 404 if request.method == "GET" else 400, str(error)
    elif isinstance(error, TypeError) and _rest(request, BY_NAME):  # a missing or unknown value
        status, sentence = 400, f"{str(error)[:200]}."
    elif isinstance(error, RequestValidationError):
        status = 422
        sentence = "This is not what this address takes: see the API at the page's foot."
    elif isinstance(error, KeyError | FnIndexInferError):  # Gradio's, for an unknown endpoint
        status, sentence = 404, f"{NOTHING}: see the API at its foot."
    said = dict.fromkeys(("error", "detail", "notice"), sentence)
    return JSONResponse(said, status, {"Cache-Control": "no-store"})


def role_of(request: HTTPConnection) -> Role:
    """Who asks, as the door found out; Gradio's own request holds this one as `request`."""
    return HTTPConnection(request.scope).state.role


def logged_in(request: Request) -> bool:
    """Whether Gradio would answer: there is no login, or this visitor has logged in."""
    app = request.scope["app"]
    if getattr(app, "auth", None) is None:
        return True
    names = (f"access-token-{app.cookie_id}", f"access-token-unsecure-{app.cookie_id}")
    return any(request.cookies.get(name) in app.tokens for name in names)


def content_length(request: Request) -> int:
    """What the header says, in bytes; 0 where it says nothing that is a number."""
    text = request.headers.get("content-length", "")
    return int(text) if text.isdecimal() else 0


def _is_upload(request: Request) -> bool:
    return _path(request).rstrip("/") == UPLOAD


def _is_part(request: Request) -> bool:
    return request.method == "PUT" and _path(request).startswith("/parts/")


def _path(request: Request) -> str:
    """The path below the one that the page is mounted at."""
    path, root = request.scope["path"], request.scope.get("root_path", "").rstrip("/")
    below = path.removeprefix(root)
    return below if below.startswith("/") else path if below else "/"


def _rest(request: Request, start: str) -> str:
    path = _path(request)
    return path.removeprefix(start) if path.startswith(start) else ""
