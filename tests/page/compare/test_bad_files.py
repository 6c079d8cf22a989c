"""A file other than a photo gives one sentence and leaves no stale scores; the page still works."""

import io
import struct
import zlib

import pytest
from PIL import Image
from support.driver import (
    LABELS,
    eventually,
    give_photo,
    notices,
    photo_name,
    read,
    remove_photo,
    shows,
    write_caption,
)
from support.paths import SCENES

from clipdemo.inputs.photo_files import MAX_BYTES

pytestmark = pytest.mark.browser

GOOD, NEXT = SCENES / "beach.webp", SCENES / "station.webp"


def cut_jpeg() -> bytes:
    file = io.BytesIO()
    with Image.open(GOOD) as photo:
        photo.convert("RGB").save(file, "JPEG")
    return file.getvalue()[: len(file.getvalue()) // 2]


def bomb() -> bytes:
    """A PNG of a few kilobytes with 13000 x 13000 pixels."""
    side = 13000
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(side * (side // 8 + 1)), 9)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts
    )


BAD = {
    "text.png": lambda: b"this is not a photo",
    "cut.jpg": cut_jpeg,
    "empty.jpg": lambda: b"",
    "bomb.png": bomb,
}
# A browser sees that these cannot be the photo.
REFUSED = {
    "large.jpg": lambda: GOOD.read_bytes() + bytes(MAX_BYTES),
    "notes.txt": lambda: b"a dog",
    "drawing.svg": lambda: b'<svg xmlns="http://www.w3.org/2000/svg"/>',
}


def assert_one_sentence(page) -> None:
    found = notices(page)
    assert len(found) == 1, found
    assert "Traceback" not in page.locator("body").inner_text()


def no_score_of(page, mode: str) -> None:
    board = read(page)
    assert [board[label][mode] for label in LABELS] == [("", False)] * len(LABELS)


def test_a_bad_file_gives_one_sentence_and_the_next_photo_works(page, classifier, tmp_path):
    for name, content in BAD.items():
        bad = tmp_path / name
        bad.write_bytes(content())
        give_photo(page, GOOD)
        shows(page, classifier.predict(GOOD, None))
        give_photo(page, bad)
        eventually(page, lambda: assert_one_sentence(page))
        for mode in ("image", "concat"):
            eventually(page, lambda mode=mode: no_score_of(page, mode))
        give_photo(page, NEXT)
        shows(page, classifier.predict(NEXT, None))
        eventually(page, lambda: assert_none(page))


def test_a_file_that_is_refused_leaves_photo_and_scores(page, classifier, tmp_path, is_sentence):
    """Also after a reload; the sentence goes with the next photo."""
    expected = classifier.predict(GOOD, None)
    give_photo(page, GOOD)
    shows(page, expected)
    for name, content in REFUSED.items():
        (tmp_path / name).write_bytes(content())
        give_photo(page, tmp_path / name)
        eventually(page, lambda: assert_one_sentence(page))
        (said,) = notices(page)
        assert is_sentence(said)
        assert (f"{MAX_BYTES // 2**20} MB" in said) == (name == "large.jpg")
        page.wait_for_timeout(300)
        assert photo_name(page) == GOOD.name
        shows(page, expected)
    page.reload()
    shows(page, expected)
    give_photo(page, tmp_path / "notes.txt")
    eventually(page, lambda: assert_one_sentence(page))
    give_photo(page, NEXT)
    shows(page, classifier.predict(NEXT, None))
    assert_none(page)


def test_the_photo_before_a_bad_one_is_offered_and_returns(page, classifier, tmp_path):
    bad = tmp_path / "text.png"
    bad.write_bytes(BAD["text.png"]())
    offer = page.get_by_role("button", name="Back to the previous photo")
    give_photo(page, bad)
    eventually(page, lambda: assert_one_sentence(page))
    assert offer.count() == 0
    remove_photo(page)
    give_photo(page, GOOD)
    write_caption(page, "a dog on a bench")
    shows(page, classifier.predict(GOOD, "a dog on a bench"))
    for _ in range(2):  # the one before is still the good one
        give_photo(page, bad)
        eventually(page, lambda: assert_one_sentence(page))
        shows(page, classifier.predict(None, "a dog on a bench"))
    offer.click()
    shows(page, classifier.predict(GOOD, "a dog on a bench"))
    assert photo_name(page) == GOOD.name
    eventually(page, lambda: assert_none(page))


def assert_none(page) -> None:
    assert notices(page) == []


def test_a_bad_file_takes_nothing_from_the_caption(page, classifier, tmp_path):
    bad = tmp_path / "text.png"
    bad.write_bytes(BAD["text.png"]())
    write_caption(page, "a dog on a bench")
    shows(page, classifier.predict(None, "a dog on a bench"))
    give_photo(page, bad)
    eventually(page, lambda: assert_one_sentence(page))
    shows(page, classifier.predict(None, "a dog on a bench"))


def test_unseen_parts_of_a_photo_are_reported_next_to_its_scores(page, classifier, tmp_path):
    wide, cut = tmp_path / "wide.png", tmp_path / "cut-off.jpg"
    with Image.open(GOOD) as photo:
        photo.convert("RGB").save(cut, "JPEG")
        photo.resize((900, 300)).save(wide)
    cut.write_bytes(cut.read_bytes()[:-2])
    for path, said in ((wide, "3.0 times as wide as it is high"), (cut, "cut off at its end")):
        give_photo(page, path)
        shows(page, classifier.predict(path, None))
        eventually(page, lambda said=said: assert_said(page, said))
    give_photo(page, NEXT)
    shows(page, classifier.predict(NEXT, None))
    eventually(page, lambda: assert_none(page))


def assert_said(page, sentence: str) -> None:
    (found,) = notices(page)
    assert sentence in found
