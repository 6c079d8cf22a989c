"""Cross-fitted thresholds: each row is decided by thresholds tuned on other rows."""

import numpy as np

from clipdemo.inspection import metrics
from clipdemo.model.thresholds import tune

FOLDS = 5


def cross_fitted(scores: np.ndarray, truth: np.ndarray, choose=tune) -> np.ndarray:
    """Decisions [N, L] for scores [N, L]: each fold's by thresholds tuned on the other folds.

    Args:
        scores: [N, L].
        truth: [N, L].
        choose: scores, truth -> thresholds [L].
    """
    fold = np.arange(len(scores)) % FOLDS
    on = np.zeros(scores.shape, bool)
    for part in range(FOLDS):
        rest = fold != part
        on[~rest] = scores[~rest] >= choose(scores[rest], truth[rest])
    return on


def run_metrics(truth: np.ndarray, scores: np.ndarray, names: tuple[str, ...]) -> dict:
    """Metrics of one run on the validation rows, from scores and truth [N, L].

    F1, precision and recall are at cross-fitted thresholds per label, `samples_f1_fixed` is at 0.5
    for all. `samples_precision` and `samples_recall` are means over the rows, as samples-F1 is.
    """
    truth = np.asarray(truth) > 0.5
    on = cross_fitted(scores, truth)
    found = metrics.evaluate(truth, scores, on, names)
    return {
        **{key: found[key] for key in ("samples_f1", "micro_f1", "macro_f1", "map")},
        "samples_f1_fixed": metrics.samples_f1(truth, scores >= 0.5),
        **metrics.samples_precision_recall(truth, on),
    }
