"""The Inspect tab: how often each label is wrong, and the photos behind each figure."""

from pathlib import Path

import gradio as gr
import plotly
from gradio.processing_utils import save_bytes_to_cache

from clipdemo.page.compare.tab import Desk
from clipdemo.page.inspect.inspector import Inspector
from clipdemo.page.server.requests import event_value
from clipdemo.page.shared.modules import calling, part


def build(inspector: Inspector, desk: Desk) -> None:
    """Add the tab's component to the page; it requests its content when it is first shown."""
    view = part(
        "inspect/inspect.js",
        "show",
        plotly=f"plotly.min.js?{plotly.__version__}",
        elem_id="inspect",
    )

    def show(event: gr.EventData) -> tuple[str | None, str, dict | None]:
        photo, name, caption, labels = inspector.show(
            event_value(event, "row"), event_value(event, "key")
        )
        path = photo and save_bytes_to_cache(photo, Path(name).name, desk.photo.GRADIO_CACHE)
        return path, caption, {"path": path, "caption": caption, "labels": labels}

    view.show(
        show,
        None,
        [desk.photo, desk.caption, desk.opened],
        show_progress="hidden",
        trigger_mode="multiple",
        api_visibility="private",
    ).then(None, js=calling("compare/desk.js", "arrived"))
