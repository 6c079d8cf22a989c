"""The command `export`: a classifier as ONNX."""

from pathlib import Path
from typing import Annotated

import typer

from clipdemo.commands import options
from clipdemo.commands.terminal import out, print_json, progress_bars


def export(
    output: Annotated[Path, typer.Option("--out", help="Folder of the ONNX files.")],
    backbone: options.BackboneId = "auto",
    checkpoint: options.Checkpoint = "",
    as_json: options.Json = False,
) -> None:
    """Write backbone and heads as ONNX, checked against torch, and a description of their use."""
    from clipdemo.model.loading import load
    from clipdemo.model.onnx_export import export_onnx

    classifier = load(backbone, checkpoint=checkpoint or None, device="cpu", precision="fp32")
    with progress_bars() as progress:
        files = 2 + len(classifier.modes)
        made: list[str] = []

        def tell(name: str) -> None:
            progress("writing", len(made), files)
            made.append(name)

        found = export_onnx(classifier, output, tell)
    if as_json:
        return print_json({"out": str(output), "differences": found})
    worst = max(found.values())
    out.print(f"{', '.join(found)} and model.json written to {output}")
    out.print(f"largest difference from torch: {worst:.1e}")
