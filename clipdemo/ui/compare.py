"""The Compare tab: photo and caption on the left, the board on the right, scenes below."""

import base64
import json
from pathlib import Path

import gradio as gr

from clipdemo.checkpoints import Card
from clipdemo.errors import ClipdemoError, PhotoError
from clipdemo.ui.model import BackgroundModel

STATIC = Path(__file__).parent / "static"
SCENES = Path(__file__).resolve().parents[2] / "assets" / "scenes"


def build(page: gr.Blocks, card: Card, model: BackgroundModel) -> None:
    """Put the tab's components and events into the page."""
    gr.HTML(
        value=headline(card),
        apply_default_css=False,
        html_template="<div></div>",
        js_on_load=(STATIC / "head.js").read_text(),
        elem_id="head",
    )
    with gr.Row(equal_height=False):
        with gr.Column(scale=4, min_width=300):
            photo = gr.Image(
                label="Photo",
                sources=["upload", "clipboard", "webcam"],
                type="filepath",
                height=290,
                elem_id="photo",
                buttons=["fullscreen"],
                placeholder="Drop, paste or choose a photo",
            )
            # Gradio would decode the photo before our limits are checked.
            photo.preprocess = lambda payload: payload.path if payload else None
            caption = gr.Textbox(
                label="Caption",
                placeholder="Say what is in the photo, or something else, and see what changes",
                lines=2,
                max_length=2000,
                elem_id="caption",
            )
            scenes = gr.HTML(
                apply_default_css=False,
                html_template="<div></div>",
                js_on_load=(STATIC / "scenes.js").read_text(),
                scenes=scene_buttons(),
                elem_id="scenes",
            )
        with gr.Column(scale=6, min_width=300):
            board = gr.HTML(
                apply_default_css=False,
                value={"waiting": True},
                html_template="<div></div>",
                js_on_load="".join((STATIC / f).read_text() for f in ("rules.js", "board.js")),
                labels=list(card.labels.names),
                modes=list(card.modes),
                tuned={mode: entry["thresholds"] for mode, entry in card.modes.items()},
                elem_id="board",
            )

    def score(path: str | None, text: str | None) -> dict:
        return board_value(model, path, text)

    def predict(photo: str | None = None, caption: str | None = None) -> dict:
        try:
            return model.get().predict(photo, caption).to_dict()
        except ClipdemoError as error:
            raise gr.Error(str(error), print_exception=False) from None

    def pick(event: gr.EventData) -> tuple[str, str]:
        scene = read_scenes()[event.name]
        return str(SCENES / f"{event.name}.webp"), scene["caption"]

    # One listener, so that an older answer can never overwrite a newer one.
    gr.on(
        [page.load, photo.change, board.input],
        score,
        [photo, caption],
        board,
        show_progress="hidden",
        trigger_mode="always_last",
        api_visibility="private",
    )
    # Choosing the same scene again changes the caption only, which the board then has to be told.
    scenes.pick(
        pick,
        None,
        [photo, caption],
        show_progress="hidden",
        trigger_mode="multiple",
        concurrency_limit=1,
        api_visibility="private",
    ).then(None, js="() => document.dispatchEvent(new Event('clipdemo-picked'))")
    gr.Button(visible=False).click(
        predict,
        [photo, caption],
        gr.JSON(visible=False),
        api_name="predict",
        api_description=(
            "Scores of a photo and/or a caption. Returns backbone, scores {mode: {label: "
            "probability}}, thresholds and labels at the tuned thresholds; a mode whose input is "
            "missing is absent."
        ),
    )


def board_value(model: BackgroundModel, path: str | None, caption: str | None) -> dict:
    """What the board shows: scores, and one sentence where something went wrong.

    A photo that cannot be read takes nothing from the caption.
    """
    notice = None
    try:
        classifier = model.get()
        try:
            prediction = classifier.predict(path, caption)
        except PhotoError as error:
            notice = str(error)
            prediction = classifier.predict(None, caption)
        notice = notice or classifier.too_long(caption)
        return {"scores": prediction.scores, "notice": notice}
    except ClipdemoError as error:
        return {"scores": {}, "notice": str(error)}


def headline(card: Card) -> dict:
    """Which model answers and how good it was measured to be, for the top of the page."""
    content = card.content
    quality = content.get("metrics", {}).get("photos", {})
    names = {"image": "photo", "text": "caption", "concat": "both"}
    figures = [f"{names[mode]} {m['map']:.2f}" for mode, m in quality.get("modes", {}).items()]
    line = content.get("summary", "")
    if figures:
        line += (
            f" Mean average precision on {quality['n']} validation photos: {', '.join(figures)}."
        )
    about = [content[key] for key in ("description", "licences") if key in content]
    return {"backbone": card.backbone, "line": line, "about": about}


def read_scenes() -> dict[str, dict]:
    """The example scenes by name, each with its caption."""
    return json.loads((SCENES / "scenes.json").read_text("utf-8"))


def scene_buttons() -> list[dict]:
    """Name, caption and thumbnail of each scene, small enough to come with the page."""
    return [
        {"name": name, "caption": scene["caption"], "thumbnail": data_url(f"{name}.thumb.webp")}
        for name, scene in read_scenes().items()
    ]


def data_url(name: str) -> str:
    """A scene file as a data: URL."""
    content = base64.b64encode((SCENES / name).read_bytes()).decode()
    return f"data:image/webp;base64,{content}"
