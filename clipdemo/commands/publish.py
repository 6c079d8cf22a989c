"""The command `publish`: heads for the hub."""

from pathlib import Path
from typing import Annotated

import typer

from clipdemo.commands.terminal import out


def publish(
    checkpoint: Annotated[Path, typer.Option(help="Folder of heads.")],
    output: Annotated[Path, typer.Option("--out", help="Empty or new folder to write to.")],
    licence: Annotated[str, typer.Option(help="Licence of the heads, as the hub's id.")] = "mit",
) -> None:
    """Write heads with a model card to a folder that can be uploaded to the hub.

    Upload it with `hf upload YOU/NAME FOLDER`; --checkpoint hf:YOU/NAME then finds them.
    """
    from clipdemo.model.checkpoints import read_card
    from clipdemo.model.publishing import publish

    card = publish(read_card(checkpoint), output, licence)
    out.print(f"{', '.join(sorted(card.content['files']))}, card.json and README.md in {output}")
    out.print(f"upload them: hf upload YOU/NAME {output}", highlight=False)
