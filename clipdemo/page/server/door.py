"""The door: what every request passes before the page, its API, Inspect or MCP sees it."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import suppress
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING

from fastapi.exceptions import RequestValidationError
from gradio.route_utils import FnIndexInferError
from gradio.routes import App
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response

from clipdemo.inputs.images import MAX_BYTES
from clipdemo.page.server.access import Access, Refused, Role
from clipdemo.page.server.requests import NO_ROOM, report
from clipdemo.page.server.uploads import Uploads

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

API = "/gradio_api"
UPLOAD, FILE = f"{API}/upload", f"{API}/file="
HEARTBEAT, BY_NAME = f"{API}/heartbeat/", f"{API}/call/v2/"
LONGEST = 4 * MAX_BYTES // 3 + 2**20  # bytes of a request that is no upload: a photo in base64
VALUES = 100_000  # in a request
TOO_LONG = f"A request may have {LONGEST // 2**20} MB and {VALUES:,} values: upload large files."
# Gradio has more routes than this page needs: some fetch addresses, run ffmpeg, or keep sessions.
OPEN = re.compile(
    r"/(config|login|logout|theme\.css|robots\.txt|manifest\.json|pwa_icon(/(192|512))?|favicon\.ico"
    r"|healthz|plotly\.min\.js|modules/.+|inspect/.+|(assets|static|svelte)/.+"
    r"|gradio_api/(user|login_check|token|app_id|info|openapi\.json|startup-events|theme\.css"
    r"|upload|upload_progress|cancel|reset|queue/(join|data|status)|heartbeat/[^/]+"
    r"|call/.+|run/[^/]+|api/[^/]+|file=.+|mcp(/.*)?))?/?"
)
NONE = "This page has nothing at this address"
# Where Gradio asks for no login.
OURS = re.compile(r"/(inspect/.+|plotly\.min\.js|gradio_api/(heartbeat/.+|cancel|reset))/?")


class Guarded(App):
    """Gradio's app behind the door, which stands outside all of Gradio's own middleware."""

    def __init__(self, access: Access, uploads: Uploads, live: Counter[str], **options) -> None:
        handlers = {Exception: _told, RequestValidationError: _told}
        super().__init__(exception_handlers=handlers, **options)
        self._door = access, uploads, live

    def build_middleware_stack(self) -> ASGIApp:
        """Starlette asks for it once."""
        return Door(super().build_middleware_stack(), *self._door)


class Door:
    """ASGI middleware around the page.

    Turned away are requests of other sites (`Access`), routes that are not `OPEN`, bodies that are
    too long and files that were not uploaded. What goes wrong unforeseen is a sentence for the
    caller, and one line in the log.
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
            if not isinstance(error, Refusal):
                report(error)
            if not begun:
                await refusal(error, request).answer(scope, receive, send)
            else:  # a stream, which said what it could, or what `_told` said
                with suppress(Exception):
                    await send({"type": "http.response.body"})
        finally:
            if counted:
                self._live[session] -= 1
                self._live += Counter()  # without those at zero

    def _check(self, request: Request) -> None:
        """Raises Refusal."""
        path = _path(request)
        if path == "/healthz":
            return  # says nothing of anybody, and is asked by machines
        try:
            request.state.role = self._access.role(request)
        except Refused as error:
            raise Refusal(403, str(error)) from None
        if not OPEN.fullmatch(path):
            raise Refusal(404, f"{NONE}: open the page itself.")
        if OURS.fullmatch(path) and not logged_in(request):
            raise Refusal(401, "Log in first: open the page itself.")
        if path.startswith(FILE) and self._uploads.find(path.removeprefix(FILE)) is None:
            raise Refusal(
                403, "Only files uploaded here within the last hour are served: upload it again."
            )
        if path.rstrip("/") == UPLOAD:
            if not self._uploads.has_room():
                raise Refusal(507, NO_ROOM)
        elif int(_number(request.headers.get("content-length"))) > LONGEST:
            raise Refusal(413, TOO_LONG)

    def _measured(self, receive: Receive, request: Request) -> Receive:
        """`receive`, but a body that is too long, or for which there is no room, is refused."""
        upload = _path(request).rstrip("/") == UPLOAD
        length = values = 0

        async def measured() -> Message:
            nonlocal length, values
            message = await receive()
            body = message.get("body", b"")
            before, length = length, length + len(body)
            if upload:  # Gradio counts each file
                if length // 2**23 > before // 2**23 and not self._uploads.has_room():
                    raise Refusal(507, NO_ROOM)
                return message
            # Each value of JSON takes 100 times as much memory as in the body.
            values += body.count(b",") + body.count(b"[") + body.count(b"{")
            if length > LONGEST or values > VALUES:
                raise Refusal(413, TOO_LONG)
            return message

        return measured


class Refusal(Exception):
    """A request that is answered here, with a status and one sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status

    def response(self) -> Response:
        """In the shape that Gradio's client and page read."""
        return JSONResponse({"error": str(self), "detail": str(self)}, self.status)

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        await self.response()(scope, receive, send)


def refusal(error: Exception, request: Request) -> Refusal:
    """What is said of an error, foreseen or not."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, TypeError) and _rest(request, BY_NAME):  # a value is missing, or unknown
        return Refusal(400, f"{str(error)[:200]}.")
    if isinstance(error, RequestValidationError):
        return Refusal(422, "This is not what this address takes: see the API at the page's foot.")
    if isinstance(error, KeyError | FnIndexInferError):  # Gradio's, for an endpoint that is none
        return Refusal(404, f"{NONE}: see the API at its foot.")
    return Refusal(500, "This request could not be answered: reload the page, or see its API.")


async def _told(request: Request, error: Exception) -> Response:
    return refusal(error, request).response()


def role_of(request: HTTPConnection) -> Role:
    """Who asks, as the door found out; Gradio's own request holds this one as `request`."""
    return HTTPConnection(request.scope).state.role


def logged_in(request: Request) -> bool:
    """Whether Gradio would answer: nobody has to log in, or this one did."""
    app = request.scope["app"]
    if getattr(app, "auth", None) is None:
        return True
    cookies = SimpleCookie(request.headers.get("cookie", ""))
    names = (f"access-token-{app.cookie_id}", f"access-token-unsecure-{app.cookie_id}")
    return any(name in cookies and cookies[name].value in app.tokens for name in names)


def _path(request: Request) -> str:
    """The path below the one that the page is mounted at."""
    path, root = request.scope["path"], request.scope.get("root_path", "").rstrip("/")
    below = path.removeprefix(root)
    return below if below.startswith("/") else path if below else "/"


def _rest(request: Request, start: str) -> str:
    path = _path(request)
    return path.removeprefix(start) if path.startswith(start) else ""


def _number(text: str | None) -> str:
    return text if text and text.isdecimal() else "0"
