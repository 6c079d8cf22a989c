"""The quick check of a table's quotes agrees with the pattern that it replaces."""

from hypothesis import given
from hypothesis import strategies as st

from clipdemo.tables.loose_csv import PHOTO_ROW, quotes_are_well_formed

PIECES = ['"', '""', ",", "\n", "\r\n", "a", "1.jpg", "1.jpg,", "é"]
BODIES = st.lists(st.sampled_from(PIECES), min_size=1, max_size=16).map("".join)


@given(BODIES)
def test_bytes_and_text_are_judged_alike(body):
    """Text is checked by the pattern only, bytes by the quick check first."""
    quick = quotes_are_well_formed(memoryview(body.encode()), PHOTO_ROW)
    assert quick == quotes_are_well_formed(body, PHOTO_ROW)


@given(st.lists(st.text("ab ,é", min_size=1).map("x".__add__), min_size=1, max_size=20))
def test_quoted_captions_are_well_formed_in_both(captions):
    body = "".join(f'{i}.jpg,1,"{caption}"\n' for i, caption in enumerate(captions))
    assert quotes_are_well_formed(memoryview(body.encode()), PHOTO_ROW)
    assert not quotes_are_well_formed(memoryview(f'{body}x.jpg,1,a "b" c"'.encode()), PHOTO_ROW)
