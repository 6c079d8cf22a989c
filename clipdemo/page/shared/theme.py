"""Colours and fonts of the page; nothing is fetched from elsewhere."""

import gradio as gr

SYSTEM_FONTS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"]


def theme() -> gr.themes.Base:
    """Gradio's Soft theme in slate and indigo, with the reader's own system fonts."""
    return gr.themes.Soft(
        primary_hue="indigo",
        secondary_hue="indigo",
        neutral_hue="slate",
        font=SYSTEM_FONTS,
        font_mono=["ui-monospace", "Menlo", "Consolas", "monospace"],
    )
