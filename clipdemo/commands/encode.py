"""The command of feature stores: `encode`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from clipdemo.commands.common import (
    BackboneId,
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


def encode(
    table: Annotated[Path, typer.Option(help="A label table.")],
    store: Annotated[Path, typer.Option("--out", help="Folder of the feature store.")],
    photos: Annotated[
        Path | None, typer.Option(help="Folder, zip or tar of its photos; without it, text only.")
    ] = None,
    generated: Annotated[
        Path | None, typer.Option(help="A second table, whose captions become more rows.")
    ] = None,
    backbone: BackboneId = "auto",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    batch: Annotated[
        int, typer.Option(min=0, help="How many are encoded together; 0: as suits the device.")
    ] = 0,
    columns: Columns = "",
    unlabelled: Unlabelled = "keep",
    strict: Strict = False,
    as_json: Json = False,
) -> None:
    """Encode a table's photos and captions to a feature store; stopped, it goes on where it was."""
    from clipdemo.hub.catalog import best, has_cuda
    from clipdemo.model.backbones import Backbone
    from clipdemo.study.encode import encode_table

    options = reading(columns, unlabelled, strict)
    try:
        loaded = Backbone(best(has_cuda()) if backbone == "auto" else backbone, device)
        with bar() as progress:
            tasks = {}

            def show(what: str, done: int, total: int) -> None:
                if what not in tasks:
                    tasks[what] = progress.add_task(f"encoding {what}")
                progress.update(tasks[what], completed=done, total=total)

            report = encode_table(loaded, table, store, photos, generated, batch, show, **options)
    except KeyboardInterrupt:
        print("Stopped: started again, it goes on from here.", file=sys.stderr)
        raise SystemExit(130) from None
    if as_json:
        print_json(report)
        return
    out.print(
        f"{report['rows']} rows of {report['photos']} photos and {report['captions']} captions, "
        f"{report['labels']} labels, by {report['backbone']}, written to {store}", markup=False
    )  # fmt: skip
    encoded, rate = report["encoded"], report["photos_per_second"]
    speed = f", {rate} photos a second" if rate else ""
    out.print(
        f"encoded: {encoded['photos']} photos and {encoded['captions']} captions in "
        f"{report['seconds']} s{speed}"
    )
    show_account(report["account"])
