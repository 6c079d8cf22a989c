"""A labelled table, scored and compared with its labels."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from clipdemo.errors import PhotoError
from clipdemo.inputs.images import read_photo
from clipdemo.inputs.photo_source import PhotoSource
from clipdemo.inspection import metrics
from clipdemo.model.checkpoints import at_recall
from clipdemo.model.classifier import Classifier
from clipdemo.model.embeddings import BATCH
from clipdemo.model.thresholds import decide
from clipdemo.tables.account import NO_INPUT, photo_reason
from clipdemo.tables.label_table import LabelTable, target_matrix


def score_table(
    classifier: Classifier,
    frame: pd.DataFrame,
    photos: PhotoSource | None,
    progress: Callable[[int], None] = lambda rows: None,
) -> tuple[dict[str, np.ndarray], list[dict]]:
    """Scores of every row in every mode it has the input for.

    Returns:
        Per mode [N, L], nan where the row's input is missing; and the photos that could not be
        used, each with its `ImageID` and `reason`.
    """
    labels = classifier.card.labels
    scores = {m: np.full((len(frame), len(labels)), np.nan) for m in classifier.modes}
    skipped = []
    for start in range(0, len(frame), BATCH):
        part = frame.iloc[start : start + BATCH]
        embeddings, missing = embed_rows(classifier, part, photos)
        skipped += missing
        for row, prediction in enumerate(classifier.predict_embeddings(*embeddings), start):
            for mode, values in prediction.scores.items():
                scores[mode][row] = list(values.values())
        progress(len(part))
    return scores, skipped


def embed_rows(
    classifier: Classifier, frame: pd.DataFrame, photos: PhotoSource | None
) -> tuple[tuple[list[np.ndarray | None], list[np.ndarray | None]], list[dict]]:
    """Embeddings [D] of the rows' photos and captions, None for what is missing.

    The photos that could not be used are listed as `score_table` lists them.
    """
    size = classifier.backbone.image_size
    batch, skipped = [], []
    for name in frame["ImageID"]:
        try:
            batch.append(None if photos is None else read_photo(photos.read(name), size))
        except PhotoError as error:
            batch.append(None)
            skipped.append({"ImageID": name, "reason": str(error)})
    return classifier.embed(batch, frame["Caption"].tolist()), skipped


def evaluate_table(
    classifier: Classifier,
    table: LabelTable,
    photos: PhotoSource | None = None,
    rule: str = "tuned",
    threshold: float = 0.5,
    k: int = 3,
    progress: Callable[[int], None] = lambda rows: None,
    recall: float = 0.9,
) -> dict:
    """The report of `clipdemo evaluate`: metrics per mode over the rows that have its input.

    A label that is true of no row or of every row has `ap` and `f1` None: neither would say
    anything of the scores.

    Rows that have the input of no mode are left out, as the report's account says.

    Raises:
        CheckpointError: the rule is `recall`, and the card has no thresholds for this one.
    """
    tuned = {
        mode: _thresholds(entry, rule, recall) for mode, entry in classifier.card.modes.items()
    }
    scores, skipped = score_table(classifier, table.frame, photos, progress)
    table, used = without_input(table, scores, skipped)
    scores = {mode: values[used] for mode, values in scores.items()}
    if photos is not None:
        table.note_photos(photos)
    truth = target_matrix(table.frame, classifier.card.labels)
    report = {"n": len(table.frame), "backbone": classifier.backbone.id, "rule": rule}
    report |= {"head": classifier.card.kind, "modes": {}}
    for mode, values in scores.items():
        rows = ~np.isnan(values[:, 0])
        if not rows.any():
            continue
        own = tuned[mode]
        on = decide(values[rows], rule, threshold=threshold, tuned=own, k=k)
        used = {"tuned": own, "recall": own, "fixed": np.full(len(own), threshold)}.get(rule)
        names = classifier.card.labels.names
        found = metrics.evaluate(truth[rows], values[rows], on, names, used)
        for label in found["per_label"].values():
            if label["support"] in (0, found["n"]):  # true nowhere or everywhere
                label |= {"ap": None, "f1": None}
        report["modes"][mode] = found
    return report | {"skipped_photos": skipped, "account": table.account.to_dict()}


def without_input(
    table: LabelTable, scores: dict[str, np.ndarray], skipped: list[dict]
) -> tuple[LabelTable, np.ndarray]:
    """The table without rows that no mode has a score for, and which rows stay ([N] bool)."""
    known = [~np.isnan(values).all(1) for values in scores.values()]
    used = np.any(known, axis=0) if known else np.zeros(len(table.frame), bool)
    reasons = {entry["ImageID"]: photo_reason(entry["reason"]) for entry in skipped}
    names = table.frame["ImageID"]
    out = {row: reasons.get(names.iat[row], NO_INPUT) for row in np.flatnonzero(~used).tolist()}
    return (table.leave_out(out) if out else table), used


def _thresholds(entry: dict, rule: str, recall: float) -> np.ndarray:
    """The thresholds [L] of a card's mode that count for the rule."""
    if rule == "recall":
        return np.array(at_recall(entry.get("recall", {}), recall))
    return np.array(entry["thresholds"])
