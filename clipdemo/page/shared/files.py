"""Scripts, styles and pictures of the page: each is in the folder of its tab."""

from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent


def joined(*names: str) -> str:
    """The texts of files, concatenated; names are relative to `page/`: "compare/board.js"."""
    return "".join((PAGE / name).read_text("utf-8") for name in names)
