"""The Batch tab: many photos and captions, scored while the visitor watches."""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import gradio as gr
from gradio.processing_utils import save_bytes_to_cache

from clipdemo.errors import ClipdemoError
from clipdemo.inputs.captions import clean_caption
from clipdemo.inputs.photo_source import most_members
from clipdemo.inspection.batch import (
    PACKED,
    SMALL_TABLES,
    TABLE_BYTES,
    Item,
    Sources,
    gather,
    photo_of,
    predict_items,
)
from clipdemo.page.compare import board as boards
from clipdemo.page.compare.tab import Desk
from clipdemo.page.server.requests import told
from clipdemo.page.shared.models import Models
from clipdemo.page.shared.modules import calling, part
from clipdemo.page.shared.pictures import data_url, shrunk

if TYPE_CHECKING:
    from clipdemo.inspection.batch import Result

LIMIT = 500  # photos; the command line has none
ZIPS = 4
MEMBERS = 20_000  # files in a zip; reading more names would take seconds
NAME = 1000  # characters of a file name, which is kept while the page is open
STEP = 0.25  # seconds between two updates of the board
THUMBNAIL = 144  # pixels
ABOUT = (
    f"Drop up to {LIMIT} photos, a zip of them, or a table of photo names and captions as CSV; "
    "together with photos, or inside their zip, it gives them their captions. A photo or zip may "
    "have 40 MB. "
    "`python -m clipdemo batch` has no such limits."
)


def build(models: Models, desk: Desk, tabs: gr.Tabs) -> None:
    """Put the tab's components and events into the page."""
    gr.Markdown(ABOUT, elem_id="batch-about")
    with gr.Row():
        files = gr.Files(
            label="Photos, a zip, a table of captions", height=140, elem_id="batch-files"
        )
        # Gradio's own leaves an empty file behind for each one.
        files.preprocess = lambda payload: [file.path for file in payload.root] if payload else []
        with gr.Column(min_width=200):
            write = gr.Checkbox(
                label="Write captions with the model where there are none",
                elem_id="batch-captions",
                elem_classes="captioned",
            )
            own = gr.Textbox(
                label="Look for anything else (zero-shot)",
                placeholder="skateboard, umbrella, red bus",
                max_length=4000,
                elem_id="batch-labels",
            )
            start = gr.Button("Start", variant="primary", elem_id="batch-start")
    board = part("batch/batch.js", "open", "cancel", value={}, elem_id="batch")
    kept = gr.State([])
    running: dict[str, threading.Event] = {}  # by session: stops its run

    def run(
        files: list[str], write: bool, own: str, backbone: str, request: gr.Request
    ) -> Iterator[dict]:
        stop = running[request.session_hash] = threading.Event()
        shown = {"state": "reading"}
        yield {board: shown}
        try:
            sources = {}
            items, notices = given([Path(path) for path in files], sources)
            classifier, names, notice = boards.with_own(models[backbone].get(), own)
            notices += [notice] if notice else []
            writer = (
                desk.captioner.start().get() if write and classifier.modes != ["image"] else None
            )
            shown = boards.frame(classifier.card, names) | {
                "run": secrets.token_hex(8), "state": "running",
                "total": len(items), "notices": notices, "rows": [],
            }  # fmt: skip
            yield {board: shown, kept: []}
            found, began, told = [], time.monotonic(), 0.0
            for results in predict_items(classifier, items, writer, sources):
                # Without the original caption, which may be long: this is kept per visitor.
                found += [(replace(r.item, caption=""), r.caption) for r in results]
                shown = shown | {"rows": shown["rows"] + [row(result) for result in results]}
                now = time.monotonic()
                if stop.is_set():
                    break
                if now - told > STEP:
                    rate = len(found) / (now - began)
                    shown |= {"rate": rate, "left": (len(items) - len(found)) / rate}
                    yield {board: shown, kept: found}
                    told = now
            state = "done" if len(found) == len(items) else "stopped"
            yield {board: shown | {"state": state}, kept: found}
        except ClipdemoError as error:
            notices = [*shown.get("notices", []), named(str(error), files)]
            yield {board: shown | {"state": "failed", "notices": notices}}
        finally:
            if running.get(request.session_hash) is stop:  # not that of a later run
                del running[request.session_hash]

    def cancel(request: gr.Request) -> None:
        if request.session_hash in running:
            running[request.session_hash].set()

    def show(event: gr.EventData, kept: list[tuple[Item, str | None]]) -> dict:
        index = told(event, "index")
        if not isinstance(index, int) or not 0 <= index < len(kept):
            return {desk.caption: gr.skip()}
        item, caption = kept[index]
        return {
            desk.photo: _on_disk(item, desk.photo.GRADIO_CACHE),
            desk.caption: caption or "",
            tabs: gr.Tabs(selected="compare"),
        }

    hidden = {"show_progress": "hidden", "api_visibility": "private"}
    # The server keeps the files while this page is open, because it knows of them at once.
    files.change(lambda files: None, files, None, **hidden)
    start.click(
        run, [files, write, own, desk.chosen], [board, kept],
        trigger_mode="once", concurrency_limit=2, **hidden,
    )  # fmt: skip
    board.cancel(cancel, None, None, **hidden)
    board.open(
        show, kept, [desk.photo, desk.caption, tabs], trigger_mode="multiple", **hidden
    ).then(None, js=calling("compare/desk.js", "arrived"))


def given(paths: list[Path], sources: Sources) -> tuple[list[Item], list[str]]:
    """The items in a visitor's files, and sentences about what is left out; all within limits.

    Opened files are added to `sources`.

    Raises:
        ClipdemoError: there is nothing in them, or too much.
    """
    paths = list(dict.fromkeys(paths))
    tables = [path for path in paths if path.suffix.lower()[1:] in SMALL_TABLES]
    photos = [path for path in paths if path not in tables]
    if len(tables) > 1:
        raise ClipdemoError("There is more than one table: give one, with all captions.")
    if tables and tables[0].stat().st_size > TABLE_BYTES:
        raise ClipdemoError(
            f"The table is larger than {TABLE_BYTES // 2**20} MB: use `python -m clipdemo batch`."
        )
    packed = [path for path in photos if path.suffix.lower() in PACKED]
    if len(packed) > ZIPS:
        raise ClipdemoError(f"There are more than {ZIPS} zips: give the photos in fewer of them.")
    for path in packed:
        if most_members(path) > MEMBERS:
            raise ClipdemoError(
                f"{path.name} holds more than {MEMBERS:,} files: use `python -m clipdemo batch`."
            )
    items, notices, _ = gather(photos, tables[0] if tables else None, LIMIT, sources)
    if any(len(item.name) > NAME for item in items):
        raise ClipdemoError(f"There is a file name of more than {NAME:,} letters: make it shorter.")
    return items, notices


def row(result: Result) -> dict:
    """A result as batch.js takes it; decisions are made on scores of four decimals."""
    by = "model" if result.written else "given" if result.caption else None
    scores = {
        mode: [round(score, 4) for score in values.values()]
        for mode, values in result.prediction.scores.items()
    }
    thumbnail = None
    if result.photo is not None:
        thumbnail = data_url(shrunk(result.photo, THUMBNAIL, "webp", 70), "webp")
    return {
        "name": clean_caption(result.item.name) or "photo",
        "caption": result.caption,
        "by": by,
        "problem": result.problem,
        "thumbnail": thumbnail,
        "scores": scores,
    }


def named(sentence: str, paths: list[str]) -> str:
    """A sentence with the names of files instead of their paths on the server."""
    for path in paths:
        sentence = sentence.replace(path, Path(path).name)
    return sentence


def _on_disk(item: Item, folder: str) -> str | None:
    """Path of an item's photo, extracted if necessary; None if there is none that can be read."""
    if item.file is None or item.member is None:
        return item.file and str(item.file)
    try:
        data = photo_of(item, {})
    except ClipdemoError:
        return None
    name = re.sub(r"[^\w .-]", "_", PurePosixPath(item.member).name)[-80:].lstrip(".")
    return save_bytes_to_cache(data, name or "photo.jpg", folder)
