"""The routes below /inspect/ that inspect.js requests; the door answers errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from clipdemo.errors import ClipdemoError
from clipdemo.page.inspect.inspector import Inspector
from clipdemo.page.server.door import role_of

LONGEST = 2**20  # bytes of a query
NO_STORE = {"Cache-Control": "no-store"}


def routes(inspector: Inspector) -> list[Route]:
    """GET routes to read; POST routes for queries, findings and opening tables."""

    def state(request: Request) -> Response:
        return JSONResponse(inspector.state(role_of(request)), headers=NO_STORE)

    def points(request: Request) -> Response:
        return JSONResponse(inspector.map(), headers=NO_STORE)

    def counts(request: Request) -> Response:
        headers = NO_STORE | {"Content-Encoding": "gzip"}
        return Response(inspector.counts, 200, headers, "application/octet-stream")

    def photo(request: Request) -> Response:
        found = inspector.thumbnail(request.path_params["row"])
        return Response(found, 200, {"Cache-Control": "private, max-age=3600"}, "image/jpeg")

    def findings(request: Request) -> Response:
        name = {"Content-Disposition": 'attachment; filename="findings.csv"'}
        return Response(inspector.findings_csv(role_of(request)), 200, NO_STORE | name, "text/csv")

    def label_studio(request: Request) -> Response:
        name = {"Content-Disposition": 'attachment; filename="label-studio.json"'}
        tasks = inspector.findings_for_label_studio(role_of(request))
        return JSONResponse(tasks, headers=NO_STORE | name)

    def corrected(request: Request) -> Response:
        name, content = inspector.corrected_table(role_of(request))
        name = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
        return Response(content, 200, NO_STORE | name, "application/octet-stream")

    return [
        Route("/inspect/state", state),
        Route("/inspect/map", points),
        Route("/inspect/counts", counts),
        Route("/inspect/photo/{row:int}", photo),
        Route("/inspect/findings.csv", findings),
        Route("/inspect/label-studio.json", label_studio),
        Route("/inspect/corrected", corrected),
        Route("/inspect/rows", _post(inspector.rows), methods=["POST"]),
        Route("/inspect/rows.csv", _post(inspector.csv), methods=["POST"]),
        Route("/inspect/open", _post(inspector.open), methods=["POST"]),
        Route("/inspect/mark", _post(inspector.mark), methods=["POST"]),
    ]


def _post(work: Callable) -> Callable:
    """A handler that calls `work` with the body's JSON and the role, and answers JSON or CSV.

    Anything but JSON is refused, in particular a form sent by another site.
    """

    async def handle(request: Request) -> Response:
        if not request.headers.get("content-type", "").startswith("application/json"):
            raise ClipdemoError("Only JSON is accepted here: use the page.")
        try:
            asked = json.loads(await _body(request))
        except (ValueError, RecursionError):
            asked = None
        if not isinstance(asked, dict):
            raise ClipdemoError("This is not valid JSON: reload the page.")
        found = await run_in_threadpool(work, asked, role_of(request))
        if isinstance(found, str):
            return Response(found, 200, NO_STORE, "text/csv")
        return JSONResponse(found, headers=NO_STORE)

    return handle


async def _body(request: Request) -> bytes:
    """The body, measured as it arrives: its length may not be stated."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LONGEST:
            raise ClipdemoError("This query is too long: reload the page.")
    return bytes(body)
