"""The command `scenes`: the example scenes as files."""

from pathlib import Path
from typing import Annotated

import typer

from clipdemo.commands.terminal import out


def scenes(
    output: Annotated[Path, typer.Option("--out", help="Folder.")] = Path("assets/scenes"),
) -> None:
    """Draw the example scenes again."""
    from clipdemo.scenes import export_examples

    export_examples(output)
    out.print(f"drawn to {output}")
