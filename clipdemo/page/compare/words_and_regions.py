"""Effects of the caption's words, and regions of the photo with a label: panels and endpoints."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import gradio as gr

from clipdemo.errors import ClipdemoError, PhotoError
from clipdemo.inputs.captions import clean_caption
from clipdemo.inputs.images import read_photo
from clipdemo.page.compare.board import with_own
from clipdemo.page.server.requests import endpoint, event_value
from clipdemo.page.shared.models import Models
from clipdemo.page.shared.modules import calling, part

if TYPE_CHECKING:
    from clipdemo.model.classifier import Classifier

SIDE = 640  # pixels; only the photo's proportions are needed

# Removes the words that are switched off from the caption.
SPOKEN = calling("compare/caption.js", "withoutWords")


def words_panel() -> gr.HTML:
    """Add the panel of the caption's words to the page."""
    return part("compare/words.js", "ask", value={}, elem_id="words")


def region_panel() -> gr.HTML:
    """Add the panel of the map to the page."""
    return part("compare/region.js", "show", "stop", value={}, elem_id="region")


def listen(
    models: Models, words: gr.HTML, region: gr.HTML, given: list[gr.components.Component]
) -> None:
    """Add the panels' events; `given` are photo, caption, own labels and backbone."""

    def ask(
        photo: str | None, caption: str | None, own: str | None, backbone: str, event: gr.EventData
    ) -> dict:
        try:
            spoken = event_value(event, "spoken")
            return words_of(models[backbone].get(), photo, caption, own, spoken)
        except ClipdemoError:  # the board shows it
            return {"caption": caption}

    def show(
        photo: str | None, caption: str | None, own: str | None, backbone: str, event: gr.EventData
    ) -> Iterator[dict]:
        asked = {"id": event_value(event, "id")}  # others may have been asked meanwhile
        mode, label = event_value(event, "mode"), event_value(event, "label")
        try:
            for step in map_of(models[backbone].get(), photo, caption, own, mode, label):
                yield step | asked
        except ClipdemoError as error:
            yield {"notice": str(error)} | asked

    hidden = {"show_progress": "hidden", "api_visibility": "private"}
    words.ask(ask, given, words, trigger_mode="always_last", **hidden)
    showing = region.show(
        show,
        given,
        region,
        # Gradio drops an event that is deferred until another is cancelled.
        trigger_mode="multiple",
        js=SPOKEN,
        concurrency_limit=2,
        **hidden,
    )
    region.stop(None, None, None, cancels=[showing], api_visibility="private")
    endpoints(models, *given[:2])


def endpoints(models: Models, photo: gr.Image, caption: gr.Textbox) -> None:
    """Add the public endpoints `/words` and `/regions`, for the page's first model."""

    def words(photo: str | None = None, caption: str | None = None) -> dict:
        """The effect of each word of the caption.

        Args:
            photo: A photo: its address, or its bytes as a data: URL. It may be left out.
            caption: The caption whose words are switched off one by one.
        """
        from clipdemo.model import attribution

        if clean_caption(caption) is None:
            raise ClipdemoError("There are no words: give a caption.")
        classifier = models.first.get()
        found = attribution.words(classifier, photo, caption)
        fit = attribution.fit(classifier, photo, caption)
        return {"words": [w.to_dict() for w in found], "fit": fit and fit.to_dict()}

    def regions(
        photo: str, caption: str | None = None, mode: str = "image", label: str = ""
    ) -> dict:
        """Where in the photo the model sees a label.

        Args:
            photo: A photo: its address, or its bytes as a data: URL.
            caption: Its caption; the modes concat and mutan need one.
            mode: What reads the photo: image, concat or mutan.
            label: Name of the label.
        """
        from clipdemo.model import attribution

        if not photo:
            raise ClipdemoError("There is no photo: give one.")
        return attribution.regions(models.first.get(), photo, caption, mode, label).to_dict()

    endpoint(
        words,
        [photo, caption],
        "words",
        "The effect of each word of the caption. Returns words [{word, read, effects {mode: "
        "{label: score with all words less the score without this one}}}] and fit {similarity, "
        "better_than: share of the validation pairs that fit less well}.",
    )
    endpoint(
        regions,
        [photo, caption, gr.Textbox("image", visible=False), gr.Textbox(visible=False)],
        "regions",
        "Where in the photo the model sees a label. Returns mode, label, score, seen (left, top, "
        "right, bottom of the grid as fractions of the photo) and effects (rows of cells from "
        "the top: how much the score falls where the cell is covered).",
        concurrency_limit=2,
    )


def words_of(
    classifier: "Classifier",
    path: str | None,
    text: str | None,
    own: str | None,
    spoken: object = None,
) -> dict:
    """The data of the words panel: the caption as given, its words, and its fit to the photo.

    `spoken` is the caption without the words that are off, for which the fit is computed. A photo
    that cannot be read is left out; the board shows why.
    """
    from clipdemo.model import attribution
    from clipdemo.model.caption_hints import caption_hint

    classifier, *_ = with_own(classifier, own)
    if not isinstance(spoken, str) or len(spoken) > len(text or ""):
        spoken = text
    try:
        fit = attribution.fit(classifier, path, spoken)
    except PhotoError:
        path = fit = None
    found = [word.to_dict() for word in attribution.words(classifier, path, text)]
    value = {"caption": text, "words": found, "hint": None}
    if found:
        value["hint"] = caption_hint(classifier.backbone, spoken)
    if fit:
        known = classifier.card.content.get("fit", {})
        value["fit"] = fit.to_dict() | {
            "n": known.get("n"),
            "matching": known.get("matching", [])[::25],
            "mismatched": known.get("mismatched", [])[::25],
        }
    return value


def map_of(
    classifier: "Classifier",
    path: str | None,
    text: str | None,
    own: str | None,
    mode: str,
    label: str,
) -> Iterator[dict]:
    """The data of the map's panel: its progress, and finally the map with the photo's proportions.

    Raises:
        ClipdemoError: there is no photo, it cannot be read, or there is no such mode or label.
    """
    from clipdemo.model import attribution

    if not path:
        raise ClipdemoError("There is no photo: choose one first.")
    size = read_photo(path, SIDE).size
    classifier, *_ = with_own(classifier, own)
    for step in attribution.mapping(classifier, path, text, mode, label):
        if isinstance(step, attribution.Regions):
            yield step.to_dict() | {"size": size}
        else:
            yield dict(zip(("done", "total"), step, strict=True))
