"""Typing is scored when it pauses, and the final scores are for the last text."""

import pytest
from support.driver import give_photo, shows, write_caption
from support.paths import SCENES

pytestmark = pytest.mark.browser

PHOTO = SCENES / "farm.webp"


def count_scoring(page) -> list[str]:
    """The list that every later scoring request is added to."""
    asked = []

    def note(request) -> None:
        if "queue/join" in request.url:
            asked.append(request.url)

    page.on("request", note)
    return asked


def test_a_burst_of_keys_ends_in_the_scores_of_the_last_text(page, classifier):
    give_photo(page, PHOTO)
    shows(page, classifier.predict(PHOTO, None))
    asked = count_scoring(page)
    text = "two brown horses, a dog and a small red truck behind a fence"
    page.locator("#caption textarea").press_sequentially(text, delay=5)
    shows(page, classifier.predict(PHOTO, text))
    assert 1 <= len(asked) <= 6
    page.wait_for_timeout(600)
    shows(page, classifier.predict(PHOTO, text))


def test_typing_during_a_request_undo_and_cut_count(page, classifier):
    assert_typing_counts(page, classifier)
    write_caption(page, "")
    shows(page, classifier.predict(None, None))
    assert_undo_counts(page, classifier)


def assert_typing_counts(page, classifier) -> None:
    """Keys just after the pause, when the request has already been sent, count as well."""
    box = page.locator("#caption textarea")
    for word in ("a cat ", "on a ", "bench ", "near a ", "bus"):
        box.press_sequentially(word, delay=5)
        page.wait_for_timeout(310)
    shows(page, classifier.predict(None, "a cat on a bench near a bus"))
    page.wait_for_timeout(600)
    shows(page, classifier.predict(None, "a cat on a bench near a bus"))


def assert_undo_counts(page, classifier) -> None:
    """And cutting."""
    box = page.locator("#caption textarea")
    box.press_sequentially("a horse", delay=5)
    shows(page, classifier.predict(None, "a horse"))
    box.press("Control+a")
    box.press("Control+x")
    shows(page, classifier.predict(None, None))
    box.press("Control+z")
    shows(page, classifier.predict(None, "a horse"))
