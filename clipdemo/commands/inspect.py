"""The command that scores a labelled table for the Inspect tab: `score`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from clipdemo.commands.common import (
    BackboneId,
    Checkpoint,
    Columns,
    Json,
    Strict,
    Unlabelled,
    bar,
    out,
    print_json,
    reading,
    show_account,
)


def score(
    table: Annotated[Path, typer.Option(help="A label table.")],
    photos: Annotated[
        Path | None, typer.Option(help="Folder, zip or tar; without it, text only.")
    ] = None,
    backbone: BackboneId = "auto",
    checkpoint: Checkpoint = "",
    output: Annotated[
        Path | None, typer.Option("--out", help="Write the predictions here as well (parquet).")
    ] = None,
    columns: Columns = "",
    unlabelled: Unlabelled = "keep",
    strict: Strict = False,
    as_json: Json = False,
) -> None:
    """Score a labelled table once, for `app.py --table`; stopped, it goes on where it was."""
    from clipdemo.hub.caches import data_folder
    from clipdemo.inspection.predictions import write_predictions
    from clipdemo.inspection.scored_table import ScoredTable
    from clipdemo.model.loading import load

    options = reading(columns, unlabelled, strict)
    classifier = load(backbone, checkpoint=checkpoint or None)
    data = data_folder(os.environ.get("CLIPDEMO_CACHE", ""))
    scored = ScoredTable(classifier.card, str(table), str(photos or ""), data, **options)
    with bar() as progress:
        task = progress.add_task("scoring", total=None)
        found = scored.predictions(
            lambda: classifier,
            lambda done, total: progress.update(task, completed=done, total=total),
        )
    if output:
        write_predictions(output, found)
    account = found.about.get("account")
    if as_json:
        print_json({"rows": len(found.ids), "modes": list(found.scores), "account": account,
                    "folder": str(scored.folder)})  # fmt: skip
        return
    if account:
        show_account(account)
    out.print(f"{len(found.ids)} rows, {', '.join(found.scores)}; kept in {scored.folder}")
