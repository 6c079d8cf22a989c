"""The command `caption`: have a model write captions for a table's photos."""

from pathlib import Path
from typing import Annotated

import typer

from clipdemo.commands import options
from clipdemo.commands.terminal import counted, out, print_json, progress_bars, resumable


def caption(
    table: options.TableFile,
    photos: Annotated[Path, typer.Option(help="Folder, zip or tar of its photos.")],
    output: Annotated[Path, typer.Option("--out", help="The same table with a model's captions.")],
    captioner: options.CaptionerName = "auto",
    as_json: options.Json = False,
) -> None:
    """Have a model write a caption for every photo of a table; resumes if it was stopped."""
    from clipdemo.inputs.photo_source import PhotoSource
    from clipdemo.model.captioners.choice import load_captioner
    from clipdemo.study.caption_table import caption_table
    from clipdemo.tables.label_table import labels_of, read_label_table

    frame = read_label_table(table, labels_of(table)).frame
    source, model = PhotoSource(photos), load_captioner(captioner)
    with resumable(), progress_bars() as progress:
        rows = counted(progress, "writing captions", len(frame))
        found, skipped = caption_table(model, frame, source, output, rows)
    report = {"captions": len(found), "captioner": model.name, "skipped": skipped}
    if as_json:
        return print_json(report)
    out.print(f"{len(found)} captions by {model.name}, written to {output}")
    if skipped:
        out.print(f"{len(skipped)} photos have no caption, the first: {skipped[0]['reason']}")
