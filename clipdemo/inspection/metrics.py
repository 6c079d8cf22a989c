"""Metrics of scores and decisions, by scikit-learn's definitions."""

import numpy as np
from sklearn.metrics import (
    average_precision_score,
    classification_report,
    precision_recall_fscore_support,
)


def evaluate(
    truth: np.ndarray,
    scores: np.ndarray,
    decisions: np.ndarray,
    names: tuple[str, ...],
    thresholds: np.ndarray | None = None,
) -> dict:
    """Metrics of scores and decisions [N, L] against truth [N, L].

    `map` is the mean of scikit-learn's average precision over the labels that occur; `samples_f1`
    counts a photo with nothing true and nothing predicted as 0, as scikit-learn does. A label
    that never occurs has `ap` None.
    """
    truth = np.asarray(truth) > 0.5
    # scikit-learn takes a single column for a binary problem: an empty one keeps it multi-label.
    pair = [np.pad(table, ((0, 0), (0, 1))) for table in (truth, np.asarray(decisions, bool))]
    report = classification_report(
        *pair, labels=range(len(names)), output_dict=True, zero_division=0
    )
    per_label = {}
    for i, name in enumerate(names):
        found, occurs = report[str(i)], truth[:, i].any()
        per_label[name] = {
            "precision": float(found["precision"]),
            "recall": float(found["recall"]),
            "f1": float(found["f1-score"]),
            "ap": float(average_precision_score(truth[:, i], scores[:, i])) if occurs else None,
            "support": int(found["support"]),
            "threshold": None if thresholds is None else float(thresholds[i]),
        }
    known = [entry["ap"] for entry in per_label.values() if entry["ap"] is not None]
    return {
        "n": len(truth),
        "samples_f1": float(report["samples avg"]["f1-score"]),
        "micro_f1": float(report["micro avg"]["f1-score"]),
        "macro_f1": float(report["macro avg"]["f1-score"]),
        "map": float(np.mean(known)) if known else None,
        "per_label": per_label,
    }


def mean_average_precision(truth: np.ndarray, scores: np.ndarray) -> float:
    """Average precision, averaged over the labels that occur.

    As scikit-learn's `average_precision_score`, but all labels at once, in a fraction of the time:
    intervals need it for thousands of draws.
    """
    truth = np.asarray(truth) > 0.5
    seen = truth.any(0)
    truth, scores = truth[:, seen], scores[:, seen]
    order = np.argsort(-scores, axis=0)
    hit, ranked = (np.take_along_axis(table, order, 0) for table in (truth, scores))
    place = np.arange(len(hit))[:, None]
    precision = np.cumsum(hit, 0) / (place + 1)
    # Equal scores are taken together: each row has the precision at the last of its equals.
    ends = np.ones(hit.shape, bool)
    ends[:-1] = ranked[:-1] != ranked[1:]
    last = np.minimum.accumulate(np.where(ends, place, len(hit))[::-1])[::-1]
    reached = np.take_along_axis(precision, last, 0)
    return float(((hit * reached).sum(0) / hit.sum(0)).mean())


def row_f1(truth: np.ndarray, on: np.ndarray) -> np.ndarray:
    """[N] F1 of each row, 0 if nothing is true and nothing on."""
    truth = np.asarray(truth) > 0.5
    return 2 * (truth & on).sum(1) / np.maximum(truth.sum(1) + on.sum(1), 1)


def samples_f1(truth: np.ndarray, on: np.ndarray) -> float:
    """The mean of `row_f1`."""
    return float(row_f1(truth, on).mean())


def samples_precision_recall(truth: np.ndarray, on: np.ndarray) -> dict[str, float]:
    """Precision and recall of decisions, averaged over the rows."""
    pair = [np.pad(table, ((0, 0), (0, 1))) for table in (truth, on)]  # as in `evaluate`
    precision, recall, *_ = precision_recall_fscore_support(
        *pair, average="samples", zero_division=0
    )
    return {"samples_precision": float(precision), "samples_recall": float(recall)}
