"""Options and arguments that several commands share."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated

import typer

from clipdemo.errors import ClipdemoError
from clipdemo.inputs.labels import ALL_MODES
from clipdemo.model.thresholds import RULES

Ray = Annotated[
    str, typer.Option(help="Run on a Ray cluster: its address, auto (this machine's) or local.")
]


def one_of(what: str, names: Sequence[str]) -> Callable:
    """An option's callback that refuses any value that is not one of the names."""

    def check(value: str | list[str] | None) -> str | list[str] | None:
        for name in [value] if isinstance(value, str) else value or []:
            if name not in names:
                raise ClipdemoError(
                    f"There is no {what} {name!r}: choose one of {', '.join(names)}."
                )
        return value

    return check


Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

# The model.
BackboneId = Annotated[str, typer.Option(help="A backbone id, or auto.")]
Checkpoint = Annotated[
    str, typer.Option(help="Folder of heads, or hf:org/repo; default: the backbone's own.")
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
CaptionerName = Annotated[str, typer.Option(help="auto, bundled, a cached hub model, or a folder.")]

# The rule that turns scores into labels.
Rule = Annotated[
    str, typer.Option(help=f"One of {', '.join(RULES)}.", callback=one_of("rule", RULES))
]
Threshold = Annotated[float, typer.Option(min=0, max=1, help="For rule fixed.")]
K = Annotated[int, typer.Option(min=1, help="For rule top-k.")]
Recall = Annotated[float, typer.Option(help="For rule recall: 0.50, 0.55 ... 0.95.")]

# Tables and photos.
TableFile = Annotated[Path, typer.Option(help="A label table, in any form.")]
PhotoFolder = Annotated[
    Path | None, typer.Option(help="Folder, zip or tar of its photos; without it, text only.")
]
CocoPart = Annotated[
    str,
    typer.Option(
        help="val: 5,000 photos, 0.8 GB; train: 118,287 photos, 19.3 GB.",
        callback=one_of("part of COCO", ("val", "train")),
    ),
]
CocoLabels = Annotated[
    str, typer.Option(help="18, 80 (all), or names of categories such as dog,pizza.")
]
CocoServer = Annotated[
    str, typer.Option(help="Server with zips/ and annotations/.", show_default=False)
]

Columns = Annotated[
    str,
    typer.Option(
        help="What the columns are, such as ImageID=path,Labels=tags; default: by their names.",
        show_default=False,
    ),
]
Unlabelled = Annotated[
    str,
    typer.Option(
        help="A row without labels: keep (none is true) or leave-out.",
        callback=one_of("value of --unlabelled", ("keep", "leave-out")),
    ),
]
Strict = Annotated[
    bool,
    typer.Option(help="Refuse the table if any row would be left out or any label ignored."),
]


def reading(columns: str, unlabelled: str, strict: bool) -> dict:
    """These options as arguments of `read_label_table`."""
    from clipdemo.tables.columns import parse_columns

    return {"columns": parse_columns(columns), "unlabelled": unlabelled, "strict": strict}


# The study.
StoreFolder = Annotated[Path, typer.Option(help="A feature store, as `encode` writes it.")]
Validation = Annotated[
    str,
    typer.Option(
        help="Validation rows: last:2000, every:6:1, share:0.15, stratified:0.15 (of each label) "
        "or a label table."
    ),
]
HeadModes = Annotated[
    list[str] | None,
    typer.Option(
        help=f"{', '.join(ALL_MODES)}; default: the first three, if the store has their inputs.",
        callback=one_of("mode", ALL_MODES),
    ),
]
RunsFolder = Annotated[Path, typer.Option("--out", help="Folder for the tables of runs.")]
Jobs = Annotated[int, typer.Option(min=0, help="Parallel processes; 0: one per core.")]


def cluster(ray: str) -> AbstractContextManager:
    """The connection for `--ray`; without it, nothing."""
    if not ray:
        return nullcontext()
    from clipdemo.model.on_ray import connected

    return connected(ray)
