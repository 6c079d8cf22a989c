"""The door: what every request passes before the page, its API, Inspect or MCP sees it."""

from __future__ import annotations

import re
from collections import Counter
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING

from gradio.route_utils import FnIndexInferError
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse

from clipdemo.images import MAX_BYTES
from clipdemo.ui.access import Access, Refused, Role
from clipdemo.ui.requests import NO_ROOM, report
from clipdemo.uploads import Uploads

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

API = "/gradio_api"
UPLOAD, FILE = f"{API}/upload", f"{API}/file="
HEARTBEAT, BY_NAME = f"{API}/heartbeat/", f"{API}/call/v2/"
LONGEST = 4 * MAX_BYTES // 3 + 2**20  # bytes of a request that is no upload: a photo in base64
# Gradio has more routes than this page needs: some fetch addresses, run ffmpeg, or keep sessions.
OPEN = re.compile(
    r"/(config|login|logout|theme\.css|robots\.txt|manifest\.json|pwa_icon(/\d+)?|favicon\.ico"
    r"|healthz|plotly\.min\.js|inspect/.+|(assets|static|svelte)/.+"
    r"|gradio_api/(user|login_check|token|app_id|info|openapi\.json|startup-events|theme\.css"
    r"|upload|upload_progress|cancel|reset|queue/(join|data|status)|heartbeat/[^/]+"
    r"|call/.+|run/[^/]+|api/[^/]+|file=.+|mcp(/.*)?))?/?"
)
NONE = "This page has nothing at this address"
OURS = re.compile(r"/(inspect/.+|plotly\.min\.js)")  # Gradio asks for a login at its own alone


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
            if message["type"] == "http.response.start":
                begun = True
                if self._access.mode != "public":  # for browsers that do not say who frames a page
                    MutableHeaders(scope=message)["X-Frame-Options"] = "SAMEORIGIN"
            await send(message)

        session = _rest(request, HEARTBEAT)
        self._live.update([session] if session else [])
        try:
            self._check(request)
            await self._app(scope, _counted(receive, request), watched)
        except Exception as error:
            refusal = error if isinstance(error, Refusal) else _refusal(error, request)
            if not begun:
                await refusal.answer(scope, receive, send)
            else:  # a stream, which said what it could
                await send({"type": "http.response.body"})
        finally:
            if session:
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
            raise Refusal(413, f"A request may have {LONGEST // 2**20} MB: upload large files.")


class Refusal(Exception):
    """A request that is answered here, with a status and one sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, in the shape that Gradio's client and page read."""
        told = {"error": str(self), "detail": str(self)}
        await JSONResponse(told, self.status)(scope, receive, send)


def _refusal(error: Exception, request: Request) -> Refusal:
    """What is said of an error that nobody foresaw; it is in the log."""
    if isinstance(error, TypeError) and _rest(request, BY_NAME):  # a value is missing, or unknown
        return Refusal(400, f"{str(error)[:200]}.")
    report(error)
    if isinstance(error, KeyError | FnIndexInferError):  # Gradio's, for an endpoint that is none
        return Refusal(404, f"{NONE}: see the API at its foot.")
    return Refusal(500, "This request could not be answered: reload the page, or see its API.")


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


def _counted(receive: Receive, request: Request) -> Receive:
    """`receive`, but a body that turns out too long is refused."""
    if _path(request).rstrip("/") == UPLOAD:
        return receive  # Gradio counts each file
    length = 0

    async def counted() -> Message:
        nonlocal length
        message = await receive()
        length += len(message.get("body", b""))
        if length > LONGEST:
            raise Refusal(413, f"A request may have {LONGEST // 2**20} MB: upload large files.")
        return message

    return counted
