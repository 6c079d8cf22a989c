"""The Inspect tab: its figures, filters, map and downloads."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, precision_recall_fscore_support
from support.driver import eventually, open_inspect, visit
from support.looks import untidy

from clipdemo.inputs.labels import COCO18
from clipdemo.inspection.predictions import STEPS
from clipdemo.inspection.queries import Inspection

pytestmark = pytest.mark.browser

NAMES = list(COCO18.names)
TUNED = "tuned per label"


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
    assert_figures_follow_the_slider(tab, drawn)
    assert_sorted(tab)
    tab.locator("#inspect .controls button", has_text="Reset").click()
    assert_figures_of_tuned_and_dragged_thresholds(tab, drawn)
    tab.locator("#inspect .controls button", has_text="Reset").click()
    assert_the_board_has_the_same_thresholds(tab, drawn)


def assert_figures_of_tuned_and_dragged_thresholds(tab, drawn) -> None:
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


def assert_figures_follow_the_slider(tab, drawn) -> None:
    """Within the same task, so without a request."""
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


def assert_sorted(tab) -> None:
    def missed() -> list[int]:
        return [int(line["missed"]) for line in list(figures(tab).values())[1:]]

    tab.locator('#inspect th[data-key="missed"] button').click()
    assert missed() == sorted(missed(), reverse=True)
    tab.locator('#inspect th[data-key="missed"] button').click()
    assert missed() == sorted(missed())
    tab.locator('#inspect th[data-key="label"] button').click()
    assert list(figures(tab))[1:] == sorted(NAMES)
    assert next(iter(figures(tab))) == "", "all labels stay on top"


def assert_the_board_has_the_same_thresholds(tab, drawn) -> None:
    tab.get_by_role("tab", name="Compare").click()
    tab.locator("#threshold input").evaluate(
        "(s) => { s.value = 0.2; s.dispatchEvent(new Event('input', {bubbles: true})); }"
    )
    tab.get_by_role("tab", name="Inspect").click()
    assert_figures(figures(tab), expected_figures(drawn, "concat", 0.2))
    tab.locator("#inspect .controls button", has_text="Reset").click()
    tab.get_by_role("tab", name="Compare").click()
    assert tab.locator("#rule").input_value() == "tuned"


def test_rows_are_found_by_figures_filters_and_a_lasso_and_can_be_downloaded(tab, drawn):
    assert_a_figure_shows_the_photos_behind_it(tab, drawn)
    assert_every_filter_counts_what_pandas_counts(tab, drawn)
    tab.get_by_role("button", name="Clear filters").click()
    tab.locator('#inspect .modes [data-mode="concat"]').click()
    assert_the_rows_can_be_downloaded(tab, drawn)
    tab.get_by_role("button", name="Clear filters").click()
    tab.locator("#inspect .filters").get_by_label("Outcome").select_option("error")
    assert_a_lasso_chooses_rows(tab)


def assert_a_figure_shows_the_photos_behind_it(tab, drawn) -> None:
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


def assert_every_filter_counts_what_pandas_counts(tab, drawn) -> None:
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


def assert_a_lasso_chooses_rows(tab) -> None:
    """On the map, and the list shows them."""
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


SMALL = """() => [...document.querySelectorAll(
    "#inspect button, #inspect select, #inspect input, #inspect summary")].filter((node) => {
  const { height } = node.getBoundingClientRect();
  const field = node.matches("select, input[type=search], input[type=number], input[type=text]");
  const low = height < 40 && !node.matches("[type=range], [type=checkbox]");
  const zooms = field && parseFloat(getComputedStyle(node).fontSize) < 16;
  return node.checkVisibility() && (low || zooms);
}).map((node) => node.outerHTML.slice(0, 80))"""


def test_the_figures_and_targets_fit_a_phone(page, url):
    for width in (390, 320):
        page.set_viewport_size({"width": width, "height": 860})
        if width == 390:
            page.goto(f"{url}?inspect=concat&outcome=missed")
            page.locator("#inspect .card").first.wait_for()
        eventually(page, lambda width=width: assert_fits(page, width))


def assert_fits(page, width: int) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
    right = page.locator("#inspect .figures").bounding_box()
    cells = page.locator("#inspect .figures tbody tr").first.locator("td:visible").all()
    assert max(c.bounding_box()["x"] + c.bounding_box()["width"] for c in cells) <= (
        right["x"] + right["width"]
    ), width
    assert page.evaluate(SMALL) == [], width
    heads = page.locator("#inspect .figures thead button:visible")
    assert heads.evaluate_all("(all) => all.every((b) => b.scrollWidth <= b.clientWidth)"), width


def assert_the_rows_can_be_downloaded(tab, drawn) -> None:
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
