"""How many of a photo's labels the text head finds in the bundled captioner's caption."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from clipdemo.inspection.metrics import evaluate
from clipdemo.model import checkpoints
from clipdemo.model.captioners.bundled import BundledCaptioner
from clipdemo.model.captioners.decoder import write_decoder_card
from clipdemo.model.classifier import Classifier
from clipdemo.model.loading import load
from clipdemo.model.thresholds import decide
from clipdemo.tables.label_table import target_matrix
from clipdemo.tiny.heads import encode_captions
from clipdemo.tiny.measure import validation_photos

# Captions that fit most photos and say little; the best of them is the baseline.
NEUTRAL = (
    "a photo", "a photo of something", "a person", "a photo of a person", "a man standing",
    "a group of people", "a man on a street", "a photo of a street",
)  # fmt: skip


def found_labels(classifier: Classifier, captions: list[str]) -> np.ndarray:
    """[N, L] bool: the labels that the text head finds in captions, rule `tuned`."""
    inputs = torch.from_numpy(encode_captions(classifier.backbone, captions))
    tuned = np.array(classifier.card.modes["text"]["thresholds"])
    return decide(classifier.scores("text", inputs), "tuned", tuned=tuned)


def figures(truth: np.ndarray, on: np.ndarray) -> dict[str, float]:
    """Share of the true labels [N, L] that are on, and samples-F1."""
    names = tuple(map(str, range(truth.shape[1])))
    samples_f1 = evaluate(truth, on.astype(float), on, names)["samples_f1"]
    recall = float((on & (truth > 0.5)).sum() / (truth > 0.5).sum())
    return {"recall": round(recall, 4), "samples_f1": round(samples_f1, 4)}


def measure_captions(
    data: Path, folder: Path, progress: Callable[[int], None] = lambda photos: None
) -> dict:
    """Measure the captioner in `folder` on the validation photos of a data folder.

    Writes `metrics` to its card and returns it: `recall`, the share of the true labels that the
    text head finds, and `samples_f1`, each for `suggested`, the captioner's best caption, `human`,
    the photo's own, and `fixed`, one caption for all photos: the one of `NEUTRAL` with the best
    samples-F1.
    """
    classifier = load(checkpoint=folder, device="cpu")
    captioner = BundledCaptioner("bundled", folder, classifier.backbone)
    frame, source = validation_photos(data)
    truth = target_matrix(frame, classifier.card.labels)
    suggested = []
    for name in frame["ImageID"]:
        suggested += captioner.suggest(source.read(name), 1) or [""]
        progress(1)
    neutral = found_labels(classifier, list(NEUTRAL))
    tried = {
        caption: figures(truth, np.tile(on, (len(truth), 1)))
        for caption, on in zip(NEUTRAL, neutral, strict=True)
    }
    fixed = max(NEUTRAL, key=lambda caption: tried[caption]["samples_f1"])
    metrics = {
        "photos": len(frame),
        "suggested": figures(truth, found_labels(classifier, suggested)),
        "human": figures(truth, found_labels(classifier, frame["Caption"].tolist())),
        "fixed": {"caption": fixed} | tried[fixed],
        "fixed_tried": tried,
    }
    write_decoder_card(folder, captioner.card | {"metrics": metrics})
    # The heads' card holds the sha256 of every file next to it.
    checkpoints.write_card(folder, checkpoints.read_card(folder).content)
    return metrics
