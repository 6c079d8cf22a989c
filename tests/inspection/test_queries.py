"""Error analysis: counts, filters and their order, against scikit-learn and plain pandas."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, precision_recall_fscore_support

from clipdemo.inspection.predictions import MISSING, STEPS, Predictions, first_step, in_steps
from clipdemo.inspection.queries import NOTHING, Inspection, Query

LABELS = ["dog", "cat", "bus"]
MODES = ("image", "text", "concat")
WORDS = ("a", "dog", "on", "the", "red", "Bench", "near", "Water", "and", "people")


def made(rows: int = 300, seed: int = 0) -> Predictions:
    """Random predictions; a third of the rows has no caption."""
    rng = np.random.default_rng(seed)
    truth = rng.random((rows, len(LABELS))) < 0.3
    scores = {
        mode: in_steps(np.clip(truth * 0.3 + rng.random(truth.shape) * 0.7, 0, 1)) for mode in MODES
    }
    for mode in ("text", "concat"):
        scores[mode][::3] = MISSING
    captions = [" ".join(rng.choice(WORDS, 5)) if row % 3 else "" for row in range(rows)]
    entry = {"thresholds": [0.5, 0.4, 0.6], "recall": {}}
    about = {"backbone": "tiny", "head": "trained", "labels": LABELS}
    about |= {"modes": dict.fromkeys(MODES, entry)}
    ids = pd.Series([f"{row}.jpg" for row in range(rows)])
    return Predictions(ids, pd.Series(captions), truth, scores, about)


@pytest.fixture(scope="module")
def found() -> Predictions:
    return made()


@pytest.fixture(scope="module")
def inspection(found) -> Inspection:
    return Inspection(found)


def query(mode: str = "image", **filters) -> Query:
    thresholds = {"image": [0.5, 0.4, 0.6], "text": [0.3, 0.5, 0.5], "concat": [0.45] * 3}
    return Query(mode, {m: np.array(cut) for m, cut in thresholds.items()}, **filters)


def table(found: Predictions, mode: str) -> pd.DataFrame:
    """One line per row and label, the plain way."""
    cuts = query().thresholds
    lines = []
    for row in range(len(found.ids)):
        for label in range(len(LABELS)):
            steps = {m: found.scores[m][row, label] for m in MODES}
            known = {m: s for m, s in steps.items() if s != MISSING}
            on = {m: s / STEPS >= cuts[m][label] for m, s in known.items()}
            lines.append({
                "row": row, "label": label, "true": found.truth[row, label],
                "known": mode in known, "score": known.get(mode, 0) / STEPS,
                "on": on.get(mode, False), "differ": len(set(on.values())) > 1,
                "caption": found.captions[row], "cut": cuts[mode][label],
            })  # fmt: skip
    return pd.DataFrame(lines)


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_step_reaches_a_threshold_exactly_where_the_score_does(score, threshold):
    step = int(in_steps(np.array([score]))[0])
    assert (step >= first_step(np.array([threshold]))[0]) == (step / STEPS >= threshold)


@pytest.mark.parametrize("mode", MODES)
def test_figures_from_the_counts_are_scikit_learns(found, inspection, mode):
    """The page computes all its figures from these counts."""
    counts = inspection.counts()[list(MODES).index(mode)]
    cuts = query().thresholds[mode]
    known = found.scores[mode][:, 0] != MISSING
    truth, scores = found.truth[known], found.scores[mode][known] / STEPS
    expected = precision_recall_fscore_support(truth, scores >= cuts, zero_division=0)
    for label, step in enumerate(first_step(cuts)):
        false, right = counts[label, :, step:].sum(1)
        support = counts[label, 1].sum()
        assert support == expected[3][label]
        assert right / (right + false) == pytest.approx(expected[0][label])
        assert right / support == pytest.approx(expected[1][label])
        above = counts[label, :, ::-1].cumsum(1)
        gained = counts[label, 1, ::-1] / support
        ap = (gained * above[1] / np.maximum(above.sum(0), 1)).sum()
        assert ap == pytest.approx(average_precision_score(truth[:, label], scores[:, label]))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("label", [None, 1])
@pytest.mark.parametrize(
    ("filters", "condition"),
    [
        ({}, "known"),
        ({"outcome": "found"}, "known & true & on"),
        ({"outcome": "false"}, "known & ~true & on"),
        ({"outcome": "missed"}, "known & true & ~on"),
        ({"outcome": "error"}, "known & (true != on)"),
        ({"disagree": True}, "known & differ"),
        ({"low": 0.25, "high": 0.5}, "known & score >= 0.25 & score <= 0.5"),
        ({"text": "red b"}, "known & caption.str.lower().str.contains('red b', regex=False)"),
        (
            {"outcome": "missed", "disagree": True, "low": 0.1, "text": "DOG"},
            "known & true & ~on & differ & score >= 0.1 & caption.str.contains('dog')",
        ),
    ],
)
def test_every_filter_finds_what_a_pandas_query_finds(
    found, inspection, mode, label, filters, condition
):
    plain = table(found, mode)
    if label is not None:
        plain = plain[plain["label"] == label]
    expected = set(plain.query(condition, engine="python")["row"])
    rows = inspection.select(query(mode, label=label, **filters)).tolist()
    assert set(rows) == expected
    assert len(rows) == len(expected)


def test_only_the_given_rows_are_found(inspection):
    everything = set(inspection.select(query("concat", outcome="error")).tolist())
    chosen = [4, 5, 7, 8, 10, 11]
    rows = inspection.select(query("concat", outcome="error", rows=chosen)).tolist()
    assert set(rows) == everything & set(chosen)
    assert inspection.select(query(rows=[])).tolist() == []
    assert inspection.select(query("text", text="no such words")).tolist() == []


@pytest.mark.parametrize("outcome", ["missed", "false", "error"])
def test_the_most_wrong_come_first(found, inspection, outcome):
    """By how far the score of the worst label is on the wrong side of its threshold."""
    plain = table(found, "concat").query("known & (true != on)", engine="python")
    if outcome != "error":
        plain = plain[plain["true"] == (outcome == "missed")]
    cut = np.searchsorted(np.arange(STEPS + 1) / STEPS, plain["cut"])
    plain = plain.assign(past=(plain["score"] * STEPS - cut).abs().round())
    worst = plain.groupby("row")["past"].max()
    rows = inspection.select(query("concat", outcome=outcome))
    assert len(rows) > 10
    assert worst[rows].is_monotonic_decreasing


@pytest.mark.parametrize("label", [None, 0, 2])
def test_confused_labels_are_those_wrong_in_the_same_row(found, inspection, label):
    """A correctly predicted label does not count as confused; each count has its rows."""
    plain = table(found, "image").pivot(index="row", columns="label", values=["true", "on"])
    true, on = (plain[name].astype(bool) for name in ("true", "on"))
    missed, false = true & ~on, on & ~true  # all rows have a photo
    missed[NOTHING], false[NOTHING] = ~missed.any(axis=1), ~false.any(axis=1)
    expected = {
        (a, b): rows
        for a in missed for b in false
        if (rows := int((missed[a] & false[b]).sum())) and (a, b) != (NOTHING, NOTHING)
        and (label is None or label in (a, b))
    }  # fmt: skip
    confused = inspection.confused(query("image", label=label))
    assert {(a, b): rows for a, b, rows in confused} == expected
    order = [(NOTHING in pair, -rows) for *pair, rows in confused]
    assert order == sorted(order)
    for a, b, rows in confused:
        asked = {"label": b, "outcome": "false", "instead": a}
        if a != NOTHING:
            asked = {"label": a, "outcome": "missed", "instead": b}
        assert len(inspection.select(query("image", **asked))) == rows


def test_a_wrong_label_of_the_table_is_suspected():
    """Flipped labels are suspected far more often than the others."""
    rng = np.random.default_rng(1)
    right = rng.random((400, 3)) < 0.4
    scores = in_steps(np.where(right, 0.9, 0.1) + rng.uniform(-0.08, 0.08, right.shape))
    truth = right.copy()
    truth[:20, 1] = ~truth[:20, 1]
    found = made(400)
    turned = Predictions(found.ids, found.captions, truth, {"concat": scores}, found.about)
    suspects = Inspection(turned).suspects
    assert suspects[:20, 1].mean() > 0.5
    assert suspects[20:].mean() < 0.01
    cuts = {"concat": np.full(3, 0.5)}
    rows = Inspection(turned).select(Query("concat", cuts, label=1, suspect=True))
    assert set(rows.tolist()) == set(np.flatnonzero(suspects[:, 1]).tolist())


def test_the_mode_with_input_in_most_rows_judges_the_labels(inspection):
    assert inspection.judge == "image"
