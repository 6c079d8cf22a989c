"""Runs and reports with figures chosen by the tests, in the form of real ones."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from clipdemo.inputs.labels import COCO18
from clipdemo.study.orderings import orderings
from clipdemo.study.per_label import PARTS, adds, judged
from clipdemo.study.report import describe, mean_curves, rounded, schedules, study_of
from clipdemo.study.runs import COLUMNS, CURVES

ABOUT = {
    "backbone": "tiny", "store": "store", "table": "captions.csv", "photos": "photos.zip",
    "validation": "every:6:1", "n_train": 500, "n_check": 100, "labels": 18, "seconds": 90.0,
    "cores": 2, "date": "2026-01-02",
}  # fmt: skip

# Side (`+`: what the study found better), group, name, mode, kind, hidden, rate, warm-up, captions.
RUNS = [
    ("+", "grid", "2048-1024, rate 0.0007", "concat", "mlp", "2048-1024", 7e-4, 0.1, "original"),
    ("", "grid", "2048-1024, rate 0.0009", "concat", "mlp", "2048-1024", 9e-4, 0.1, "original"),
    ("", "grid", "2048, rate 0.0007", "concat", "mlp", "2048", 7e-4, 0.1, "original"),
    ("", "grid", "1024, rate 0.0007", "concat", "mlp", "1024", 7e-4, 0.1, "original"),
    ("+", "warmup", "with warm-up", "concat", "mlp", "2048-1024", 7e-4, 0.1, "original"),
    ("", "warmup", "without", "concat", "mlp", "2048-1024", 7e-4, 0.0, "original"),
    ("+", "encoding", "concat", "concat", "mlp", "2048-1024", 7e-4, 0.1, "original"),
    ("", "encoding", "image", "image", "mlp", "2048-1024", 7e-4, 0.1, "original"),
    ("-", "encoding", "text", "text", "mlp", "2048-1024", 7e-4, 0.1, "original"),
    ("", "augmentation", "text, original", "text", "mlp", "2048-1024", 7e-4, 0.1, "original"),
    ("+", "augmentation", "text, both", "text", "mlp", "2048-1024", 7e-4, 0.1, "both"),
    ("", "augmentation", "concat, original", "concat", "mlp", "2048-1024", 7e-4, 0.1, "original"),
    ("+", "augmentation", "concat, both", "concat", "mlp", "2048-1024", 7e-4, 0.1, "both"),
    ("", "fusion", "MUTAN", "mutan", "mutan", None, 7e-4, 0.1, "original"),
    ("", "baseline", "k nearest neighbours", "concat", "knn", None, None, None, "original"),
    ("", "baseline", "random forest", "concat", "forest", None, None, None, "original"),
    ("", "captions-alone", "zero-shot", "image", "zero-shot", None, None, None, "original"),
    ("+", "captions-alone", "photos", "image", "mlp", "2048-1024", 7e-4, 0.1, "original"),
]
SIDES = {"+": 1.0, "": 0.0, "-": -1.0}


def made_runs(gap: float = 0.1, noise: float = 0.01, turn: int = 3) -> tuple[pd.DataFrame, ...]:
    """Runs and curves of three seeds; better sides are better by `gap`, each seed by `noise`.

    The validation loss of hidden 2048 is lowest after epoch `turn` of 8, that of others in the end.
    """
    columns = ("group", "name", "mode", "kind", "hidden", "rate", "warmup", "captions")
    runs, curves = [], []
    for side, *values in RUNS:
        for seed in range(3):
            row = dict(zip(columns, values, strict=True)) | {"seed": seed}
            row["run"] = f"{row['group']}/{row['name']}/{seed}"
            f1 = 0.7 + gap * SIDES[side] + noise * (seed - 1)
            row |= dict.fromkeys(("samples_f1", "samples_f1_fixed", "map", "micro_f1"), f1)
            row["layers"] = row["hidden"] and len(row["hidden"].split("-")) + 1
            runs.append(row | {"n_train": 500, "n_check": 100, "backbone": "tiny"})
            lowest = turn if row["hidden"] == "2048" else 8
            if row["rate"]:
                for epoch in range(1, 9):
                    loss = 0.2 + 0.02 * abs(epoch - lowest)
                    curve = (row["run"], epoch, 1 / epoch, loss, 7e-4 * (8 - epoch) / 8, f1, f1)
                    curves.append(dict(zip(("run", *CURVES), curve, strict=True)))
    table = pd.DataFrame(runs, columns=COLUMNS)
    return table.astype({"layers": "Int64"}), pd.DataFrame(curves)


def write_runs(folder: Path, about: dict, **chosen: float) -> Path:
    """A folder of such runs, as written by sweep and baselines."""
    folder.mkdir()
    runs, curves = made_runs(**chosen)
    runs.to_parquet(folder / "runs.parquet")
    curves.to_parquet(folder / "curves.parquet")
    (folder / "about.json").write_text(json.dumps(ABOUT | about))
    return folder


def made_report(names: tuple[str, ...] = COCO18.names, modes=("image", "text", "concat")) -> dict:
    """A report of such runs and of heads with random scores for labels of these names."""
    random, runs = np.random.default_rng(0), made_runs()
    truth = random.random((100, len(names))) < 0.3
    scores = {m: np.clip(random.normal(0.3 + 0.4 * truth, 0.2), 0, 1) for m in modes}
    entry = {"thresholds": [0.5] * len(names)}
    found = {mode: judged(truth, scores[mode], entry, names) for mode in modes}
    of_modes = {part: {mode: found[mode][part] for mode in modes} for part in PARTS}
    return rounded(
        {
            "about": describe(ABOUT, runs[0]) | {"thresholds": "The thresholds are 0.5."},
            "published": study_of(names),
            "orderings": orderings(*runs),
            "runs": json.loads(runs[0].to_json(orient="records")),
            "curves": mean_curves(*runs),
            "schedules": schedules(500),
            **of_modes,
            "adds": adds(of_modes["per_label"]),
        }
    )
