"""Cleaning of captions, for all inputs: one line of readable text, or none."""

import re
import unicodedata

MAX_CHARS = 2000

# Control, format (bidi overrides, zero-width characters), surrogate and private-use characters.
_JUNK = {"Cc", "Cf", "Cs", "Co"}
# The zero-width joiner is kept where it joins several emoji into one.
_EMOJI = "[\U0001f000-\U0001ffff\u2600-\u27bf\ufe0f]"
_STRAY_JOINER = re.compile(f"(?<!{_EMOJI})\u200d|\u200d(?!{_EMOJI})")


def clean_caption(text: str | None) -> str | None:
    """Make a caption a single line of readable text.

    The result is in Unicode form NFC, without control characters, bidi overrides, lone surrogates
    or zero-width characters, except those that join emoji. Each run of white space becomes one
    space, and the text is cut at ``MAX_CHARS`` characters. Cleaning is idempotent.

    Returns:
        The cleaned caption, or None when nothing readable is left.

    Raises:
        TypeError: the caption is neither a string nor None.
    """
    if text is None:
        return None
    if not isinstance(text, str):
        raise TypeError(f"A caption must be text or None, not {type(text).__name__}.")
    # Normalizing is quadratic in a run of combining marks, so a first cut comes before it.
    text = text[: 10 * MAX_CHARS]
    kept = (c for c in text if c in "\u200d" or c.isspace() or unicodedata.category(c) not in _JUNK)
    text = _STRAY_JOINER.sub("", "".join(kept))
    text = unicodedata.normalize("NFC", " ".join(text.split()))[:MAX_CHARS].rstrip()
    # Combining marks alone are not readable.
    return text if any(unicodedata.category(c)[0] not in "MZ" for c in text) else None
