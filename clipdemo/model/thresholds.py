"""Rules that turn scores into decisions, and the thresholds they use.

NumPy only; the page's rules.js mirrors `decide`.
"""

import numpy as np

RULES = ("fixed", "tuned", "mcut", "top-k", "recall")
RECALLS = tuple(f"{0.5 + 0.05 * step:.2f}" for step in range(10))
"""The recalls for which a card has thresholds, as it writes them: 0.50 to 0.95."""


def decide(
    scores: np.ndarray,
    rule: str,
    *,
    threshold: float | np.ndarray = 0.5,
    tuned: np.ndarray | None = None,
    k: int = 3,
) -> np.ndarray:
    """Decisions [N, L] bool for scores [N, L].

    `fixed`: score >= `threshold`, one for all or one per label [L]. `tuned` and `recall`: score >=
    the label's threshold in `tuned` [L], from `tune` or `recall_thresholds`. `mcut`: the labels
    above the widest gap between a photo's sorted scores (Largeron et al. 2012, MCut). `top-k`: the
    `k` highest scores.

    Raises:
        ValueError: the rule is unknown, or `tuned` is missing.
    """
    scores = np.asarray(scores, float)
    if rule == "fixed":
        return scores >= threshold
    if rule in ("tuned", "recall"):
        if tuned is None:
            raise ValueError(f"rule {rule!r} needs the thresholds of the card")
        return scores >= np.asarray(tuned)
    if rule == "mcut":
        return scores > _mcut(scores)[:, None]
    if rule == "top-k":
        order = np.argsort(-scores, axis=1, kind="stable")
        chosen = np.zeros(scores.shape, bool)
        np.put_along_axis(chosen, order[:, :k], True, axis=1)
        return chosen
    raise ValueError(f"unknown rule {rule!r}: choose one of {', '.join(RULES)}")


def cuts(
    scores: np.ndarray,
    rule: str,
    *,
    threshold: float | np.ndarray = 0.5,
    tuned: np.ndarray | None = None,
    k: int = 3,
) -> np.ndarray:
    """The threshold of each score, [N, L] for scores [N, L]; arguments as in `decide`.

    For `mcut` it is the middle of the gap, for `top-k` the lowest score that is on.
    """
    scores = np.asarray(scores, float)
    if rule == "mcut":
        found = _mcut(scores)[:, None]
    elif rule == "top-k":
        found = -np.sort(-scores, axis=1)[:, [min(k, scores.shape[1]) - 1]]
    else:
        found = threshold if rule == "fixed" else np.asarray(tuned)
    return np.broadcast_to(found, scores.shape)


def _mcut(scores: np.ndarray) -> np.ndarray:
    """[N] middle of the widest gap between neighbouring sorted scores; one label: 0.5."""
    if scores.shape[1] < 2:
        return np.full(len(scores), 0.5)
    ordered = -np.sort(-scores, axis=1)
    gap = (ordered[:, :-1] - ordered[:, 1:]).argmax(1)
    rows = np.arange(len(scores))
    return (ordered[rows, gap] + ordered[rows, gap + 1]) / 2


def tune(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Per label, the threshold with the best F1: scores [N, L], truth [N, L] -> [L] in (0, 1).

    A threshold lies midway between two neighbouring scores, so that small numerical differences
    between machines do not change a decision. A label without positives gets 0.5.
    """
    return np.array([_best_f1(s, t > 0.5) for s, t in zip(scores.T, truth.T, strict=True)])


def _best_f1(scores: np.ndarray, truth: np.ndarray) -> float:
    if not truth.any() or not scores.any():
        return 0.5
    order = np.argsort(-scores, kind="stable")
    ordered, hits = scores[order], np.cumsum(truth[order])
    f1 = 2 * hits / (np.arange(1, len(hits) + 1) + truth.sum())
    following = np.append(ordered[1:], 0.0)
    f1[ordered == following] = -1
    best = int(f1.argmax())
    return float((ordered[best] + following[best]) / 2)


def recall_thresholds(scores: np.ndarray, truth: np.ndarray) -> dict[str, list[float]]:
    """Per recall in `RECALLS`, each label's highest threshold with that recall: scores [N, L],
    truth [N, L] -> L thresholds each.

    Like those of `tune`, they lie midway between neighbouring scores. A label without positives
    gets 0.5.
    """
    return {
        recall: [
            _reaches(s, t > 0.5, float(recall)) for s, t in zip(scores.T, truth.T, strict=True)
        ]
        for recall in RECALLS
    }


def _reaches(scores: np.ndarray, truth: np.ndarray, recall: float) -> float:
    if not truth.any():
        return 0.5
    scores = scores.astype(float)
    positives = -np.sort(-scores[truth])
    last = positives[int(np.ceil(recall * len(positives) - 1e-9)) - 1]
    below = scores[scores < last]
    return float((last + (below.max() if len(below) else 0.0)) / 2)
