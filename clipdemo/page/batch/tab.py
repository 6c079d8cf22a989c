"""The Batch tab: many photos and captions, scored while the visitor watches."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import gradio as gr
from gradio.processing_utils import save_bytes_to_cache

from clipdemo.errors import ClipdemoError
from clipdemo.inspection.batch import Item, photo_of
from clipdemo.page.batch.jobs import Job, Jobs
from clipdemo.page.compare.tab import Desk
from clipdemo.page.server.access import visitor_of
from clipdemo.page.server.parts import Parts
from clipdemo.page.server.requests import event_value
from clipdemo.page.shared.models import Models
from clipdemo.page.shared.modules import calling, part

ABOUT = (
    "Drop up to {photos:,} photos, a zip of them, or a table of photo names and captions as CSV; "
    "with photos, or inside their zip, the table gives them their captions. Each file can be up to "
    "{upload:,} MB. A run continues when this page is closed; come back within the hour to see it. "
    "`python -m clipdemo batch` has no such limits, and can sort the photos into folders by label."
)


def build(models: Models, desk: Desk, tabs: gr.Tabs, jobs: Jobs, parts: Parts) -> None:
    """Add the tab's components and events to the page."""
    gr.Markdown(
        ABOUT.format(photos=jobs.most, upload=parts.largest // 2**20), elem_id="batch-about"
    )
    with gr.Row():
        with gr.Column(min_width=280):
            part("batch/files.js", elem_id="batch-files")
        with gr.Column(min_width=200):
            write = gr.Checkbox(
                label="Write missing captions with the model",
                elem_id="batch-captions",
                elem_classes="captioned",
            )
            own = gr.Textbox(
                label="Look for anything else (zero-shot)",
                placeholder="skateboard, umbrella, red bus",
                max_length=4000,
                elem_id="batch-labels",
            )
    board = part("batch/batch.js", "start", "open", value={}, elem_id="batch")

    def run(write: bool, own: str, backbone: str, event: gr.EventData, request: gr.Request) -> dict:
        captioner = (lambda: desk.captioner.start().get()) if write else None
        files = parts.files(event_value(event, "bag"))
        visitor = visitor_of(request.request)
        job = Job(files, own, models[backbone].get, captioner, jobs.most, visitor)
        jobs.start(job)
        return {"run": job.id}

    def show(event: gr.EventData) -> dict:
        index, found = event_value(event, "index"), jobs.find(event_value(event, "run")).found
        if not isinstance(index, int) or not 0 <= index < len(found):
            return {desk.caption: gr.skip()}
        item, caption = found[index]
        return {
            desk.photo: _on_disk(item, desk.photo.GRADIO_CACHE),
            desk.caption: caption or "",
            tabs: gr.Tabs(selected="compare"),
        }

    hidden = {"show_progress": "hidden", "api_visibility": "private"}
    board.start(run, [write, own, desk.chosen], board, trigger_mode="once", **hidden)
    board.open(
        show, None, [desk.photo, desk.caption, tabs], trigger_mode="multiple", **hidden
    ).then(None, js=calling("compare/desk.js", "arrived"))


def _on_disk(item: Item, folder: str) -> str | None:
    """Path of an item's photo, extracted if necessary; None if it has none or cannot be read."""
    if item.file is None or item.member is None:
        return item.file and str(item.file)
    try:
        data = photo_of(item, {})
    except ClipdemoError:
        return None
    name = re.sub(r"[^\w .-]", "_", PurePosixPath(item.member).name)[-80:].lstrip(".")
    return save_bytes_to_cache(data, name or "photo.jpg", folder)
