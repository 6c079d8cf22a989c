"""The commands of the study: `sweep` and `baselines`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from clipdemo.commands.options import Json, bar, out, print_json
from clipdemo.commands.train import StoreFolder, Validation

Runs = Annotated[Path, typer.Option("--out", help="Folder of the runs' tables.")]
Jobs = Annotated[int, typer.Option(min=0, help="Processes at once; 0: one per core.")]


def sweep(
    store: StoreFolder,
    output: Runs,
    validation: Validation = "share:0.15",
    jobs: Jobs = 0,
    as_json: Json = False,
) -> None:
    """The study's grid and ablations, and MUTAN, three seeds each; killed, it goes on."""
    from clipdemo.study.experiments import run_sweep

    with bar() as progress:
        task = progress.add_task("runs", total=None)
        found = run_sweep(
            store, output, validation, jobs,
            lambda done, total: progress.update(task, completed=done, total=total),
        )  # fmt: skip
    _show(found, output, as_json)


def baselines(
    store: StoreFolder,
    output: Runs,
    validation: Validation = "share:0.15",
    jobs: Jobs = 0,
    as_json: Json = False,
) -> None:
    """KNN, random forest, zero-shot, bag of words, late fusion, heads from captions alone."""
    from clipdemo.model.loading import load
    from clipdemo.study.experiments import run_baselines
    from clipdemo.study.feature_store import read_store

    classifier = load(read_store(store).backbone)
    with bar() as progress:
        task = progress.add_task("runs", total=None)
        found = run_baselines(
            store, output, validation, classifier, jobs,
            lambda done, total: progress.update(task, completed=done, total=total),
        )  # fmt: skip
    _show(found, output, as_json)


def _show(runs, folder: Path, as_json: bool) -> None:
    """Mean and spread over the seeds of every experiment."""
    from clipdemo.study.runs import read_runs

    seconds = read_runs(folder)[2]["seconds"]
    if as_json:
        print_json({"seconds": seconds, "runs": runs.to_dict("records")})
        return
    shown = Table("group", "experiment", "seeds", "samples-F1", "mAP")
    for (group, name), rows in runs.groupby(["group", "name"], sort=False):
        cells = [
            f"{rows[key].mean():.3f}" + (f" ± {rows[key].std():.3f}" if len(rows) > 1 else "")
            for key in ("samples_f1", "map")
        ]
        shown.add_row(group, name, str(len(rows)), *cells)
    out.print(shown)
    out.print(f"{len(runs)} runs in {seconds:.0f} s, written to {folder}")
