"""The command `publish`: heads to give away."""

from pathlib import Path
from typing import Annotated

import typer

from clipdemo.commands.terminal import out


def publish(
    checkpoint: Annotated[Path, typer.Option(help="Folder of heads.")],
    output: Annotated[Path, typer.Option("--out", help="Folder to write, which is empty.")],
    licence: Annotated[str, typer.Option(help="Of the heads, by its id on the hub.")] = "mit",
) -> None:
    """Write heads as a folder that a hub repository takes as it is, with a model card.

    Upload it with `hf upload YOU/NAME FOLDER`; --checkpoint hf:YOU/NAME then finds them.
    """
    from clipdemo.model.checkpoints import read_card
    from clipdemo.model.publishing import publish

    card = publish(read_card(checkpoint), output, licence)
    out.print(f"{', '.join(sorted(card.content['files']))}, card.json and README.md in {output}")
    out.print(f"upload them: hf upload YOU/NAME {output}", highlight=False)
