"""The command `reproduce`: the whole study on COCO."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from clipdemo.commands import options
from clipdemo.commands.evaluate import print_figures
from clipdemo.commands.terminal import err, out, print_json, progress_bars, resumable
from clipdemo.errors import ClipdemoError


def reproduce(
    backbone: Annotated[str, typer.Option(help="A backbone id.")],
    output: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for everything.", show_default="reproduced/BACKBONE"),
    ] = None,
    photos: options.CocoPart = "val",
    labels: options.CocoLabels = "18",
    base_url: options.CocoServer = "",
    heads: Annotated[
        Path | None,
        typer.Option(help="Folder for a copy of the heads; default: where --backbone finds them."),
    ] = None,
    captioner: options.CaptionerName = "auto",
    validation: options.Validation = "share:0.15",
    device: options.Device = "auto",
    yes: Annotated[bool, typer.Option("--yes", help="Start without asking.")] = False,
    only_plan: Annotated[bool, typer.Option("--plan", help="Only print what it needs.")] = False,
    as_json: options.Json = False,
) -> None:
    """The whole study on COCO: download, encode, compare, train, report; resumes if stopped."""
    if not (yes or only_plan or sys.stdin.isatty()):
        raise ClipdemoError(
            "There is no terminal to confirm on: add --yes, or --plan to see what it needs."
        )
    from clipdemo.hub.catalog import CHECKPOINTS
    from clipdemo.model.checkpoints import slug
    from clipdemo.page.report.file import report_html
    from clipdemo.study.plan import check_disk, plan
    from clipdemo.study.reproduce import Study, install, reproduce
    from clipdemo.tables.coco import HOST

    folder = output or Path("reproduced") / slug(backbone)
    study = Study(
        backbone, folder, photos, labels, base_url or HOST, captioner, validation, device
    )  # fmt: skip
    with resumable():
        if study.begun and not only_plan:
            err.print(f"Resuming {folder}.")
        else:
            err.print("Measuring how fast this machine is ...")
            found = plan(study)
            if only_plan:
                return print_json(found) if as_json else _show_plan(found, out)
            _show_plan(found, err)
            check_disk(found, folder)
            if not yes:
                typer.confirm("Start?", abort=True, err=True)
        with progress_bars() as progress:
            result = reproduce(study, report_html, progress, err.print)
    where = heads or CHECKPOINTS / slug(backbone)
    installed = install(Path(result["checkpoint"]), where)
    if as_json:
        return print_json(result | {"installed": str(where) if installed else None})
    print_figures(result["modes"])
    out.print(f"report: {result['report']}")
    if installed and not heads:
        return out.print(f"show the heads: python app.py --backbone {backbone}")
    folder = where if installed else result["checkpoint"]
    return out.print(f"show the heads: python app.py --checkpoint {folder}")


def _show_plan(found: dict, console: Console) -> None:
    """Print the plan in a few lines."""
    for entry in found["fetch"]:
        size = f"{entry['bytes'] / 1e6:,.0f} MB" if entry["bytes"] else "size not known"
        asked = "" if entry["told"] else ", usual size: its server does not answer"
        state = "here already" if entry["here"] else f"to fetch{asked}"
        console.print(f"{entry['what']}: {size}, {state}")
    for what in ("disk", "memory"):
        needed, free = found[what]["needed"], found[what]["free"]
        left = "" if free is None else f", {free / 1e9:.1f} GB free"
        console.print(f"{what}: about {needed / 1e9:.1f} GB needed{left}")
    console.print(
        f"time, estimated for {found['photos']:,} photos on this machine under its current load:"
    )
    for stage, seconds in found["seconds"].items():
        console.print(f"  {stage}: {'not known yet' if seconds is None else _duration(seconds)}")


def _duration(seconds: float) -> str:
    """In minutes or hours; it is a rough estimate."""
    if seconds < 90:
        return "about a minute"
    minutes = seconds / 60
    return f"about {minutes:.0f} minutes" if minutes < 90 else f"about {minutes / 60:.1f} hours"
