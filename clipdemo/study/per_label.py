"""Metrics of a checkpoint's heads on a store's validation rows, label by label."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import precision_recall_curve

from clipdemo.inspection import metrics
from clipdemo.model.thresholds import decide
from clipdemo.study.calibrate import BINS, calibration_error, reliability_bins, shrunk
from clipdemo.study.cross_fit import run_metrics

if TYPE_CHECKING:
    from clipdemo.model.checkpoints import Card
    from clipdemo.model.classifier import Classifier
    from clipdemo.study.feature_store import Store

PARTS = ("overall", "per_label", "precision_recall", "reliability")
POINTS = 60  # of a precision-recall curve
NUMBERS = 24_000  # of all precision-recall curves together: many labels get fewer points each
FEWEST = 12


def judge(store: Store, validation: str, classifier: Classifier) -> dict[str, dict]:
    """`judged` for each mode that the store has the embeddings for.

    Raises:
        TableError: the rule for the validation rows cannot be read.
    """
    import torch

    from clipdemo.study.rows import split_rows

    found = {}
    for mode in classifier.modes:
        if store.has(mode):
            _, check = split_rows(store, mode, validation)
            scores = classifier.scores(mode, torch.from_numpy(check.inputs))
            entry = classifier.card.modes[mode]
            found[mode] = judged(check.targets > 0.5, scores, entry, store.labels.names)
    return found


def judged(truth: np.ndarray, scores: np.ndarray, entry: dict, names: tuple[str, ...]) -> dict:
    """Metrics of scores against truth [N, L] at the thresholds of a card's entry.

    Returns:
        `overall` and `per_label` as in `metrics.evaluate`, `overall` also with precision and
        recall as means over the rows, and with the figures at `cross_fitted` thresholds (see
        `run_metrics`); `precision_recall`; `reliability`; and `tuned_here`, whether tuning on these
        same rows gives the thresholds.
    """
    thresholds = np.array(entry["thresholds"])
    on = decide(scores, "tuned", tuned=thresholds)
    overall = metrics.evaluate(truth, scores, on, names, thresholds)
    here = shrunk(scores, truth, entry.get("shrinkage", 0))
    return {
        "per_label": overall.pop("per_label"),
        "overall": overall
        | metrics.samples_precision_recall(truth, on)
        | {"cross_fitted": run_metrics(truth, scores, names)},
        "precision_recall": precision_recall(truth, scores, names),
        "reliability": {
            "bins": reliability_bins(scores, truth),
            "width": 1 / BINS,
            "error": calibration_error(scores, truth),
        },
        "tuned_here": bool(np.isclose(here, thresholds, rtol=0, atol=1e-5).mean() > 0.5),
    }


def tuned_on(card: Card, modes: dict[str, dict]) -> str:
    """Which rows the thresholds of a card's modes were tuned on, in a sentence or two."""
    here = [mode for mode, found in modes.items() if found["tuned_here"]]
    which = "" if len(here) == len(modes) else f" for {' and '.join(here)}"
    same = (
        f"The card's thresholds{which} were tuned on these same rows: expect a little less on "
        "others."
    )
    if len(here) == len(modes):
        return same
    said = card.content.get("calibrated") or card.content.get("training") or {}
    if "validation" in said:
        of = f" of {said['store']}" if "store" in said else ""
        rest = f"The card says that thresholds were tuned on: {said['validation']}{of}."
    else:
        rest = "The card does not say which rows its thresholds were tuned on."
    return f"{same} {rest}" if here else rest


def precision_recall(truth: np.ndarray, scores: np.ndarray, names: tuple[str, ...]) -> dict:
    """Per label that occurs, `recall` and `precision`: points of scikit-learn's curve.

    Only both ends and the points nearest to evenly spaced recalls are kept.
    """
    points = max(min(POINTS, NUMBERS // (6 * len(names))), FEWEST)
    curves = {}
    for name, of_label, score in zip(names, truth.T, scores.T, strict=True):
        if not of_label.any():
            continue
        precision, recall, _ = precision_recall_curve(of_label, score)  # recall falls from 1 to 0
        wanted = np.linspace(1, 0, points - 2)
        nearest = np.abs(recall[:, None] - wanted).argmin(0)
        kept = np.unique([0, *nearest, len(recall) - 1])
        curves[name] = {"recall": recall[kept].tolist(), "precision": precision[kept].tolist()}
    return curves


def adds(per_label: dict[str, dict]) -> dict:
    """Per label, the gain of `concat` over each mode that reads one input only, in F1 and AP.

    `caption`: what the caption adds to the photo (concat - image); `photo`: what the photo adds to
    the caption (concat - text). Empty if one of the three is missing.
    """
    if not {"image", "text", "concat"} <= set(per_label):
        return {}

    def gain(name: str, mode: str, figure: str) -> float | None:
        both, alone = per_label["concat"][name][figure], per_label[mode][name][figure]
        return None if both is None or alone is None else both - alone

    return {
        name: {
            added: {figure: gain(name, mode, figure) for figure in ("f1", "ap")}
            for added, mode in (("caption", "image"), ("photo", "text"))
        }
        for name in per_label["concat"]
    }
