"""Gradio's fields for files, which leave reading them to us.

They are classes: when an event updates a component, Gradio makes it again from its class.
"""

import gradio as gr
from gradio.data_classes import ImageData, ListFiles


class PhotoField(gr.Image):
    """Gives the path of a photo; Gradio would decode it before our limits are checked."""

    is_template = True

    def preprocess(self, payload: ImageData | None) -> str | None:
        return payload.path if payload else None


class FilesField(gr.File):
    """Gives the paths of files; Gradio's own leaves an empty file behind for each one."""

    is_template = True

    def preprocess(self, payload: ListFiles | None) -> list[str]:
        return [file.path for file in payload.root] if payload else []
