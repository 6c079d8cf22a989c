"""What the caption's words do and where in the photo: two panels, and two public endpoints."""

import base64
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import gradio as gr

from clipdemo.errors import ClipdemoError, PhotoError
from clipdemo.inputs.captions import clean_caption
from clipdemo.inputs.images import read_photo
from clipdemo.page.compare.board import own_names
from clipdemo.page.server.requests import refuse, told
from clipdemo.page.shared.models import Models
from clipdemo.page.shared.modules import calling, part

if TYPE_CHECKING:
    from clipdemo.model.classifier import Classifier

SIDE = 640  # of the photo under the map, at most

# The caption without the words that are switched off.
SPOKEN = calling("compare/caption.js", "withoutWords")


class Panels(NamedTuple):
    """The two panels."""

    words: gr.HTML
    region: gr.HTML


def panels() -> Panels:
    """Put the panels into the page, one below the other."""
    return Panels(
        part("compare/words.js", "ask", value={}, elem_id="words"),
        part("compare/region.js", "show", "stop", value={}, elem_id="region"),
    )


def listen(models: Models, shown: Panels, given: list[gr.components.Component]) -> None:
    """Events of the panels; `given` are photo, caption, own labels and backbone."""

    def ask(photo: str | None, caption: str | None, own: str | None, backbone: str) -> dict:
        try:
            return words_of(models[backbone].get(), photo, caption, own)
        except ClipdemoError:  # the board says it
            return {"caption": caption}

    def show(
        photo: str | None, caption: str | None, own: str | None, backbone: str, event: gr.EventData
    ) -> Iterator[dict]:
        mode, label = told(event, "mode"), told(event, "label")
        try:
            yield from map_of(models[backbone].get(), photo, caption, own, mode, label)
        except ClipdemoError as error:
            yield {"notice": str(error)}

    hidden = {"show_progress": "hidden", "api_visibility": "private"}
    shown.words.ask(ask, given, shown.words, trigger_mode="always_last", **hidden)
    showing = shown.region.show(
        show,
        given,
        shown.region,
        trigger_mode="always_last",
        js=SPOKEN,
        concurrency_limit=2,
        **hidden,
    )
    shown.region.stop(None, None, None, cancels=[showing], api_visibility="private")
    endpoints(models, *given[:2])


def endpoints(models: Models, photo: gr.Image, caption: gr.Textbox) -> None:
    """The public endpoints `/words` and `/regions`, of the page's first model."""

    def words(photo: str | None = None, caption: str | None = None) -> dict:
        """What each word of the caption does.

        Args:
            photo: A photo: its address, or its bytes as a data: URL. It may be left out.
            caption: The caption whose words are switched off one by one.
        """
        from clipdemo.model import attribution

        try:
            if clean_caption(caption) is None:
                raise ClipdemoError("There are no words to look at: give a caption.")
            classifier = models.first.get()
            found = attribution.words(classifier, photo, caption)
            fit = attribution.fit(classifier, photo, caption)
        except ClipdemoError as error:
            refuse(str(error))
        return {"words": [w.to_dict() for w in found], "fit": fit and fit.to_dict()}

    def regions(
        photo: str, caption: str | None = None, mode: str = "image", label: str = ""
    ) -> dict:
        """Where in the photo a label is seen.

        Args:
            photo: A photo: its address, or its bytes as a data: URL.
            caption: Its caption; the modes concat and mutan need one.
            mode: What reads the photo: image, concat or mutan.
            label: Name of the label.
        """
        from clipdemo.model import attribution

        try:
            if not photo:
                raise ClipdemoError("There is no photo to look at: give one.")
            return attribution.regions(models.first.get(), photo, caption, mode, label).to_dict()
        except ClipdemoError as error:
            refuse(str(error))

    gr.Button(visible=False).click(
        words,
        [photo, caption],
        gr.JSON(label="words", visible=False),
        api_name="words",
        api_description=(
            "What each word of the caption does. Returns words [{word, read, effects {mode: "
            "{label: score with all words less the score without this one}}}] and fit {similarity, "
            "better_than: share of the validation pairs that fit less well}."
        ),
    )
    gr.Button(visible=False).click(
        regions,
        [photo, caption, gr.Textbox("image", visible=False), gr.Textbox(visible=False)],
        gr.JSON(label="regions", visible=False),
        api_name="regions",
        api_description=(
            "Where in the photo a label is seen. Returns mode, label, score, seen (left, top, "
            "right, bottom of the grid as fractions of the photo) and effects (rows of cells from "
            "the top: how much the score falls where the cell is covered)."
        ),
        concurrency_limit=2,
    )


def words_of(classifier: "Classifier", path: str | None, text: str | None, own: str | None) -> dict:
    """What the words panel shows: the caption as it was given, its words, and how well it fits.

    A photo that cannot be read counts as none; the board says so.
    """
    from clipdemo.model import attribution

    try:
        fit = attribution.fit(classifier, path, text)
    except PhotoError:
        path = fit = None
    found = [word.to_dict() for word in attribution.words(classifier, path, text)]
    names = own_names(own, classifier.card)
    if names:
        more = attribution.words(classifier.zero_shot(names), path, text)
        for word, extra in zip(found, more, strict=True):
            for mode, effects in word["effects"].items():
                effects |= extra.effects["concat" if mode == "mutan" else mode]
    value = {"caption": text, "words": found}
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
    """What the map's panel shows: how far it is, and at last the map with the photo under it.

    Raises:
        ClipdemoError: there is no photo, or the photo, the mode or the label will not do.
    """
    from clipdemo.model import attribution

    if not path:
        raise ClipdemoError("There is no photo to look at: choose one first.")
    names = own_names(own, classifier.card)
    if names and label not in classifier.card.labels.names:
        classifier, mode = classifier.zero_shot(names), "concat" if mode == "mutan" else mode
    for step in attribution.mapping(classifier, path, text, mode, label):
        if isinstance(step, attribution.Regions):
            yield step.to_dict() | {"photo": picture(path)}
        else:
            yield dict(zip(("done", "total"), step, strict=True))


def picture(path: str) -> str:
    """A photo as a data: URL, upright and small, of whatever kind its file is."""
    image = read_photo(path, SIDE)
    image.thumbnail((SIDE, SIDE))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
