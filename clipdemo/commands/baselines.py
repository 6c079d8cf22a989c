"""The command `baselines`: other methods to compare heads with."""

from clipdemo.commands import options
from clipdemo.commands.sweep import print_runs
from clipdemo.commands.terminal import progress_bars, resumable


def baselines(
    store: options.StoreFolder,
    output: options.RunsFolder,
    validation: options.Validation = "share:0.15",
    jobs: options.Jobs = 0,
    as_json: options.Json = False,
) -> None:
    """KNN, random forest, zero-shot, bag of words, late fusion, heads from captions alone."""
    from clipdemo.model.loading import load
    from clipdemo.study.experiments import run_baselines
    from clipdemo.study.feature_store import read_store

    classifier = load(read_store(store).backbone)
    with resumable(), progress_bars() as progress:
        found = run_baselines(store, output, validation, classifier, jobs, progress)
    print_runs(found, output, as_json)
