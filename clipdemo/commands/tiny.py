"""The commands that make the bundled model `tiny`: train-backbone, fuse-heads, train-captioner,
measure and measure-captions."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from clipdemo.commands import options
from clipdemo.commands.terminal import out, print_json, print_table

TINY = Path("checkpoints/tiny")

Data = Annotated[Path, typer.Option(help="Photos, captions and teacher files.")]
Work = Annotated[Path, typer.Option(help="State and log; a later call resumes from here.")]
Heads = Annotated[Path, typer.Option(help="Folder of backbone, heads and captioner.")]
Bfloat16 = Annotated[bool, typer.Option(help="Faster on CPUs with AVX512-BF16.")]


def train_backbone(
    data: Data,
    work: Work = Path("runs/tiny"),
    output: Annotated[Path, typer.Option("--out", help="Folder for weights and card.")] = TINY,
    steps: Annotated[int | None, typer.Option(help="Steps of the joint stage.")] = None,
    text_steps: Annotated[int | None, typer.Option(help="Steps of the text stage.")] = None,
    start: Annotated[
        Path | None, typer.Option(help="Continue from the image tower of this checkpoint.")
    ] = None,
    bfloat16: Bfloat16 = False,
) -> None:
    """Train the bundled backbone and its heads; resumes if it was stopped."""
    from clipdemo.tiny.batches import CONTINUED, Recipe
    from clipdemo.tiny.text_stage import TextRecipe
    from clipdemo.tiny.train_backbone import train_backbone

    base = CONTINUED if start else Recipe()
    recipe = replace(base, steps=steps or base.steps, bfloat16=bfloat16)
    text_recipe = TextRecipe(**({"steps": text_steps} if text_steps else {}))
    train_backbone(data, work, output.resolve(), recipe, text_recipe, start=start)


def train_captioner(
    data: Data,
    work: Work = Path("runs/captioner"),
    output: Annotated[
        Path, typer.Option("--out", help="Folder of backbone and heads, to which it is added.")
    ] = TINY,
    steps: Annotated[int | None, typer.Option(help="Training steps.")] = None,
    bfloat16: Bfloat16 = False,
    as_json: options.Json = False,
) -> None:
    """Train the captioner of the bundled backbone; resumes if it was stopped."""
    from clipdemo.tiny.caption_data import CaptionRecipe
    from clipdemo.tiny.train_captioner import train_captioner

    recipe = CaptionRecipe(bfloat16=bfloat16)
    recipe = replace(recipe, steps=steps or recipe.steps)
    _show_captions(train_captioner(data, work, output.resolve(), recipe), as_json)


def fuse_heads(data: Data, work: Work = Path("runs/tiny"), checkpoint: Heads = TINY) -> None:
    """Tune a checkpoint's thresholds again, and make its concat head a sum of its heads."""
    from clipdemo.tiny.fuse import fuse

    weights = fuse(data, work, checkpoint.resolve()).modes["concat"]["weights"]
    out.print(f"weights of image, text, both, and text below 0: {weights}; now run measure")


def measure(
    data: Data,
    checkpoint: Heads = TINY,
    readme: Annotated[Path, typer.Option(help="README to write the table to.")] = Path("README.md"),
) -> None:
    """Measure the bundled checkpoint again; write the figures to its card and the README."""
    from clipdemo.model.checkpoints import read_card
    from clipdemo.tiny.measure import figures, measure, write_figures

    measure(data, checkpoint)
    card = read_card(checkpoint)
    write_figures(card, readme)
    out.print(figures(card))


def measure_captions(data: Data, checkpoint: Heads = TINY, as_json: options.Json = False) -> None:
    """Measure the bundled captioner again; write the figures to its card."""
    from clipdemo.tiny.measure_captions import measure_captions

    _show_captions(measure_captions(data, checkpoint.resolve()), as_json)


def _show_captions(metrics: dict, as_json: bool) -> None:
    """Print how many of the true labels the text head finds in each kind of caption."""
    if as_json:
        return print_json(metrics)
    rows = [
        [kind, metrics[kind]["recall"], metrics[kind]["samples_f1"]]
        for kind in ("suggested", "human", "fixed")
    ]
    print_table(["caption", "share of true labels found", "samples-F1"], rows)
    out.print(f"fixed: {metrics['fixed']['caption']!r}; {metrics['photos']} validation photos")
