"""The command `caption`: captions by a model for a table's photos."""

from pathlib import Path
from typing import Annotated

import typer

from clipdemo.commands import options
from clipdemo.commands.terminal import (
    out,
    print_account,
    print_json,
    progress_bars,
    read_table,
    resumable,
)
from clipdemo.study.stages import counted


def caption(
    table: options.TableFile,
    photos: Annotated[Path, typer.Option(help="Folder, zip or tar of its photos.")],
    output: Annotated[Path, typer.Option("--out", help="The same table with a model's captions.")],
    captioner: options.CaptionerName = "auto",
    columns: options.Columns = "",
    unlabelled: options.Unlabelled = "keep",
    strict: options.Strict = False,
    as_json: options.Json = False,
) -> None:
    """Have a model write a caption for every photo of a table; resumes if it was stopped."""
    from clipdemo.inputs.photo_source import PhotoSource
    from clipdemo.model.captioners.choice import load_captioner
    from clipdemo.study.caption_table import accounted, caption_table

    read = read_table(table, None, **options.reading(columns, unlabelled, strict))
    frame, source, model = read.frame, PhotoSource(photos), load_captioner(captioner)
    read.match_photos(source, table, strict)
    with resumable(), progress_bars() as progress:
        rows = counted(progress, "writing captions", len(frame))
        found, skipped = caption_table(model, frame, source, output, rows)
    account = accounted(read, skipped, source).to_dict()
    report = {"captions": len(found), "captioner": model.name, "skipped": skipped}
    report |= {"account": account}
    if as_json:
        return print_json(report)
    out.print(f"{len(found)} captions by {model.name}, written to {output}")
    print_account(account)
