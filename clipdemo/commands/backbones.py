"""The command `backbones`: list backbones and where they are."""

from typing import Annotated

import typer

from clipdemo.commands import options
from clipdemo.commands.terminal import out, print_json, print_table
from clipdemo.errors import CheckpointError


def backbones(
    time: Annotated[
        bool, typer.Option("--time", help="Time each on this machine, with random weights.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """List the backbones: size, time, where each one is, the kind of its heads, and licences.

    The time is that of encoding a photo, alone in its batch, on two cores of one machine; --time
    measures it on this one.
    """
    rows = overview()
    if time:
        _measure(rows)
    if as_json:
        return print_json(rows)
    print_table(
        ["id", "size", "photo", "state", "heads"],
        (
            [row["id"], _size(row), f"{row['photo_ms']} ms", row["state"], row["heads"]]
            for row in rows
        ),
        box=None, pad_edge=False, collapse_padding=True,
    )  # fmt: skip
    for licence in dict.fromkeys(row["licence"] for row in rows):
        names = ", ".join(row["id"] for row in rows if row["licence"] == licence)
        out.print(f"Licence {licence}: {names}.", highlight=False)
    out.print("Also any other open_clip name/pretrained, hf-hub:org/repo or local-dir:/path.")


def overview() -> list[dict]:
    """The listed backbones, JSON-ready, each with its state and the kind of heads it has."""
    from clipdemo.hub import catalog
    from clipdemo.hub.locate import locate_all
    from clipdemo.model.checkpoints import find_card

    states = locate_all([offer.id for offer in catalog.OFFERS])
    rows = []
    for offer in catalog.OFFERS:
        try:
            find_card(offer.id)
            heads = "trained"
        except CheckpointError:
            heads = "zero-shot"
        about = ("id", "width", "parameters", "photo_ms", "note", "licence")
        row = {name: getattr(offer, name) for name in about}
        rows.append(row | vars(states[offer.id]) | {"heads": heads})
    return rows


def _measure(rows: list[dict]) -> None:
    """Measure `photo_ms` on this machine, with random weights, which take as long as real ones."""
    import tempfile
    from pathlib import Path

    from clipdemo.commands.bench.model import photo_seconds
    from clipdemo.commands.bench.samples import write_random

    for row in rows:
        name, _, weights = row["id"].partition("/")
        with tempfile.TemporaryDirectory() as folder:
            backbone = write_random(name, Path(folder)) if weights else name
            row["photo_ms"] = round(1000 * photo_seconds(backbone))


def _size(row: dict) -> str:
    """Size of the weights; if it is not known, an estimate for float32."""
    exact = "" if row["bytes"] else "~"
    return f"{exact}{(row['bytes'] or 4 * row['parameters']) / 1e6:.0f} MB"
