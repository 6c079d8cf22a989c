"""The command `calibrate`: temperature and thresholds of existing heads."""

from pathlib import Path
from typing import Annotated

import typer

from clipdemo.commands import options
from clipdemo.commands.train import print_heads
from clipdemo.errors import ClipdemoError


def calibrate(
    checkpoint: Annotated[Path, typer.Option(help="Folder of heads.")],
    store: options.StoreFolder,
    validation: options.Validation = "share:0.15",
    as_json: options.Json = False,
) -> None:
    """Fit temperature, thresholds and thresholds per recall again, and write them to the card."""
    from clipdemo.hub.heads import PREFIX
    from clipdemo.model.loading import load
    from clipdemo.study.feature_store import read_store
    from clipdemo.study.train import calibrate

    if str(checkpoint).startswith(PREFIX):
        raise ClipdemoError(
            f"{checkpoint} belongs to its repository: copy it to a folder, and calibrate that."
        )
    card = calibrate(load(checkpoint=checkpoint), read_store(store), validation)
    print_heads(card, list(card.modes), as_json)
