"""Scores and decisions against truth, in scikit-learn's definitions."""

import numpy as np
from sklearn.metrics import average_precision_score, f1_score, precision_recall_fscore_support


def evaluate(
    truth: np.ndarray,
    scores: np.ndarray,
    decisions: np.ndarray,
    names: tuple[str, ...],
    thresholds: np.ndarray | None = None,
) -> dict:
    """Metrics of scores and decisions [N, L] against truth [N, L].

    `map` is the mean over the labels that occur of scikit-learn's average precision; `samples_f1`
    counts a photo with nothing true and nothing predicted as 0, as scikit-learn does. A label
    that never occurs has `ap` None.
    """
    truth = np.asarray(truth) > 0.5
    # scikit-learn takes a single column for a binary problem: an empty one keeps it multi-label.
    pair = [np.pad(table, ((0, 0), (0, 1))) for table in (truth, np.asarray(decisions, bool))]
    options = {"labels": range(len(names)), "zero_division": 0}
    precision, recall, f1, support = precision_recall_fscore_support(*pair, **options)
    ap = [
        float(average_precision_score(t, s)) if t.any() else None
        for t, s in zip(truth.T, np.asarray(scores).T, strict=True)
    ]
    known = [a for a in ap if a is not None]

    def mean_f1(average: str) -> float:
        return float(f1_score(*pair, average=average, **options))

    per_label = {
        name: {
            "precision": float(precision[i]),
            "recall": float(recall[i]),
            "f1": float(f1[i]),
            "ap": ap[i],
            "support": int(support[i]),
            "threshold": None if thresholds is None else float(thresholds[i]),
        }
        for i, name in enumerate(names)
    }
    return {
        "n": len(truth),
        "samples_f1": mean_f1("samples"),
        "micro_f1": mean_f1("micro"),
        "macro_f1": mean_f1("macro"),
        "map": float(np.mean(known)) if known else None,
        "per_label": per_label,
    }
