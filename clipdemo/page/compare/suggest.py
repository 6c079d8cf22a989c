"""Captions written by a model: three suggestions, each of which can be used or added."""

import gradio as gr

from clipdemo.errors import ClipdemoError
from clipdemo.page.server.requests import endpoint
from clipdemo.page.shared.models import BackgroundModel, Models
from clipdemo.page.shared.modules import part

COUNT = 3


def build(models: Models, photo: gr.Image) -> BackgroundModel:
    """Add the button, the suggestions and the public endpoint `/caption` to the page.

    Returns:
        The captioner, which loads once it is started.
    """
    ask = gr.Button(
        "Suggest a caption",
        size="sm",
        elem_id="suggest",
    )
    found = part("compare/suggest.js", value={}, elem_id="suggestions")
    captioner = BackgroundModel("The captioner", models.captioner)

    def suggestions(photo: str | None) -> list[str]:
        if not photo:
            raise ClipdemoError("There is no photo to describe: choose one first.")
        return captioner.start().get().suggest(photo, COUNT)

    def suggest(photo: str | None) -> dict:
        try:
            return {"captions": suggestions(photo), "photo": photo}
        except ClipdemoError as error:
            return {"notice": str(error)}

    def caption(photo: str) -> list[str]:
        """Captions of a photo.

        Args:
            photo: A photo: its address, or its bytes as a data: URL.
        """
        return suggestions(photo)

    hidden = {"show_progress": "minimal", "api_visibility": "private"}
    ask.click(suggest, photo, found, trigger_mode="once", **hidden)
    # In the browser only: a late answer of the server could remove newer suggestions.
    photo.change(None, None, found, js="() => ({})", **hidden)
    about = "Captions of a photo: a list of up to three, the best first."
    endpoint(caption, [photo], "captions", about)
    return captioner
