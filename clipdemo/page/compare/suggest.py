"""Captions written by a model: three to choose from, each to take or to add."""

import gradio as gr

from clipdemo.errors import ClipdemoError
from clipdemo.page.server.requests import refuse
from clipdemo.page.shared.files import joined
from clipdemo.page.shared.models import BackgroundModel, Models

COUNT = 3


def build(models: Models, photo: gr.Image) -> BackgroundModel:
    """Put button, suggestions and the public endpoint `/caption` into the page.

    Returns:
        The captioner, which loads when it is started.
    """
    ask = gr.Button(
        "Suggest captions for the photo",
        size="sm",
        elem_id="suggest",
    )
    found = gr.HTML(
        apply_default_css=False,
        value={},
        html_template="<div></div>",
        js_on_load=joined("compare/suggest.js"),
        elem_id="suggestions",
    )
    captioner = BackgroundModel("The captioner", models.captioner)

    def suggestions(photo: str | None) -> list[str]:
        if not photo:
            raise ClipdemoError("There is no photo to describe: choose one first.")
        return captioner.start().get().suggest(photo, COUNT)

    def suggest(photo: str | None) -> dict:
        try:
            return {"captions": suggestions(photo)}
        except ClipdemoError as error:
            return {"notice": str(error)}

    def caption(photo: str) -> list[str]:
        """Captions of a photo.

        Args:
            photo: A photo: its address, or its bytes as a data: URL.
        """
        try:
            return suggestions(photo)
        except ClipdemoError as error:
            refuse(str(error))

    hidden = {"show_progress": "minimal", "api_visibility": "private"}
    ask.click(suggest, photo, found, trigger_mode="once", **hidden)
    # On the page alone: an answer of the server could take away what was suggested meanwhile.
    photo.change(None, None, found, js="() => ({})", **hidden)
    gr.Button(visible=False).click(
        caption,
        photo,
        gr.JSON(label="captions", visible=False),
        api_name="caption",
        api_description="Captions of a photo: a list of up to three, the best first.",
    )
    return captioner
