"""The study's experiments on embeddings: its grid, its ablations, MUTAN, each with three seeds."""

from dataclasses import replace
from pathlib import Path

from clipdemo.study.calibrate import sigmoid
from clipdemo.study.cross_fit import run_metrics
from clipdemo.study.feature_store import Store, read_store
from clipdemo.study.fit import FitSettings, fit_head, logits
from clipdemo.study.rows import split_rows
from clipdemo.study.runs import SEEDS, Entry, Run

RATES = (5e-4, 7e-4, 9e-4)
HIDDEN = ((1024,), (2048,), (1024, 512), (2048, 1024))
FINAL = FitSettings(
    hidden=(2048, 1024), rate=7e-4, epochs=30, batch=128, keep="samples_f1", patience=6
)
"""The study's choice: three layers, 2048 then 1024, a rate of 7e-4 and a warm-up."""


def entries(store: Store) -> list[Entry]:
    """Every run of the sweep that the store has the embeddings for, in the order of the report."""
    modes = store.modes
    main, both = modes[-1], "concat" in modes
    generated = bool((store.index["source"] == "generated").any()) and "text" in modes
    final = Run(main, settings=FINAL)
    found = [
        ("grid", f"{'-'.join(map(str, hidden))}, rate {rate:g}", _with(final, hidden, rate))
        for hidden in HIDDEN
        for rate in RATES
    ]
    found += [
        ("warmup", "with warm-up", final),
        ("warmup", "without", replace(final, settings=replace(FINAL, warmup=0.0))),
    ]
    found += [("encoding", mode, replace(final, mode=mode)) for mode in modes]
    if generated:
        found += [
            ("augmentation", f"{mode}, {captions}", replace(final, mode=mode, captions=captions))
            for mode in ("text", *(["concat"] if both else []))
            for captions in ("original", "generated", "both")
        ]
    if both:
        mutan = Run("mutan", "mutan", replace(FINAL, kind="mutan"))
        found += [("fusion", "MLP on concat", final), ("fusion", "MUTAN", mutan)]
    return [Entry(group, name, run.seeded(s)) for group, name, run in found for s in SEEDS]


def _with(run: Run, hidden: tuple[int, ...], rate: float) -> Run:
    return replace(run, settings=replace(run.settings, hidden=hidden, rate=rate))


def execute(folder: Path, validation: str, run: Run) -> dict:
    """The outcome of a run of the sweep on the store in a folder."""
    store = read_store(folder)
    train, check = split_rows(store, run.mode, validation, run.captions)
    head, history = fit_head(
        train.inputs, train.targets, None, check.inputs, check.targets, run.settings
    )
    scores = sigmoid(logits(head, check.inputs))
    return {
        **run_metrics(check.targets, scores, store.labels.names),
        "history": history,
        "n_train": len(train.inputs),
        "n_check": len(check.inputs),
    }
