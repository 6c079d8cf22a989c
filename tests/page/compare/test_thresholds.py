"""Thresholds, rules, order and hiding change at once, without a request."""

import numpy as np
import pytest
from support.driver import (
    LABELS,
    MODES,
    PATIENCE,
    give_photo,
    order,
    read,
    shows,
    visit,
    write_caption,
)
from support.paths import SCENES

from clipdemo.model.thresholds import RULES, decide

pytestmark = pytest.mark.browser

PHOTO = SCENES / "crossing.webp"
CAPTION = "A city bus waits at a traffic light."
SLIDER = "#threshold input[type=range]"

SWEEP = """(slider) => {
  const cells = [...document.querySelectorAll("#board [data-label] [data-mode][data-score]")];
  const stops = new Set(["0", "1"]);
  for (const { dataset } of cells) {
    stops.add(dataset.score);
    stops.add((Number(dataset.score) + 0.0001).toFixed(4));
  }
  const wrong = [];
  for (const stop of [...stops].sort()) {
    slider.value = stop;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    for (const { dataset } of cells) {
      const on = Number(dataset.score) >= Number(stop);
      if (dataset.on !== String(on)) wrong.push([stop, { ...dataset }]);
    }
  }
  return { stops: stops.size, wrong };
}"""


@pytest.fixture(scope="module")
def filled(browser, url, classifier):
    """A page with all three modes filled; every request from then on is recorded."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(PATIENCE * 1000)
    visit(page, url)
    give_photo(page, PHOTO)
    write_caption(page, CAPTION)
    shows(page, classifier.predict(PHOTO, CAPTION))
    page.wait_for_timeout(500)  # until requests about the scores are over
    page.requests = []
    page.on("request", lambda request: page.requests.append(request.url))
    yield page
    page.close()


@pytest.fixture
def board(filled):
    """That page as it was at the start."""
    filled.get_by_role("button", name="Reset").click()
    filled.requests.clear()
    return filled


def values(page, mode: str) -> np.ndarray:
    cells = read(page)
    return np.array([[float(cells[label][mode][0]) for label in LABELS]])


def decisions(page, mode: str) -> list[bool]:
    cells = read(page)
    return [cells[label][mode][1] for label in LABELS]


def assert_cut_at(page, threshold: float) -> None:
    for mode in MODES:
        assert decisions(page, mode) == (values(page, mode) >= threshold)[0].tolist(), mode


def move(page, selector: str, value: float) -> None:
    page.locator(selector).evaluate(
        """(slider, value) => {
          slider.value = value;
          slider.dispatchEvent(new Event("input", { bubbles: true }));
        }""",
        value,
    )


def test_every_cell_flips_exactly_at_its_score_and_nothing_is_requested(board):
    result = board.locator(SLIDER).evaluate(SWEEP)
    assert result["stops"] > 54
    assert result["wrong"] == []
    board.wait_for_timeout(300)
    assert board.requests == []


def test_dragging_with_the_mouse_decides_at_every_step(board):
    slider = board.locator(SLIDER)
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    y = box["y"] + box["height"] / 2
    board.mouse.move(box["x"] + box["width"] / 2, y)
    board.mouse.down()
    seen = []
    for part in (0, 0.2, 0.4, 0.6, 0.8, 1):
        board.mouse.move(box["x"] + part * box["width"], y, steps=3)
        seen.append(float(slider.input_value()))
        assert_cut_at(board, seen[-1])
    board.mouse.up()
    assert seen == sorted(seen)
    assert seen[0] < 0.02
    assert seen[-1] > 0.98
    assert board.requests == []


def test_the_keyboard_moves_the_threshold_and_a_labels_own(board):
    slider = board.locator(SLIDER)
    slider.focus()
    slider.press("Home")
    assert float(slider.input_value()) == 0
    assert all(all(decisions(board, mode)) for mode in MODES)
    for key, times in (("ArrowRight", 7), ("ArrowLeft", 2)):
        for _ in range(times):
            slider.press(key)
    assert 0 < float(slider.input_value()) < 0.5
    assert_cut_at(board, float(slider.input_value()))
    slider.press("End")
    assert float(slider.input_value()) == 1
    assert not any(any(decisions(board, mode)) for mode in MODES)
    marker = board.locator('#board [data-label="bus"] input[type=range]')
    marker.focus()
    for key, on in (("End", False), ("Home", True)):
        marker.press(key)
        assert [cell_on for _, cell_on in read(board)["bus"].values()] == [on] * 3
    assert board.requests == []


@pytest.mark.parametrize("chosen", ["tuned", "fixed"])
def test_a_labels_own_marker_changes_that_label_only(board, chosen):
    board.locator("#rule").select_option(chosen)
    before = read(board)
    marker = '#board [data-label="dog"] input[type=range]'
    for value, on in ((0, True), (1, False)):
        move(board, marker, value)
        after = read(board)
        assert [after["dog"][mode][1] for mode in MODES] == [on] * 3
        assert all(after[label] == before[label] for label in LABELS if label != "dog")
    assert board.requests == []


def test_every_rule_is_offered_and_decides_as_the_python_rule_does(board, classifier):
    offered = board.locator("#rule option").evaluate_all("options => options.map(o => o.value)")
    assert set(offered) == set(RULES)
    for rule in RULES:
        board.locator("#rule").select_option(rule)
        for mode in MODES:
            entry = classifier.card.modes[mode]
            tuned = np.array(entry["recall"]["0.90"] if rule == "recall" else entry["thresholds"])
            expected = decide(values(board, mode), rule, tuned=tuned)[0].tolist()
            assert decisions(board, mode) == expected, (rule, mode)
    board.locator("#rule").select_option("top-k")
    number = board.get_by_label("k: how many labels")
    for k in (5, 1, len(LABELS)):
        number.fill(str(k))
        for mode in MODES:
            expected = decide(values(board, mode), "top-k", k=k)[0].tolist()
            assert decisions(board, mode) == expected, (mode, k)
    assert board.requests == []


def test_a_rule_stays_when_new_scores_come(page, classifier):
    page.locator("#rule").select_option("mcut")
    write_caption(page, "a horse and a dog")
    shows(page, classifier.predict(None, "a horse and a dog"))
    assert page.locator("#rule").input_value() == "mcut"
    assert decisions(page, "text") == decide(values(page, "text"), "mcut")[0].tolist()


def test_reset_restores_the_start(board):
    start, rows = read(board), order(board)
    move(board, SLIDER, 0.03)
    move(board, '#board [data-label="dog"] input[type=range]', 0.01)
    board.locator("#sort").select_option("name")
    assert read(board) != start
    board.get_by_role("button", name="Reset").click()
    assert read(board) == start
    assert order(board) == rows
    assert board.locator("#rule").input_value() == "tuned"


def test_rows_sort_by_score_by_name_and_by_disagreement(board):
    rows = np.concatenate([values(board, mode) for mode in MODES])
    keys = {"score": rows.max(0), "differ": rows.max(0) - rows.min(0)}
    choice = board.locator("#sort")
    choice.select_option("name")
    assert order(board) == sorted(LABELS)
    for name, key in keys.items():
        choice.select_option(name)
        sorted_keys = [key[LABELS.index(label)] for label in order(board)]
        assert sorted_keys == sorted(sorted_keys, reverse=True), name
    assert board.requests == []


def test_labels_that_no_mode_predicts_are_folded_until_requested(board):
    """By its line, or by moving the slider; Reset folds it again."""
    more = board.locator("#board .more")

    def visible() -> list[str]:
        rows = board.locator("#board [data-label]:visible")
        return rows.evaluate_all("rows => rows.map(r => r.dataset.label)")

    said = [label for label, cells in read(board).items() if any(on for _, on in cells.values())]
    assert sorted(visible()) == sorted(said)
    assert more.inner_text() == f"Show all {len(LABELS)} labels"
    more.click()
    assert len(visible()) == len(LABELS)
    more.click()
    assert sorted(visible()) == sorted(said)
    move(board, SLIDER, 0.9)
    assert len(visible()) == len(LABELS)
    board.get_by_role("button", name="Reset", exact=True).click()
    assert sorted(visible()) == sorted(said)
    for label in said:
        move(board, f'#board [data-label="{label}"] input[type=range]', 1)
    own = board.locator("#board .own b").inner_text()
    assert set(visible()) == {*order(board)[:3], own}, "if none is on, the highest ones"
    assert board.requests == []


def test_a_labels_threshold_is_a_number_to_type_and_to_reset(board):
    name = board.locator("#board .row:visible .name").first
    label = name.inner_text()
    name.click()
    number = board.get_by_label(f"Threshold of {label}")
    before = float(number.input_value())
    number.fill("0.01")
    assert all(on for _, on in read(board)[label].values())
    number.fill("1")
    assert not any(on for _, on in read(board)[label].values())
    for typed, kept in (("5", "1.00"), ("-1", "0.00"), ("", "0.00")):
        number.fill(typed)
        number.press("Enter")
        assert number.input_value() == kept
    board.get_by_role("button", name="Undo").click()
    assert float(number.input_value()) == before
    assert board.requests == []
