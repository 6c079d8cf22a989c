"""The server: the page at its address, how far the model is, and an orderly end."""

from __future__ import annotations

import atexit
import errno
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from clipdemo.caches import data_folder
from clipdemo.catalog import best, has_cuda
from clipdemo.checkpoints import Card, find_card, has_card, zero_shot_card
from clipdemo.errors import CheckpointError, ClipdemoError
from clipdemo.gpu import declare_gpu
from clipdemo.hub import here, repository
from clipdemo.labels import COCO18
from clipdemo.scoring import ScoredTable
from clipdemo.settings import Settings
from clipdemo.ui import inspect_routes
from clipdemo.ui.addresses import bound_addresses
from clipdemo.ui.inspector import Inspector
from clipdemo.ui.model import LOOPBACK, BackgroundModel, Models
from clipdemo.ui.page import build
from clipdemo.ui.report import plotly_script
from clipdemo.ui.theme import theme

if TYPE_CHECKING:
    import gradio as gr
    from starlette.routing import Route

STATIC = Path(__file__).parent / "static"
STYLES = ("page", "batch", "inspect", "report", "explain")
PATIENCE = 5.0  # seconds that running requests get at the end; Docker kills after 10


def serve(settings: Settings) -> NoReturn:
    """Show the page, load the model behind it, and end with code 0 at SIGTERM or Ctrl-C.

    Raises:
        CheckpointError: there are no heads for the backbone asked for.
        ClipdemoError: nothing can listen at the address.
    """
    asked = signals()
    page = start(settings)
    while not asked:
        time.sleep(0.1)
    finish(page)


def start(settings: Settings) -> gr.Blocks:
    """Show the page and begin to load the model; returns when the page answers.

    Raises:
        CheckpointError: there are no heads for the backbone asked for.
        TableError: there is no such table, or there are no such photos.
        ClipdemoError: nothing can listen at the address.
    """
    card = first_card(settings)
    declare_gpu()
    bound_addresses()
    models = Models(settings, card)
    inspector = Inspector(table_of(settings, card), models, marks=settings.host in LOOPBACK)
    page = build(models, inspector)
    page.queue(default_concurrency_limit=16, max_size=256)
    check_address(settings.host, settings.port)
    routes = [health(models.first), plotly_script(), *inspect_routes.routes(inspector)]
    page.launch(
        server_name=settings.host,
        server_port=settings.port,
        theme=theme(),
        css_paths=[STATIC / f"{name}.css" for name in STYLES],
        max_file_size="20mb",
        run_history=False,
        ssr_mode=False,
        show_error=True,
        footer_links=["api", "settings"],
        mcp_server=settings.mcp,
        favicon_path=STATIC / "favicon.png",
        prevent_thread_lock=True,
        app_kwargs={"routes": routes},  # there from the first request on
    )
    models.first.start()
    if settings.table:
        inspector.start()
    return page


def table_of(settings: Settings, card: Card) -> ScoredTable:
    """What the Inspect tab shows.

    Raises:
        TableError: there is no such table, or there are no such photos.
    """
    return ScoredTable(card, settings.table, settings.photos, data_folder(settings.cache))


def first_card(settings: Settings) -> Card:
    """The card of the model that the page starts with; loads no torch where there are heads.

    Raises:
        CheckpointError: the heads are not for the backbone asked for, or cannot be read.
        BackboneError: there is no such backbone.
    """
    backbone = settings.backbone
    if backbone == "auto" and not settings.checkpoint:
        backbone = best(has_cuda())
    if not settings.checkpoint and not has_card(backbone):
        here(backbone) or repository(backbone)  # or it cannot be one
        return zero_shot_card(backbone, COCO18)
    card = find_card(backbone, settings.checkpoint or None)
    if backbone not in ("auto", card.backbone):
        raise CheckpointError(
            f"The heads in {card.folder} are for the backbone {card.backbone}, not {backbone}: "
            "choose that backbone or other heads."
        )
    return card


def health(model: BackgroundModel) -> Route:
    """GET /healthz: {"status": "loading", "ready" or "failed", "backbone": its id}; never waits."""
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def answer(request) -> JSONResponse:
        found = {"status": model.status, "backbone": model.backbone}
        return JSONResponse(found, headers={"Cache-Control": "no-store"})

    return Route("/healthz", answer)


def check_address(host: str, port: int) -> None:
    """Raises ClipdemoError when nothing can listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                message = f"Port {port} is already in use: stop the other program or choose --port."
            else:
                message = f"Nothing can listen at {host}:{port}: choose another --host or --port."
            raise ClipdemoError(message) from None


def signals() -> list[int]:
    """A list that SIGTERM and Ctrl-C are put into; a second one ends the process at once."""
    asked = []

    def ask(number: int, frame: object) -> None:
        asked.append(number)
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)
    return asked


def finish(page: gr.Blocks) -> NoReturn:
    """Accept nothing more, answer what runs as long as there is patience, and end the process."""
    page.server_app.stop_event.set()  # ends the page's heartbeats, which have no end of their own
    page.server.should_exit = True
    page.server.thread.join(PATIENCE)
    # Not by returning: Python would wait for threads that score, and crash those that load torch.
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
