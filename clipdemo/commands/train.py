"""The commands that make heads: `train` and `calibrate`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from clipdemo.commands.options import Json, bar, out, print_json
from clipdemo.errors import ClipdemoError

StoreFolder = Annotated[Path, typer.Option(help="A feature store, as `encode` writes it.")]
Validation = Annotated[
    str,
    typer.Option(help="Rows to judge by: last:2000, every:6:1, share:0.15 or a label table."),
]


def train(
    store: StoreFolder,
    output: Annotated[Path, typer.Option("--out", help="Folder of the heads and their card.")],
    mode: Annotated[
        list[str] | None,
        typer.Option(help="image, text, concat or mutan; default: the first three, where they go."),
    ] = None,
    layers: Annotated[str, typer.Option(help="Widths of the hidden layers.")] = "2048,1024",
    rate: Annotated[float, typer.Option(min=0, help="Peak learning rate.")] = 7e-4,
    epochs: Annotated[int, typer.Option(min=1, help="At most.")] = 30,
    batch: Annotated[int, typer.Option(min=1, help="Rows per step.")] = 128,
    warmup: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the steps with a rising rate; 0: none.")
    ] = 0.1,
    dropout: Annotated[float, typer.Option(min=0, max=0.99)] = 0.4,
    patience: Annotated[
        int, typer.Option(min=0, help="Epochs without a better samples-F1 before it stops.")
    ] = 6,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    captions: Annotated[
        str, typer.Option(help="To train on: original, generated or both.")
    ] = "original",
    validation: Validation = "share:0.15",
    as_json: Json = False,
) -> None:
    """Train heads on a feature store; they come calibrated, with a card, ready for --checkpoint."""
    from clipdemo.inputs.labels import ALL_MODES
    from clipdemo.study.feature_store import read_store
    from clipdemo.study.fit import FitSettings
    from clipdemo.study.train import modes_of, train_heads

    try:
        hidden = tuple(int(width) for width in layers.split(",") if width.strip())
    except ValueError:
        hidden = (0,)
    if not all(width > 0 for width in hidden):
        raise ClipdemoError(f"--layers {layers!r} is no list of widths: write such as 2048,1024.")
    for name in mode or ():
        if name not in ALL_MODES:
            raise ClipdemoError(f"There is no mode {name!r}: choose {', '.join(ALL_MODES)}.")
    found = read_store(store)
    common = {"hidden": hidden, "rate": rate, "epochs": epochs, "batch": batch, "warmup": warmup}
    common |= {"dropout": dropout, "patience": patience, "seed": seed, "keep": "samples_f1"}
    settings = {
        name: FitSettings(kind="mutan" if name == "mutan" else "mlp", **common)
        for name in mode or modes_of(found)
    }
    with bar() as progress:
        task = progress.add_task("", total=epochs * len(settings), visible=False)

        def watch(mode: str, epoch: dict) -> None:
            done = epochs * list(settings).index(mode) + epoch["epoch"]
            progress.update(task, description=f"training {mode}", completed=done, visible=True)

        card = train_heads(found, output, settings, validation, captions, watch)
        progress.update(task, completed=epochs * len(settings))
    _show(card, list(settings), as_json)


def calibrate(
    checkpoint: Annotated[Path, typer.Option(help="Folder of heads.")],
    store: StoreFolder,
    validation: Validation = "share:0.15",
    as_json: Json = False,
) -> None:
    """Fit temperature, thresholds and thresholds for a recall anew, and write them to the card."""
    from clipdemo.model.loading import load
    from clipdemo.study.feature_store import read_store
    from clipdemo.study.train import calibrate

    classifier = load(checkpoint=checkpoint)
    card = calibrate(classifier, read_store(store), validation)
    _show(card, list(card.modes), as_json)


def _show(card, modes: list[str], as_json: bool) -> None:
    """Each mode's figures of the calibration, and of the training where it has some."""
    entries = {mode: card.modes[mode] for mode in modes}
    measured = card.content["metrics"].get("photos", {}).get("modes", {})
    if as_json:
        found = {
            mode: {key: entry[key] for key in ("temperature", "thresholds", "shrinkage", "recall",
                                               "reliability")}
            | {k: v for k, v in measured.get(mode, {}).items() if k != "per_label"}
            for mode, entry in entries.items()
        }  # fmt: skip
        print_json({"checkpoint": str(card.folder), "modes": found})
        return
    shown = Table("mode", "samples-F1", "mAP", "temperature", "error before", "after", "shrinkage")
    for mode, entry in entries.items():
        figures = [measured.get(mode, {}).get(key) for key in ("samples_f1", "map")]
        error = entry["reliability"]
        figures += [entry["temperature"], error["before"], error["after"]]
        cells = ["-" if f is None else f"{f:.3f}" for f in figures]
        shown.add_row(mode, *cells, str(entry["shrinkage"]))
    out.print(shown)
    out.print(f"written to {card.folder}; show it with python app.py --checkpoint {card.folder}")
