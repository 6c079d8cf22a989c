"""Train and calibrate heads for a feature store's labels, and write them with their card."""

import copy
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from pathlib import Path

import numpy as np
import torch

from clipdemo.errors import CheckpointError
from clipdemo.model import checkpoints
from clipdemo.model.attribution import fit_of_pairs
from clipdemo.model.classifier import Classifier
from clipdemo.study.calibrate import calibrated, figures_of
from clipdemo.study.feature_store import Store
from clipdemo.study.fit import FitSettings, fit_head, logits
from clipdemo.study.rows import split_rows
from clipdemo.study.splits import held_out


def train_heads(
    store: Store,
    out: Path,
    settings: dict[str, FitSettings],
    validation: str,
    captions: str = "original",
    watch: Callable[[str, dict], object] = lambda mode, epoch: None,
) -> checkpoints.Card:
    """Train a head per mode and write it to `out`, next to existing heads of other modes.

    Args:
        store: embeddings and labels.
        out: folder of the checkpoint.
        settings: of each mode's training.
        validation: see `splits.held_out`.
        captions: those to train on: `original`, `generated` or `both`.
        watch: called after each epoch with the mode and the epoch's entry in the history.

    Raises:
        CheckpointError: `out` holds heads of another backbone or for other labels, or other files.
        TableError: the store lacks what a mode reads.
    """
    heads, content = {}, _content(store, out)
    for mode, chosen in settings.items():
        train, check = split_rows(store, mode, validation, captions)
        head, history = fit_head(
            train.inputs, train.targets, None, check.inputs, check.targets, chosen,
            lambda epoch, mode=mode: watch(mode, epoch),
        )  # fmt: skip
        heads[mode] = head.half().float()  # as it is stored
        values = logits(head, check.inputs)
        entry = chosen.shape(train.inputs.shape[1]) | calibrated(values, check.targets)
        entry["training"] = {
            "table": store.about.table,
            "settings": asdict(chosen),
            "captions": captions,
            "validation": validation,
            "n_train": len(train.inputs),
            "n_check": len(check.inputs),
            "history": history,
        }
        content["modes"][mode] = entry
        _measure(content, mode, values, check.targets)
    content |= _fit(store, validation)
    if all("training" in entry for entry in content["modes"].values()):
        content |= {"summary": _summary(content), "trained": date.today().isoformat()}
    return checkpoints.save_heads(out, heads, content)


def calibrate(classifier: Classifier, store: Store, validation: str) -> checkpoints.Card:
    """Compute temperature, thresholds, reliability and figures of every mode again, for the card.

    Raises:
        CheckpointError: the heads are for another backbone or other labels than the store.
        TableError: the store lacks what a mode reads.
    """
    card = classifier.card
    _check_fit(card, store, "choose a store that fits")
    content = copy.deepcopy(card.content)
    for mode in card.modes:
        values, truth = validation_logits(classifier, store, mode, validation)
        content["modes"][mode] |= calibrated(values, truth)
        _measure(content, mode, values, truth)
    content |= _fit(store, validation)
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
        _check_fit(card, store, "choose another --out")
        return card.content
    if not checkpoints.has_room_for_heads(out):
        raise CheckpointError(f"{out} holds other files than heads: choose an empty --out.")
    return {
        "backbone": store.backbone,
        "fingerprint": store.about.fingerprint,
        "width": store.width,
        "labels": list(store.labels.names),
        "label_ids": list(store.labels.ids),
        "modes": {},
        "metrics": {},
    }


def _fit(store: Store, validation: str) -> dict:
    """The card's `fit`: how well the validation photos and captions match, if there are both."""
    if store.image is None or store.text is None:
        return {}
    index = store.index
    pairs = (index["source"] == "table") & (index["Caption"] != "")
    rows = np.flatnonzero(pairs & held_out(index, validation))
    return {"fit": fit_of_pairs(store.image[rows], store.text[rows])} if len(rows) else {}


def _check_fit(card: checkpoints.Card, store: Store, then: str) -> None:
    """Raise CheckpointError if heads do not fit a store; `then` says what to do."""
    if card.backbone != store.backbone:
        other = f"are for the backbone {card.backbone}, and {store.folder} is of {store.backbone}"
    elif card.labels != store.labels:
        other = f"are for other labels than those of {store.folder}"
    elif card.content.get("fingerprint", store.about.fingerprint) != store.about.fingerprint:
        other = f"are for other weights of {card.backbone} than {store.folder} was encoded with"
    else:
        return
    raise CheckpointError(f"The heads in {card.folder} {other}: {then}.")


def _summary(content: dict) -> str:
    """What the heads of a card were trained on."""
    trained = [entry["training"] for entry in content["modes"].values()]
    tables = " and ".join(dict.fromkeys(t["table"] for t in trained))
    rows = max(t["n_train"] + t["n_check"] for t in trained)
    return (
        f"Heads for {len(content['labels'])} labels on this frozen backbone, trained with {tables} "
        f"({rows:,} rows)."
    )


def _measure(content: dict, mode: str, values: np.ndarray, truth: np.ndarray) -> None:
    """Put a mode's figures on the validation rows, at its new thresholds, into the card."""
    found = content["metrics"].setdefault("photos", {"n": 0, "modes": {}})
    names = tuple(content["labels"])
    found["modes"][mode] = figures_of(content["modes"][mode], values, truth, names)
    found["n"] = max(measured["n"] for measured in found["modes"].values())
