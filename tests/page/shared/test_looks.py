"""The page fits laptop and phone, is accessible in light and dark, and does not shift."""

import pytest
from support.driver import PATIENCE, eventually, give_photo, serving, shows, visit, write_caption
from support.looks import untidy
from support.paths import SCENES

pytestmark = pytest.mark.browser

CAPTION = "A city bus waits at a traffic light."
LAPTOP, PHONE, SMALL = (1280, 800), (390, 844), (320, 640)
MOST_SHIFT = 0.02  # of a page that scores 0.1 at most with "good"

WATCH_SHIFTS = """
  window.shifts = [];
  new PerformanceObserver((list) => window.shifts.push(...list.getEntries().map((e) => e.value)))
    .observe({ type: "layout-shift", buffered: true });
"""


@pytest.fixture(scope="module")
def opening_url(tmp_path_factory, classifier):
    """Address of an app whose page opens with a scene, as it does without any settings."""
    with serving(tmp_path_factory.mktemp("opening"), CLIPDEMO_START="crossing") as (url, _):
        yield url


@pytest.fixture
def opened(browser, opening_url):
    """Opens the page in a window with a given size and theme."""
    pages = []

    def open_page(size: tuple[int, int], theme: str = "light", **context):
        width, height = size
        context = browser.new_context(viewport={"width": width, "height": height}, **context)
        page = context.new_page()
        pages.append(context)
        page.set_default_timeout(PATIENCE * 1000)
        page.add_init_script(WATCH_SHIFTS)
        visit(page, f"{opening_url}?__theme={theme}")
        return page

    yield open_page
    for context in pages:
        context.close()


@pytest.mark.parametrize(("size", "theme"), [(LAPTOP, "light"), (PHONE, "dark")])
def test_every_tab_can_be_reached_read_and_heard(opened, classifier, size, theme):
    page = opened(size, theme)
    errors = []
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    assert page.evaluate('document.body.classList.contains("dark")') == (theme == "dark")
    shows(page, classifier.predict(SCENES / "crossing.webp", CAPTION))
    page.locator("#region button.start").click()
    page.locator("#photo .overlay").wait_for()
    eventually(page, lambda: assert_tidy(page))
    for tab, sign in (
        ("Batch", "#batch-start"),
        ("Inspect", "#inspect .card"),
        ("Report", "#report"),
    ):
        page.get_by_role("tab", name=tab).click()
        page.locator(sign).first.wait_for()
        eventually(page, lambda: assert_tidy(page))
    assert errors == []


def assert_tidy(page) -> None:
    assert untidy(page) == []


def test_nothing_is_cut_off_on_a_very_small_phone(opened, classifier):
    page = opened(SMALL)
    shows(page, classifier.predict(SCENES / "crossing.webp", CAPTION))
    assert_tidy(page)


@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_nothing_shifts_while_the_page_loads_or_a_caption_is_edited(opened, classifier, size):
    page = opened(size)
    scene = SCENES / "crossing.webp"
    shows(page, classifier.predict(scene, CAPTION))
    page.wait_for_timeout(1000)
    assert sum(page.evaluate("window.shifts")) <= MOST_SHIFT
    page.evaluate("window.shifts.length = 0")
    field = page.locator("#caption textarea")
    field.click()
    field.press("End")
    for letters in (" A dog", " sits next to", " no horse"):
        page.keyboard.type(letters)
        shows(page, classifier.predict(scene, field.input_value()))
    page.wait_for_timeout(1000)
    assert sum(page.evaluate("window.shifts")) <= MOST_SHIFT


def test_a_phone_shows_the_result_on_its_first_screen_after_an_upload(opened, classifier):
    page = opened(PHONE)
    give_photo(page, SCENES / "beach.webp")
    shows(page, classifier.predict(SCENES / "beach.webp"))

    def assert_in_sight() -> None:
        assert page.evaluate("scrollY") == 0
        line = page.evaluate(
            """() => document.querySelector('#board .set[data-mode="image"]')
                .getBoundingClientRect().bottom"""
        )
        assert line <= PHONE[1]

    eventually(page, assert_in_sight)


def test_a_finger_that_scrolls_over_a_slider_changes_nothing(opened, classifier):
    """A finger that moves it sideways does."""
    page = opened(PHONE, has_touch=True, is_mobile=True)
    shows(page, classifier.predict(SCENES / "crossing.webp", CAPTION))
    slider = page.locator("#threshold input")
    for right, down, rule in ((0, -120, "tuned"), (100, 0, "fixed")):
        slider.scroll_into_view_if_needed()
        before = page.evaluate("scrollY")
        swipe(page, slider, right, down)
        assert page.locator("#rule").input_value() == rule
        assert (slider.input_value() != "0.5") == (rule == "fixed")
        assert (page.evaluate("scrollY") != before) == (rule == "tuned")


def swipe(page, target, right: int, down: int) -> None:
    """Move a finger from the left of the target by so many pixels."""
    touch = page.context.new_cdp_session(page)
    box = target.bounding_box()
    x, y = box["x"] + 30, box["y"] + box["height"] / 2
    for step in range(11):
        point = {"x": x + right * step / 10, "y": y + down * step / 10}
        kind = "touchMove" if step else "touchStart"
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
        page.wait_for_timeout(20)
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_timeout(500)


def test_touch_targets_on_a_phone_are_40_pixels_high_and_fields_do_not_zoom(opened, classifier):
    page = opened(PHONE)
    shows(page, classifier.predict(SCENES / "crossing.webp", CAPTION))
    small = page.evaluate(
        """() => [...document.querySelectorAll(".part button, .part select, .part input, textarea")]
          .filter((e) => e.checkVisibility() && !e.matches(".marker, .chip, [type=checkbox]"))
          .filter((e) => e.closest("#board, #words, #region, #scenes, #caption"))
          .filter((e) => e.getBoundingClientRect().height < 39.5 ||
            (e.matches("select, textarea, input:not([type=range])") &&
              parseFloat(getComputedStyle(e).fontSize) < 16))
          .map((e) => e.outerHTML.slice(0, 100))"""
    )
    assert small == []
    chip = page.locator("#board .chip").first
    box = chip.bounding_box()
    above = {"x": box["x"] + 20, "y": box["y"] - 4}
    hit = page.evaluate("({ x, y }) => document.elementFromPoint(x, y).textContent", above)
    assert hit == chip.inner_text(), "a chip is touched up to 40 px, too"


def test_by_keyboard_it_is_twelve_stops_from_the_photo_to_the_labels(opened, classifier):
    page = opened(LAPTOP)
    shows(page, classifier.predict(SCENES / "crossing.webp", CAPTION))
    page.get_by_label("Upload file").focus()
    for _ in range(12):
        page.keyboard.press("Tab")
        focused = page.evaluate("document.activeElement.textContent")
        if focused == "Skip to the result":
            page.keyboard.press("Enter")
        if focused == "Copy labels":
            break
    assert focused == "Copy labels"
    page.get_by_role("tab", name="Compare").focus()
    page.keyboard.press("ArrowRight")
    page.locator("#batch-start").wait_for()
    page.keyboard.press("Home")
    page.locator("#board .verdict").wait_for()


def test_a_row_says_its_label_and_of_each_mode_the_score_and_whether_it_is_on(opened, classifier):
    page = opened(LAPTOP)
    found = classifier.predict(SCENES / "crossing.webp", CAPTION)
    shows(page, found)
    said = page.get_by_role("group", name="bus").get_by_role("img").all()
    assert len(said) == 3
    for cell, mode in zip(said, found.scores, strict=True):
        score = float(cell.get_attribute("data-score"))
        state = "on" if cell.get_attribute("data-on") == "true" else "off"
        name = cell.get_attribute("aria-label")
        assert name.startswith(f"{mode} {score:.2f}"[:-1])
        assert name.endswith(f", {state}")


def test_words_that_are_off_or_not_understood_are_reported(opened, classifier):
    """The gauge is about the words that are on; a negation and a foreign language are named."""
    page = opened(LAPTOP)
    warning = page.locator("#words .warning")
    for caption, hint in (
        ("There is no bus at the light", "ignore “no”"),
        ("ein Hund auf einer Parkbank", "vocabulary"),
        ("a dog on a bench", ""),
    ):
        write_caption(page, caption)
        eventually(page, lambda hint=hint: assert_hint(warning, hint))


def assert_hint(warning, hint: str) -> None:
    text = warning.inner_text()
    assert hint in text if hint else text == ""
