"""The command `data coco`: COCO 2017 as a label table."""

from pathlib import Path
from typing import Annotated

import typer

from clipdemo.commands import options
from clipdemo.commands.terminal import out, print_json, print_table, progress_bars, resumable

app = typer.Typer(help="Data sets with their label tables.", no_args_is_help=True)


@app.command()
def coco(
    output: Annotated[Path, typer.Option("--out", help="Folder of zips and table.")],
    photos: options.CocoPart = "val",
    labels: options.CocoLabels = "18",
    base_url: options.CocoServer = "",
    as_json: options.Json = False,
) -> None:
    """Download COCO 2017 and make a label table of it; resumes if it was stopped.

    Photos stay in their zip. Each has a row with its first caption if it shows any of the labels.

    Annotations and captions: CC BY 4.0. Photos: from Flickr, each under its own licence.
    """
    from clipdemo.tables.coco import HOST, coco

    with resumable(), progress_bars() as progress:
        found = coco(output, photos, labels, base_url or HOST, progress)
    if as_json:
        return print_json(found)
    print_table(["label", "photos"], found["labels"].items())
    out.print(f"{found['rows']} rows; {found['left_out']} photos show none of the labels")
    out.print(f"--table {found['table']} --photos {found['photos']}")
