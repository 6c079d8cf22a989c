"""Effects of words, moved scores, the fit of photo and caption, and regions of the photo."""

import json

import pytest
from gradio_client import Client, handle_file
from support.driver import (
    LABELS,
    eventually,
    give_photo,
    notices,
    read,
    remove_photo,
    shows,
    write_caption,
)
from support.paths import SCENES

from clipdemo.model import attribution

pytestmark = pytest.mark.browser

PHOTO = SCENES / "beach.webp"
CAPTION = "A woman walks past a bench"
WITHOUT = "A woman walks past a"
HOSTILE = "<img src=x onerror=window.__pwned=1> ${window.__pwned=1} {{7*7}} \u202edog\u202c"


@pytest.fixture
def board(page, classifier):
    """The page with the beach and its caption, scored, with the caption's words."""
    give_photo(page, PHOTO)
    shows(page, classifier.predict(PHOTO))
    write_caption(page, CAPTION)
    shows(page, classifier.predict(PHOTO, CAPTION))
    words(page, CAPTION.split())
    return page


def words(page, expected: list[str]) -> None:
    """Wait for the words' buttons."""

    def check() -> None:
        assert page.evaluate(WORDS) == expected

    eventually(page, check)


WORDS = """() => [...document.querySelectorAll("#words .words button")].map(
  (b) => b.firstChild.data)"""

# Per label and mode: [old score, difference] as the marks say.
GHOSTS = """() => [...document.querySelectorAll("#board .ghost")].map((g) => {
  const row = g.closest("[data-label]"), mode = g.closest("[data-mode]").dataset.mode;
  return [row.dataset.label, mode, Number(g.dataset.before),
    Number(row.querySelector(`.delta.${mode}`).dataset.moved)];
})"""


def ghosts(page, before, after) -> None:
    """Wait until the marks are at `before`'s scores, with the differences to those of `after`."""
    expected = {
        (label, mode): (score, after.scores[mode][label] - score)
        for mode, scores in before.scores.items()
        for label, score in scores.items()
        if mode in after.scores
    }

    def check() -> None:
        found = {(label, mode): pair for label, mode, *pair in page.evaluate(GHOSTS)}
        for key, (score, moved) in expected.items():
            if abs(moved) > 0.0051:
                assert found[key] == pytest.approx([score, moved], abs=2e-4)
            elif abs(moved) < 0.0049:
                assert key not in found

    eventually(page, check)


def choose(page, panel: str, what: str, value: str) -> None:
    page.locator(f"#{panel} select[aria-label^={what}]").select_option(value)


def click_word(page, at: int) -> None:
    page.locator("#words .words button").nth(at).click()


def test_words_that_are_off_move_text_and_concat_and_not_the_photos_row(board, classifier):
    where = """[...document.querySelectorAll('#board [data-label]')].map((r) => r.offsetTop)
        .filter(Boolean).sort((a, b) => a - b)"""
    before, places = read(board), board.evaluate(where)
    last = board.locator("#words .words button").last
    last.focus()
    last.press("Enter")
    off = classifier.predict(PHOTO, WITHOUT)
    shows(board, off)
    assert board.evaluate("document.activeElement.closest('.words') !== null")
    after = read(board)
    assert all(before[label]["image"] == after[label]["image"] for label in LABELS)
    assert before["bench"]["text"] != after["bench"]["text"]
    assert before["bench"]["concat"] != after["bench"]["concat"]
    assert board.locator("#caption textarea").input_value() == CAPTION
    ghosts(board, classifier.predict(PHOTO, CAPTION), off)
    assert board.evaluate(GHOSTS)
    assert board.evaluate(where)[: len(places)] == places, "marks and words make nothing jump"
    words(board, CAPTION.split())
    click_word(board, 1)
    shows(board, classifier.predict(PHOTO, "A walks past a"))
    for at in (0, 2, 3, 4):
        click_word(board, at)
    shows(board, classifier.predict(PHOTO))
    write_caption(board, "a red boat")
    shows(board, classifier.predict(PHOTO, "a red boat"))
    words(board, ["a", "red", "boat"])
    assert board.locator("#words button[aria-pressed=false]").count() == 0


def test_a_photo_and_its_caption_are_explained(board, classifier):
    """By tinted words, a map and a gauge; without the photo, gauge and map are gone."""
    assert_gauge(board, classifier)
    assert_tinted(board, classifier)
    assert_the_map_follows(board, classifier)
    remove_photo(board)
    eventually(board, lambda: assert_no_gauge(board))
    give_photo(board, SCENES / "station.webp")
    board.locator("#photo canvas").wait_for(state="hidden")


def assert_tinted(board, classifier) -> None:
    """Each by its effect on the label that was clicked on the board, in each mode."""
    expected = attribution.words(classifier, PHOTO, CAPTION)
    board.locator("#board .row .name", has_text="bench").click()
    for mode in ("text", "concat"):
        choose(board, "words", "Mode", mode)
        found = board.evaluate(
            '[...document.querySelectorAll("#words [data-effect]")].map((b) => +b.dataset.effect)'
        )
        assert found == pytest.approx([w.effects[mode]["bench"] for w in expected], abs=2e-4)
        tints = board.evaluate(
            """[...document.querySelectorAll("#words [data-effect]")].map(
            (b) => b.style.getPropertyValue("--strength"))"""
        )
        assert tints[-1] == max(tints, key=lambda tint: int(tint[:-1]))
    choose(board, "words", "Label", "person")
    assert board.locator("#board [aria-pressed=true]").inner_text() == "person"
    assert board.locator("#region select").first.input_value() == "person"


def test_marks_show_the_scores_before_an_edit_until_dismissed(board, classifier):
    first = classifier.predict(PHOTO, CAPTION)
    write_caption(board, "a small white boat")
    second = classifier.predict(PHOTO, "a small white boat")
    shows(board, second)
    ghosts(board, first, second)
    assert board.evaluate(GHOSTS)
    assert board.locator("#dismiss").is_visible()
    board.locator("#dismiss").click()
    assert board.evaluate(GHOSTS) == []
    assert not board.locator("#dismiss").is_visible()
    write_caption(board, "a dog")
    shows(board, classifier.predict(PHOTO, "a dog"))
    ghosts(board, second, classifier.predict(PHOTO, "a dog"))
    other = SCENES / "station.webp"
    remove_photo(board)
    give_photo(board, other)
    shows(board, classifier.predict(other, "a dog"))
    assert board.evaluate(GHOSTS) == [], "another photo is not compared with the last one"


def assert_gauge(board, classifier) -> None:
    """It places photo and caption among the validation pairs."""
    found = attribution.fit(classifier, PHOTO, CAPTION)
    sentence = f"match better than {round(100 * found.better_than)}%"

    def check() -> None:
        text = board.locator("#words .fits").inner_text()
        assert sentence in text
        assert f"{found.similarity:.2f}" in text

    eventually(board, check)
    assert board.locator("#words .gauge b").is_visible()


def assert_no_gauge(page) -> None:
    assert page.locator("#words .gauge b").count() == 0


def test_words_without_a_photo_have_no_map_and_hostile_ones_are_only_text(page, classifier):
    write_caption(page, "a dog")
    shows(page, classifier.predict(None, "a dog"))
    words(page, ["a", "dog"])
    assert not page.locator("#region .start").is_visible()
    assert notices(page) == []
    write_caption(page, HOSTILE)
    shows(page, classifier.predict(None, HOSTILE))
    words(page, HOSTILE.replace("\u202e", "").replace("\u202c", "").split())
    click_word(page, 0)
    shows(page, classifier.predict(None, HOSTILE.split(" ", 1)[1]))
    assert page.evaluate("window.__pwned === undefined")
    assert page.locator("img[src=x]").count() == 0
    assert_one_word_has_no_question(page, classifier)
    assert_hebrew_is_read_from_the_right(page, classifier)


def assert_one_word_has_no_question(page, classifier) -> None:
    assert page.locator("#words select").first.is_visible()
    write_caption(page, "dog")
    shows(page, classifier.predict(None, "dog"))
    words(page, ["dog"])
    assert not page.locator("#words select").first.is_visible()


def assert_hebrew_is_read_from_the_right(page, classifier) -> None:
    """Field and words; their numbers are read from the left."""
    caption = "כלב bus אדום ורכבת"
    write_caption(page, caption)
    shows(page, classifier.predict(None, caption))
    words(page, caption.split())
    buttons = page.locator("#words .words button")
    assert buttons.first.bounding_box()["x"] > buttons.last.bounding_box()["x"]
    buttons.first.press("ArrowLeft")
    assert buttons.nth(1).evaluate("button => button === document.activeElement")
    number = page.locator("#words .words small").first
    assert number.evaluate("number => getComputedStyle(number).direction") == "ltr"
    field = page.locator("#caption textarea")
    assert field.evaluate("field => getComputedStyle(field).unicodeBidi") == "plaintext"


def test_typed_labels_with_markup_or_a_name_of_every_script_object_are_text(board, classifier):
    """They were not there before the caption changed, so they have no previous score."""
    write_caption(board, "a dog")
    shows(board, classifier.predict(PHOTO, "a dog"))
    label = "<img src=x onerror=window.__pwned=1>"
    board.locator("#own-labels textarea").fill(f"{label}, constructor")
    board.locator("#board [data-label=constructor] [data-mode=text][data-on]").wait_for()
    assert board.evaluate(GHOSTS)
    assert board.locator('#board [data-label=constructor] .cell:not([data-score=""])').count() == 3
    assert board.locator("#board [data-label=constructor] .ghost").count() == 0
    board.locator("#board .row", has_text=label).locator(".name").click()
    show(board, "image")
    assert label in board.locator("#region .legend").inner_text()
    assert board.evaluate("window.__pwned === undefined")
    assert board.locator("img[src=x]").count() == 0


def show(page, mode: str) -> None:
    choose(page, "region", "Mode", mode)
    page.locator("#region .start").click()
    page.locator("#photo canvas").wait_for()


HEAT = """() => {
  const heat = document.querySelector("#photo canvas");
  const { data } = heat.getContext("2d").getImageData(0, 0, heat.width, heat.height);
  const cells = [...Array(heat.width * heat.height).keys()];
  const warm = cells.map((i) => data[4 * i] - data[4 * i + 2]);
  const at = warm.indexOf(Math.max(...warm));
  return [heat.width, heat.height, at % heat.width, Math.floor(at / heat.width)];
}"""


# Left, top, width and height of the photo, which is centred in its field, and of the map.
PHOTO_AND_HEAT = """() => {
  const [photo, heat] = ["img", "canvas"].map((of) => document.querySelector(`#photo ${of}`));
  const [box, map] = [photo, heat].map((node) => node.getBoundingClientRect());
  const scale = Math.min(box.width / photo.naturalWidth, box.height / photo.naturalHeight);
  const [width, height] = [photo.naturalWidth * scale, photo.naturalHeight * scale];
  const left = box.left + (box.width - width) / 2, top = box.top + (box.height - height) / 2;
  return [[left, top, width, height], [map.left, map.top, map.width, map.height]];
}"""


def assert_the_map_follows(board, classifier) -> None:
    """It is that of label and mode, and fades."""
    board.locator("#board .row .name", has_text="bench").click()
    show(board, "image")
    assert_map(board, attribution.regions(classifier, PHOTO, CAPTION, "image", "bench"))
    fader = board.locator("#region input[type=range]")
    for value in ("0", "1"):
        fader.fill(value)
        opacity = 'getComputedStyle(document.querySelector("#photo canvas")).opacity'
        assert board.evaluate(opacity) == value
    choose(board, "region", "Label", "boat")  # follows without another click
    boat = attribution.regions(classifier, PHOTO, CAPTION, "image", "boat")
    eventually(board, lambda: assert_map(board, boat))
    choose(board, "region", "Mode", "concat")
    both = attribution.regions(classifier, PHOTO, CAPTION, "concat", "boat")
    eventually(board, lambda: assert_map(board, both))


def assert_map(page, expected) -> None:
    legend = page.locator("#region .legend").inner_text()
    assert f"{expected.mode.capitalize()} score of {expected.label}:" in legend
    assert f"{expected.score:.2f}" in legend
    y, x = divmod(int(expected.effects.argmax()), attribution.CELLS)
    assert page.evaluate(HEAT) == [attribution.CELLS, attribution.CELLS, x, y]
    photo, heat = page.evaluate(PHOTO_AND_HEAT)
    assert heat == pytest.approx(photo, abs=1), "the map lies on the whole photo"


def test_a_map_can_be_cancelled_and_asked_for_again(page, classifier, tmp_path):
    from clipdemo.scenes import random_scene

    random_scene(77).image.save(tmp_path / "new.png")  # its covered photos are not cached
    give_photo(page, tmp_path / "new.png")
    shows(page, classifier.predict(tmp_path / "new.png"))
    page.locator("#region .start").click()
    page.locator("#region progress[value]").wait_for()
    page.locator("#region .stop").click()
    assert page.locator("#region [role=status]").inner_text() == "Cancelled."
    assert not page.locator("#photo canvas").is_visible()
    write_caption(page, "a dog")
    shows(page, classifier.predict(tmp_path / "new.png", "a dog"))
    show(page, "image")


@pytest.fixture(scope="module")
def client(url):
    return Client(url, verbose=False)


def test_the_endpoints_give_what_the_classifier_gives(client, classifier):
    found = client.predict(handle_file(PHOTO), CAPTION, api_name="/words")
    expected = attribution.words(classifier, PHOTO, CAPTION)
    assert [word["word"] for word in found["words"]] == CAPTION.split()
    for word, own in zip(found["words"], expected, strict=True):
        assert word["effects"]["concat"] == pytest.approx(own.effects["concat"], abs=1e-4)
    fit = attribution.fit(classifier, PHOTO, CAPTION)
    assert found["fit"]["similarity"] == pytest.approx(fit.similarity, abs=1e-4)
    found = client.predict(handle_file(PHOTO), CAPTION, "concat", "bench", api_name="/regions")
    expected = attribution.regions(classifier, PHOTO, CAPTION, "concat", "bench")
    for row, own in zip(found["effects"], expected.effects, strict=True):
        assert row == pytest.approx(own.tolist(), abs=1e-4)
    assert json.dumps(found)
