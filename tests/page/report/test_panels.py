"""The report's panels: the sources of their figures, and names that stay plain text."""

import json
import re

import pytest
from support.made_report import made_report

from clipdemo.page.report import charts
from clipdemo.page.report.file import report_html
from clipdemo.page.report.panels import page, panels
from clipdemo.study.published import NOTE

PANELS = [
    "orderings", "schedule", "curves", "grid", "warmup", "encodings", "augmentation", "baselines",
    "captions-alone", "labels", "precision-recall", "reliability", "adds",
]  # fmt: skip
HOSTILE = (
    "<img src=x onerror=alert(1)>", "</script><script>alert(1)</script>", "{{7*7}} ${7*7}",
    "<b>bold</b><br>two", "%{y} &amp; &lt;i&gt;", "7", "2026-01-02", "x" * 300, "a\nb",
)  # fmt: skip


@pytest.fixture(scope="module")
def shown():
    return panels(made_report())


@pytest.fixture(scope="module")
def hostile():
    """The content of a page with hostile names."""
    return page(made_report(HOSTILE))


def test_every_panel_names_its_runs_and_data(shown):
    assert [panel["id"] for panel in shown] == PANELS
    for panel in shown:
        source = panel["source"]
        assert "captions.csv with photos.zip" in source, panel["id"]
        if panel["id"] == "schedule":
            assert "500 training rows" in source
        else:
            assert all(word in source for word in ("tiny", "every:6:1", "100")), source
        if panel["id"] in PANELS[2:9]:
            assert re.match(r"From \d+ [\w -]+ runs, seeds 0, 1, 2: ", source), source


def test_it_begins_with_what_was_tried_what_held_and_what_did_not():
    report = made_report()
    held = [ordering["claim"] for ordering in report["orderings"] if ordering["holds"] is True]
    (tried, what), (holds, claims), (other, rest) = page(report)["summary"]
    assert (tried, holds, other) == ("Tried", "Held", "Did not")
    assert "captions.csv with photos.zip" in what
    assert claims.startswith(f"{len(held)} of ")
    for ordering in report["orderings"]:
        assert (ordering["claim"] in claims) == (ordering["claim"] in held)
        assert (ordering["claim"] in rest) == (ordering["holds"] in (False, "within the spread"))


def test_every_chart_has_its_values_in_words(shown):
    figures = [f for panel in shown for v in panel["variants"] for f in v["figures"]]
    for figure in figures:
        assert re.search(r"\d", figure["text"]), figure["text"]


def test_published_figures_are_marked_as_from_another_backbone_and_split(shown):
    with_them = {panel["id"] for panel in shown if NOTE in panel["source"]}
    assert with_them == {"orderings", "labels"}


def test_every_chart_fits_any_background(shown):
    figures = [f for panel in shown for v in panel["variants"] for f in v["figures"]]
    assert len(figures) > len(shown)
    for figure in figures:
        layout = figure["layout"]
        assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "rgba(0,0,0,0)"
        assert "color" not in layout["font"]
        assert figure["data"]


def test_the_reliability_chart_has_a_diagonal():
    (line,) = charts.reliability(made_report()).layout.shapes
    assert line.type == "line"
    assert (line.x0, line.y0, line.x1, line.y1) == (0, 0, 1, 1)


def test_the_axis_of_the_grid_begins_just_below_its_lowest_seed():
    figure = charts.grid(made_report())
    low, high = figure.layout.yaxis.range
    means = [mean for trace in figure.data for mean in trace.y]
    assert 0 < low < min(means) <= max(means) < high


def test_a_report_of_photos_alone_has_no_panel_that_needs_captions():
    report = made_report(("cow", "red bus"), ("image",))
    report["runs"] = [run for run in report["runs"] if run["mode"] == "image"]
    report["curves"] = [curve for curve in report["curves"] if curve["mode"] == "image"]
    report["about"]["photos"] = ""
    found = {panel["id"]: panel for panel in panels(report)}
    assert set(found) == {
        "orderings", "schedule", "curves", "encodings", "captions-alone", "labels",
        "precision-recall", "reliability",
    }  # fmt: skip
    columns = found["labels"]["variants"][0]["tables"][0]["columns"]
    assert columns == ["label", "F1", "precision", "recall", "AP", "rows"]
    assert not any(NOTE in panel["source"] for panel in found.values())


def texts(value: object):
    """Every text that Plotly may interpret as HTML."""
    if isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str):
        yield value


def test_names_are_escaped_for_plotly_and_stay_as_they_are_in_tables(hostile):
    for panel in hostile["panels"]:
        for variant in panel["variants"]:
            for text in texts(variant["figures"]):
                assert "<" not in re.sub("<br>|<extra></extra>", "", text), text
    labels = next(panel for panel in hostile["panels"] if panel["id"] == "labels")
    rows = labels["variants"][0]["tables"][0]["rows"]
    assert [row[0] for row in rows[2:]] == list(HOSTILE)


def test_names_do_not_end_the_script_that_carries_them(hostile):
    content = re.search(
        '<script type="application/json" id="content">(.*?)</script>',
        report_html(made_report(HOSTILE)),
        re.S,
    )[1]
    assert "<" not in content
    assert json.loads(content) == json.loads(json.dumps(hostile))
