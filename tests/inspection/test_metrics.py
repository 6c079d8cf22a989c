"""Metrics: scikit-learn's own figures, also where labels never occur or nothing is predicted."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from clipdemo.inspection.metrics import evaluate


@st.composite
def tables(draw, most_labels=4):
    """Truth, scores and decisions [N, L]."""
    shape = draw(st.integers(1, 8)), draw(st.integers(min(2, most_labels), most_labels))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    share = draw(st.sampled_from([0, 0.2, 0.5, 1]))
    truth = rng.uniform(size=shape) < share
    scores = rng.uniform(size=shape).round(draw(st.integers(1, 4)))
    return truth, scores, scores >= draw(st.sampled_from([0.0, 0.3, 0.7, 1.1]))


def names(table: np.ndarray) -> tuple[str, ...]:
    return tuple(f"label {i}" for i in range(table.shape[1]))


def f1(truth, on) -> float:
    return reference.f1_score(truth, on, zero_division=0)


@settings(max_examples=40)
@given(tables())
def test_every_figure_is_scikit_learns(table):
    truth, scores, on = table
    report = evaluate(truth, scores, on, names(truth))
    for key, average in [("samples_f1", "samples"), ("micro_f1", "micro"), ("macro_f1", "macro")]:
        expected = reference.f1_score(truth, on, average=average, zero_division=0)
        assert report[key] == pytest.approx(expected), key
    for i, (name, got) in enumerate(report["per_label"].items()):
        assert name == f"label {i}"
        t, d = truth[:, i], on[:, i]
        assert got["precision"] == pytest.approx(reference.precision_score(t, d, zero_division=0))
        assert got["recall"] == pytest.approx(reference.recall_score(t, d, zero_division=0))
        assert got["f1"] == pytest.approx(f1(t, d))
        assert got["support"] == t.sum()
        if t.any():
            assert got["ap"] == pytest.approx(reference.average_precision_score(t, scores[:, i]))
        else:
            assert got["ap"] is None
    known = [v["ap"] for v in report["per_label"].values() if v["ap"] is not None]
    if known:
        assert report["map"] == pytest.approx(sum(known) / len(known))
    else:
        assert report["map"] is None
    assert report["n"] == len(truth)


@settings(max_examples=10)
@given(tables(most_labels=1))
def test_one_label_alone_has_the_figures_of_that_label(table):
    """A person's own table may have a single label."""
    truth, scores, on = table
    report = evaluate(truth, scores, on, ("dog",))
    alone = f1(truth[:, 0], on[:, 0])
    assert report["per_label"]["dog"]["f1"] == pytest.approx(alone)
    assert report["per_label"]["dog"]["support"] == truth.sum()
    assert report["micro_f1"] == pytest.approx(alone)
    assert report["macro_f1"] == pytest.approx(alone)
    assert report["samples_f1"] == pytest.approx((truth & on).mean())


def test_thresholds_are_reported_as_they_were_used():
    truth = np.array([[1, 0]])
    without = evaluate(truth, truth * 0.5, truth > 0, ("a", "b"))
    assert without["per_label"]["a"]["threshold"] is None
    used = evaluate(truth, truth * 0.5, truth > 0, ("a", "b"), np.array([0.25, 0.5]))
    assert [v["threshold"] for v in used["per_label"].values()] == [0.25, 0.5]


@pytest.mark.parametrize("share", [0, 0.5])
def test_a_report_is_json_without_nan(share):
    rng = np.random.default_rng(0)
    truth, scores = rng.uniform(size=(6, 3)) < share, rng.uniform(size=(6, 3)).astype(np.float32)
    report = evaluate(truth, scores, scores > 2, ("a", "b", "c"), np.full(3, 0.5, np.float32))
    assert json.loads(json.dumps(report, allow_nan=False)) == report
