"""The command `encode`: embeddings of a table's photos and captions, computed once."""

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


def encode(
    table: options.TableFile,
    store: Annotated[Path, typer.Option("--out", help="Folder of the feature store.")],
    photos: Annotated[
        str,
        typer.Option(help="Folder, zip, tar or address of its photos; without it, text only."),
    ] = "",
    generated: Annotated[
        Path | None, typer.Option(help="A second table, whose captions become more rows.")
    ] = None,
    backbone: options.BackboneId = "auto",
    device: options.Device = "auto",
    batch: Annotated[int, typer.Option(min=0, help="Batch size; 0: as suits the device.")] = 0,
    ray: options.Ray = "",
    columns: options.Columns = "",
    unlabelled: options.Unlabelled = "keep",
    strict: options.Strict = False,
    as_json: options.Json = False,
) -> None:
    """Encode a table's photos and captions to a feature store; resumes if it was stopped."""
    reading = options.reading(columns, unlabelled, strict)
    with resumable():
        from clipdemo.hub.catalog import has_cuda
        from clipdemo.hub.locate import best
        from clipdemo.model.backbones import Backbone
        from clipdemo.study.encode import encode_table
        from clipdemo.study.encode_ray import RayCluster

        chosen = best(has_cuda()) if backbone == "auto" else backbone
        loaded = Backbone(chosen, "cpu" if ray else device)
        with options.cluster(ray), progress_bars() as progress:
            report = encode_table(
                loaded, table, store.resolve() if ray else store, photos, generated, batch,
                lambda what, done, total: progress(f"encoding {what}", done, total),
                RayCluster() if ray else None,
                **reading,
            )  # fmt: skip
    if as_json:
        return print_json(report)
    out.print(
        f"{report['rows']} rows of {report['photos']} photos and {report['captions']} captions, "
        f"{report['labels']} labels, by {report['backbone']}, written to {store}"
    )
    encoded, rate = report["encoded"], report["photos_per_second"]
    speed = f", {rate} photos a second" if rate else ""
    out.print(
        f"encoded: {encoded['photos']} photos and {encoded['captions']} captions in "
        f"{report['seconds']} s{speed}"
    )
    print_account(report["account"])
