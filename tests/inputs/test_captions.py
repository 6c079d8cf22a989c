"""Captions: any typed or pasted text becomes one readable line, or None."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipdemo.inputs.captions import MAX_CHARS, clean_caption


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("a dog on a bench", "a dog on a bench"),
        ("  a dog\r\n\ton\u00a0a \u3000 bench\u2028", "a dog on a bench"),
        ("cafe\u0301", "caf\u00e9"),
        ("a\x00 d\x1bo\x7fg", "a dog"),
        ("\u202ea dog\u202c \u2066on\u2069 a bench", "a dog on a bench"),
        ("\ufeffd\u200bo\u2060g \u200d cat", "dog cat"),
        ("d\ud800og\udfff", "dog"),
        ("犬がベンチに座っている", "犬がベンチに座っている"),
        ("a 🐕 here!", "a 🐕 here!"),
        ("?", "?"),
    ],
)
def test_a_caption_becomes_one_clean_line(raw, clean):
    assert clean_caption(raw) == clean


@pytest.mark.parametrize(
    "raw", [None, "", " \t\n\u3000", "\x00\x07", "\u200b\u202e", "\ud800", "\u0301", "\ufe0f"]
)
def test_nothing_readable_is_no_caption(raw):
    """Otherwise the text head would score an empty sentence as if it had content."""
    assert clean_caption(raw) is None


def test_an_emoji_sequence_stays_visible():
    assert "👩" in clean_caption("a 👩‍👧 family")


def test_a_long_caption_is_cut():
    assert clean_caption("ab " * 10**6) == ("ab " * MAX_CHARS)[:MAX_CHARS].strip()
    assert len(clean_caption("\ufb2c" * MAX_CHARS)) <= MAX_CHARS, "NFC may lengthen a text"


@pytest.mark.parametrize("raw", [b"dog", 3, float("nan"), ["dog"]])
def test_only_text_is_a_caption(raw):
    """A missing value of a table (NaN) must not become the caption "nan"."""
    with pytest.raises(TypeError, match="must be text or None"):
        clean_caption(raw)


@given(
    st.text(st.characters(), max_size=200) | st.text("\u0301a \u200b\ud800\u0323\n", max_size=60)
)
def test_any_text_is_safe_and_cleaning_twice_changes_nothing(raw):
    clean = clean_caption(raw)
    assert clean_caption(clean) == clean
    if clean is not None:
        clean.encode()
        assert clean == unicodedata.normalize("NFC", clean) == " ".join(clean.split())
        assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co") for c in clean)
        assert 0 < len(clean) <= MAX_CHARS
