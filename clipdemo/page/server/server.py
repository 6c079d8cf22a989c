"""The server: start of the page, health check and orderly shutdown."""

from __future__ import annotations

import atexit
import errno
import os
import signal
import socket
import sys
import time
from collections import Counter
from dataclasses import astuple
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, NoReturn

from gradio.utils import get_upload_folder

from clipdemo.errors import CheckpointError, ClipdemoError
from clipdemo.hub.caches import data_folder
from clipdemo.hub.catalog import has_cuda
from clipdemo.hub.locate import locate_local
from clipdemo.hub.repositories import repository
from clipdemo.inputs.labels import COCO18
from clipdemo.inspection.scored_table import ScoredTable
from clipdemo.model.checkpoints import Card, find_card, has_card, zero_shot_card
from clipdemo.model.choice import choose
from clipdemo.model.zero_gpu import declare_gpu, is_zero_gpu
from clipdemo.page.batch import jobs as batch_jobs
from clipdemo.page.batch.jobs import Jobs
from clipdemo.page.inspect import routes as inspect_routes
from clipdemo.page.inspect.inspector import Inspector
from clipdemo.page.layout import build
from clipdemo.page.report.tab import plotly_script
from clipdemo.page.server import parts as file_parts
from clipdemo.page.server.access import GUESSES, Access
from clipdemo.page.server.bounds import Sessions, bound_gradio, bound_mcp
from clipdemo.page.server.connections import bound_connections
from clipdemo.page.server.door import Guarded
from clipdemo.page.server.parts import Parts
from clipdemo.page.server.proxies import around_proxies, reach_directly
from clipdemo.page.server.requests import SESSIONS, Page, log_unexpected
from clipdemo.page.server.uploads import Uploads
from clipdemo.page.settings import Settings
from clipdemo.page.shared.files import PAGE
from clipdemo.page.shared.models import BackgroundModel, Models
from clipdemo.page.shared.modules import modules, preloads
from clipdemo.page.shared.preview import preview
from clipdemo.page.shared.theme import theme

if TYPE_CHECKING:
    from starlette.routing import Route

STYLES = (
    "shared/page.css", "compare/compare.css", "compare/board.css", "compare/panels.css",
    "batch/batch.css", "inspect/inspect.css", "report/report.css",
)  # fmt: skip
SWEEP = 30.0  # seconds between two searches for files to delete
PATIENCE = 5.0  # seconds for running requests at shutdown; Docker kills after 10


def serve(settings: Settings) -> NoReturn:
    """Serve the page, load the model in the background, and exit with 0 on SIGTERM or Ctrl-C.

    Raises:
        ClipdemoError: as `start`.
    """
    asked = signals()
    page = start(settings)
    while not asked:
        time.sleep(0.1)
    finish(page)


def start(settings: Settings) -> Page:
    """Start the page and begin to load the model; returns when the page responds.

    Raises:
        CheckpointError: there are no heads for the requested backbone.
        TableError: there is no such table, or there are no such photos.
        ClipdemoError: the address is taken, or files cannot be written.
    """
    card = first_card(settings)
    declare_gpu()
    models = Models(settings, card)
    table = ScoredTable(card, settings.table, settings.photos, data_folder(settings.cache))
    uploads, live, jobs = open_uploads(), Counter(), Jobs(settings.max_photos)
    parts = Parts(uploads, settings.max_upload * 2**20, 2 * settings.max_photos)
    inspector = Inspector(table, models, uploads)
    page = build(models, inspector, uploads, jobs, parts, settings)
    page.queue(default_concurrency_limit=16, max_size=256)
    check_address(settings.host, settings.port)
    if is_zero_gpu():
        models.first.load_here()
    if settings.mcp:
        bound_mcp()
    routes = [health(models.first), plotly_script(), modules(), preview(uploads)]
    routes += [*inspect_routes.routes(inspector), *batch_jobs.routes(jobs)]
    routes += file_parts.routes(parts)
    # In place from the first request.
    app = Guarded(Access.of(settings), uploads, live, routes=routes)
    bound_gradio(page)
    bound_connections()
    reach_directly(settings.host)
    with around_proxies():
        page.launch(
            server_name=f"[{settings.host}]" if ":" in settings.host else settings.host,
            server_port=settings.port,
            root_path=settings.root_path,
            auth=[tuple(settings.auth.split(":", 1))] if settings.auth else None,
            auth_message=f"After {GUESSES} wrong passwords, wait a minute.",  # Gradio hides ours
            theme=theme(),
            head=preloads(),
            css_paths=[PAGE / name for name in STYLES],
            max_file_size=settings.max_upload * 2**20,
            run_history=False,
            ssr_mode=False,
            share=False,
            state_session_capacity=SESSIONS,
            num_workers=0,  # they would bypass the door
            enable_monitoring=False,
            mcp_server=settings.mcp,
            show_error=True,
            footer_links=["api", "settings"],
            favicon_path=PAGE / "shared/favicon.png",
            prevent_thread_lock=True,
            _app=app,
        )
    page.state_holder.session_data = Sessions(live)
    for address in on_network(settings.host):
        print(f"* On your network: http://{address}:{settings.port}", flush=True)
    models.first.start()
    if settings.table:
        inspector.start()
    Thread(target=tidy, args=(page, uploads, live, jobs), daemon=True).start()
    return page


def open_uploads() -> Uploads:
    """The folder of this run's uploads, which Gradio uses from now on.

    Raises:
        ClipdemoError: it cannot be written.
    """
    parent = Path(get_upload_folder())
    try:
        uploads = Uploads(parent)
    except OSError as error:
        raise ClipdemoError(
            f"Files cannot be written to {parent} ({error.strerror}): choose another --cache."
        ) from error
    os.environ["GRADIO_TEMP_DIR"] = str(uploads.folder)
    atexit.register(uploads.close)
    return uploads


def tidy(page: Page, uploads: Uploads, live: Counter[str], jobs: Jobs) -> NoReturn:
    """Delete uploads that are no longer used, every `SWEEP` seconds."""
    while True:
        time.sleep(SWEEP)
        try:
            uploads.sweep(page.shown(set(live)) | jobs.files())
        except Exception as error:  # the next one may work
            log_unexpected(error)


def first_card(settings: Settings) -> Card:
    """The card of the model that the page starts with; does not import torch if there are heads.

    Raises:
        CheckpointError: the heads are not for the requested backbone, or cannot be read.
        BackboneError: there is no such backbone.
    """
    backbone = settings.backbone
    if backbone == "auto" and not settings.checkpoint:
        backbone, reason = astuple(choose(has_cuda()))
        print(f"* {reason}", flush=True)
    if not settings.checkpoint and not has_card(backbone):
        locate_local(backbone) or repository(backbone)  # raises for an id that cannot be one
        return zero_shot_card(backbone, COCO18)
    card = find_card(backbone, settings.checkpoint or None)
    if backbone not in ("auto", card.backbone):
        raise CheckpointError(
            f"The heads in {card.folder} are for the backbone {card.backbone}, not {backbone}: "
            "choose that backbone or other heads."
        )
    return card


def on_network(host: str) -> list[str]:
    """This machine's addresses in the local network, if it listens there at all."""
    import psutil

    if host not in ("0.0.0.0", "::") or "SPACE_ID" in os.environ:
        return []
    found = [a.address for each in psutil.net_if_addrs().values() for a in each
             if a.family == socket.AF_INET]  # fmt: skip
    return [a for a in found if not a.startswith(("127.", "169.254."))]


def health(model: BackgroundModel) -> Route:
    """GET /healthz: {"status": "loading", "ready" or "failed", "backbone": its id}; never waits."""
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def answer(request) -> JSONResponse:
        found = {"status": model.status, "backbone": model.backbone}
        return JSONResponse(found, headers={"Cache-Control": "no-store"})

    return Route("/healthz", answer)


def check_address(host: str, port: int) -> None:
    """Raises ClipdemoError if the app cannot listen there."""
    try:
        kind, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            message = f"Port {port} is already in use: stop the other program or choose --port."
        else:
            message = f"Nothing can listen at {host}:{port}: choose another --host or --port."
        raise ClipdemoError(message) from None


def signals() -> list[int]:
    """A list that collects SIGTERM and Ctrl-C; a second one ends the process at once."""
    asked = []

    def ask(number: int, frame: object) -> None:
        asked.append(number)
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)
    return asked


def finish(page: Page) -> NoReturn:
    """Accept no more requests, wait `PATIENCE` seconds for running ones, and end the process."""
    page.server_app.stop_event.set()  # ends the heartbeats, which would never end otherwise
    page.server.should_exit = True
    page.server.thread.join(PATIENCE)
    # Not by returning: Python would wait for threads that score, and crash those loading torch.
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
