"""The commands of captioners: `caption`, `train-captioner` and `measure-captions`."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from clipdemo.commands.common import (
    Columns,
    Json,
    Strict,
    Unlabelled,
    bar,
    out,
    print_json,
    reading,
    show_account,
)

Data = Annotated[Path, typer.Option(help="Photos, captions and teacher files.")]


def caption(
    table: Annotated[Path, typer.Option(help="A label table.")],
    photos: Annotated[Path, typer.Option(help="Folder, zip or tar of its photos.")],
    output: Annotated[Path, typer.Option("--out", help="The same table with a model's captions.")],
    captioner: Annotated[
        str, typer.Option(help="auto, bundled, a model of the hub that is cached, or a folder.")
    ] = "auto",
    columns: Columns = "",
    unlabelled: Unlabelled = "keep",
    strict: Strict = False,
    as_json: Json = False,
) -> None:
    """Have a model write a caption for every photo of a table; killed, it goes on where it was."""
    from clipdemo.inputs.photo_source import PhotoSource
    from clipdemo.model.captioners.choice import load_captioner
    from clipdemo.study.caption_table import caption_table
    from clipdemo.tables.account import photo_reason
    from clipdemo.tables.label_table import read_label_table

    read = read_label_table(table, None, **reading(columns, unlabelled, strict))
    frame, source, model = read.frame, PhotoSource(photos), load_captioner(captioner)
    if strict:
        read.check_photos(source, table)
    with bar() as progress:
        task = progress.add_task("writing captions", total=len(frame))
        found, skipped = caption_table(
            model, frame, source, output, lambda rows: progress.advance(task, rows)
        )
    reasons = {entry["ImageID"]: photo_reason(entry["reason"]) for entry in skipped}
    gone = {row: reasons[name] for row, name in enumerate(frame["ImageID"]) if name in reasons}
    if gone:
        read.leave_out(gone)
    read.note_photos(source)
    account = read.account.to_dict()
    report = {"captions": len(found), "captioner": model.name, "skipped": skipped}
    report |= {"account": account}
    if as_json:
        print_json(report)
        return
    out.print(f"{len(found)} captions by {model.name}, written to {output}")
    show_account(account)


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
    from clipdemo.tiny.caption_data import CaptionRecipe
    from clipdemo.tiny.train_captioner import train_captioner

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
    from clipdemo.tiny.measure_captions import measure_captions

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
