"""Heads for any backbone from few labelled rows, in minutes: see `ridge` for how they learn."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from clipdemo.errors import CheckpointError, TableError
from clipdemo.inputs.labels import MODES
from clipdemo.inspection import metrics
from clipdemo.model import checkpoints
from clipdemo.model.attribution import fit_of_pairs
from clipdemo.model.embeddings import Encoder
from clipdemo.model.zero_shot import zero_shot_heads
from clipdemo.scenes import random_scene
from clipdemo.study.calibrate import calibrated, shrunk, sigmoid
from clipdemo.study.captions_alone import COPIES, as_photos, unit
from clipdemo.study.cross_fit import cross_fitted
from clipdemo.study.feature_store import Store
from clipdemo.study.ridge import FOLDS, Linear, fit, mean_of, ridge

WITHOUT_PHOTOS = 0.3
"""Strength of the image head if no photo is labelled: captions cannot be used to choose it."""
DRAWN, FIRST_SCENE = 200, 6_000_000  # scenes that show where photo embeddings lie
BATCH = 16
FEWEST = 20


def adapt(
    encoder: Encoder,
    store: Store,
    out: Path,
    watch: Callable[[str], object] = lambda mode: None,
) -> checkpoints.Card:
    """Fit heads to a store's labels and write them to `out` with their card.

    Temperature, thresholds and figures come from out-of-fold logits. If the store has no photos,
    the image head is trained on captions (see `captions_alone`), and drawn scenes show where photo
    embeddings lie; nothing is then measured on photos, and the card says so.

    Args:
        encoder: of the store's backbone.
        store: embeddings and labels of at least `FEWEST` rows.
        out: an empty folder, or one with heads that `adapt` wrote.
        watch: called with each mode before its head is fitted.

    Raises:
        CheckpointError: `out` holds other files.
        TableError: there are too few rows, or none of them has a label.
    """
    if not checkpoints.has_room_for_heads(out) and not _is_adapted(out):
        raise CheckpointError(f"{out} holds other heads already: choose another --out.")
    prior, scale = _zero_shot(encoder, store)
    index = store.index
    groups = pd.factorize(index["ImageID"])[0] % FOLDS
    said = (index["Caption"] != "").to_numpy()
    first = ~index["ImageID"].duplicated().to_numpy()
    if said.sum() < FEWEST and (store.image is None or first.sum() < FEWEST):
        raise TableError(f"There are fewer than {FEWEST} rows to learn from: give some more.")
    if not store.targets.any():
        raise TableError("No row has a label: give a table whose rows have some.")

    parts = {"image": store.image, "text": store.text}
    usable = {"image": first, "text": said, "concat": said}
    linear, entries, figures = {}, {}, {}
    for mode in MODES:
        read = ("image", "text") if mode == "concat" else (mode,)
        if not store.has(mode) or usable[mode].sum() < FEWEST:
            continue
        watch(mode)
        rows = np.flatnonzero(usable[mode])
        inputs = np.concatenate([np.asarray(parts[n][rows], np.float32) for n in read], axis=1)
        towards = np.concatenate([prior] * len(read), axis=1) / len(read)
        truth = store.targets[rows]
        found, unseen, strength = fit(inputs, truth, towards, scale, groups[rows])
        linear[mode] = found
        entries[mode] = _entry(inputs.shape[1], unseen, truth, strength, store)
        figures[mode] = _figures(entries[mode], unseen, truth, store.labels.names)
    alone = store.image is None and "text" in linear
    if alone:
        watch("image")
        texts, truth = np.asarray(store.text[said], np.float32), store.targets[said]
        drawn = Drawn.by(encoder, store.labels.names)
        linear["image"] = without_photos(drawn, texts, truth, prior, scale)
        linear["concat"] = mean_of(linear["image"], linear["text"])
        for mode, inputs in (("image", drawn.photos), ("concat", drawn.both)):
            width = inputs.shape[1]
            if drawn.truth.any():
                logits = linear[mode](inputs)
                entries[mode] = _entry(width, logits, drawn.truth, WITHOUT_PHOTOS, store)
            else:  # none of these labels is ever drawn
                entries[mode] = entries["text"] | {"inputs": width}
    content = {
        "backbone": store.backbone,
        "fingerprint": store.about.fingerprint,
        "width": store.width,
        "adapted": True,
        "summary": _summary(store, alone),
        "trained": date.today().isoformat(),
        "labels": list(store.labels.names),
        "label_ids": list(store.labels.ids),
        "modes": {mode: entries[mode] for mode in MODES if mode in entries},
        "metrics": {"photos": {"n": max(f["n"] for f in figures.values()), "modes": figures}},
    }
    if store.image is not None and said.any():
        content["fit"] = fit_of_pairs(store.image[said], store.text[said])
    return checkpoints.save_heads(out, {m: found.head() for m, found in linear.items()}, content)


@dataclass(frozen=True)
class Drawn:
    """Drawn scenes used nowhere else: embeddings [N, D] of photos and captions, truth [N, L]."""

    photos: np.ndarray
    captions: np.ndarray
    truth: np.ndarray

    @classmethod
    def by(cls, encoder: Encoder, names: tuple[str, ...]) -> "Drawn":
        """The scenes, encoded by a backbone."""
        scenes = [random_scene(FIRST_SCENE + i, (192, 144)) for i in range(DRAWN)]
        parts = (scenes[i : i + BATCH] for i in range(0, DRAWN, BATCH))
        encode = encoder.backbone.encode_photos
        photos = np.concatenate([encode([scene.image for scene in part]) for part in parts])
        captions = np.stack(encoder.captions([scene.caption for scene in scenes]))
        truth = np.array([[name in scene.labels for name in names] for scene in scenes])
        return cls(photos, captions, truth)

    @property
    def both(self) -> np.ndarray:
        """[N, 2 * D]."""
        return np.concatenate([self.photos, self.captions], axis=1)


def without_photos(
    drawn: Drawn, texts: np.ndarray, truth: np.ndarray, prior: np.ndarray, scale: float
) -> Linear:
    """An image head trained on embeddings of captions [N, D] alone.

    Drawn scenes show where photo embeddings lie, and how much weaker a label's signal is in the
    embedding of a photo than in that of its caption.
    """
    inputs, _ = as_photos(texts, drawn.photos, drawn.photos, "centred and noise")
    found = ridge(inputs, np.tile(truth, (COPIES, 1)), prior, scale, WITHOUT_PHOTOS)
    centre = drawn.photos.mean(0)
    shown, said = found(unit(drawn.photos - centre)), found(unit(drawn.captions - texts.mean(0)))
    stretch = (said - said.mean(0)).std() / (shown - shown.mean(0)).std()
    # The head reads raw embeddings: the mean is folded into its bias, and the length of centred
    # embeddings, which varies little, into its weights.
    weights = stretch * found.weights / np.linalg.norm(drawn.photos - centre, axis=1).mean()
    bias = stretch * (found.bias - shown.mean()) + said.mean()
    return Linear(weights, bias - weights @ centre)


def _zero_shot(encoder: Encoder, store: Store) -> tuple[np.ndarray, float]:
    """Directions [L, D] from the background prompts to a label's prompts, and the logit scale."""
    _, heads = zero_shot_heads(encoder, store.labels)
    text = heads["text"]
    return (text.prompts - text.background.mean(0)).numpy(), text.scale


def _entry(
    inputs: int, logits: np.ndarray, truth: np.ndarray, strength: float, store: Store
) -> dict:
    training = {
        "table": store.about.table,
        "strength": strength,
        "validation": f"{FOLDS}-fold cross-validation",
        "n_train": len(truth),
        "n_check": len(truth),
        "history": [],
    }
    shape = {"inputs": inputs, "hidden": []}
    return shape | calibrated(logits, truth) | {"training": training}


def _figures(entry: dict, logits: np.ndarray, truth: np.ndarray, names: tuple[str, ...]) -> dict:
    """Metrics of logits against truth [M, L], with cross-fitted thresholds."""
    scores = sigmoid(logits / entry["temperature"])
    on = cross_fitted(scores, truth > 0.5, partial(shrunk, strength=entry["shrinkage"]))
    return metrics.evaluate(truth, scores, on, names, np.array(entry["thresholds"]))


def _summary(store: Store, alone: bool) -> str:
    rows = f"{len(store.index):,} rows of {store.about.table}"
    if alone:
        return (
            f"Heads adapted to this backbone from the captions of {rows}; they saw no photo, and "
            "their figures are those of captions."
        )
    return f"Heads adapted to this backbone from {rows}; their figures are cross-validated."


def _is_adapted(folder: Path) -> bool:
    try:
        return checkpoints.read_card(folder).content.get("adapted", False)
    except CheckpointError:
        return False
