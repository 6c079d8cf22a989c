"""Image heads trained on captions alone (CapDec, Nukrai et al. 2022; C3, Zhang et al. 2024).

Text embeddings stand in for image embeddings. Each modality is centred on its own mean, and noise
is added, since a caption's embedding is close to its photo's but not the same.
"""

from pathlib import Path

import numpy as np

from clipdemo.inputs.labels import COCO18
from clipdemo.scenes import random_scene
from clipdemo.study.calibrate import sigmoid
from clipdemo.study.cross_fit import run_metrics
from clipdemo.study.feature_store import Store, read_store
from clipdemo.study.fit import fit_head, logits
from clipdemo.study.rows import split_rows
from clipdemo.study.runs import SEEDS, Entry, Run
from clipdemo.study.sweep import FINAL

NOISE = 0.5  # norm of the noise; an embedding has norm 1
COPIES = 4  # of each caption, each with different noise
WAYS = ("raw", "centred", "centred and noise")
DRAWN = 3000
FIRST_SCENE = 5_000_000  # scenes that nothing else was trained on


def entries(store: Store) -> list[Entry]:
    """The experiments, with zero-shot and a head trained on photos for comparison."""
    if not store.has("concat"):
        return []
    found = [("zero-shot", Run("image", "zero-shot"))]
    sources = ("table", *(["drawn"] if set(store.labels.names) <= set(COCO18.names) else []))
    for source in sources:
        found += [
            (f"{source} captions, {way}", Run("image", f"{source}, {way}", FINAL).seeded(seed))
            for way in WAYS
            for seed in SEEDS
        ]
    found += [("photos", Run("image", settings=FINAL).seeded(seed)) for seed in SEEDS]
    return [Entry("captions-alone", name, run) for name, run in found]


def drawn_captions() -> tuple[list[str], list[tuple[str, ...]]]:
    """Captions of drawn scenes, and the label names of each scene.

    A caption does not name everything in its scene; the labels do.
    """
    scenes = (random_scene(FIRST_SCENE + i, (32, 24)) for i in range(DRAWN))
    captions, labels = zip(*((s.caption, tuple(s.labels)) for s in scenes), strict=True)
    return list(captions), list(labels)


def execute(
    folder: Path, validation: str, own: tuple[np.ndarray, np.ndarray] | None, run: Run
) -> dict:
    """The outcome of an experiment that trains on captions, on the store in a folder.

    `own`: embeddings [M, D] of the drawn captions and their targets [M, L], if they are used.
    """
    store = read_store(folder)
    source, _, way = run.kind.partition(", ")
    photos, check = split_rows(store, "image", validation)
    if source == "table":
        rows, _ = split_rows(store, "text", validation)
        texts, targets = rows.inputs, rows.targets
    else:
        texts, targets = own
    inputs, check_inputs = as_photos(texts, photos.inputs, check.inputs, way, run.seed)
    targets = np.tile(targets, (len(inputs) // len(targets), 1))
    head, history = fit_head(inputs, targets, None, check_inputs, check.targets, run.settings)
    scores = sigmoid(logits(head, check_inputs))
    return {
        **run_metrics(check.targets, scores, store.labels.names),
        "history": history,
        "n_train": len(texts),
        "n_check": len(check_inputs),
    }


def as_photos(
    texts: np.ndarray, photos: np.ndarray, check: np.ndarray, way: str, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Inputs for training and for validation, prepared in one of the `WAYS`.

    Args:
        texts: [M, D] embeddings of captions.
        photos: [N, D] embeddings of unlabelled photos, for their mean.
        check: [K, D] embeddings of the validation photos.
        way: `raw`: unchanged. `centred`: minus the modality's mean, and normalised again.
            `centred and noise`: `COPIES` of each caption, each with Gaussian noise of length
            `NOISE`.
        seed: of the noise.
    """
    if way == "raw":
        return texts, check
    texts, check = unit(texts - texts.mean(0)), unit(check - photos.mean(0))
    if way == "centred":
        return texts, check
    texts = np.tile(texts, (COPIES, 1))
    noise = np.random.default_rng(seed).normal(0, NOISE / texts.shape[1] ** 0.5, texts.shape)
    return unit(texts + noise), check


def unit(rows: np.ndarray) -> np.ndarray:
    """The rows divided by their norms."""
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
