"""Bounds to what strangers can make Gradio itself keep in memory, where it has none."""

from __future__ import annotations

import re

from gradio import route_utils
from gradio.route_utils import GradioMultiPartParser, MultiPartException

from clipdemo.page.server.requests import Page

FIELD = 2**16  # bytes of an uploaded form's field that is no file
BUSY = 16  # events that wait while a long one is still taken in
LONG = 2**20  # bytes
SESSION = re.compile(r"[\w.:-]{1,100}", re.ASCII)


class _Form(GradioMultiPartParser):
    """An uploaded form whose fields are short."""

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        part = self._current_part
        if part.file is None and len(part.data) + end - start > FIELD:
            raise MultiPartException("Only files are taken here: give each its name.")
        super().on_part_data(data, start, end)


def bound_gradio(page: Page) -> None:
    """Bound the forms that are uploaded, and what may wait in the page's queue."""
    route_utils.GradioMultiPartParser = _Form
    queue, push = page._queue, page._queue.push
    # A table over all events after each, for a view that is switched off.
    queue.compute_analytics_summary = lambda records: {}

    async def bounded(body, request, username):
        if body.session_hash is not None and not SESSION.fullmatch(body.session_hash):
            return False, "session_hash takes up to 100 letters, digits and -_.: signs.", "error"
        length = request.headers.get("content-length", "")
        long = not length.isdecimal() or int(length) > LONG
        if long and len(queue) > BUSY:
            return False, "The server is busy: try again later.", "queue_full"
        return await push(body=body, request=request, username=username)

    queue.push = bounded
