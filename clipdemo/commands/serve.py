"""The command `serve`, which is also `python app.py`: start the page."""

import os
import sys
from collections.abc import Sequence

import typer

from clipdemo.commands.terminal import settle_console
from clipdemo.errors import ClipdemoError
from clipdemo.hub.caches import settle_caches
from clipdemo.page.server.proxies import around_proxies
from clipdemo.page.server.stubs import without_stubs
from clipdemo.page.settings import Settings


def serve(context: typer.Context) -> None:
    """Show the page: the same as python app.py, with the same flags."""
    start_page(context.args)


def start_page(flags: Sequence[str]) -> None:
    """Read the settings and serve the page; exits instead of returning."""
    settle_console()
    settings = Settings.read(flags)
    # Gradio would search for a free port at this address, with IPv4 only.
    os.environ.pop("GRADIO_SERVER_NAME", None)
    try:
        settle_caches(settings.cache)
        with around_proxies(), without_stubs():
            from clipdemo.page.server.server import serve

        serve(settings)
    except ClipdemoError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
