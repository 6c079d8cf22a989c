"""Exports of the board: labels as text, JSON, and a link that restores it."""

import json
import re
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from support.driver import LABELS, eventually, give_photo, notices, order, read, shows, visit
from support.driver import write_caption as write
from support.paths import SCENES

pytestmark = pytest.mark.browser

CAPTION = "A dog & a boat: 100 % #beach, <b>so</b> they say"


@pytest.fixture
def board(page, classifier):
    """A page with a photo, a caption and their scores, whose clipboard can be read."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    give_photo(page, SCENES / "beach.webp")
    write(page, CAPTION)
    shows(page, classifier.predict(SCENES / "beach.webp", CAPTION))
    return page


def copied(page, button: str) -> str:
    page.get_by_role("button", name=button).click()
    page.locator("#board .share [role=status]:not(:empty)").wait_for()
    return page.evaluate("navigator.clipboard.readText()")


def drag(page, label: str, value: float) -> None:
    page.locator(f'#board [data-label="{label}"] .marker').evaluate(
        "(marker, value) => { marker.value = value;"
        " marker.dispatchEvent(new Event('input', { bubbles: true })); }",
        value,
    )


def on(page, mode: str) -> set[str]:
    return {label for label, cells in read(page).items() if cells[mode][1]}


def test_labels_and_json_are_what_the_board_shows(board, classifier):
    board.locator("#rule").select_option("top-k")
    lines = copied(board, "Copy labels").splitlines()
    titles = {"Image": "image", "Text": "text", "Concat": "concat"}
    for line, (title, mode) in zip(lines, titles.items(), strict=False):
        assert line.startswith(f"{title}: ")
        said = re.sub(r" \d\.\d\d", "", line.removeprefix(f"{title}: ")).split(", ")
        assert set(said) == on(board, mode)
    assert lines[-1] == "Rule: top k 3. Backbone: tiny."
    assert_said_for_a_while(board)
    board.locator("#rule").select_option("fixed")
    board.locator("#threshold input").fill("0.3")
    drag(board, "dog", 0.9)
    with board.expect_download() as found:
        board.locator("#board").get_by_role("button", name="Download JSON").click()
    told = json.loads(Path(found.value.path()).read_text("utf-8"))
    assert (told["photo"], told["caption"]) == ("beach.webp", CAPTION)
    assert (told["rule"], told["threshold"], told["backbone"]) == ("fixed", 0.3, "tiny")
    expected = classifier.predict(SCENES / "beach.webp", CAPTION)
    for mode, scores in told["scores"].items():
        assert scores == pytest.approx(expected.scores[mode], abs=1e-4)
        assert told["thresholds"][mode] == dict.fromkeys(LABELS, 0.3) | {"dog": 0.9}
        assert set(told["labels"][mode]) == on(board, mode)


def assert_said_for_a_while(page) -> None:
    page.clock.install()
    copied(page, "Copy link")
    page.clock.fast_forward(30_000)
    page.locator("#board .share [role=status]:empty").wait_for(state="attached")


def test_a_link_restores_caption_rule_and_dragged_thresholds(board, classifier, visitor):
    board.locator("#rule").select_option("recall")
    board.locator("#recall").select_option("0.80")
    drag(board, "boat", 0.1234)
    link = copied(board, "Copy link")
    assert "not the photo" in board.locator("#board .share").inner_text()
    assert urlsplit(link).query == ""  # what is behind # stays in the browser
    assert "beach.webp" not in link
    other = visitor.new_page()
    visit(other, link)
    shows(other, classifier.predict(None, CAPTION))
    assert other.locator("#caption textarea").input_value() == CAPTION
    assert other.locator("#rule").input_value() == "recall"
    assert other.locator("#recall").input_value() == "0.80"
    assert_marker(other, "boat", 0.1234)
    assert on(other, "text") == on(board, "text")


def test_a_link_in_an_open_page_restores_the_rules_number_and_typed_labels(page, classifier):
    for rule, control, value in (
        ("fixed", "#threshold input", "threshold=0.42"),
        ("top-k", "#board [aria-label^=k]", "k=5"),
        ("mcut", None, ""),
    ):
        page.evaluate(f"location.hash = 'caption=a+dog&rule={rule}&{value}'")
        shows(page, classifier.predict(None, "a dog"))
        eventually(page, lambda rule=rule: assert_rule(page, rule))
        if control:
            assert page.locator(control).input_value() == value.partition("=")[2]
    page.evaluate("location.hash = 'caption=a+dog&labels=red+bus&own=0.25:red+bus'")
    page.locator('#board [data-label="red bus"]').wait_for()
    eventually(page, lambda: assert_marker(page, "red bus", 0.25))


def test_a_link_brings_the_scene_and_says_which_model_it_was_made_with(page, visitor, classifier):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("#scenes button").first.click()
    scene = SCENES / "beach.webp"
    shows(
        page, classifier.predict(scene, page.locator("#scenes button").first.get_attribute("title"))
    )
    write(page, CAPTION)
    shows(page, classifier.predict(scene, CAPTION))
    link = copied(page, "Copy link")
    assert "not the photo" not in page.locator("#board .share").inner_text()
    other = visitor.new_page()
    visit(other, link.replace("backbone=tiny", "backbone=ViT-B-32%2Fopenai"))
    shows(other, classifier.predict(scene, CAPTION))
    said = other.locator("#board .share").inner_text()
    assert "made with ViT-B-32/openai; this page uses tiny" in said


def assert_rule(page, rule: str) -> None:
    assert page.locator("#rule").input_value() == rule


def assert_marker(page, label: str, value: float) -> None:
    marker = page.locator(f'#board [data-label="{label}"] .marker')
    assert float(marker.input_value()) == pytest.approx(value)


HOSTILE = {
    "markup": f"caption={quote('<img src=x onerror=window.__pwned=1> ${window.__pwned=1}')}",
    "rule": "caption=a&rule=__proto__&threshold=constructor",
    "selector": "rule=tuned%5D%22%27",
    "numbers": "rule=fixed&threshold=1e999&k=-5&recall=NaN&own=2:dog&own=:cat&own=x",
    "labels": "rule=tuned&own=0.1:__proto__&own=0.2:constructor&own=0.3:no such label",
    "broken": "rule=%E0%A4%A&caption=%",
    "long": f"caption={'dog' * 5000}",
    "half": f"caption={quote('a' * 1999 + '😀😀')}",
    "another's": "section-2",
    "many": "rule=tuned&" + "&".join(["own=0.5:dog"] * 2000),
}


FOLLOW = """(link) => new Promise((done) => {
  window.addEventListener("hashchange", () => setTimeout(done), { once: true });
  location.hash = link;
})"""


def test_a_hostile_link_is_harmless(visitor, url):
    """When the page opens with it, and each of them in an open page."""
    page = visitor.new_page()
    visit(page, f"{url}#{HOSTILE['markup']}")
    assert_harmless(page, "markup")
    for kind, link in HOSTILE.items():
        page.evaluate(FOLLOW, "rule=tuned")
        page.locator('#board [data-label="horse"] [data-mode=text][data-on="false"]').wait_for()
        page.evaluate(FOLLOW, link)
        assert_harmless(page, kind)
    assert visitor.failures == []


def assert_harmless(page, kind: str) -> None:
    page.locator("#board .verdict").wait_for()
    rule = page.locator("#rule").input_value()
    assert rule == ("fixed" if kind == "numbers" else "tuned"), kind
    assert 0 <= float(page.locator("#threshold input").input_value()) <= 1, kind
    assert len(page.locator("#caption textarea").input_value()) <= 2000, kind
    assert sorted(order(page)) == sorted(LABELS), kind
    write(page, "a horse")
    page.locator('#board [data-label="horse"] [data-mode=text][data-on="true"]').wait_for()
    assert page.evaluate("window.__pwned === undefined"), kind
    assert page.locator("img[src=x]").count() == 0, kind
    assert notices(page) == [], kind


def test_if_a_browser_cannot_copy_the_text_is_shown(page):
    """As over plain http from another machine."""
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.get_by_role("button", name="Copy link").click()
    shown = page.get_by_label("Copy it from here")
    assert parse_qs(urlsplit(shown.input_value()).fragment) == {
        "rule": ["tuned"],
        "backbone": ["tiny"],
    }


def test_work_on_a_page_that_a_link_opened_outlives_a_reload(visitor, url, classifier):
    page = visitor.new_page()
    visit(page, f"{url}#caption=a+dog&rule=top-k&k=2")
    shows(page, classifier.predict(None, "a dog"))
    give_photo(page, SCENES / "harbour.webp")
    write(page, "a red boat")
    shows(page, classifier.predict(SCENES / "harbour.webp", "a red boat"))
    page.reload()
    shows(page, classifier.predict(SCENES / "harbour.webp", "a red boat"))


def test_a_link_pasted_into_an_open_page_brings_its_scene(page, classifier):
    page.evaluate("location.hash = 'caption=a+dog&scene=station'")
    shows(page, classifier.predict(SCENES / "station.webp", "a dog"))
