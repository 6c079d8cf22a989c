"""The commands about where backbones are: `backbones` and `fetch`."""

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from clipdemo.commands.options import Json, out, print_json
from clipdemo.errors import CheckpointError
from clipdemo.hub import catalog
from clipdemo.hub.fetch import Fetch, here, survey
from clipdemo.model import checkpoints


def backbones(
    as_json: Json = False,
) -> None:
    """The backbones on offer: width, size, where each one is, and the kind of its heads."""
    rows = overview()
    if as_json:
        print_json(rows)
        return
    shown = Table("id", "width", "params", "state", "size", "heads")
    shown.box, shown.pad_edge, shown.collapse_padding = None, False, True
    for column in shown.columns:
        column.no_wrap = True
    for row in rows:
        size = _megabytes(row["bytes"]) if row["bytes"] else f"~{_megabytes(4 * row['parameters'])}"
        shown.add_row(
            escape(row["id"]), str(row["width"]), f"{row['parameters'] / 1e6:.0f} M",
            row["state"], size, row["heads"],
        )  # fmt: skip
    out.print(shown)
    out.print("Any other of open_clip's name/pretrained, hf-hub:org/repo or local-dir:/path, too.")


def overview(timeout: float | None = None) -> list[dict]:
    """The offered backbones, JSON-ready, each with its state and the kind of heads it has."""
    states = survey([offer.id for offer in catalog.OFFERS], timeout)
    rows = []
    for offer in catalog.OFFERS:
        try:
            checkpoints.find_card(offer.id)
            heads = "trained"
        except CheckpointError:
            heads = "zero-shot"
        row = {"id": offer.id, "width": offer.width, "parameters": offer.parameters}
        rows.append(row | vars(states[offer.id]) | {"heads": heads, "note": offer.note})
    return rows


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.0f} MB"


def fetch(
    backbone: Annotated[str, typer.Argument(metavar="ID", help="A backbone id.")],
) -> None:
    """Download a backbone into the Hugging Face cache; Ctrl-C stops it and leaves nothing half."""
    state = here(backbone)
    if state:
        out.print(f"{backbone} is here already: {state.state}.", markup=False)
        return
    with bytes_bar() as progress:
        task = progress.add_task(escape(backbone), total=None)
        fetching = Fetch(backbone).start()
        try:
            while not fetching.wait(0.2):
                progress.update(task, completed=fetching.done, total=fetching.total or None)
        finally:
            fetching.cancel()
        progress.update(task, completed=fetching.done, total=fetching.total or None)
    if fetching.error:
        raise fetching.error
    out.print(f"{backbone} is ready.", markup=False)


def bytes_bar() -> Progress:
    """A progress bar in bytes, on a terminal's standard error."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
