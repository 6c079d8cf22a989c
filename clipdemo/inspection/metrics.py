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
    """Average precision, averaged over the labels that occur."""
    seen = truth.any(0)
    return float(average_precision_score(truth[:, seen], scores[:, seen], average="macro"))


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
