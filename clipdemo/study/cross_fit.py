"""How good the scores of a run are, judged by thresholds that no row helped to choose."""

import numpy as np

from clipdemo.inspection import metrics
from clipdemo.model.thresholds import tune

FOLDS = 5


def cross_fitted(scores: np.ndarray, truth: np.ndarray, choose=tune, folds: int = FOLDS):
    """Decisions [N, L] of scores [N, L]: each fifth of the rows by thresholds of the others.

    Args:
        scores: [N, L].
        truth: [N, L].
        choose: scores, truth -> thresholds [L].
        folds: how many parts; the rows are dealt out in turn.
    """
    fold = np.arange(len(scores)) % folds
    on = np.zeros(scores.shape, bool)
    for part in range(folds):
        rest = fold != part
        on[~rest] = scores[~rest] >= choose(scores[rest], truth[rest])
    return on


def run_metrics(truth: np.ndarray, scores: np.ndarray, names: tuple[str, ...]) -> dict:
    """Figures of one run over validation rows, scores and truth [N, L].

    F1, precision and recall are of cross-fitted thresholds per label, `samples_f1_fixed` is of 0.5
    for all. `samples_precision` and `samples_recall` are means over the rows, as samples-F1 is.
    """
    from sklearn.metrics import f1_score, precision_recall_fscore_support

    truth = np.asarray(truth) > 0.5
    on = cross_fitted(scores, truth)
    found = metrics.evaluate(truth, scores, on, names)
    pair = [np.pad(table, ((0, 0), (0, 1))) for table in (truth, on)]
    precision, recall, *_ = precision_recall_fscore_support(
        *pair, average="samples", zero_division=0
    )
    fixed = np.pad(scores >= 0.5, ((0, 0), (0, 1)))
    return {
        **{key: found[key] for key in ("samples_f1", "micro_f1", "macro_f1", "map")},
        "samples_f1_fixed": float(f1_score(pair[0], fixed, average="samples", zero_division=0)),
        "samples_precision": float(precision),
        "samples_recall": float(recall),
    }
