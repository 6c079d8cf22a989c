"""The commands that keep the project up: its backbone, its figures, its pictures, its bench."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from clipdemo.commands.common import Json, out, print_json


def train_backbone(
    data: Annotated[Path, typer.Option(help="Photos, captions and teacher files.")],
    work: Annotated[Path, typer.Option(help="State and log; a later call goes on here.")] = Path(
        "runs/tiny"
    ),
    output: Annotated[Path, typer.Option("--out", help="Where weights and card go.")] = Path(
        "checkpoints/tiny"
    ),
    steps: Annotated[int | None, typer.Option(help="Steps of the joint stage.")] = None,
    text_steps: Annotated[int | None, typer.Option(help="Steps of the text stage.")] = None,
    start: Annotated[
        Path | None, typer.Option(help="Train the image tower of this checkpoint on.")
    ] = None,
    bfloat16: Annotated[
        bool, typer.Option(help="Faster on a CPU with AVX512-BF16; try it on others.")
    ] = False,
) -> None:
    """Train the bundled backbone and its heads; killed and started again, it goes on."""
    from clipdemo.tiny.batches import CONTINUED, Recipe
    from clipdemo.tiny.text_stage import TextRecipe
    from clipdemo.tiny.train_backbone import train_backbone

    base = CONTINUED if start else Recipe()
    recipe = replace(base, steps=steps or base.steps, bfloat16=bfloat16)
    text_recipe = TextRecipe(**({"steps": text_steps} if text_steps else {}))
    train_backbone(data, work, output.resolve(), recipe, text_recipe, start=start)


def measure(
    data: Annotated[Path, typer.Option(help="Photos and captions.")],
    checkpoint: Annotated[Path, typer.Option(help="Folder of heads.")] = Path("checkpoints/tiny"),
    readme: Annotated[Path, typer.Option(help="README to write the table to.")] = Path("README.md"),
) -> None:
    """Measure the bundled checkpoint anew; write the figures to its card and the README."""
    from clipdemo.model.checkpoints import read_card
    from clipdemo.tiny.measure import figures, measure, write_figures

    measure(data, checkpoint)
    card = read_card(checkpoint)
    write_figures(card, readme)
    out.print(figures(card))


def scenes(
    output: Annotated[Path, typer.Option("--out", help="Folder.")] = Path("assets/scenes"),
) -> None:
    """Draw the example scenes anew."""
    from clipdemo.scenes import export_examples

    export_examples(output)
    out.print(f"drawn to {output}")


def screenshots(
    output: Annotated[Path, typer.Option("--out", help="Folder.")] = Path("assets"),
) -> None:
    """Take the README's pictures of the page anew."""
    from clipdemo.commands.screenshots import take

    out.print(f"taken: {', '.join(map(str, take(output)))}")


def bench(
    backbone: Annotated[str, typer.Option(help="A backbone id, or auto.")] = "auto",
    random: Annotated[
        str, typer.Option(help="Instead, a model of open_clip with random weights, as ViT-B-32.")
    ] = "",
    rounds: Annotated[int, typer.Option(min=1, help="How often each is measured.")] = 5,
    as_json: Json = False,
) -> None:
    """How fast and how large the app is, next to the plain way of doing the same."""
    from clipdemo.commands.bench import bench as measured
    from clipdemo.commands.bench.made import write_random

    with tempfile.TemporaryDirectory() as folder:
        backbone = write_random(random, Path(folder)) if random else backbone
        figures, compared = measured(backbone, rounds)
    figures["backbone"] = f"{random}, random weights" if random else figures["backbone"]
    if as_json:
        print_json(figures)
        return
    shown = Table("figure", "ours", "plain", "ratio")
    for name, pair in compared.items():
        seconds = (f"{1000 * s:.1f} ms" if s < 1 else f"{s:.2f} s" for s in vars(pair).values())
        shown.add_row(name.removesuffix("_ratio"), *seconds, f"{pair.ratio:.2f}")
    for name in ("threshold_step", "inspect_step"):
        if step := figures[f"{name}_ms"]:
            shown.add_row(name, f"{step['median']} ms, p95 {step['p95']} ms")
    if figures["threshold_step_ms"]:
        shown.add_row("threshold_requests", str(figures["threshold_requests"]))
    shown.add_row("peak_rss", f"{figures['peak_rss_mb']} MB")
    out.print(shown)
    out.print(f"{figures['backbone']} on {figures['device']}, medians of {rounds} rounds")
