"""The command `adapt`: heads for a backbone in minutes."""

from pathlib import Path
from typing import Annotated

import typer

from clipdemo.commands import options
from clipdemo.commands.terminal import out, print_account, progress_bars, resumable
from clipdemo.commands.train import print_heads


def adapt(
    table: options.TableFile,
    backbone: Annotated[str, typer.Option(help="A backbone id.")],
    photos: Annotated[
        str,
        typer.Option(help="Folder, zip, tar or address of its photos; without it, captions alone."),
    ] = "",
    output: Annotated[
        Path | None,
        typer.Option("--out", help="Folder of the heads; default: where --backbone finds them."),
    ] = None,
    device: options.Device = "auto",
    columns: options.Columns = "",
    unlabelled: options.Unlabelled = "keep",
    strict: options.Strict = False,
    as_json: options.Json = False,
) -> None:
    """Make heads for a backbone from a few hundred labelled rows; resumes if it was stopped.

    They start as zero-shot heads and learn from the rows. Temperature, thresholds and figures are
    cross-validated. With thousands of rows, encode and train make better heads.
    """
    reading = options.reading(columns, unlabelled, strict)
    with resumable():
        from clipdemo.hub.caches import data_folder
        from clipdemo.hub.catalog import CHECKPOINTS
        from clipdemo.model.backbones import Backbone
        from clipdemo.model.checkpoints import slug
        from clipdemo.model.embeddings import Encoder
        from clipdemo.study.adapt import adapt
        from clipdemo.study.encode import encode_table
        from clipdemo.study.feature_store import read_account, read_store

        loaded = Backbone(backbone, device)
        folder = data_folder() / "adapted" / f"{slug(backbone)}-{table.stem}"
        with progress_bars() as progress:
            encode_table(
                loaded, table, folder, photos or None,
                progress=lambda what, done, total: progress(f"encoding {what}", done, total),
                **reading,
            )  # fmt: skip
            store = read_store(folder)
            where = output or CHECKPOINTS / slug(backbone)
            made = []

            def tell(mode: str) -> None:
                made.append(mode)
                progress("making heads", len(made), 3)

            card = adapt(Encoder(loaded), store, where, tell)
    print_heads(card, list(card.modes), as_json)
    if not as_json:
        print_account(read_account(folder))
        out.print(card.content["summary"])
