"""Scripts, styles and pictures of the page: each is in the folder of its tab.

Names of files are relative to `page/`, such as "compare/board.js".
"""

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent


def joined(*names: str) -> str:
    """The texts of files, concatenated."""
    return "".join((PAGE / name).read_text("utf-8") for name in names)


def inlined(*names: str) -> str:
    """Modules as one script; give each after those that it imports from."""
    script = re.sub(r"^import [^;]*;$", "", joined(*names), flags=re.MULTILINE)
    return re.sub(r"^export ", "", script, flags=re.MULTILINE)
