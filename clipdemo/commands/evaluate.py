"""The command `evaluate`: score a labelled table and compare the scores with its labels."""

import json
from pathlib import Path
from typing import Annotated

import typer

from clipdemo.commands import options
from clipdemo.commands.terminal import (
    print_account,
    print_json,
    print_table,
    progress_bars,
    read_table,
)
from clipdemo.errors import ClipdemoError
from clipdemo.study.stages import counted

FIGURES = {"samples_f1": "samples-F1", "micro_f1": "micro-F1", "macro_f1": "macro-F1", "map": "mAP"}


def evaluate(
    table: options.TableFile,
    photos: options.PhotoFolder = None,
    backbone: options.BackboneId = "auto",
    checkpoint: options.Checkpoint = "",
    rule: options.Rule = "tuned",
    threshold: options.Threshold = 0.5,
    k: options.K = 3,
    recall: options.Recall = 0.9,
    zero_shot: Annotated[
        bool, typer.Option(help="Score from the names of the labels, without heads.")
    ] = False,
    columns: options.Columns = "",
    unlabelled: options.Unlabelled = "keep",
    strict: options.Strict = False,
    output: Annotated[Path | None, typer.Option("--out", help="Write the report here.")] = None,
    as_json: options.Json = False,
) -> None:
    """Score a labelled table and compare the scores with its labels."""
    from clipdemo.inputs.photo_source import PhotoSource
    from clipdemo.inspection.evaluation import evaluate_table
    from clipdemo.model.loading import load
    from clipdemo.tables.account import main_reason

    reading = options.reading(columns, unlabelled, strict)
    classifier = load(backbone, checkpoint=checkpoint or None)
    if zero_shot:
        classifier = classifier.zero_shot(classifier.card.labels)
    found = read_table(table, classifier.card.labels, **reading)
    source = PhotoSource(photos) if photos else None
    if source:
        found.match_photos(source, table, strict)
    with progress_bars() as progress:
        rows = counted(progress, "scoring", len(found.frame))
        report = evaluate_table(classifier, found, source, rule, threshold, k, rows, recall)
    if not report["modes"] and not source:
        raise ClipdemoError(
            f"No row of {table} has the input of these heads ({', '.join(classifier.modes)}): give "
            "--photos, or a table with captions."
        )
    if not report["modes"]:
        reason = main_reason(report["account"])
        raise ClipdemoError(f"No row of {table} can be scored; most often: {reason}.")
    if output:
        output.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    if as_json:
        return print_json(report)
    print_figures(report["modes"])
    print_account(report["account"])


def print_figures(modes: dict[str, dict]) -> None:
    """Print each mode's number of rows and overall figures from `evaluate_table`'s report."""
    rows = ([mode, figures["n"], *map(figures.get, FIGURES)] for mode, figures in modes.items())
    print_table(["mode", "rows", *FIGURES.values()], rows)
