"""The command `score`: score a labelled table for the Inspect tab."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from clipdemo.commands import options
from clipdemo.commands.terminal import (
    out,
    print_account,
    print_json,
    progress_bars,
    resumable,
)


def score(
    table: options.TableFile,
    photos: options.PhotoFolder = None,
    backbone: options.BackboneId = "auto",
    checkpoint: options.Checkpoint = "",
    output: Annotated[
        Path | None, typer.Option("--out", help="Also write the predictions here (Parquet).")
    ] = None,
    ray: options.Ray = "",
    columns: options.Columns = "",
    unlabelled: options.Unlabelled = "keep",
    strict: options.Strict = False,
    as_json: options.Json = False,
) -> None:
    """Score a labelled table once, for `app.py --table`; resumes if it was stopped."""
    from clipdemo.hub.caches import data_folder
    from clipdemo.inspection.predictions import write_predictions
    from clipdemo.inspection.scored_table import ScoredTable
    from clipdemo.model.loading import load
    from clipdemo.study.score_ray import score_parts_on_ray

    reading = options.reading(columns, unlabelled, strict)
    classifier = load(backbone, checkpoint=checkpoint or None, device="cpu" if ray else "auto")
    same = partial(load, classifier.backbone.id, checkpoint=checkpoint or None)
    scored = ScoredTable(classifier.card, str(table), str(photos or ""), data_folder(), **reading)
    with resumable(), options.cluster(ray), progress_bars() as progress:
        found = scored.predictions(
            lambda: classifier,
            partial(progress, "scoring"),
            partial(score_parts_on_ray, same) if ray else None,
        )
    if output:
        write_predictions(output, found)
    account = found.about.get("account")
    if as_json:
        return print_json(
            {"rows": len(found.ids), "modes": list(found.scores), "account": account,
             "folder": str(scored.folder)}
        )  # fmt: skip
    if account:
        print_account(account)
    out.print(f"{len(found.ids)} rows, {', '.join(found.scores)}; kept in {scored.folder}")
