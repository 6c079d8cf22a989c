"""Bootstrap intervals: their coverage is right, and pairs are compared on the same rows."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from clipdemo.inspection.intervals import intervals

LABELS = 4


def drawn(rng: np.random.Generator, rows: int, noise: float = 1.0):
    truth = rng.random((rows, LABELS)) < 0.3
    scores = 1 / (1 + np.exp(-(3 * truth - 1.5 + noise * rng.normal(size=truth.shape))))
    return truth, scores


def test_about_95_percent_of_intervals_contain_the_figure_of_all_rows():
    rng = np.random.default_rng(0)
    truth, scores = drawn(rng, 20_000)
    whole = f1_score(truth, scores > 0.5, average="samples", zero_division=0)
    held = 0
    for _ in range(20):
        rows = rng.integers(len(truth), size=150)
        found = intervals(truth[rows], {"a": scores[rows]}, {"a": scores[rows] > 0.5}, draws=100)[
            "modes"
        ]["a"]["samples_f1"]
        held += found[0] <= whole <= found[1]
    assert held >= 16


def test_a_difference_on_the_same_rows_has_a_narrower_interval_than_the_figures():
    rng = np.random.default_rng(1)
    truth, scores = drawn(rng, 300)
    better = scores + 0.05 * truth
    found = intervals(
        truth, {"a": scores, "b": better}, {"a": scores > 0.5, "b": better > 0.5}, [("b", "a")],
        draws=300,
    )  # fmt: skip
    for name in ("map", "samples_f1"):
        gain = found["differences"]["b - a"][name]
        low, high = gain["interval"]
        assert 0 < low <= gain["value"] <= high
        own = found["modes"]["a"][name]
        assert high - low < (own[1] - own[0]) / 2


def test_it_is_the_same_each_time_and_a_label_may_be_missing():
    truth, scores = drawn(np.random.default_rng(2), 12)
    truth[:, 0] = False
    asked = truth, {"a": scores}, {"a": scores > 0.5}
    found = intervals(*asked, draws=50)
    assert found == intervals(*asked, draws=50)
    assert np.isfinite(found["modes"]["a"]["map"]).all()
    assert found["modes"]["a"]["samples_f1"][1] == pytest.approx(1, abs=0.5)
