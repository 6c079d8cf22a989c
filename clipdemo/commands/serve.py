"""Starting the page: what `python app.py` and `python -m clipdemo serve` do."""

import os
import sys
from collections.abc import Sequence

from clipdemo.commands.terminal import settle_console
from clipdemo.errors import ClipdemoError
from clipdemo.hub.caches import settle_caches
from clipdemo.page.server.proxies import around_proxies
from clipdemo.page.settings import Settings


def start_page(flags: Sequence[str]) -> None:
    """Settings, caches, page; returns never: it ends with an exit code."""
    settle_console()
    settings = Settings.read(flags)
    os.environ.pop("GRADIO_SERVER_NAME", None)  # Gradio looks for a free port at it, as IPv4 only
    try:
        settle_caches(settings.cache)
        with around_proxies():
            from clipdemo.page.server.server import serve

        serve(settings)
    except ClipdemoError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
