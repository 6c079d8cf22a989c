"""The commands of the bundled captioner: `train-captioner` and `measure-captions`."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from clipdemo.commands.common import Json, out, print_json

Data = Annotated[Path, typer.Option(help="Photos, captions and teacher files.")]


def train_captioner(
    data: Data,
    work: Annotated[Path, typer.Option(help="State and log; a later call goes on here.")] = Path(
        "runs/captioner"
    ),
    output: Annotated[
        Path, typer.Option("--out", help="Folder of backbone and heads; it goes beside them.")
    ] = Path("checkpoints/tiny"),
    steps: Annotated[int | None, typer.Option(help="Steps of the training.")] = None,
    bfloat16: Annotated[
        bool, typer.Option(help="Faster on a CPU with AVX512-BF16; try it on others.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Train the captioner of the bundled backbone; killed and started again, it goes on."""
    from clipdemo.training.caption_data import CaptionRecipe
    from clipdemo.training.caption_run import train_captioner

    recipe = CaptionRecipe(bfloat16=bfloat16)
    recipe = replace(recipe, steps=steps or recipe.steps)
    _show(train_captioner(data, work, output.resolve(), recipe), as_json)


def measure_captions(
    data: Data,
    checkpoint: Annotated[
        Path, typer.Option(help="Folder of backbone, heads and captioner.")
    ] = Path("checkpoints/tiny"),
    as_json: Json = False,
) -> None:
    """Measure the bundled captioner anew; write the figures to its card."""
    from clipdemo.training.measure_captions import measure_captions

    _show(measure_captions(data, checkpoint.resolve()), as_json)


def _show(metrics: dict, as_json: bool) -> None:
    """What the text head finds in each caption, as a table or as JSON."""
    if as_json:
        print_json(metrics)
        return
    shown = Table("caption", "share of true labels found", "samples-F1")
    for name in ("suggested", "human", "fixed"):
        values = metrics[name]
        shown.add_row(name, f"{values['recall']:.3f}", f"{values['samples_f1']:.3f}")
    out.print(shown)
    out.print(f"fixed: {metrics['fixed']['caption']!r}; {metrics['photos']} validation photos")
