"""The page: its parts put together."""

import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr

from clipdemo.checkpoints import Card
from clipdemo.ui import compare
from clipdemo.ui.model import BackgroundModel


def build(card: Card, model: BackgroundModel) -> gr.Blocks:
    """The page of a card's labels and modes; `model` may still be loading."""
    with gr.Blocks(title="clipdemo", analytics_enabled=False) as page:
        compare.build(page, card, model)
    return page
