"""Colours and fonts of the page; nothing is fetched from elsewhere."""

import gradio as gr

SYSTEM_FONTS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"]


def theme() -> gr.themes.Base:
    """Gradio's Soft theme in slate and indigo, with system fonts.

    The accent is a shade darker than the theme's, and lighter in dark mode, so that text in it or
    on it has a contrast of at least 4.5.
    """
    base = gr.themes.Soft(
        primary_hue="indigo",
        secondary_hue="indigo",
        neutral_hue="slate",
        font=SYSTEM_FONTS,
        font_mono=["ui-monospace", "Menlo", "Consolas", "monospace"],
    )
    return base.set(
        color_accent="*primary_600",
        block_label_text_color="*primary_600",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_dark="*primary_600",
        button_primary_background_fill_hover_dark="*primary_500",
    )
