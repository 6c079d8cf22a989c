"""The Inspect tab: its figures, filters and findings, and opening rows on the Compare board."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, precision_recall_fscore_support
from support.driver import eventually, until, visit
from support.looks import untidy

from clipdemo.inputs.labels import COCO18
from clipdemo.inspection.predictions import STEPS
from clipdemo.inspection.queries import Inspection
from clipdemo.inspection.scored_table import ScoredTable

pytestmark = pytest.mark.browser

NAMES = list(COCO18.names)
TUNED = "tuned per label"


@pytest.fixture(scope="module")
def drawn(classifier, tmp_path_factory):
    """The predictions that the tab must show: the drawn scenes', made in this process."""
    table = ScoredTable(classifier.card, "", "", tmp_path_factory.mktemp("drawn"))
    return table.predictions(lambda: classifier)


@pytest.fixture
def tab(page):
    """The tab, opened, with its first photos."""
    open_inspect(page)
    return page


def open_inspect(page) -> None:
    page.get_by_role("tab", name="Inspect").click()
    page.locator("#inspect .card").first.wait_for()


FIGURES = """() => [...document.querySelectorAll("#inspect .figures tbody tr")].map((row) => [
    row.dataset.label,
    Object.fromEntries([...row.querySelectorAll("td")].map(
        (cell) => [cell.dataset.figure, cell.textContent]))])"""


def figures(page) -> dict[str, dict[str, str]]:
    """Per label the table's figures as they are shown."""
    return dict(page.evaluate(FIGURES))


def expected_figures(drawn, mode, thresholds) -> dict[str, dict[str, str]]:
    """The same from scikit-learn."""
    truth, scores = drawn.truth, drawn.scores[mode] / STEPS
    on = scores >= thresholds
    precision, recall, f1, support = precision_recall_fscore_support(truth, on, zero_division=0)
    shown = {}
    for i, name in enumerate(NAMES):
        found = int((truth[:, i] & on[:, i]).sum())
        shown[name] = {
            "support": str(support[i]), "found": str(found),
            "wrong": str(int(on[:, i].sum()) - found), "missed": str(support[i] - found),
            "precision": f"{precision[i]:.2f}", "recall": f"{recall[i]:.2f}", "f1": f"{f1[i]:.2f}",
            "ap": f"{average_precision_score(truth[:, i], scores[:, i]):.2f}",
        }  # fmt: skip
    return shown


def assert_figures(shown, expected) -> None:
    for name, line in expected.items():
        for key, text in line.items():  # halves may be rounded either way
            assert abs(float(shown[name][key]) - float(text)) < 0.0101, (name, key)
            assert "." in text or shown[name][key] == text, (name, key)


def total(page, number: int) -> None:
    """Wait until the filters have found this many rows."""

    def check() -> None:
        assert page.locator("#inspect .tally").get_attribute("data-total") == str(number)

    eventually(page, check)


def shown_rows(page) -> list[int]:
    return page.locator("#inspect .card").evaluate_all("(c) => c.map((e) => Number(e.dataset.row))")


def test_figures_are_scikit_learns_at_every_threshold(tab, drawn):
    """They follow the slider within the same task, so without a request."""
    for mode in ("image", "text", "concat"):
        tab.locator(f'#inspect .modes [data-mode="{mode}"]').click()
        tuned = drawn.about["modes"][mode]["thresholds"]
        assert_figures(figures(tab), expected_figures(drawn, mode, tuned))
    before = figures(tab)
    tab.locator('#inspect tr[data-label="cat"] .name').click()
    best = tab.get_by_role("button", name="Best F1 here")
    promised = best.inner_text().split()[3]
    best.click()
    assert figures(tab)["cat"]["f1"] == promised
    assert float(promised) >= float(before["cat"]["f1"])
    tab.get_by_role("button", name="Undo").click()
    assert figures(tab) == before
    tab.locator('#inspect tr[data-label="dog"] .name').click()
    tab.get_by_label("Threshold for dog").last.evaluate(
        "(s) => { s.value = 0.9; s.dispatchEvent(new Event('input', {bubbles: true})); }"
    )
    thresholds = np.array(drawn.about["modes"]["concat"]["thresholds"])
    thresholds[NAMES.index("dog")] = 0.9
    assert_figures(figures(tab), expected_figures(drawn, "concat", thresholds))
    after = figures(tab)
    assert {name for name in NAMES if before[name] != after[name]} == {"dog"}


def test_figures_follow_the_slider_and_the_table_is_sorted(tab, drawn):
    slider = tab.get_by_label("Threshold for all labels").last
    for value in (0.05, 0.3, 0.6123, 0.95):
        now = slider.evaluate(
            f"""(s, v) => {{
                s.value = v; s.dispatchEvent(new Event("input", {{ bubbles: true }}));
                return ({FIGURES})();
            }}""",
            value,
        )
        assert_figures(dict(now), expected_figures(drawn, "concat", value))
    errors = ((drawn.scores["concat"] / STEPS >= 0.95) != drawn.truth).any(1)
    total(tab, int(errors.sum()))

    def missed() -> list[int]:
        return [int(line["missed"]) for line in list(figures(tab).values())[1:]]

    tab.locator('#inspect th[data-key="missed"] button').click()
    assert missed() == sorted(missed(), reverse=True)
    tab.locator('#inspect th[data-key="missed"] button').click()
    assert missed() == sorted(missed())
    tab.locator('#inspect th[data-key="label"] button').click()
    assert list(figures(tab))[1:] == sorted(NAMES)
    assert next(iter(figures(tab))) == "", "all labels stay on top"


def test_the_board_and_the_tab_have_the_same_thresholds(tab, drawn):
    tab.get_by_role("tab", name="Compare").click()
    tab.locator("#threshold input").evaluate(
        "(s) => { s.value = 0.2; s.dispatchEvent(new Event('input', {bubbles: true})); }"
    )
    tab.get_by_role("tab", name="Inspect").click()
    assert_figures(figures(tab), expected_figures(drawn, "concat", 0.2))
    tab.locator("#inspect .controls button", has_text="Reset").click()
    tab.get_by_role("tab", name="Compare").click()
    assert tab.locator("#rule").input_value() == "tuned"


def test_a_click_on_a_figure_shows_the_photos_behind_it(tab, drawn):
    tab.locator('#inspect .modes [data-mode="image"]').click()
    on = drawn.scores["image"] / STEPS >= drawn.about["modes"]["image"]["thresholds"]
    for figure, behind in (
        ("missed", drawn.truth & ~on),
        ("wrong", on & ~drawn.truth),
        ("found", on & drawn.truth),
    ):
        name = NAMES[behind.sum(0).argmax()]
        rows = set(np.flatnonzero(behind[:, NAMES.index(name)]).tolist())
        assert rows, "or this shows nothing"
        tab.locator(f'#inspect tr[data-label="{name}"] td[data-figure="{figure}"] button').click()
        total(tab, len(rows))
        eventually(tab, lambda rows=rows: same_rows(tab, rows))


def same_rows(page, rows: set[int]) -> None:
    assert set(shown_rows(page)) <= rows
    assert len(shown_rows(page)) == min(len(rows), 24)


def test_every_filter_counts_what_pandas_counts(tab, drawn):
    """One after the other, each on top of those before."""
    thresholds = {m: np.array(e["thresholds"]) for m, e in drawn.about["modes"].items()}
    on = {m: steps / STEPS >= thresholds[m] for m, steps in drawn.scores.items()}
    one = NAMES.index("dog")
    suspects = Inspection(drawn).suspects
    frame = pd.DataFrame({
        "true": drawn.truth[:, one], "on": on["image"][:, one], "caption": drawn.captions,
        "score": drawn.scores["image"][:, one] / STEPS, "suspect": suspects[:, one],
        "differ": np.ptp([on[m][:, one].astype(int) for m in on], axis=0) > 0,
    })  # fmt: skip
    box = tab.locator("#inspect .filters")
    tab.locator('#inspect .modes [data-mode="image"]').click()
    box.get_by_role("button", name="Clear filters").click()
    total(tab, len(frame))
    box.get_by_label("Label", exact=True).select_option(label="dog")
    total(tab, len(frame))
    box.get_by_label("Outcome").select_option("found")
    frame = frame.query("true and on")
    total(tab, len(frame))
    box.get_by_text("modes disagree").click()
    frame = frame.query("differ")
    total(tab, len(frame))
    box.get_by_label("Highest score").fill("0.99")
    box.get_by_label("Highest score").press("Enter")
    frame = frame.query("score <= 0.99")
    total(tab, len(frame))
    box.get_by_label("Text in the caption").fill("IN ")
    frame = frame[frame["caption"].str.contains("in", case=False)]
    assert len(frame) > 0, "or this shows nothing"
    total(tab, len(frame))
    box.get_by_text("label may be wrong").click()
    total(tab, int(frame["suspect"].sum()))


def test_a_photo_opens_on_the_board_and_back_restores_the_position(tab, drawn, classifier):
    tab.locator('#inspect tr[data-label=""] td[data-figure="missed"] button').click()
    tab.locator('#inspect .modes [data-mode="text"]').click()
    with tab.expect_response(lambda answer: answer.request.post_data_json["text"] == "a"
                             if answer.url.endswith("inspect/rows") else False):  # fmt: skip
        tab.locator("#inspect .filters").get_by_label("Text in the caption").fill("a")
    tab.wait_for_timeout(600)
    cards, text = shown_rows(tab), tab.locator("#inspect .tally").inner_text()
    tab.locator("#inspect .card .open").nth(20).scroll_into_view_if_needed()
    place = tab.evaluate("scrollY")
    assert place > 200
    tab.locator("#inspect .card .open").nth(20).click()
    marked(tab, drawn.true_of(cards[20]))
    assert tab.locator("#caption textarea").input_value() == drawn.captions[cards[20]]
    assert tab.evaluate("scrollY") == 0
    tab.get_by_label("Next row").click()
    marked(tab, drawn.true_of(cards[21]))
    tab.get_by_label("Previous row").click()
    marked(tab, drawn.true_of(cards[20]))
    tab.get_by_label("Back to Inspect").click()
    tab.locator("#inspect .card").first.wait_for()
    eventually(tab, lambda: at(tab, place))
    assert (shown_rows(tab), tab.locator("#inspect .tally").inner_text()) == (cards, text)
    assert tab.locator("#inspect .filters").get_by_label("Outcome").input_value() == "missed"


def at(page, place: float) -> None:
    assert abs(page.evaluate("scrollY") - place) < 2


def marked(page, labels: list[str]) -> None:
    """Wait until the board marks exactly these as true."""

    def check() -> None:
        rows = page.locator("#board .row.true").evaluate_all("(r) => r.map((e) => e.dataset.label)")
        assert set(rows) == set(labels)
        scored = page.locator('#board .cell[data-mode="image"]:not([data-score=""])')
        assert scored.count() == len(NAMES)

    eventually(page, check)


def test_the_map_shows_the_rows_inside_a_lasso(tab):
    tab.locator("#inspect .map summary").click()
    box = tab.locator("#inspect .map .nsewdrag").first
    box.wait_for()
    box.scroll_into_view_if_needed()
    area = box.bounding_box()
    left, top = area["x"] + 4, area["y"] + 4
    right, bottom = area["x"] + area["width"] / 2, area["y"] + area["height"] - 4
    tab.mouse.move(left, top)
    tab.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top)):
        tab.mouse.move(x, y, steps=4)
    tab.mouse.up()
    chosen = tab.locator("#inspect .chosen-rows")
    chosen.wait_for()
    number = int(chosen.inner_text().split()[0])
    assert 10 < number < 150
    tab.locator("#inspect .filters").get_by_label("Outcome").select_option("")
    total(tab, number)
    chosen.click()
    total(tab, 160)


@pytest.mark.parametrize(("width", "theme"), [(1280, "dark"), (390, "light")])
def test_it_is_tidy_on_a_laptop_and_a_phone(page, url, width, theme):
    page.set_viewport_size({"width": width, "height": 860})
    visit(page, f"{url}?__theme={theme}")
    open_inspect(page)
    page.wait_for_timeout(500)
    assert untidy(page) == []


def test_stepping_through_rows_keeps_them_although_thresholds_move(tab):
    """Next and previous step through the rows as they were when the first one was opened."""
    tab.locator("#inspect .card .open").nth(2).click()
    names = tab.locator("#inspect .card").evaluate_all("(c) => c.map((e) => e.dataset.id)")
    walk = tab.locator("#walk")
    eventually(tab, lambda: at_row(walk, names[2]))
    tab.locator("#threshold input").evaluate(
        "(s) => { s.value = 0.7; s.dispatchEvent(new Event('input', {bubbles: true})); }"
    )
    tab.wait_for_timeout(500)
    tab.get_by_label("Next row").click()
    eventually(tab, lambda: at_row(walk, names[3]))
    tab.get_by_label("Back to Inspect").click()
    eventually(tab, lambda: other_rows(tab, names))


def at_row(walk, name: str) -> None:
    assert walk.inner_text().replace("\n", " ").split(", ")[-1].startswith(name)


def other_rows(page, names: list[str]) -> None:
    now = page.locator("#inspect .card").evaluate_all("(c) => c.map((e) => e.dataset.id)")
    assert now != names


def test_an_opened_photo_brings_its_label_its_true_labels_and_its_finding(tab):
    tab.locator('#inspect tr[data-label="dog"] td[data-figure="missed"] button').click()
    tab.locator("#inspect .by-mode").first.wait_for()
    tab.locator("#inspect .card .open").first.click()
    tab.locator('#board [data-label="dog"] .name[aria-pressed="true"]').wait_for()
    assert "dog, missed: 1 of" in tab.locator("#walk").inner_text()
    tab.locator("#walk select").select_option("hard to see")
    tab.get_by_label("Back to Inspect").click()
    card = tab.locator("#inspect .card select").first
    until(lambda: card.input_value() == "hard to see")
    card.select_option("")
    tab.locator("#inspect .download").wait_for(state="hidden")
    tab.locator("#inspect .card .open").first.click()
    tab.locator("#board .row.true").first.wait_for()
    tab.locator("#scenes button").nth(3).click()
    tab.locator("#board .row.true").first.wait_for(state="detached")


def view_of(page) -> tuple[str, str, str]:
    box = page.locator("#inspect .filters")
    return (
        box.get_by_label("Label", exact=True).locator("option:checked").inner_text(),
        box.get_by_label("Outcome").input_value(),
        box.get_by_label("Text in the caption").input_value(),
    )


def test_the_filter_and_the_open_row_are_in_the_address(tab, drawn):
    """A link, a reload and the browser's back and forward restore the view."""
    first = tab.url
    confused = tab.locator("#inspect .confused tbody tr").first
    missed, other, photos = confused.locator("button").all_inner_texts()
    confused.locator("button").last.click()
    total(tab, int(photos))
    assert f"instead: {other}" in tab.locator("#inspect .filters .instead").inner_text()
    tab.locator("#inspect .filters").get_by_label("Text in the caption").fill("A")
    tab.wait_for_function("location.search.includes('text=A')")
    chosen = tab.url, view_of(tab), tab.locator("#inspect .tally").inner_text()
    assert chosen[1] == (missed, "missed", "A")
    tab.locator("#inspect .card .open").first.click()
    walk = tab.locator("#walk")
    eventually(
        tab, lambda: at_row(walk, tab.locator("#inspect .card").first.get_attribute("data-id"))
    )
    row, text = tab.url, walk.locator("span").inner_text()
    assert "row=" in row
    tab.reload()
    eventually(tab, lambda: walks(walk, text))
    tab.go_back()
    tab.locator("#inspect .card").first.wait_for()
    assert (tab.url, view_of(tab)) == chosen[:2]
    eventually(tab, lambda: tallies(tab, chosen[2]))
    tab.go_back()
    eventually(tab, lambda: views(tab, ("any label", "error", "")))
    assert tab.url == first
    tab.go_forward()
    eventually(tab, lambda: views(tab, chosen[1]))
    tab.get_by_role("tab", name="Compare").click()
    tab.wait_for_function("!location.search.includes('inspect')")


def walks(walk, text: str) -> None:
    assert walk.locator("span").inner_text() == text


def tallies(page, text: str) -> None:
    assert page.locator("#inspect .tally").inner_text() == text


def views(page, view: tuple) -> None:
    assert view_of(page) == view


def test_a_review_by_keys(tab):
    """As with a screen reader: the list is an application, and each step is announced."""
    total(tab, 37)
    ids = tab.locator("#inspect .card").evaluate_all("(c) => c.map((e) => e.dataset.id)")
    kinds = tab.locator("#inspect .card .mark select")
    said = tab.locator("#inspect .said")
    assert tab.get_by_role("application").count() == 0
    tab.get_by_role("button", name="Review by keys").click()
    tab.get_by_role("application").wait_for()
    for key, told in (
        ("n", f"2 of 37: {ids[1]}"), ("w", f"{ids[1]}: wrong. 3 of 37: {ids[2]}"),
        ("r", f"{ids[2]}: right. 4 of 37: {ids[3]}"), ("p", f"3 of 37: {ids[2]}"),
        ("u", f"Undone. 3 of 37: {ids[2]}"),
    ):  # fmt: skip
        tab.keyboard.press(key)
        eventually(tab, lambda told=told: says(said, told))
    focused = "document.activeElement.closest('.card').dataset.id"
    assert tab.evaluate(focused) == ids[2]
    assert [kinds.nth(i).input_value() for i in range(4)] == ["", "label wrong", "", ""]
    tab.keyboard.press("o")
    tab.locator("#walk").get_by_text("3 of 37").wait_for()
    tab.go_back()
    eventually(tab, lambda: goes_on(tab, focused, ids[2]))
    tab.keyboard.press("p")
    eventually(tab, lambda: says(said, f"2 of 37: {ids[1]}"))
    tab.keyboard.press("n")
    eventually(tab, lambda: says(said, f"3 of 37: {ids[2]}"))
    tab.evaluate(SLOW, "wrong, sure")
    tab.locator("#inspect .card .mark input").nth(1).fill("wrong, sure")
    assert kinds.nth(1).input_value() == "label wrong", "typing is no review"
    tab.locator("#inspect .card .open").nth(2).focus()
    with tab.expect_request_finished(lambda request: "wrong, sure" in (request.post_data or "")):
        tab.keyboard.press("u")
    tab.locator("#inspect .download").wait_for(state="hidden")
    tab.reload()
    total(tab, 37)
    assert tab.locator("#inspect .download").is_hidden(), "the slow note did not overtake the undo"
    tab.get_by_role("button", name="Review by keys").click()
    tab.get_by_role("application").wait_for()
    tab.keyboard.press("Escape")
    assert tab.get_by_role("application").count() == 0


def goes_on(tab, focused: str, name: str) -> None:
    assert tab.evaluate(focused.replace("closest('.card')", "closest('.card')?")) == name


# Holds requests with a text back.
SLOW = """(text) => {
  const send = window.fetch;
  window.fetch = async (url, options) => {
    if (options?.body?.includes(text)) await new Promise((done) => setTimeout(done, 300));
    return send(url, options);
  };
}"""


def says(said, text: str) -> None:
    assert said.inner_text().startswith(text)


SMALL = """() => [...document.querySelectorAll(
    "#inspect button, #inspect select, #inspect input, #inspect summary")].filter((node) => {
  const { height } = node.getBoundingClientRect();
  const field = node.matches("select, input[type=search], input[type=number], input[type=text]");
  const low = height < 40 && !node.matches("[type=range], [type=checkbox]");
  const zooms = field && parseFloat(getComputedStyle(node).fontSize) < 16;
  return node.checkVisibility() && (low || zooms);
}).map((node) => node.outerHTML.slice(0, 80))"""


@pytest.mark.parametrize("width", [390, 320])
def test_the_figures_and_targets_fit_a_phone(page, url, width):
    page.set_viewport_size({"width": width, "height": 860})
    page.goto(f"{url}?inspect=concat&outcome=missed")
    page.locator("#inspect .card").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    right = page.locator("#inspect .figures").bounding_box()
    cells = page.locator("#inspect .figures tbody tr").first.locator("td:visible").all()
    assert max(c.bounding_box()["x"] + c.bounding_box()["width"] for c in cells) <= (
        right["x"] + right["width"]
    )
    assert page.evaluate(SMALL) == []


def test_the_rows_found_can_be_downloaded(tab, drawn):
    tab.locator('#inspect tr[data-label="cat"] td[data-figure="missed"] button').click()
    on = drawn.scores["concat"] / STEPS >= drawn.about["modes"]["concat"]["thresholds"]
    cat = NAMES.index("cat")
    rows = np.flatnonzero((drawn.truth & ~on)[:, cat])
    total(tab, len(rows))
    with tab.expect_download() as download:
        tab.get_by_role("button", name="Download these rows").click()
    frame = pd.read_csv(download.value.path(), keep_default_na=False).set_index("ImageID")
    assert set(frame.index) == set(drawn.ids[rows])
    for row in rows:
        line = frame.loc[drawn.ids[row]]
        assert line["Labels"].split(";") == drawn.true_of(row)
        said = [name for name, yes in zip(NAMES, on[row], strict=True) if yes]
        assert line["predicted by concat"] == ";".join(said)
        assert float(line["score of cat"]) == drawn.scores["concat"][row, cat] / STEPS
