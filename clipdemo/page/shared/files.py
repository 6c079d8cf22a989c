"""Scripts, styles and pictures of the page: each lies in the folder of the tab it belongs to."""

from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent


def joined(*names: str) -> str:
    """Texts of files, one after the other; each is named from `page/` on: "compare/board.js"."""
    return "".join((PAGE / name).read_text("utf-8") for name in names)
