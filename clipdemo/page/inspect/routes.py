"""The addresses below /inspect/ that inspect.js asks."""

from __future__ import annotations

import json
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from clipdemo.errors import ClipdemoError
from clipdemo.page.inspect.inspector import Inspector
from clipdemo.page.server.access import Role
from clipdemo.page.server.door import role_of

LONGEST = 2**20  # bytes of a query
POST = ["POST"]
FORGETTING = {"Cache-Control": "no-store"}


def routes(inspector: Inspector) -> list[Route]:
    """What the tab asks: GET for what there is, POST for rows that a query finds and for marks."""

    def photo(request: Request) -> Response:
        found = inspector.thumbnail(request.path_params["row"])
        return Response(found, 200, {"Cache-Control": "private, max-age=3600"}, "image/jpeg")

    def counts(request: Request) -> Response:
        headers = FORGETTING | {"Content-Encoding": "gzip"}
        return Response(inspector.counts, 200, headers, "application/octet-stream")

    def findings(request: Request) -> Response:
        name = {"Content-Disposition": 'attachment; filename="findings.csv"'}
        found = inspector.findings_csv(role_of(request))
        return Response(found, 200, FORGETTING | name, "text/csv")

    return [
        Route("/inspect/state", _told(lambda request: _json(inspector.state(role_of(request))))),
        Route("/inspect/map", _told(lambda request: _json(inspector.map()))),
        Route("/inspect/counts", _told(counts)),
        Route("/inspect/photo/{row:int}", _told(photo)),
        Route("/inspect/findings.csv", _told(findings)),
        Route("/inspect/rows", _asked(lambda *of: _json(inspector.rows(*of))), methods=POST),
        Route("/inspect/rows.csv", _asked(lambda *of: _csv(inspector.csv(*of))), methods=POST),
        Route("/inspect/mark", _asked(lambda *of: _json(inspector.mark(*of))), methods=POST),
    ]


def _json(found: dict, status: int = 200) -> Response:
    return JSONResponse(found, status, FORGETTING)


def _csv(text: str) -> Response:
    return Response(text, 200, FORGETTING, "text/csv")


def _told(work: Callable[[Request], Response]) -> Callable:
    """A handler for GET; what a person can do wrong is one sentence in `notice`."""

    def handle(request: Request) -> Response:
        try:
            return work(request)
        except ClipdemoError as error:
            return _json({"notice": str(error)}, 404)

    return handle


def _asked(work: Callable[[dict, Role], Response]) -> Callable:
    """A handler for POST of JSON, which `work` is given with who asks; anything else is refused,
    above all a form of another site."""

    async def handle(request: Request) -> Response:
        if not request.headers.get("content-type", "").startswith("application/json"):
            return _json({"notice": "Only JSON is read here: use the page."}, 400)
        try:
            asked = json.loads(await _body(request))
            if not isinstance(asked, dict):
                raise ValueError
            return await run_in_threadpool(work, asked, role_of(request))
        except ClipdemoError as error:
            return _json({"notice": str(error)}, 400)
        except (ValueError, RecursionError):
            return _json({"notice": "This is no JSON: reload the page."}, 400)

    return handle


async def _body(request: Request) -> bytes:
    """Its body; one without a stated length is counted as it comes."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LONGEST:
            raise ClipdemoError("This query is too long: reload the page.")
    return bytes(body)
