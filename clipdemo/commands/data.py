"""The commands that get data: `data coco`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from clipdemo.commands.backbones import bytes_bar
from clipdemo.commands.options import Json, out, print_json
from clipdemo.errors import ClipdemoError

app = typer.Typer(help="Data sets with their label tables.", no_args_is_help=True)

Photos = Annotated[
    str, typer.Option(help="val: 5,000 photos, 0.8 GB; train: 118,287 photos, 19.3 GB.")
]
Labels = Annotated[
    str, typer.Option(help="18, 80 (all), or names of categories such as dog,pizza.")
]
BaseUrl = Annotated[
    str, typer.Option(help="Server with zips/ and annotations/.", show_default=False)
]


@app.command()
def coco(
    output: Annotated[Path, typer.Option("--out", help="Folder of zips and table.")],
    photos: Photos = "val",
    labels: Labels = "18",
    base_url: BaseUrl = "",
    as_json: Json = False,
) -> None:
    """Download COCO 2017 and make a label table of it; interrupted, it goes on where it was.

    Photos stay in their zip. One with none of the labels has no row, each other its first caption.

    Annotations and captions: CC BY 4.0. Photos: from Flickr, each under its own licence.
    """
    from clipdemo.tables.coco import HOST, coco

    check_photos(photos)
    with goes_on(), told() as progress:
        found = coco(output, photos, labels, base_url or HOST, progress)
    if as_json:
        print_json(found)
        return
    shown = Table("label", "photos")
    for name, rows in found["labels"].items():
        shown.add_row(name, str(rows))
    out.print(shown)
    out.print(f"{found['rows']} rows; {found['left_out']} photos show none of the labels")
    out.print(f"--table {found['table']} --photos {found['photos']}", markup=False)


def check_photos(photos: str) -> None:
    """Refuse a part that COCO does not have."""
    from clipdemo.tables.coco import PHOTOS

    if photos not in PHOTOS:
        raise ClipdemoError(f"COCO has no photos {photos!r}: choose {' or '.join(PHOTOS)}.")


@contextmanager
def goes_on() -> Iterator[None]:
    """Makes one line of Ctrl-C."""
    try:
        yield
    except KeyboardInterrupt:
        print("Stopped; the same command goes on from here.", file=sys.stderr)
        raise SystemExit(130) from None


@contextmanager
def told() -> Iterator:
    """A bar for each thing that `coco` tells of, in bytes with rate and time left."""
    with bytes_bar() as bar:
        tasks = {}

        def progress(what: str, done: int, total: int | None) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, completed=done, total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield progress
