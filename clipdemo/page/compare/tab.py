"""The Compare tab: photo and caption at the left, the board at the right, scenes below."""

import json
from typing import NamedTuple

import gradio as gr
from gradio.processing_utils import save_bytes_to_cache

from clipdemo.errors import ClipdemoError
from clipdemo.inputs.captions import clean_caption
from clipdemo.page.compare import board as boards
from clipdemo.page.compare import picker, suggest, words_and_regions
from clipdemo.page.compare.head import headline
from clipdemo.page.server.requests import SCENES, endpoint, event_value
from clipdemo.page.shared.models import BackgroundModel, Models
from clipdemo.page.shared.modules import calling, part
from clipdemo.page.shared.pictures import data_url

KEPT = (
    "Photos stay on this server while a page shows them and for an hour after their last use; "
    "then they are deleted. They are shown to nobody else."
)


class Desk(NamedTuple):
    """The parts of this tab that other tabs use, for example to open a photo here.

    Attributes:
        photo, caption: the components.
        chosen: id of the backbone in use.
        captioner: loads once it is started.
        opened: {"path": the photo's or None, "caption", "labels": names of its true labels}, or
            None; the board marks these labels while it shows this photo, or caption if there is
            none.
    """

    photo: gr.Image
    caption: gr.Textbox
    chosen: gr.State
    captioner: BackgroundModel
    opened: gr.State


def build(page: gr.Blocks, models: Models, start: str, largest: int) -> Desk:
    """Add the tab's components and events to the page, which opens with the scene `start`.

    A photo has `largest` bytes at most.

    Raises:
        ClipdemoError: there is no such scene.
    """
    scenes_by_name = read_scenes()
    if start not in (*scenes_by_name, "empty"):
        known = ", ".join(scenes_by_name)
        raise ClipdemoError(f"There is no scene {start!r} to start with: choose {known} or empty.")
    chosen = gr.State(models.first.backbone)
    opened = gr.State(None)
    head = part("compare/head.js", value=headline(models.card), elem_id="head")
    with gr.Row(equal_height=False, elem_id="desk"):
        with gr.Column(scale=4, min_width=300):
            part("compare/walk.js", elem_id="walk")
            photo = gr.Image(
                label="Photo",
                sources=["upload", "clipboard", "webcam"],
                type="filepath",
                height=290,
                elem_id="photo",
                buttons=["fullscreen"],
                placeholder="Drop, paste or choose a photo",
            )
            # Gradio would decode the photo before our limits are checked; `Page` checks its path.
            # No event may return an update for it: Gradio would create the component again.
            photo.preprocess = lambda payload: payload.path if payload else None
            incoming = part("compare/incoming.js", "link", largest=largest, elem_id="incoming")
            region = words_and_regions.region_panel()
            caption = gr.Textbox(
                label="Caption",
                placeholder="Describe the photo, or something else, and see what changes",
                lines=2,
                max_length=2000,
                elem_id="caption",
            )
            captioner = suggest.build(models, photo)
            words = words_and_regions.words_panel()
            own = gr.Textbox(
                label="Look for anything else (zero-shot)",
                placeholder="skateboard, umbrella, red bus",
                max_length=4000,
                elem_id="own-labels",
            )
            scenes = part(
                "compare/scenes.js",
                "pick",
                scenes=scene_buttons(),
                start=start,
                elem_id="scenes",
            )
            picker.build(page, models, chosen, head)
            gr.Markdown(KEPT, elem_id="kept")
        with gr.Column(scale=6, min_width=300):
            board = part(
                "compare/board.js",
                "input",
                value=boards.frame(models.card) | {"waiting": True},
                elem_id="board",
            )

    def score(
        photo: str | None, caption: str | None, own: str | None, backbone: str, opened: dict | None
    ) -> dict:
        board = boards.scored(models[backbone], photo, caption, own)
        known = opened is not None and opened["path"] == photo
        known = known and (photo is not None or opened["caption"] == caption)
        truth = opened["labels"] if known else []
        return board | {"truth": truth, "given": [backbone, photo, caption]}

    def predict(photo: str | None = None, caption: str | None = None) -> dict:
        """Scores of a photo and/or a caption.

        Args:
            photo: A photo: its address, or its bytes as a data: URL. It may be left out.
            caption: What a person says is in the photo. It may be left out.
        """
        if photo is None and clean_caption(caption) is None:
            raise ClipdemoError("There is nothing to score: give a photo, a caption or both.")
        return models.first.get().predict(photo, caption).to_dict()

    def pick(event: gr.EventData) -> tuple[str, str | dict]:
        name = event_value(event, "name")
        if not isinstance(name, str) or name not in scenes_by_name:
            raise ClipdemoError("There is no such scene: reload the page.")
        drawn = (SCENES / f"{name}.webp").read_bytes()
        path = save_bytes_to_cache(drawn, f"{name}.webp", photo.GRADIO_CACHE)
        with_caption = event_value(event, "withCaption") is not False
        return path, scenes_by_name[name]["caption"] if with_caption else gr.skip()

    given = [photo, caption, own, chosen]
    words_and_regions.listen(models, words, region, given)
    # One listener, so that an older answer can never overwrite a newer one.
    gr.on(
        [photo.change, board.input, chosen.change],
        score,
        [*given, opened],
        board,
        js=words_and_regions.SPOKEN,
        show_progress="hidden",
        trigger_mode="always_last",
        api_visibility="private",
    )
    # Choosing the same scene again changes only the caption: tell the board.
    scenes.pick(
        pick,
        None,
        [photo, caption],
        show_progress="hidden",
        trigger_mode="multiple",
        api_visibility="private",
    ).then(None, js=calling("compare/desk.js", "arrived"))
    # The server fetches the photo at the address in the page's link.
    incoming.link(
        lambda photo: photo,
        photo,
        photo,
        js=calling("compare/incoming.js", "linked"),
        show_progress="hidden",
        trigger_mode="multiple",
        api_visibility="private",
    ).then(None, js=calling("compare/desk.js", "arrived"))
    endpoint(
        predict,
        [photo, caption],
        "prediction",
        "Scores of a photo and/or a caption. Returns backbone, scores {mode: {label: "
        "probability}}, thresholds and labels at the tuned thresholds; a mode whose input is "
        "missing is absent.",
    )
    return Desk(photo, caption, chosen, captioner, opened)


def read_scenes() -> dict[str, dict]:
    """The example scenes by name, each with its caption."""
    return json.loads((SCENES / "scenes.json").read_text("utf-8"))


def scene_buttons() -> list[dict]:
    """Name, caption and thumbnail of each scene, small enough to come with the page."""
    return [
        {
            "name": name,
            "caption": scene["caption"],
            "thumbnail": data_url((SCENES / f"{name}.thumb.webp").read_bytes(), "webp"),
        }
        for name, scene in read_scenes().items()
    ]
