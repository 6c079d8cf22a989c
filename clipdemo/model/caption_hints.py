"""Hints about captions that the model reads badly."""

import re

from clipdemo.inputs.captions import clean_caption
from clipdemo.model.backbones import Backbone

NEGATION = re.compile(
    r"\b(no|not|without|never|none|nobody|nothing)\b|n['\u2019]t\b", re.IGNORECASE
)
SHORT = 3  # letters; shorter words, such as "a" and "in", are in the vocabulary of many languages


def caption_hint(backbone: Backbone, caption: str | None) -> str | None:
    """One sentence if the backbone does not understand a caption's words or negation, else None.

    CLIP models mostly ignore negation (Alhamoud et al. 2025, "Vision-Language Models Do Not
    Understand Negation").
    """
    said = clean_caption(caption)
    if said is None:
        return None
    words = [word.strip(".,;:!?\"'()") for word in said.split()][: backbone.words_read(said)]
    words = [word for word in words if len(word) >= SHORT] or words
    if 2 * sum(backbone.knows(word) for word in words) < len(words):
        return "Most of these words are not in this model's vocabulary: try plain English."
    if found := NEGATION.search(said):
        return f"Models like this one mostly ignore “{found[0]}”: what follows counts as present."
    return None
