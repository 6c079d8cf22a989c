"""The page: its parts put together."""

import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr

from clipdemo.ui import batch, compare, inspect, report
from clipdemo.ui.inspector import Inspector
from clipdemo.ui.model import Models
from clipdemo.ui.requests import Page
from clipdemo.uploads import Uploads


def build(models: Models, inspector: Inspector, uploads: Uploads) -> Page:
    """The page; its models may still be loading."""
    with Page(uploads, title="clipdemo", analytics_enabled=False) as page, gr.Tabs() as tabs:
        with gr.Tab("Compare", id="compare"):
            desk = compare.build(page, models)
        with gr.Tab("Batch"):
            batch.build(models, desk, tabs)
        with gr.Tab("Inspect", id="inspect"):
            inspect.build(inspector, desk)
        with gr.Tab("Report"):
            report.build(models.card)
    return page
