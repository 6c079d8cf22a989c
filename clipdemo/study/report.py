"""The report of a study: all the data that its panels draw, JSON-ready."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from clipdemo.errors import TableError
from clipdemo.inputs.atomic import atomic_write
from clipdemo.model.checkpoints import sha256
from clipdemo.study import published
from clipdemo.study.orderings import orderings
from clipdemo.study.per_label import PARTS, adds, judge, tuned_on

if TYPE_CHECKING:
    from clipdemo.model.classifier import Classifier
    from clipdemo.study.feature_store import Store

NAME = "report.json"
STEPS = 60  # of a learning-rate schedule
CURVES = ("loss", "check_loss", "map", "samples_f1")
WITH_CURVES = ("grid", "warmup", "encoding")


def make_report(runs_folder: Path, store: Store, validation: str, classifier: Classifier) -> dict:
    """The content of `report.json`: below 400 KB for up to a hundred labels.

    Args:
        runs_folder: what `sweep` and `baselines` wrote.
        store: the feature store they ran on; the heads are evaluated on its validation rows.
        validation: the rule that chooses these rows (see `splits.held_out`).
        classifier: heads for the store's backbone and labels, with their card.

    Raises:
        TableError: there are no runs, or runs, store, rule and heads do not belong together.
    """
    from clipdemo.study.runs import read_runs

    runs, curves, about = read_runs(runs_folder)
    check_fit(about, store, validation, classifier)
    judged = judged_heads(store, validation, classifier)
    report = {
        "about": describe(about, runs) | judged.pop("about"),
        "published": study_of(store.labels.names),
        "orderings": orderings(runs, curves),
        "runs": json.loads(runs.to_json(orient="records", double_precision=6)),
        "curves": mean_curves(runs, curves),
        "schedules": schedules(about["n_train"]),
        **judged,
    }
    return rounded(report)


def judged_heads(store: Store, validation: str, classifier: Classifier) -> dict:
    """The parts of the report about the heads, and `about`, which says how they were tuned."""
    modes = judge(store, validation, classifier)
    parts = {part: {mode: found[part] for mode, found in modes.items()} for part in PARTS}
    about = {"thresholds": tuned_on(classifier.card, modes)}
    return {"about": about, **parts, "adds": adds(parts["per_label"])}


def write_report(folder: Path, report: dict) -> Path:
    """Write `report.json` atomically."""
    with atomic_write(folder / NAME) as partial:
        partial.write_text(json.dumps(report, separators=(",", ":")) + "\n", "utf-8")
    return folder / NAME


def check_fit(about: dict, store: Store, validation: str, classifier: Classifier) -> None:
    """Raise TableError if runs, store, rule and heads do not belong together."""
    from clipdemo.study.feature_store import INDEX

    card = classifier.card
    if not about["backbone"] == store.backbone == card.backbone:
        raise TableError(
            f"The runs are for the backbone {about['backbone']}, the store is for {store.backbone} "
            f"and the heads for {card.backbone}: choose ones that belong together."
        )
    if store.labels != card.labels:
        raise TableError(
            f"The heads in {card.folder} are for other labels than {store.folder}: train heads "
            "for this store."
        )
    if about["validation"] != validation:
        raise TableError(
            f"The runs were evaluated on the rows of {about['validation']!r}, not {validation!r}: "
            "use that rule, or run sweep and baselines again."
        )
    if about["content"]["store"] != sha256(store.folder / INDEX):
        raise TableError(
            f"{store.folder} is not the store of these runs, or has changed since: run sweep and "
            "baselines again."
        )


def describe(about: dict, runs: pd.DataFrame) -> dict:
    """What was measured and how; file names come without folders, as a report may be public."""
    kept = ("backbone", "n_train", "n_check", "labels", "seconds", "cores", "date")
    return {
        **{key: about[key] for key in kept},
        "table": Path(about["table"]).name,
        "photos": Path(about["photos"] or "").name,
        "split": Path(about["validation"]).name,
        "seeds": sorted({int(seed) for seed in runs["seed"].dropna()}),
    }


def study_of(names: tuple[str, ...]) -> dict:
    """The study's published figures and a sentence about them; {} for other labels."""
    if set(names) != set(published.PER_LABEL):
        return {}
    overall = published.OVERALL | {"n": published.SETTINGS["n_check"]}
    return {"note": published.NOTE, "overall": overall, "per_label": published.PER_LABEL}


def mean_curves(runs: pd.DataFrame, curves: pd.DataFrame) -> list[dict]:
    """Per group and name of runs, the mean of each curve over the seeds.

    Runs may stop early: only epochs that every seed has reached are included.
    """
    found = []
    wanted = runs[runs["group"].isin(WITH_CURVES)]
    for (group, name), same in wanted.groupby(["group", "name"], sort=False):
        these, first = curves[curves["run"].isin(same["run"])], same.iloc[0]
        by_epoch = these.groupby("epoch")[list(CURVES)]
        mean = by_epoch.mean()[by_epoch.size() == these["run"].nunique()]
        about = {key: first[key] for key in ("mode", "hidden", "rate")}
        found.append(
            {"group": group, "name": name, **about, "seeds": int(these["run"].nunique())}
            | {"epoch": mean.index.tolist()}
            | {column: mean[column].tolist() for column in CURVES}
        )
    return found


def schedules(n_train: int) -> dict:
    """Learning rate by step of the study's head for `n_train` rows, with and without warm-up."""
    import torch
    from transformers import get_linear_schedule_with_warmup

    from clipdemo.study.sweep import FINAL

    steps, found = -(-n_train // FINAL.batch) * FINAL.epochs, {}
    for name, warmup in (("with warm-up", FINAL.warmup), ("without", 0.0)):
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], FINAL.rate)
        schedule = get_linear_schedule_with_warmup(optimizer, int(warmup * steps), steps)
        rates = []
        for _ in range(steps):
            rates.append(schedule.get_last_lr()[0])
            optimizer.step()
            schedule.step()
        even = np.linspace(0, steps - 1, STEPS).round().astype(int)
        kept = np.unique([*even, int(np.argmax(rates))])
        found[name] = {"step": kept.tolist(), "rate": [rates[i] for i in kept]}
    return found


def rounded(value: object) -> object:
    """The same with floats rounded to six decimals, and None for nan and infinities."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    if isinstance(value, float):
        return round(float(value), 6) if np.isfinite(value) else None
    return value
