"""The preview picture for links to the demo: `python -m clipdemo.scenes.social_card`."""

import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from clipdemo.scenes import example_scenes

SIZE = (1200, 630)
PAPER, INK, GREY = "#f4f5fb", "#1e1b4b", "#4b5069"
MODES = (("photo", "#2f6fdb"), ("caption", "#a66300"), ("both", "#0a7f57"))  # as on the page
SCENES = ("beach", "crossing", "farm")
EDGE = 60


def social_card() -> Image.Image:
    """Name and purpose of the demo on the left, its three colours below, scenes on the right."""
    card = Image.new("RGB", SIZE, PAPER)
    pen = ImageDraw.Draw(card)
    pen.text((EDGE, 96), "clipdemo", INK, _font(92))
    lines = "What the photo says,\nwhat the caption says,\nand both together."
    pen.multiline_text((EDGE, 236), lines, GREY, _font(40), spacing=14)
    left = EDGE
    for name, colour in MODES:
        left = _chip(pen, left, 470, name, colour) + 16
    scenes = example_scenes()
    large, *small = (scenes[name].image for name in SCENES)
    _paste(card, large, (620, EDGE, 1200 - EDGE, 385))
    _paste(card, small[0], (620, 401, 872, 630 - EDGE))
    _paste(card, small[1], (888, 401, 1200 - EDGE, 630 - EDGE))
    return card


def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)


def _chip(pen: ImageDraw.ImageDraw, left: int, top: int, name: str, colour: str) -> int:
    """Draw a rounded label; returns the x at which it ends."""
    font = _font(34)
    right = left + round(font.getlength(name)) + 48
    pen.rounded_rectangle((left, top, right, top + 66), 33, colour)
    pen.text(((left + right) / 2, top + 33), name, "white", font, anchor="mm")
    return right


def _paste(card: Image.Image, scene: Image.Image, box: tuple[int, int, int, int]) -> None:
    """The scene in the box, cut at the top, with round corners."""
    size = (box[2] - box[0], box[3] - box[1])
    corners = Image.new("L", size)
    ImageDraw.Draw(corners).rounded_rectangle((0, 0, size[0] - 1, size[1] - 1), 18, 255)
    card.paste(ImageOps.fit(scene, size, centering=(0.5, 1)), box[:2], corners)


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "assets/social.png")
    social_card().save(target, optimize=True)
