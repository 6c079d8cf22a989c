"""The baselines that the study's heads are compared with, on the same rows."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline

from clipdemo.inspection.metrics import mean_average_precision
from clipdemo.study.calibrate import sigmoid
from clipdemo.study.cross_fit import run_metrics
from clipdemo.study.feature_store import Store, read_store
from clipdemo.study.fit import fit_head, logits
from clipdemo.study.rows import Rows, split_rows
from clipdemo.study.runs import SEEDS, Entry, Run
from clipdemo.study.sweep import FINAL

NEIGHBOURS = (5, 10, 20, 40)
TREES = 300


def entries(store: Store) -> list[Entry]:
    """Every baseline that the store has the embeddings for; randomised ones with three seeds."""
    modes, found = store.modes, []
    main = modes[-1]
    found.append(("k nearest neighbours", Run(main, "knn")))
    found += [("random forest", Run(main, "forest", seed=seed)) for seed in SEEDS]
    found.append(("logistic regression", Run(main, "logistic")))
    found += [(f"zero-shot, {mode}", Run(mode, "zero-shot")) for mode in modes]
    if "text" in modes:
        found.append(("bag of words, logistic regression", Run("text", "bag-of-words")))
    if main == "concat":
        found += [("late fusion", Run("concat", "late-fusion", seed=seed)) for seed in SEEDS]
    return [Entry("baseline", name, run) for name, run in found]


def zero_shot_scores(store: Store, validation: str, classifier) -> dict[str, np.ndarray]:
    """Scores of the validation rows by mode, from the labels' names alone.

    `classifier`: a classifier of the store's backbone.
    """
    import torch

    named, found = classifier.zero_shot(store.labels), {}
    for entry in entries(store):
        if entry.run.kind == "zero-shot":
            _, check = split_rows(store, entry.run.mode, validation)
            inputs = torch.from_numpy(np.asarray(check.inputs, np.float32))
            found[entry.run.mode] = named.scores(entry.run.mode, inputs)
    return found


def bag_of_words() -> Pipeline:
    """TF-IDF of words and word pairs with one logistic regression per label."""
    return make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
        OneVsRestClassifier(LogisticRegression(C=10, max_iter=200)),
    )


def execute(folder: Path, validation: str, zero_shot: dict[str, np.ndarray], run: Run) -> dict:
    """The outcome of a baseline on the store in a folder.

    `zero_shot`: scores [M, L] of the validation rows by mode (see `zero_shot_scores`).
    """
    store = read_store(folder)
    train, check = split_rows(store, run.mode, validation)
    if run.kind == "zero-shot":
        scores = zero_shot[run.mode]
    elif run.kind == "late-fusion":
        scores = _late_fusion(store, validation, run.seed)
    else:
        scores = METHODS[run.kind](train, check, run.seed)
    return {
        **run_metrics(check.targets, scores, store.labels.names),
        "history": [],
        "n_train": 0 if run.kind == "zero-shot" else len(train.inputs),
        "n_check": len(check.inputs),
    }


def _nearest(train: Rows, check: Rows, seed: int) -> np.ndarray:
    """The share of neighbours with each label; the number of neighbours is cross-validated."""
    counts = [n for n in NEIGHBOURS if n <= len(train.inputs) // 2]
    search = GridSearchCV(KNeighborsClassifier(), {"n_neighbors": counts}, scoring=_mean_ap, cv=3)
    return _positive(search.fit(train.inputs, train.targets), check.inputs)


def _forest(train: Rows, check: Rows, seed: int) -> np.ndarray:
    forest = RandomForestClassifier(TREES, min_samples_leaf=2, random_state=seed)
    return _positive(forest.fit(train.inputs, train.targets), check.inputs)


def _logistic(train: Rows, check: Rows, seed: int) -> np.ndarray:
    model = OneVsRestClassifier(LogisticRegression(C=10, max_iter=2000))
    scale = train.inputs.shape[1] ** 0.5  # embeddings are L2-normalised
    return model.fit(train.inputs * scale, train.targets).predict_proba(check.inputs * scale)


def _words(train: Rows, check: Rows, seed: int) -> np.ndarray:
    return bag_of_words().fit(train.captions, train.targets).predict_proba(check.captions)


METHODS: dict[str, Callable[[Rows, Rows, int], np.ndarray]] = {
    "knn": _nearest, "forest": _forest, "logistic": _logistic, "bag-of-words": _words,
}  # fmt: skip


def _late_fusion(store: Store, validation: str, seed: int) -> np.ndarray:
    """The mean of the logits of two heads, one that reads the photo and one the caption."""
    settings, parts = Run("image", settings=FINAL).seeded(seed).settings, []
    _, both = split_rows(store, "concat", validation)
    for mode, inputs in zip(("image", "text"), np.split(both.inputs, 2, axis=1), strict=True):
        train, _ = split_rows(store, mode, validation)
        head, _ = fit_head(train.inputs, train.targets, None, inputs, both.targets, settings)
        parts.append(logits(head, inputs))
    return sigmoid(np.mean(parts, axis=0))


def _positive(model, inputs: np.ndarray) -> np.ndarray:
    """[N, L], from scikit-learn's column per class that a label had among the training rows."""
    chances = zip(model.predict_proba(inputs), model.classes_, strict=True)
    return np.stack([found @ classes for found, classes in chances], axis=1)


def _mean_ap(model, inputs: np.ndarray, targets: np.ndarray) -> float:
    return mean_average_precision(targets, _positive(model, inputs))
