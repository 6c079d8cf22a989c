"""The command `train`: train heads on a feature store."""

from pathlib import Path
from typing import Annotated

import typer

from clipdemo.commands import options
from clipdemo.commands.terminal import (
    out,
    print_account,
    print_json,
    print_table,
    progress_bars,
)
from clipdemo.errors import ClipdemoError


def train(
    store: options.StoreFolder,
    output: Annotated[Path, typer.Option("--out", help="Folder of the heads and their card.")],
    mode: options.HeadModes = None,
    layers: Annotated[str, typer.Option(help="Widths of the hidden layers.")] = "2048,1024",
    rate: Annotated[float, typer.Option(min=0, help="Peak learning rate.")] = 7e-4,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs at most.")] = 30,
    batch: Annotated[int, typer.Option(min=1, help="Rows per step.")] = 128,
    warmup: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the steps with a rising rate.")
    ] = 0.1,
    dropout: Annotated[float, typer.Option(min=0, max=0.99)] = 0.4,
    patience: Annotated[
        int, typer.Option(min=0, help="Epochs without a better samples-F1 before it stops.")
    ] = 6,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    captions: Annotated[
        str, typer.Option(help="Captions to train on: original, generated or both.")
    ] = "original",
    validation: options.Validation = "share:0.15",
    as_json: options.Json = False,
) -> None:
    """Train heads on a feature store: calibrated, with a card, ready for --checkpoint."""
    from clipdemo.study.feature_store import read_account, read_store
    from clipdemo.study.fit import FitSettings
    from clipdemo.study.train import train_heads

    found = read_store(store)
    settings = {
        name: FitSettings(
            kind="mutan" if name == "mutan" else "mlp", hidden=_widths(layers), rate=rate,
            epochs=epochs, batch=batch, warmup=warmup, dropout=dropout, keep="samples_f1",
            patience=patience, seed=seed,
        )
        for name in mode or found.modes
    }  # fmt: skip
    with progress_bars() as progress:
        card = train_heads(
            found, output, settings, validation, captions,
            lambda mode, epoch: progress(f"training {mode}", epoch["epoch"], epochs),
        )  # fmt: skip
    account = read_account(store)
    print_heads(card, list(settings), as_json, account)


def _widths(layers: str) -> tuple[int, ...]:
    """The numbers of a list such as 2048,1024; empty for heads without a hidden layer."""
    try:
        widths = tuple(int(width) for width in layers.split(",") if width.strip())
    except ValueError:
        widths = (0,)
    if not all(width > 0 for width in widths):
        raise ClipdemoError(
            f"--layers {layers!r} is not a list of widths: write it like 2048,1024."
        )
    return widths


def print_heads(card, modes: list[str], as_json: bool, account: dict | None = None) -> None:
    """Print each mode's calibration, and its figures on the validation rows if measured."""
    entries = {mode: card.modes[mode] for mode in modes}
    measured = card.content["metrics"].get("photos", {}).get("modes", {})
    if as_json:
        kept = ("temperature", "thresholds", "shrinkage", "recall", "reliability")
        found = {
            mode: {key: entry[key] for key in kept}
            | {k: v for k, v in measured.get(mode, {}).items() if k != "per_label"}
            for mode, entry in entries.items()
        }
        account = {"account": account} if account else {}
        return print_json({"checkpoint": str(card.folder), "modes": found} | account)
    rows = []
    for mode, entry in entries.items():
        figures = [measured.get(mode, {}).get(key) for key in ("samples_f1", "map")]
        error = entry["reliability"]
        rows.append([
            mode, *figures, entry["temperature"], error["before"], error["after"],
            str(entry["shrinkage"]),
        ])  # fmt: skip
    print_table(
        ["mode", "samples-F1", "mAP", "temperature", "error before", "after", "shrinkage"], rows
    )
    if account:
        print_account(account)
    out.print(f"written to {card.folder}; show it with python app.py --checkpoint {card.folder}")
