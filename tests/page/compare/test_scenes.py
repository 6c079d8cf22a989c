"""The example scenes: each fills the page, by mouse and by keyboard."""

import json

import pytest
from support.driver import eventually, photo_name, shows
from support.paths import SCENES

pytestmark = pytest.mark.browser

CAPTIONS = {n: s["caption"] for n, s in json.loads((SCENES / "scenes.json").read_text()).items()}
NAMES = list(CAPTIONS)


def filled_with(page, classifier, name: str) -> None:
    """Wait for the scene's photo, caption and scores."""

    def check() -> None:
        assert photo_name(page) == f"{name}.webp"
        assert page.locator("#caption textarea").input_value() == CAPTIONS[name]

    eventually(page, check)
    shows(page, classifier.predict(SCENES / f"{name}.webp", CAPTIONS[name]))


def test_every_scene_fills_photo_caption_and_board(page, classifier):
    buttons = page.locator("#scenes button")
    assert buttons.count() == len(NAMES)
    for picture, caption in zip(page.locator("#scenes img").all(), CAPTIONS.values(), strict=True):
        assert caption in picture.get_attribute("alt")
    missing = page.locator("img:not([alt]), img[alt='']")
    assert missing.evaluate_all("pictures => pictures.map(p => p.outerHTML.slice(0, 80))") == []
    for i, name in enumerate(NAMES):
        buttons.nth(i).click()
        filled_with(page, classifier, name)
    assert_the_last_of_quick_clicks_is_shown(page, classifier)


def assert_the_last_of_quick_clicks_is_shown(page, classifier) -> None:
    buttons = page.locator("#scenes button")
    for clicked in ((0, 1, 2), (8, 7, 6), (1, 3, 9)):
        for i in clicked:
            buttons.nth(i).click()
        filled_with(page, classifier, NAMES[clicked[-1]])


def test_scenes_are_reached_and_chosen_by_keyboard(page, classifier):
    page.locator("#caption textarea").focus()
    focused = '[...document.querySelectorAll("#scenes button")].indexOf(document.activeElement)'
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate(focused) == 0:
            break
    assert page.evaluate(focused) == 0
    page.keyboard.press("Enter")
    filled_with(page, classifier, NAMES[0])
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused) == 1
    page.keyboard.press("Space")
    filled_with(page, classifier, NAMES[1])
