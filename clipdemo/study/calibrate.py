"""Calibration of heads: temperature, per-label thresholds and reliability."""

from functools import partial

import numpy as np

from clipdemo.inspection import metrics
from clipdemo.model.thresholds import recall_thresholds, tune
from clipdemo.study.cross_fit import cross_fitted
from clipdemo.study.fit import fit_temperature

STEPS = 100
STRENGTHS = (0, 3, 10, 30, 100, 300)
BINS = 15


def calibrated(logits: np.ndarray, truth: np.ndarray) -> dict:
    """The calibration in a card's entry of a mode, from validation logits and truth [M, L].

    Returns:
        `temperature`; `thresholds` [L], shrunk towards one common threshold with the strength
        `shrinkage`, chosen by cross-fitting; `recall`: thresholds [L] per target recall;
        `reliability`: the calibration error without and with the temperature; `one_threshold`:
        precision and recall at a common threshold (see `by_threshold`). The last two are measured
        on these same rows.
    """
    truth = np.asarray(truth) > 0.5
    temperature = fit_temperature(logits, truth.astype(np.float32))
    scores = sigmoid(logits / temperature)
    strength = best_strength(scores, truth)
    return {
        "temperature": temperature,
        "thresholds": [round(float(t), 6) for t in shrunk(scores, truth, strength)],
        "shrinkage": strength,
        "recall": recall_thresholds(scores, truth),
        "reliability": {
            "before": calibration_error(sigmoid(logits), truth),
            "after": calibration_error(scores, truth),
        },
        "one_threshold": by_threshold(scores, truth),
    }


def figures_of(entry: dict, logits: np.ndarray, truth: np.ndarray, names: tuple[str, ...]) -> dict:
    """Metrics of logits against truth [M, L], by a card entry's temperature and thresholds."""
    scores, thresholds = sigmoid(logits / entry["temperature"]), np.array(entry["thresholds"])
    return metrics.evaluate(truth, scores, scores >= thresholds, names, thresholds)


def by_threshold(scores: np.ndarray, truth: np.ndarray) -> dict[str, list[float | None]]:
    """Micro-averaged precision and recall at common thresholds of 0, 0.01, … 1.

    Precision is None if nothing reaches the threshold, recall if nothing is true.
    """
    scores, truth = np.ravel(scores), np.ravel(truth) > 0.5
    found = {"precision": [], "recall": []}
    for step in range(STEPS + 1):
        on = scores >= step / STEPS
        hits = (on & truth).sum()
        for name, total in (("precision", on.sum()), ("recall", truth.sum())):
            found[name].append(round(float(hits / total), 3) if total else None)
    return found


def shrunk(scores: np.ndarray, truth: np.ndarray, strength: float) -> np.ndarray:
    """Thresholds [L]: each label's own, shrunk towards the best common one if the label is rare.

    A label with n positives keeps n / (n + strength) of its own threshold's logit; a threshold
    tuned on a handful of positives says little about the next ones.
    """
    one = tune(scores.reshape(-1, 1), truth.reshape(-1, 1))
    positives = truth.sum(0)
    share = positives / np.maximum(positives + strength, 1)
    return sigmoid(share * _logit(tune(scores, truth)) + (1 - share) * _logit(one))


def best_strength(scores: np.ndarray, truth: np.ndarray) -> float:
    """The one of `STRENGTHS` with the best cross-fitted figure.

    The figure is the mean of samples-F1, which common labels dominate, and macro-F1, in which rare
    labels count as much.
    """
    figures = []
    for strength in STRENGTHS:
        on = cross_fitted(scores, truth, partial(shrunk, strength=strength))
        seen = truth.any(0)
        macro_f1 = metrics.samples_f1(truth.T[seen], on.T[seen])  # of labels instead of rows
        figures.append((metrics.samples_f1(truth, on) + macro_f1) / 2)
    return STRENGTHS[int(np.argmax(figures))]


def reliability_bins(scores: np.ndarray, truth: np.ndarray) -> list[dict]:
    """Per non-empty bin of equal width: `count`, mean `score` and the `share` that is true."""
    scores, truth = np.ravel(scores), np.ravel(truth) > 0.5
    bins = np.minimum((scores * BINS).astype(int), BINS - 1)
    return [
        {
            "count": int(chosen.sum()),
            "score": float(scores[chosen].mean()),
            "share": float(truth[chosen].mean()),
        }
        for chosen in (bins == b for b in range(BINS))
        if chosen.any()
    ]


def calibration_error(scores: np.ndarray, truth: np.ndarray) -> float:
    """Expected calibration error over all rows and labels (Guo et al. 2017, equation 3)."""
    bins = reliability_bins(scores, truth)
    total = sum(b["count"] for b in bins)
    return sum(b["count"] * abs(b["score"] - b["share"]) for b in bins) / total


def sigmoid(values: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-values)), without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(values, float)))


def _logit(scores: np.ndarray) -> np.ndarray:
    clipped = np.clip(scores, 1e-6, 1 - 1e-6)
    return np.log(clipped / (1 - clipped))
