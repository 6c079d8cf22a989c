"""The command of the whole study: `reproduce`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from clipdemo.commands.data import BaseUrl, Labels, Photos, check_photos, goes_on
from clipdemo.commands.options import Json, out, print_json
from clipdemo.commands.train import Validation
from clipdemo.errors import ClipdemoError


def reproduce(
    backbone: Annotated[str, typer.Option(help="A backbone id.")],
    output: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for everything.", show_default="reproduced/BACKBONE"),
    ] = None,
    photos: Photos = "val",
    labels: Labels = "18",
    base_url: BaseUrl = "",
    captioner: Annotated[
        str, typer.Option(help="auto, bundled, a model of the hub that is cached, or a folder.")
    ] = "auto",
    validation: Validation = "share:0.15",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    yes: Annotated[bool, typer.Option("--yes", help="Begin without asking.")] = False,
    only_plan: Annotated[bool, typer.Option("--plan", help="Say what it needs, and end.")] = False,
    as_json: Json = False,
) -> None:
    """The whole study on COCO: download, encode, compare, train, report; stopped, it goes on."""
    check_photos(photos)
    if not (yes or only_plan or sys.stdin.isatty()):
        raise ClipdemoError(
            "Nobody can be asked whether to begin: add --yes, or --plan to see what it needs."
        )
    from clipdemo.model.checkpoints import slug
    from clipdemo.page.report.file import report_html
    from clipdemo.study.plan import check_disk, plan
    from clipdemo.study.reproduce import Study, reproduce
    from clipdemo.tables.coco import HOST

    folder = output or Path("reproduced") / slug(backbone)
    study = Study(
        backbone, folder, photos, labels, base_url or HOST, captioner, validation, device
    )  # fmt: skip
    with goes_on():
        console = Console(stderr=True, soft_wrap=True)
        console.print("Trying how fast this machine is ...")
        found = plan(study)
        if only_plan and as_json:
            return print_json(found)
        _show_plan(found, out if only_plan else console)
        if only_plan:
            return None
        check_disk(found, folder)
        if not yes:
            typer.confirm("Begin?", abort=True, err=True)
        with _told(console) as progress:
            tell = partial(console.print, markup=False)
            result = reproduce(study, report_html, progress, tell)
    return print_json(result) if as_json else _show(result)


def _show_plan(found: dict, console: Console) -> None:
    """The plan in a few lines."""
    for entry in found["fetch"]:
        size = f"{entry['bytes'] / 1e6:,.0f} MB" if entry["bytes"] else "size not known"
        asked = "" if entry["told"] else ", as far as known: it cannot be asked now"
        state = "here already" if entry["here"] else f"to fetch{asked}"
        console.print(f"{entry['what']}: {size}, {state}", markup=False)
    for what in ("disk", "memory"):
        needed, free = found[what]["needed"], found[what]["free"]
        left = "" if free is None else f", {free / 1e9:.1f} GB free"
        console.print(f"{what}: about {needed / 1e9:.1f} GB needed{left}")
    console.print(
        f"time, an estimate for {found['photos']:,} photos on this machine, as busy as it is now:"
    )
    for stage, seconds in found["seconds"].items():
        console.print(f"  {stage}: {'not known yet' if seconds is None else _duration(seconds)}")


def _duration(seconds: float) -> str:
    """In minutes or hours, no more exactly than it is known."""
    if seconds < 90:
        return "about a minute"
    minutes = seconds / 60
    return f"about {minutes:.0f} minutes" if minutes < 90 else f"about {minutes / 60:.1f} hours"


def _show(result: dict) -> None:
    shown = Table("mode", "samples-F1", "micro-F1", "macro-F1", "mAP")
    for mode, figures in result["modes"].items():
        values = [figures[key] for key in ("samples_f1", "micro_f1", "macro_f1", "map")]
        shown.add_row(mode, *("-" if value is None else f"{value:.3f}" for value in values))
    out.print(shown)
    out.print(f"report: {result['report']}", markup=False)
    out.print(f"show the heads: python app.py --checkpoint {result['checkpoint']}", markup=False)


class _Amount(ProgressColumn):
    """How much is done of how much, and the rate: of megabytes in a download, else of rows."""

    def render(self, task: Task) -> Text:
        unit, name = (1e6, " MB") if task.fields["bytes"] else (1, "")
        done, speed = task.completed / unit, (task.finished_speed or task.speed or 0) / unit
        total = f"/{task.total / unit:,.0f}" if task.total else ""
        return Text(f"{done:,.0f}{total}{name} {speed:.1f}{name}/s")


@contextmanager
def _told(console: Console) -> Iterator:
    """A bar for each thing that `reproduce` tells of."""
    columns = TextColumn("{task.description}"), BarColumn(), _Amount(), TimeRemainingColumn()
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        tasks = {}

        def progress(what: str, done: int, total: int | None) -> None:
            if what not in tasks:
                in_bytes = "zip" in what or what.startswith("downloading")
                tasks[what] = bar.add_task(what, total=total, bytes=in_bytes)
            bar.update(tasks[what], completed=done, total=total)

        yield progress
