"""Metrics: scikit-learn's own figures, also where labels never occur or nothing is predicted."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from clipdemo.inspection.metrics import evaluate, mean_average_precision


@st.composite
def tables(draw):
    """Truth, scores and decisions [N, L]."""
    shape = draw(st.integers(1, 8)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    truth = rng.uniform(size=shape) < draw(st.sampled_from([0, 0.2, 0.5, 1]))
    scores = rng.uniform(size=shape).round(draw(st.integers(1, 4)))
    return truth, scores, scores >= draw(st.sampled_from([0.0, 0.3, 0.7, 1.1]))


@settings(max_examples=50)
@given(tables())
def test_every_figure_is_scikit_learns(table):
    """Also for a single label, which a user's table may have."""
    truth, scores, on = table
    names = tuple("abcd"[: truth.shape[1]])
    report = evaluate(truth, scores, on, names)
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert report["n"] == len(truth)
    labels = {"labels": range(len(names)), "zero_division": 0}
    both = [np.pad(table, ((0, 0), (0, 1))) for table in (truth, on)]  # multi-label in any case
    for average in ("samples", "micro", "macro"):
        expected = reference.f1_score(*both, average=average, **labels)
        assert report[f"{average}_f1"] == pytest.approx(expected), average
    assert list(report["per_label"]) == list(names)
    for found, t, s, d in zip(report["per_label"].values(), truth.T, scores.T, on.T, strict=True):
        expected = reference.precision_recall_fscore_support(
            t, d, average="binary", zero_division=0
        )
        assert [found[key] for key in ("precision", "recall", "f1")] == pytest.approx(expected[:3])
        assert found["support"] == t.sum()
        assert found["ap"] == (reference.average_precision_score(t, s) if t.any() else None)
    known = [found["ap"] for found in report["per_label"].values() if found["ap"] is not None]
    assert report["map"] == (pytest.approx(np.mean(known)) if known else None)
    if known:
        assert mean_average_precision(truth, scores) == pytest.approx(report["map"])


def test_thresholds_are_reported_as_they_were_used():
    truth = np.array([[1, 0]])
    without = evaluate(truth, truth * 0.5, truth > 0, ("a", "b"))
    assert without["per_label"]["a"]["threshold"] is None
    used = evaluate(truth, truth * 0.5, truth > 0, ("a", "b"), np.array([0.25, 0.5], np.float32))
    assert [v["threshold"] for v in used["per_label"].values()] == [0.25, 0.5]
    json.dumps(used)
