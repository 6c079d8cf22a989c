"""Heads for a feature store's labels: trained, calibrated, and written with their card."""

from dataclasses import asdict
from datetime import date
from pathlib import Path

import numpy as np
import torch

from clipdemo import checkpoints, metrics
from clipdemo.classifier import Classifier
from clipdemo.errors import CheckpointError
from clipdemo.labels import MODES
from clipdemo.training.calibrate import calibrated, sigmoid
from clipdemo.training.features import Store, read_index
from clipdemo.training.fit import FitSettings, fit_head, logits
from clipdemo.training.rows import split_rows


def modes_of(store: Store) -> list[str]:
    """The page's modes that the store has the embeddings for."""
    missing = {"image"} if store.image is None else set()
    missing |= {"text"} if store.text is None else set()
    return [m for m in MODES if m not in missing and not (m == "concat" and missing)]


def train_heads(
    store: Store,
    out: Path,
    settings: dict[str, FitSettings],
    validation: str,
    captions: str = "original",
) -> checkpoints.Card:
    """Train a head per mode and write it to `out`, beside those of other modes that are there.

    Args:
        store: embeddings and labels.
        out: folder of the checkpoint.
        settings: of each mode's training.
        validation: see `splits.held_out`.
        captions: to train on: `original`, `generated` or `both`.

    Raises:
        CheckpointError: `out` holds heads of another backbone or for other labels.
        TableError: the store has not what a mode reads.
    """
    content = _content(store, out)
    heads = {}
    for mode, chosen in settings.items():
        train, check = split_rows(store, mode, validation, captions)
        head, history = fit_head(
            train.inputs, train.targets, None, check.inputs, check.targets, chosen
        )
        heads[mode] = head.half().float()  # as it is stored
        values = logits(head, check.inputs)
        entry = chosen.shape(train.inputs.shape[1]) | calibrated(values, check.targets)
        entry["training"] = {
            "settings": asdict(chosen),
            "captions": captions,
            "validation": validation,
            "n_train": len(train.inputs),
            "n_check": len(check.inputs),
            "history": history,
        }
        content["modes"][mode] = entry
        content["metrics"]["photos"]["modes"][mode] = _measured(store, values, check, entry)
    content["metrics"]["photos"]["n"] = max(
        m["n"] for m in content["metrics"]["photos"]["modes"].values()
    )
    return checkpoints.save_heads(out, heads, content)


def calibrate(classifier: Classifier, store: Store, validation: str) -> checkpoints.Card:
    """Temperature, thresholds and reliability of every mode anew, written to the card.

    Raises:
        CheckpointError: the heads are for another backbone or other labels than the store.
        TableError: the store has not what a mode reads.
    """
    card = classifier.card
    if (card.backbone, card.labels) != (store.backbone, store.labels):
        raise CheckpointError(
            f"{card.folder} holds heads of {card.backbone}, and {store.folder} is of another "
            "backbone or has other labels: choose a store that fits."
        )
    content = dict(card.content)
    content["modes"] = {
        mode: entry | calibrated(*validation_logits(classifier, store, mode, validation))
        for mode, entry in card.modes.items()
    }
    content["calibrated"] = {"store": store.folder.name, "validation": validation}
    return checkpoints.write_card(card.folder, content)


def validation_logits(
    classifier: Classifier, store: Store, mode: str, validation: str
) -> tuple[np.ndarray, np.ndarray]:
    """Logits and truth [M, L] of the validation rows by the classifier's own head."""
    _, check = split_rows(store, mode, validation)
    return classifier.logits(mode, torch.from_numpy(check.inputs)), check.targets


def _content(store: Store, out: Path) -> dict:
    """The card to add to: the one in `out`, or a new one."""
    if (out / checkpoints.CARD).is_file():
        card = checkpoints.read_card(out)
        if (card.backbone, card.labels) != (store.backbone, store.labels):
            raise CheckpointError(
                f"{out} holds heads of {card.backbone} for its own labels, and {store.folder} is "
                "of another backbone or has other labels: choose another --out."
            )
        return card.content
    photos = store.index["ImageID"].nunique()
    return {
        "backbone": store.backbone,
        "summary": f"Heads for {len(store.labels)} labels on this frozen backbone, trained with "
        f"{read_index(store.folder)[0].table} ({photos:,} rows).",
        "trained": date.today().isoformat(),
        "width": store.width,
        "labels": list(store.labels.names),
        "label_ids": list(store.labels.ids),
        "modes": {},
        "metrics": {"photos": {"modes": {}}},
    }


def _measured(store: Store, values: np.ndarray, check, entry: dict) -> dict:
    """Figures on the validation rows, by the thresholds that were tuned on them."""
    scores = sigmoid(values / entry["temperature"])
    thresholds = np.array(entry["thresholds"])
    on = scores >= thresholds
    return metrics.evaluate(check.targets, scores, on, store.labels.names, thresholds)
