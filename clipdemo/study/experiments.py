"""The experiments on one feature store: sweep, baselines, and heads trained on captions."""

import json
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from clipdemo.errors import TableError
from clipdemo.inputs.ahead import cores
from clipdemo.model.checkpoints import sha256
from clipdemo.model.classifier import Classifier
from clipdemo.study import baselines, captions_alone, sweep
from clipdemo.study.feature_store import INDEX, Store, read_store
from clipdemo.study.rows import split_rows
from clipdemo.study.runs import ABOUT, Entry, Journal, Run, carry_out, write_tables
from clipdemo.study.stages import Progress, counted
from clipdemo.tables.label_table import target_matrix


def run_sweep(
    folder: Path, out: Path, validation: str, jobs: int = 0, progress: Progress = lambda *_: None
) -> pd.DataFrame:
    """The study's grid and ablations (see `sweep.entries`); finished runs are not repeated.

    Args:
        folder: the feature store.
        out: folder of the runs' tables.
        validation: see `splits.held_out`.
        jobs: processes at once; 0: one per core.
        progress: see `Progress`.
    """
    store = _comparable(folder)
    entries = sweep.entries(store)
    execute = partial(sweep.execute, folder, validation)
    return _run(store, out, validation, entries, execute, jobs, progress)


def run_baselines(
    folder: Path,
    out: Path,
    validation: str,
    classifier: Classifier,
    jobs: int = 0,
    progress: Progress = lambda *_: None,
) -> pd.DataFrame:
    """The baselines, and heads trained on captions alone.

    `classifier`: of the store's backbone, for the zero-shot scores and the drawn captions.
    """
    store = _comparable(folder)
    entries = baselines.entries(store) + captions_alone.entries(store)
    zero_shot = baselines.zero_shot_scores(store, validation, classifier)
    own, journal = None, _journal(store, out, validation)
    drawn = [entry.run for entry in entries if entry.run.kind.startswith("drawn")]
    if any(journal.get(run) is None for run in drawn):
        own = _drawn(store, classifier, progress)
    execute = partial(_execute, folder, validation, zero_shot, own)
    return _run(store, out, validation, entries, execute, jobs, progress)


def _comparable(folder: Path) -> Store:
    """The store, which must have at least two labels."""
    store = read_store(folder)
    if len(store.labels) < 2:
        raise TableError(
            f"Every row of {store.folder} has the same single label: add rows without it, or with "
            "others."
        )
    return store


def _execute(folder: Path, validation: str, zero_shot: dict, own: tuple | None, run: Run) -> dict:
    """The outcome of a run of any kind."""
    if run.kind == "mlp":
        return sweep.execute(folder, validation, run)
    if ", " in run.kind:
        return captions_alone.execute(folder, validation, own, run)
    return baselines.execute(folder, validation, zero_shot, run)


def _drawn(
    store: Store, classifier: Classifier, progress: Progress
) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings [M, D] and targets [M, L] of the drawn scenes' captions."""
    captions, names = captions_alone.drawn_captions()
    ids = dict(zip(store.labels.names, store.labels.ids, strict=True))
    rows = pd.DataFrame({"Labels": [tuple(ids[n] for n in row if n in ids) for row in names]})
    parts, encoded = [], counted(progress, "encoding drawn captions", len(captions))
    for start in range(0, len(captions), 64):
        parts.append(classifier.backbone.encode_captions(captions[start : start + 64]))
        encoded(len(parts[-1]))
    return np.concatenate(parts), target_matrix(rows, store.labels)


def _journal(store: Store, out: Path, validation: str) -> Journal:
    """The outcomes in `out` that belong to this store and split."""
    digest, fingerprint = sha256(store.folder / INDEX), store.about.fingerprint
    content = {"store": digest, "fingerprint": fingerprint, "validation": validation}
    return Journal(out / "runs.jsonl", content)


def _run(
    store: Store,
    out: Path,
    validation: str,
    entries: list[Entry],
    execute: Callable[[Run], dict],
    jobs: int,
    progress: Progress,
) -> pd.DataFrame:
    start, jobs = time.perf_counter(), jobs or cores()
    journal = _journal(store, out, validation)
    carry_out(entries, execute, journal, jobs, partial(progress, "runs"))
    content, made_of = journal.about, store.about
    train, check = split_rows(store, entries[0].run.mode, validation)
    spent = time.perf_counter() - start
    if (out / ABOUT).is_file():  # written by the other command
        before = json.loads((out / ABOUT).read_text("utf-8"))
        spent += before["seconds"] if before["content"] == content else 0
    about = {
        "backbone": store.backbone,
        "store": store.folder.name,
        "table": made_of.table,
        "photos": made_of.photos,
        "validation": validation,
        "n_train": len(train.inputs),
        "n_check": len(check.inputs),
        "labels": len(store.labels),
        "content": content,
        "seconds": round(spent, 1),
        "cores": jobs,
        "date": date.today().isoformat(),
    }
    return write_tables(out, entries, journal, store.backbone, about)
