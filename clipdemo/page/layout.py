"""The page, assembled from its tabs."""

import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr

from clipdemo.inputs.photo_files import MAX_BYTES
from clipdemo.page.batch import tab as batch
from clipdemo.page.batch.jobs import Jobs
from clipdemo.page.compare import tab as compare
from clipdemo.page.inspect import tab as inspect
from clipdemo.page.inspect.inspector import Inspector
from clipdemo.page.report import tab as report
from clipdemo.page.server.parts import Parts
from clipdemo.page.server.requests import Page
from clipdemo.page.server.uploads import Uploads
from clipdemo.page.settings import Settings
from clipdemo.page.shared.models import Models
from clipdemo.page.shared.modules import part


def build(
    models: Models,
    inspector: Inspector,
    uploads: Uploads,
    jobs: Jobs,
    parts: Parts,
    settings: Settings,
) -> Page:
    """The page; its models may still be loading."""
    largest = min(MAX_BYTES, settings.max_upload * 2**20)
    with Page(uploads, title="clipdemo", analytics_enabled=False) as page:
        part("shared/frame.js", elem_id="frame")
        with gr.Tabs() as tabs:
            with gr.Tab("Compare", id="compare"):
                desk = compare.build(page, models, settings.start, largest)
            with gr.Tab("Batch"):
                batch.build(models, desk, tabs, jobs, parts)
            with gr.Tab("Inspect", id="inspect"):
                inspect.build(inspector, desk)
            with gr.Tab("Report"):
                report.build(models.card)
    return page
