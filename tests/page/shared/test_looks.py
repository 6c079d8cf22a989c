"""The page fits laptop and phone, is accessible in light and dark, and does not shift."""

import pytest
from support.driver import PATIENCE, eventually, give_photo, photo_name, shows, visit, write_caption
from support.looks import untidy
from support.paths import SCENES

pytestmark = pytest.mark.browser

CAPTION = "A city bus waits at a traffic light."
LAPTOP, PHONE, SMALL = (1280, 800), (390, 844), (320, 640)
MOST_SHIFT = 0.02  # of a page that scores 0.1 at most with "good"

SHIFTS = """() => new Promise((done) => {
  const watch = new PerformanceObserver((list) => {
    done(list.getEntries().reduce((sum, { value }) => sum + value, 0));
    watch.disconnect();
  });
  watch.observe({ type: "layout-shift", buffered: true });
  setTimeout(done, 500, 0);
})"""


@pytest.fixture
def opened(visitor, opening_url):
    """Opens the page in a window with a given size and theme."""

    def open_page(size: tuple[int, int], theme: str = "light"):
        page = visitor.new_page()
        page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
        visit(page, f"{opening_url}?__theme={theme}")
        return page

    return open_page


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


def test_on_a_laptop_nothing_shifts_and_it_works_by_keyboard_and_is_heard(opened, classifier):
    page = opened(LAPTOP)
    found = classifier.predict(SCENES / "crossing.webp", CAPTION)
    shows(page, found)
    assert_nothing_shifted(page)
    assert_few_stops(page)
    assert_heard(page, found)
    assert_nothing_shifts_while_typing(page, classifier)
    assert_hints(page)


def test_on_a_phone_nothing_shifts_or_is_cut_off_and_fingers_hit(opened, classifier):
    """Nor on a very small one."""
    page = opened(PHONE)
    shows(page, classifier.predict(SCENES / "crossing.webp", CAPTION))
    assert_nothing_shifted(page)
    assert_large_targets(page)
    assert page.get_by_role("button", name="Use via API").is_visible(), "errors refer to it"
    assert_nothing_shifts_while_typing(page, classifier)
    page.set_viewport_size({"width": SMALL[0], "height": SMALL[1]})
    assert_tidy(page)
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    assert_result_in_sight(page, classifier)


def assert_nothing_shifted(page) -> None:
    page.wait_for_timeout(1000)
    assert page.evaluate(SHIFTS) <= MOST_SHIFT


def assert_nothing_shifts_while_typing(page, classifier) -> None:
    before = page.evaluate(SHIFTS)
    field = page.locator("#caption textarea")
    field.click()
    field.press("End")
    for letters in (" A dog", " sits next to", " no horse"):
        page.keyboard.type(letters)
        shows(page, classifier.predict(SCENES / "crossing.webp", field.input_value()))
    page.wait_for_timeout(1000)
    assert page.evaluate(SHIFTS) - before <= MOST_SHIFT


def assert_few_stops(page) -> None:
    """From the photo to the labels it is twelve, and the tabs are one stop with arrow keys."""
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


def assert_heard(page, found) -> None:
    """A row says its label, and of each mode the score and whether it is on."""
    said = page.get_by_role("group", name="bus").get_by_role("img").all()
    assert len(said) == 3
    for cell, mode in zip(said, found.scores, strict=True):
        score = float(cell.get_attribute("data-score"))
        state = "on" if cell.get_attribute("data-on") == "true" else "off"
        name = cell.get_attribute("aria-label")
        assert name.startswith(f"{mode} {score:.2f}"[:-1])
        assert name.endswith(f", {state}")


def assert_hints(page) -> None:
    """Words that are off or not understood are reported: a negation, a foreign language."""
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


def assert_large_targets(page) -> None:
    """Touch targets are 40 pixels high, and fields do not zoom."""
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


def assert_result_in_sight(page, classifier) -> None:
    """On the first screen, after an upload."""
    give_photo(page, SCENES / "beach.webp")
    field = page.locator("#caption textarea")
    eventually(page, lambda: assert_photo(page, "beach.webp"))
    shows(page, classifier.predict(SCENES / "beach.webp", field.input_value()))

    def assert_in_sight() -> None:
        assert page.evaluate("scrollY") == 0
        line = page.evaluate(
            """() => document.querySelector('#board .set[data-mode="image"]')
                .getBoundingClientRect().bottom"""
        )
        assert line <= PHONE[1]

    eventually(page, assert_in_sight)


def assert_photo(page, name: str) -> None:
    assert photo_name(page) == name


@pytest.fixture
def touched(browser, opening_url):
    """The page on a phone."""
    size = {"width": PHONE[0], "height": PHONE[1]}
    with browser.new_context(viewport=size, has_touch=True, is_mobile=True) as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE * 1000)
        visit(page, opening_url)
        yield page


def test_a_finger_that_scrolls_over_a_slider_changes_nothing(touched, classifier):
    """A finger that moves it sideways does."""
    page = touched
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
