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


def test_a_hostile_caption_is_only_text(page, classifier):
    """Also in the notice that quotes a caption longer than the backbone reads."""
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    for text in HOSTILE.values():
        write_caption(page, text)
        assert page.locator("#caption textarea").input_value() == text
        shows(page, classifier.predict(None, text))
        sentence = classifier.too_long(text)
        eventually(page, lambda sentence=sentence: assert_says(page, sentence))
        assert_unharmed(page)
    write_caption(page, "a horse")
    shows(page, classifier.predict(None, "a horse"))
    assert dialogs == []


def assert_says(page, sentence: str | None) -> None:
    assert notices(page) == ([sentence] if sentence else [])


def test_a_hostile_file_name_is_only_text(page, classifier, tmp_path):
    photo = tmp_path / f"{SCRIPT} ${{window.__pwned=1}} {{{{7*7}}}}.webp"
    shutil.copy(SCENES / "beach.webp", photo)
    give_photo(page, photo)
    shows(page, classifier.predict(SCENES / "beach.webp", None))
    assert_unharmed(page)
