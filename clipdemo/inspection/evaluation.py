"""A labelled table, scored and compared with its labels."""

from collections.abc import Callable
from dataclasses import dataclass

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
from clipdemo.tables.label_table import target_matrix


@dataclass(frozen=True)
class ScoredRows:
    """What a model says about N rows of a table.

    Attributes:
        scores: per mode [N, L], nan where the row lacks the mode's input.
        image, text: embeddings [D] of the photos and captions, None for those that are missing.
        skipped: the photos that could not be used, each with its `ImageID` and `reason`.
    """

    scores: dict[str, np.ndarray]
    image: list[np.ndarray | None]
    text: list[np.ndarray | None]
    skipped: list[dict]


def score_rows(
    classifier: Classifier, frame: pd.DataFrame, photos: PhotoSource | None
) -> ScoredRows:
    """Score all rows at once."""
    batch, skipped = [], []
    for name in frame["ImageID"]:
        try:
            size = classifier.backbone.image_size
            batch.append(None if photos is None else read_photo(photos.read(name), size))
        except PhotoError as error:
            batch.append(None)
            skipped.append({"ImageID": name, "reason": str(error)})
    image, text = classifier.embed(batch, frame["Caption"].tolist())
    predictions = classifier.predict_embeddings(image, text)
    unknown = dict.fromkeys(classifier.card.labels.names, np.nan)
    scores = {
        mode: np.array([list(p.scores.get(mode, unknown).values()) for p in predictions])
        for mode in classifier.modes
    }
    return ScoredRows(scores, image, text, skipped)


def evaluate_table(
    classifier: Classifier,
    frame: pd.DataFrame,
    photos: PhotoSource | None = None,
    rule: str = "tuned",
    threshold: float = 0.5,
    k: int = 3,
    progress: Callable[[int], None] = lambda rows: None,
    recall: float = 0.9,
) -> dict:
    """The report of `clipdemo evaluate`: metrics per mode over the rows that have its input.

    `progress` is given the number of rows after each batch of them.

    Raises:
        CheckpointError: the rule is `recall`, and the card has no thresholds for this one.
    """
    tuned = {
        mode: np.array(
            at_recall(entry.get("recall", {}), recall) if rule == "recall" else entry["thresholds"]
        )
        for mode, entry in classifier.card.modes.items()
    }
    parts = []
    for start in range(0, len(frame), BATCH):
        parts.append(score_rows(classifier, frame.iloc[start : start + BATCH], photos))
        progress(len(parts[-1].image))
    labels = classifier.card.labels
    truth = target_matrix(frame, labels)
    report = {"n": len(frame), "backbone": classifier.backbone.id, "rule": rule}
    report |= {"head": classifier.card.kind, "modes": {}}
    for mode in classifier.modes if parts else ():
        values = np.concatenate([part.scores[mode] for part in parts])
        rows = ~np.isnan(values[:, 0])
        if not rows.any():
            continue
        own = tuned[mode]
        on = decide(values[rows], rule, threshold=threshold, tuned=own, k=k)
        used = {"tuned": own, "recall": own, "fixed": np.full(len(own), threshold)}.get(rule)
        report["modes"][mode] = metrics.evaluate(truth[rows], values[rows], on, labels.names, used)
    return report | {"skipped_photos": [entry for part in parts for entry in part.skipped]}
