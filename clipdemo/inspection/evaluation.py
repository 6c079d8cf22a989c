"""Score a labelled table and compare the scores with its labels."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import pandas as pd

from clipdemo.errors import PhotoError
from clipdemo.inputs.ahead import ahead, cores
from clipdemo.inputs.photo_source import PhotoSource
from clipdemo.inspection import metrics
from clipdemo.model.checkpoints import at_recall
from clipdemo.model.classifier import Classifier
from clipdemo.model.embeddings import BATCH, CutPhoto
from clipdemo.model.thresholds import decide
from clipdemo.tables.account import CUT_OFF, NO_INPUT, photo_reason
from clipdemo.tables.label_table import LabelTable, target_matrix


@dataclass(frozen=True)
class ScoredRows:
    """A model's scores for N rows of a table.

    Attributes:
        scores: per mode [N, L], nan where the row lacks the mode's input.
        image, text: embeddings [D] of the photos and captions, None for missing ones.
        skipped: the photos that could not be used, each with its `ImageID` and `reason`.
        cut_off: the number of truncated photos.
    """

    scores: dict[str, np.ndarray]
    image: list[np.ndarray | None]
    text: list[np.ndarray | None]
    skipped: list[dict]
    cut_off: int


def score_rows(
    classifier: Classifier, frame: pd.DataFrame, photos: PhotoSource | None
) -> ScoredRows:
    """Score all rows at once."""
    return next(score_parts(classifier, [frame], photos))


def score_parts(
    classifier: Classifier, parts: Sequence[pd.DataFrame], photos: PhotoSource | None
) -> Iterator[ScoredRows]:
    """Score each part's rows at once, while the photos of the next parts are read and decoded."""

    def read(name: str) -> CutPhoto | PhotoError:
        try:
            return classifier.cut(photos.read(name))
        except PhotoError as error:
            return error

    wanted = [dict.fromkeys(part["ImageID"] if photos is not None else ()) for part in parts]
    found = ahead(read, chain.from_iterable(wanted), cores(), 2 * BATCH)
    for part, names in zip(parts, wanted, strict=True):
        cut = {name: next(found) for name in names}
        yield _scored(classifier, part, [cut.get(name) for name in part["ImageID"]])


def _scored(
    classifier: Classifier, frame: pd.DataFrame, photos: list[CutPhoto | PhotoError | None]
) -> ScoredRows:
    refused = [isinstance(photo, PhotoError) for photo in photos]
    skipped = [
        {"ImageID": name, "reason": str(photo)}
        for name, photo, gone in zip(frame["ImageID"], photos, refused, strict=True)
        if gone
    ]
    photos = [None if gone else photo for photo, gone in zip(photos, refused, strict=True)]
    image, text = classifier.embed(photos, frame["Caption"].tolist())
    predictions = classifier.predict_embeddings(image, text)
    unknown = dict.fromkeys(classifier.card.labels.names, np.nan)
    scores = {
        mode: np.array([list(p.scores.get(mode, unknown).values()) for p in predictions])
        for mode in classifier.modes
    }
    cut_off = sum(photo is not None and photo.cut_off for photo in photos)
    return ScoredRows(scores, image, text, skipped, cut_off)


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

    A label that is true for no row or for every row has `ap` and `f1` None, which would not depend
    on the scores.

    Rows without input for any mode are left out and appear in the report's account. `progress` is
    called with the number of rows in each finished batch.

    Raises:
        CheckpointError: the rule is `recall`, and the card has no thresholds for this one.
    """
    tuned = {
        mode: np.array(
            at_recall(entry.get("recall", {}), recall) if rule == "recall" else entry["thresholds"]
        )
        for mode, entry in classifier.card.modes.items()
    }
    parts, labels = [], classifier.card.labels
    frames = [table.frame.iloc[i : i + BATCH] for i in range(0, len(table.frame), BATCH)]
    for rows, scored in zip(frames, score_parts(classifier, frames, photos), strict=True):
        parts.append(scored)
        progress(len(rows))
    skipped = [entry for part in parts for entry in part.skipped]
    scores = {
        mode: np.concatenate([part.scores[mode] for part in parts])
        for mode in (classifier.modes if parts else ())
    }
    table, used = without_input(table, scores, skipped)
    if photos is not None:
        table.note_photos(photos)
    table.account.repaired[CUT_OFF] = sum(part.cut_off for part in parts)
    truth = target_matrix(table.frame, labels)
    report = {"n": len(table.frame), "backbone": classifier.backbone.id, "rule": rule}
    report |= {"head": classifier.card.kind, "modes": {}}
    for mode, values in scores.items():
        values = values[used]
        rows = ~np.isnan(values[:, 0])
        if not rows.any():
            continue
        own = tuned[mode]
        on = decide(values[rows], rule, threshold=threshold, tuned=own, k=k)
        cuts = {"tuned": own, "recall": own, "fixed": np.full(len(own), threshold)}.get(rule)
        found = metrics.evaluate(truth[rows], values[rows], on, labels.names, cuts)
        for label in found["per_label"].values():
            if label["support"] in (0, found["n"]):  # true nowhere or everywhere
                label |= {"ap": None, "f1": None}
        report["modes"][mode] = found
    return report | {"skipped_photos": skipped, "account": table.account.to_dict()}


def without_input(
    table: LabelTable, scores: dict[str, np.ndarray], skipped: list[dict]
) -> tuple[LabelTable, np.ndarray]:
    """The table without the rows that have no score in any mode, and which rows stay ([N] bool)."""
    known = [~np.isnan(values).all(1) for values in scores.values()]
    used = np.any(known, axis=0) if known else np.zeros(len(table.frame), bool)
    reasons = {entry["ImageID"]: photo_reason(entry["reason"]) for entry in skipped}
    names = table.frame["ImageID"]
    out = {row: reasons.get(names.iat[row], NO_INPUT) for row in np.flatnonzero(~used).tolist()}
    return (table.leave_out(out) if out else table), used
