"""The command `bench`: how fast and how large the app is.

Each figure is ours over the plain way, measured in the same run: a ratio says the same on a slow
machine and on a fast one. Ours and the plain way take turns, so that other load on the machine
meets both, and medians are compared.
"""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from clipdemo.commands import options
from clipdemo.commands.terminal import out, print_json, print_table

PHOTOS_PER_ROUND = 8


def bench(
    backbone: options.BackboneId = "auto",
    random: Annotated[
        str, typer.Option(help="Instead, an open_clip model with random weights, like ViT-B-32.")
    ] = "",
    rounds: Annotated[int, typer.Option(min=1, help="How often each is measured.")] = 5,
    as_json: options.Json = False,
) -> None:
    """How fast and how large the app is, next to the plain way of doing the same."""
    from clipdemo.commands.bench.samples import write_random

    with tempfile.TemporaryDirectory() as folder:
        backbone = write_random(random, Path(folder)) if random else backbone
        figures, compared = measure(backbone, rounds)
    if random:
        figures["backbone"] = f"{random}, random weights"
    if as_json:
        return print_json(figures)
    rows = [
        [name.removesuffix("_ratio"), _time(c.ours), _time(c.plain), f"{c.ratio:.2f}"]
        for name, c in compared.items()
    ]
    for name in ("threshold_step", "inspect_step"):
        if step := figures[f"{name}_ms"]:
            rows.append([name, f"{step['median']} ms, p95 {step['p95']} ms"])
    if figures["threshold_requests"] is not None:
        rows.append(["threshold_requests", figures["threshold_requests"]])
    print_table(
        ["figure", "ours", "plain", "ratio"], [*rows, ["peak_rss", f"{figures['peak_rss_mb']} MB"]]
    )
    out.print(f"{figures['backbone']} on {figures['device']}, medians of {rounds} rounds")


def _time(seconds: float) -> str:
    return f"{1000 * seconds:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def measure(backbone: str, rounds: int) -> tuple[dict, dict]:
    """Measure everything; photos are scored `PHOTOS_PER_ROUND` times in each round.

    Returns:
        What `bench --json` prints (None: not measured), and by name the `Comparison` behind each of
        its ratios.

    Raises:
        ClipdemoError: the backbone or the app cannot be loaded.
    """
    from clipdemo.commands.bench.page import measure_page, start_up
    from clipdemo.hub.catalog import has_cuda
    from clipdemo.hub.locate import best, locate

    backbone = best(has_cuda()) if backbone == "auto" else backbone
    locate(backbone)
    started = start_up(backbone, rounds)
    # Before torch is imported here: the peak of a child process starts at that of its parent.
    page, users = measure_page(backbone, rounds)
    from clipdemo.commands.bench.model import encoding, scoring
    from clipdemo.commands.bench.tables import filtering, reading

    scored, loaded = scoring(backbone, rounds * PHOTOS_PER_ROUND)
    encoded = encoding(loaded, rounds)
    compared = scored | {"encode_ratio": encoded, "startup_ratio": started} | users
    compared |= {"table_ratio": reading(rounds), "inspect_filter_ratio": filtering(rounds)}
    ratios = {name: round(c.ratio, 3) for name, c in compared.items()}
    about = {"device": loaded.device, "backbone": backbone, "runs": rounds}
    return ratios | page | about, compared
