"""The choice of a backbone: a missing one is downloaded if the user confirms it.

The old backbone stays in use until the new one is ready.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import gradio as gr

from clipdemo.errors import ClipdemoError
from clipdemo.hub.catalog import offer
from clipdemo.page.compare.head import headline
from clipdemo.page.compare.listing import choices, choices_for
from clipdemo.page.server.door import role_of
from clipdemo.page.shared.models import Models
from clipdemo.page.shared.modules import part

if TYPE_CHECKING:
    from clipdemo.hub.fetch import Fetch

STEP = 0.3  # seconds between two reports of a download's progress


def build(page: gr.Blocks, models: Models, chosen: gr.State, head: gr.HTML) -> None:
    """Add the choice to the page; `chosen` changes when another backbone is ready."""
    always = (models.first.backbone, *models.offered)
    backbone = gr.Dropdown(
        choices(always),
        value=models.first.backbone,
        label="Model: choose one, or type its id",
        allow_custom_value=True,
        elem_id="backbone",
    )
    told = part("compare/picker.js", value={}, elem_id="told")
    with gr.Row(visible=False) as asking:
        fetch = gr.Button("Download it", variant="primary", size="sm", elem_id="fetch")
        keep = gr.Button("Keep the current one", size="sm", elem_id="keep")
    cancel = gr.Button("Cancel the download", visible=False, size="sm", elem_id="cancel")
    outputs = [backbone, told, asking, cancel, chosen, head]

    def show(text: str = "", ask: bool = False, fetching: Fetch | None = None) -> dict:
        value = {"text": text}
        if fetching is not None:
            value |= {"done": fetching.done, "total": fetching.total}
        return {
            told: value,
            asking: gr.Row(visible=ask),
            cancel: gr.Button(visible=fetching is not None),
        }

    def choose(wanted: str | None, running: str, request: gr.Request) -> Iterator[dict]:
        from clipdemo.hub.locate import locate

        wanted = (wanted or "").strip()
        if wanted in ("", running):
            yield show() | {backbone: running}
            return
        yield show(f"Looking for {wanted} …")
        try:
            models.check(wanted, role_of(request.request))
            state = locate(wanted)
        except ClipdemoError as error:
            yield show(str(error)) | {backbone: running}
            return
        if state.state == "unreachable":
            text = f"{wanted} is not here, and the hub cannot be reached: try again later."
            yield show(text) | {backbone: running}
        elif state.state == "downloadable":
            size = f"{state.bytes / 1e6:,.0f} MB" if state.bytes else "of unknown size"
            about = offer(wanted)
            licence = f" Licence: {about.licence}." if about else ""
            text = f"{wanted} is not on this machine yet; the download is {size}.{licence}"
            yield show(text, ask=True)
        else:
            yield from load(wanted, running, request)

    def load(wanted: str | None, running: str, request: gr.Request) -> Iterator[dict]:
        if not wanted:
            return
        try:
            models.check(wanted, role_of(request.request))
            model = models[wanted]
        except ClipdemoError as error:
            yield show(str(error)) | {backbone: running}
            return
        while model.status == "loading":
            fetching = models.fetches.get(wanted)
            if fetching is not None and fetching.running:
                yield show(progress(fetching), fetching=fetching)
            else:
                yield show(f"Loading {wanted}; {running} stays in use until then …")
            time.sleep(STEP)
        try:
            card = model.get().card
        except ClipdemoError as error:
            yield show(str(error)) | {backbone: running}
            return
        # Not `backbone`: it already has this value, or one that was typed since.
        yield show() | {chosen: wanted, head: headline(card)}

    def stop(wanted: str | None, request: gr.Request) -> None:
        if role_of(request.request) != "owner" and wanted not in models.offered:
            return
        fetching = models.fetches.get(wanted)
        if fetching is not None:
            fetching.cancel()

    def listed(request: gr.Request) -> gr.Dropdown:
        return gr.Dropdown(choices=choices_for(role_of(request.request), always))

    hidden = {"show_progress": "hidden", "api_visibility": "private"}
    page.load(listed, None, backbone, **hidden)
    backbone.input(choose, [backbone, chosen], outputs, trigger_mode="always_last", **hidden)
    loading = fetch.click(load, [backbone, chosen], outputs, **hidden)
    # A download whose end was awaited goes on, but the later choice counts.
    backbone.input(None, None, None, cancels=[loading], api_visibility="private")
    keep.click(lambda running: show() | {backbone: running}, chosen, outputs, **hidden)
    cancel.click(stop, backbone, None, **hidden)


def progress(fetch: Fetch) -> str:
    """The progress of a download, in MB."""
    if not fetch.total:
        return f"Asking the hub for {fetch.backbone} …"
    done, total = fetch.done / 1e6, fetch.total / 1e6
    return f"Downloading {fetch.backbone}: {done:,.1f} of {total:,.1f} MB"
