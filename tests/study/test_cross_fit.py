"""Figures of a run: no row is evaluated with thresholds that it helped to choose."""

import numpy as np
import pytest
from sklearn import metrics as reference

from clipdemo.inspection.metrics import samples_f1
from clipdemo.model.thresholds import decide, tune
from clipdemo.study.cross_fit import cross_fitted, run_metrics

NAMES = tuple("abcdef")


def rows(seed: int, count: int = 60, rate: float = 0.1) -> np.ndarray:
    """Truth [count, 6] of rare labels."""
    return (np.random.default_rng(seed).uniform(size=(count, 6)) < rate).astype(float)


def test_each_fifth_is_decided_by_thresholds_of_the_others():
    truth = rows(0, rate=0.4)
    scores = np.random.default_rng(1).uniform(size=truth.shape)
    seen = []

    def choose(*pair):
        seen.append(pair)
        return tune(*pair)

    on = cross_fitted(scores, truth, choose)
    assert len(seen) == 5
    for part in range(5):
        held = np.arange(60) % 5 == part
        np.testing.assert_array_equal(seen[part][0], scores[~held])
        np.testing.assert_array_equal(seen[part][1], truth[~held])
        assert np.array_equal(on[held], scores[held] >= tune(scores[~held], truth[~held]))


def test_a_rows_own_truth_does_not_change_its_decision():
    truth = rows(2, rate=0.4)
    scores = np.random.default_rng(3).uniform(size=truth.shape)
    before = cross_fitted(scores, truth)
    truth[7] = 1 - truth[7]
    assert np.array_equal(cross_fitted(scores, truth)[7], before[7])


def test_noise_does_not_look_better_than_it_is():
    """Thresholds tuned on the evaluated rows give random scores a better F1 than they reach on
    unseen rows; cross-fitted ones do not."""
    same, crossed, unseen = [], [], []
    for seed in range(40):
        truth, other = rows(seed), rows(seed + 1000, 2000)
        rng = np.random.default_rng(seed + 500)
        scores, others = rng.uniform(size=truth.shape), rng.uniform(size=other.shape)
        tuned = tune(scores, truth)
        same.append(micro_f1(truth, decide(scores, "tuned", tuned=tuned)))
        crossed.append(micro_f1(truth, cross_fitted(scores, truth)))
        unseen.append(micro_f1(other, decide(others, "tuned", tuned=tuned)))
    honest = np.mean(unseen)
    error = np.std(crossed) / len(crossed) ** 0.5
    assert np.mean(same) > honest + 5 * error
    assert np.mean(crossed) < honest + 2 * error


def micro_f1(truth: np.ndarray, on: np.ndarray) -> float:
    return reference.f1_score(truth, on, average="micro", zero_division=0)


def test_figures_are_scikit_learns_on_the_cross_fitted_decisions():
    truth = rows(4, 200, 0.3)
    scores = np.clip(0.6 * truth + np.random.default_rng(5).uniform(0, 0.5, truth.shape), 0, 1)
    found, on = run_metrics(truth, scores, NAMES), cross_fitted(scores, truth)
    for kind in ("samples", "micro", "macro"):
        expected = reference.f1_score(truth, on, average=kind, zero_division=0)
        assert found[f"{kind}_f1"] == pytest.approx(expected)
    for name in ("precision", "recall"):
        score = getattr(reference, f"{name}_score")
        expected = score(truth, on, average="samples", zero_division=0)
        assert found[f"samples_{name}"] == pytest.approx(expected)
    assert found["samples_f1_fixed"] == pytest.approx(samples_f1(truth, scores >= 0.5))
    assert found["map"] == pytest.approx(reference.average_precision_score(truth, scores))


def test_one_label_is_judged_as_well():
    """scikit-learn does not interpret a single column as labels."""
    truth = rows(6, 50, 0.4)[:, :1]
    found = run_metrics(truth, 0.1 + 0.8 * truth, NAMES[:1])
    assert all(value == pytest.approx(v) for value, v in zip(
        (found["samples_f1"], found["samples_precision"], found["samples_recall"], found["map"]),
        (truth.mean(), truth.mean(), truth.mean(), 1.0), strict=True))  # fmt: skip
