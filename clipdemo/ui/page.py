"""The page: its parts put together, and the server that shows it."""

import errno
import os
import socket
from pathlib import Path

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr

from clipdemo.checkpoints import Card, find_card
from clipdemo.errors import CheckpointError, ClipdemoError
from clipdemo.settings import Settings
from clipdemo.ui import compare
from clipdemo.ui.model import BackgroundModel
from clipdemo.ui.theme import theme

STATIC = Path(__file__).parent / "static"


def build(card: Card, model: BackgroundModel) -> gr.Blocks:
    """The page of a card's labels and modes; `model` may still be loading."""
    with gr.Blocks(title="clipdemo", analytics_enabled=False) as page:
        compare.build(page, card, model)
    return page


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


def serve(settings: Settings, block: bool = True) -> gr.Blocks:
    """Show the page, then load the model behind it.

    Raises:
        CheckpointError: there are no heads for the backbone asked for.
        ClipdemoError: nothing can listen at the address.
    """
    card = find_card(settings.backbone, settings.checkpoint or None)
    model = BackgroundModel(settings, card)
    page = build(card, model)
    page.queue(default_concurrency_limit=2, max_size=64)
    if settings.backbone not in ("auto", card.backbone):
        raise CheckpointError(
            f"The heads in {card.folder} are for the backbone {card.backbone}, not "
            f"{settings.backbone}: choose that backbone or other heads."
        )
    check_address(settings.host, settings.port)
    page.launch(
        server_name=settings.host,
        server_port=settings.port,
        theme=theme(),
        css_paths=STATIC / "page.css",
        max_file_size="20mb",
        run_history=False,
        ssr_mode=False,
        show_error=True,
        footer_links=["api", "settings"],
        favicon_path=STATIC / "favicon.png",
        prevent_thread_lock=True,
    )
    model.start()
    if block:
        page.block_thread()
    return page
