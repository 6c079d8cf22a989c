"""The command `bench`: speed and memory of the app.

Each figure is the ratio of ours to a plain implementation measured in the same run, so it can be
compared between slow and fast machines. The two alternate, so that other load on the machine
affects both, and medians are compared.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from clipdemo.commands import options
from clipdemo.commands.terminal import out, print_json, print_table

PHOTOS_PER_ROUND = 8


def bench(
    backbone: options.BackboneId = "auto",
    random: Annotated[
        str, typer.Option(help="Use an open_clip model with random weights, such as ViT-B-32.")
    ] = "",
    rounds: Annotated[int, typer.Option(min=1, help="How often to measure each figure.")] = 5,
    rows: Annotated[
        int, typer.Option(min=1000, help="Rows of the label table; a fifth are inspected.")
    ] = 1_000_000,
    gpu: Annotated[
        bool, typer.Option("--gpu", help="Measure only the command encode, on a CUDA GPU.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Speed and memory of the app, compared with a plain way of doing the same.

    Each ratio is our median time over that of the plain way (after the |); the two alternate.

    photo_to_scores: from a JPEG's bytes and a caption to all scores | open_clip's preprocessing and
    both encoders on the decoded photo.

    caption_edit: a new caption for a known photo | the same plain way.

    encode: photos in the command encode, from files to embeddings on disk | open_clip's model with
    a DataLoader whose processes, one per core, open, decode and preprocess the same files.

    startup: from `python app.py` to the page's first answer | importing torch,
    open_clip and gradio.

    throughput_16_users, p95_16_users: 16 simultaneous requests | the same one after another.

    table: reading a label table of --rows rows | pandas.read_csv.

    inspect_filter: the Inspect tab's filters on a fifth of those rows | the same in pandas.

    threshold_step, inspect_step: milliseconds per step of a slider. threshold_requests: requests to
    the server meanwhile. peak_rss_mb: peak memory of the app.

    With --gpu: photos and captions a second by encode, and by the bare model with its inputs on the
    GPU; the share of time in which the GPU is busy, from the first batch to the end; seconds from
    the start to the first batch on disk; seconds of the command for 40,000 pairs, extrapolated from
    8,000; and a plan: hours of one such machine, and GB, for a million and a billion pairs.
    """
    from clipdemo.commands.bench.samples import write_random

    compared = {}
    with tempfile.TemporaryDirectory() as folder:
        backbone = write_random(random, Path(folder)) if random else backbone
        if gpu:
            figures = _on_gpu(backbone)
        else:
            figures, compared = measure(backbone, rounds, rows)
    if random:
        figures["backbone"] = f"{random}, random weights"
    if as_json:
        return print_json(figures)
    if gpu:
        return print_table(["figure", "value"], _flat(figures))
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


def _on_gpu(backbone: str) -> dict:
    from clipdemo.commands.bench.gpu import measure_gpu
    from clipdemo.hub.locate import best

    backbone = best(cuda=True) if backbone == "auto" else backbone
    return {"backbone": backbone} | measure_gpu(backbone)


def _flat(figures: dict, before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in figures.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}, ")
        else:
            yield f"{before}{name}", str(value)


def _time(seconds: float) -> str:
    return f"{1000 * seconds:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def measure(backbone: str, rounds: int, rows: int) -> tuple[dict, dict]:
    """Measure everything; photos are scored `PHOTOS_PER_ROUND` times in each round.

    Returns:
        What `bench --json` prints (None: not measured), and by name the `Comparison` behind each of
        its ratios.

    Raises:
        ClipdemoError: the backbone or the app cannot be loaded.
    """
    from clipdemo.commands.bench.page import measure_page, start_up
    from clipdemo.hub.catalog import has_cuda
    from clipdemo.hub.locate import locate
    from clipdemo.model.choice import choose

    backbone = choose(has_cuda()).backbone if backbone == "auto" else backbone
    locate(backbone)
    # Before torch is imported here: a child process inherits its parent's peak memory.
    page, users = measure_page(backbone, rounds)
    started = start_up(backbone, rounds)
    from clipdemo.commands.bench.model import encoding, scoring
    from clipdemo.commands.bench.tables import filtering, reading

    scored, loaded = scoring(backbone, rounds * PHOTOS_PER_ROUND)
    encoded = encoding(loaded, rounds)
    compared = scored | {"encode_ratio": encoded, "startup_ratio": started} | users
    compared |= {"table_ratio": reading(rounds, rows)}
    compared |= {"inspect_filter_ratio": filtering(rounds, rows // 5)}
    ratios = {name: round(c.ratio, 3) for name, c in compared.items()}
    about = {"device": loaded.device, "backbone": backbone, "runs": rounds}
    return ratios | page | about, compared
