"""A photo and a caption become scores in the cells of the modes that have their input."""

import pytest
from support.driver import (
    LABELS,
    assert_shows,
    give_photo,
    read,
    remove_photo,
    shows,
    visit,
    write_caption,
)
from support.paths import SCENES

pytestmark = pytest.mark.browser

PHOTO = SCENES / "crossing.webp"
CAPTION = "a dog on a bench"


def test_a_mode_without_its_input_stays_empty_and_off(page, classifier):
    """Also when the input is taken away again, in either order."""
    for label in LABELS:
        row = page.locator(f'#board [data-label="{label}"]')
        modes = row.locator("[data-mode]").evaluate_all("cells => cells.map(c => c.dataset.mode)")
        assert modes == ["image", "text", "concat"], label
    shows(page, classifier.predict(None, None))
    give_photo(page, PHOTO)
    shows(page, classifier.predict(PHOTO, None))
    write_caption(page, CAPTION)
    shows(page, classifier.predict(PHOTO, CAPTION))
    write_caption(page, "   \n ")
    shows(page, classifier.predict(PHOTO, None))
    write_caption(page, CAPTION)
    shows(page, classifier.predict(PHOTO, CAPTION))
    remove_photo(page)
    shows(page, classifier.predict(None, CAPTION))
    write_caption(page, "")
    shows(page, classifier.predict(None, None))
    assert_a_change_replaces_only_its_own(page, classifier)


def assert_a_change_replaces_only_its_own(page, classifier) -> None:
    """A changed caption leaves what the photo says, and another photo replaces it."""
    give_photo(page, PHOTO)
    write_caption(page, CAPTION)
    shows(page, classifier.predict(PHOTO, CAPTION))
    before = read(page)
    write_caption(page, "a train at the station")
    shows(page, classifier.predict(PHOTO, "a train at the station"))
    after = read(page)
    assert [c["image"] for c in before.values()] == [after[x]["image"] for x in before]
    for mode in ("text", "concat"):
        assert any(before[label][mode] != after[label][mode] for label in LABELS)
    give_photo(page, SCENES / "farm.webp")
    shows(page, classifier.predict(SCENES / "farm.webp", "a train at the station"))


def test_two_tabs_do_not_touch_each_other(visitor, page, url, classifier):
    other = visitor.new_page()
    visit(other, url)
    write_caption(page, "a horse")
    write_caption(other, "a bus")
    shows(page, classifier.predict(None, "a horse"))
    shows(other, classifier.predict(None, "a bus"))
    assert_shows(page, classifier.predict(None, "a horse"))


def test_coming_back_and_reloading_give_a_page_that_works(page, classifier):
    write_caption(page, CAPTION)
    shows(page, classifier.predict(None, CAPTION))
    page.goto("about:blank")
    page.go_back()
    for _ in range(2):
        page.locator("#board [data-label]").first.wait_for()
        write_caption(page, "a horse")
        shows(page, classifier.predict(None, "a horse"))
        page.reload()
