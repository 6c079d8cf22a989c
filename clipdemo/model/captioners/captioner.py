"""The interface of captioners."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from clipdemo.inputs.captions import clean_caption

if TYPE_CHECKING:
    from clipdemo.model.embeddings import Photo

BUNDLED = "bundled"


class Captioner(Protocol):
    """A model that describes photos.

    Attributes:
        name: as requested.
    """

    name: str

    def suggest(self, photo: Photo, count: int = 3) -> list[str]:
        """Up to `count` distinct cleaned captions, the best first.

        The photo is a path, bytes or a PIL image.

        Raises:
            PhotoError: the photo cannot be read.
        """
        ...


def distinct(captions: Iterable[str]) -> list[str]:
    """The captions, cleaned, without those that have the same words as an earlier one."""
    found = {}
    for caption in map(clean_caption, captions):
        if caption is not None:
            found.setdefault(" ".join(re.findall(r"\w+", caption.casefold())), caption)
    found.pop("", None)
    return list(found.values())
