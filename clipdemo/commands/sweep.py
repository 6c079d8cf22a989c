"""The command `sweep`: the study's grid of heads."""

from pathlib import Path

from clipdemo.commands import options
from clipdemo.commands.terminal import out, print_json, print_table, progress_bars, resumable


def sweep(
    store: options.StoreFolder,
    output: options.RunsFolder,
    validation: options.Validation = "share:0.15",
    jobs: options.Jobs = 0,
    as_json: options.Json = False,
) -> None:
    """The study's grid, ablations and MUTAN, with three seeds each; resumes if it was stopped."""
    from clipdemo.study.experiments import run_sweep

    with resumable(), progress_bars() as progress:
        found = run_sweep(store, output, validation, jobs, progress)
    print_runs(found, output, as_json)


def print_runs(runs, folder: Path, as_json: bool) -> None:
    """Mean and standard deviation over the seeds of every experiment."""
    from clipdemo.study.runs import read_runs

    seconds = read_runs(folder)[2]["seconds"]
    if as_json:
        return print_json({"seconds": seconds, "runs": runs.to_dict("records")})
    rows = []
    for (group, name), seeds in runs.groupby(["group", "name"], sort=False):
        cells = [
            f"{seeds[key].mean():.3f}" + (f" ± {seeds[key].std():.3f}" if len(seeds) > 1 else "")
            for key in ("samples_f1", "map")
        ]
        rows.append([group, name, len(seeds), *cells])
    print_table(["group", "experiment", "seeds", "samples-F1", "mAP"], rows)
    out.print(f"{len(runs)} runs in {seconds:.0f} s, written to {folder}")
