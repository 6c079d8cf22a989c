"""Limits where Gradio itself would keep or read as much as anybody sends."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from itertools import chain

from gradio import route_utils
from gradio.route_utils import GradioMultiPartParser, MultiPartException

from clipdemo.page.server.access import visitor_of
from clipdemo.page.server.door import content_length
from clipdemo.page.server.requests import Page

FIELD = 2**16  # bytes of a field other than a file in an uploaded form
BUSY = 16  # waiting events beyond which long ones are refused
SHARE = 32  # waiting events of a visitor, beyond which more are refused if the queue is half full
TRY_AGAIN = "The server is busy: try again in a moment."
LONG = 2**20  # bytes
IDLE = 0.01  # seconds between polls of an empty queue; Gradio's 0.001 takes a tenth of a core
SESSION = re.compile(r"[\w.:-]{1,100}", re.ASCII)


class _Form(GradioMultiPartParser):
    """An uploaded form whose fields are short."""

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        part = self._current_part
        if part.file is None and len(part.data) + end - start > FIELD:
            raise MultiPartException("Only files are accepted here: give each a file name.")
        super().on_part_data(data, start, end)


def bound_gradio(page: Page) -> None:
    """Limit uploaded forms, the page's queue, and how often an empty one is polled."""
    route_utils.GradioMultiPartParser = _Form
    queue, push = page._queue, page._queue.push
    # A table of all events, computed after each one for a view that is disabled.
    queue.compute_analytics_summary = lambda records: {}
    queue.sleep_when_free = max(IDLE, queue.sleep_when_free)

    def waiting(visitor: str) -> int:
        events = chain(*(each.queue for each in queue.event_queue_per_concurrency_id.values()))
        return sum(visitor_of(event.request) == visitor for event in events)

    async def bounded(body, request, username):
        if body.session_hash is not None and not SESSION.fullmatch(body.session_hash):
            return False, "session_hash takes up to 100 letters, digits and -_.: signs.", "error"
        long = not 0 < content_length(request) <= LONG
        full = len(queue) >= queue.max_size or (long and len(queue) > BUSY)
        # Many people may share an address, so it counts only when others have to wait.
        if full or (len(queue) >= queue.max_size // 2 and waiting(visitor_of(request)) >= SHARE):
            return False, TRY_AGAIN, "queue_full"
        return await push(body=body, request=request, username=username)

    queue.push = bounded


class Sessions(OrderedDict):
    """What Gradio remembers of each visitor; when it is full, those whose page is closed go first.

    Otherwise anybody could invent so many visitors that all others are forgotten.
    """

    def __init__(self, live: Mapping[str, int]) -> None:
        """`live`: the number of heartbeats of each session."""
        super().__init__()
        self._live = live

    def popitem(self, last: bool = True) -> tuple[str, object]:
        """Remove a session other than the latest, which is about to be used."""
        *others, _ = self
        name = next((name for name in others if not self._live.get(name)), others[0])
        return name, self.pop(name)


def bound_mcp() -> None:
    """Make Gradio's MCP server pass on the values of a call, to be checked like those of any other
    request. By itself it would read data URLs and files, including any file on this machine."""
    from gradio.mcp import GradioMCPServer

    def passed_on(self: GradioMCPServer, value: dict, positions: list) -> dict:
        for name, given in value.items():
            if isinstance(given, dict | list):
                raise ValueError(f"{name} takes text: give a file as a URL or data URL.")
        return value

    GradioMCPServer.convert_strings_to_filedata = passed_on
