"""The Inspect tab: how often each label goes wrong, and the photos behind each figure."""

from pathlib import Path

import gradio as gr
import plotly
from gradio.processing_utils import save_bytes_to_cache

from clipdemo.page.compare.tab import Desk
from clipdemo.page.inspect.inspector import Inspector
from clipdemo.page.server.requests import told
from clipdemo.page.shared.files import joined

SCRIPTS = (
    "shared/dom.js", "shared/plotly.js", "report/report.js", "inspect/figures.js",
    "inspect/controls.js", "inspect/table.js", "inspect/filters.js", "inspect/gallery.js",
    "inspect/charts.js", "inspect/map.js", "inspect/inspect.js",
)  # fmt: skip


def build(inspector: Inspector, desk: Desk) -> None:
    """Put the tab's component into the page; it asks for its content when it is first seen."""
    view = gr.HTML(
        apply_default_css=False,
        html_template="<div></div>",
        js_on_load=joined(*SCRIPTS),
        plotly=f"plotly.min.js?{plotly.__version__}",
        elem_id="inspect",
        elem_classes="inspect",
    )

    def show(event: gr.EventData) -> tuple[str | None, str, dict | None]:
        photo, name, caption, labels = inspector.show(told(event, "row"))
        path = photo and save_bytes_to_cache(photo, Path(name).name, desk.photo.GRADIO_CACHE)
        return path, caption, {"path": path, "labels": labels}

    view.show(
        show,
        None,
        [desk.photo, desk.caption, desk.opened],
        show_progress="hidden",
        trigger_mode="always_last",
        api_visibility="private",
    ).then(None, js="() => document.dispatchEvent(new Event('clipdemo-picked'))")
