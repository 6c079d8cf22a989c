"""Captions and file names are text: nothing in them is run, evaluated or breaks the page."""

import shutil

import pytest
from support.driver import LABELS, eventually, give_photo, notices, order, shows, write_caption
from support.paths import SCENES

pytestmark = pytest.mark.browser

SCRIPT = "<img src=x onerror=window.__pwned=1>"
HOSTILE = {
    "element": SCRIPT,
    "script": "</textarea></script><script>window.__pwned=1</script>",
    "template": "${7*7} ${window.__pwned=1} {{7*7}} {{window.__pwned=1}} {%raw%}",
    "emoji": "\U0001f436\U0001f6b2\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "right to left": "\u202ea dog\u202c on \u2066a bench",
    "controls": "a dog\u0000 on\u001b a\ufeff bench\ufffd",
    "long": "a dog on a bench near a bus " * 70,
    "one long word": "dog" * 600,
    "long and hostile": f"{SCRIPT} ${{window.__pwned=1}} {{{{7*7}}}} " * 30,
}


def assert_unharmed(page) -> None:
    assert page.evaluate("window.__pwned === undefined")
    assert page.locator("img[src=x]").count() == 0
    assert sorted(order(page)) == sorted(LABELS)


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_caption_is_only_text(page, classifier, kind):
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    write_caption(page, HOSTILE[kind])
    text = page.locator("#caption textarea").input_value()
    assert text == HOSTILE[kind]
    shows(page, classifier.predict(None, text))
    assert_unharmed(page)
    assert len(notices(page)) == (classifier.too_long(text) is not None)
    write_caption(page, "a horse")
    shows(page, classifier.predict(None, "a horse"))
    assert dialogs == []


def test_what_a_notice_quotes_from_a_caption_is_text(page, classifier):
    """A caption longer than the backbone reads is quoted on the page."""
    text = HOSTILE["long and hostile"]
    expected = classifier.too_long(text)
    write_caption(page, text)
    eventually(page, lambda: assert_says(page, expected))
    assert_unharmed(page)


def assert_says(page, sentence: str) -> None:
    assert notices(page) == [sentence]


def test_a_hostile_file_name_is_only_text(page, classifier, tmp_path):
    photo = tmp_path / f"{SCRIPT} ${{window.__pwned=1}} {{{{7*7}}}}.webp"
    shutil.copy(SCENES / "beach.webp", photo)
    give_photo(page, photo)
    shows(page, classifier.predict(SCENES / "beach.webp", None))
    assert_unharmed(page)
