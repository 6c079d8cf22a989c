"""What several commands share: options, the console, JSON, a progress bar."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from clipdemo.errors import ClipdemoError
from clipdemo.model.thresholds import RULES

out = Console(soft_wrap=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
BackboneId = Annotated[str, typer.Option(help="A backbone id, or auto.")]
Checkpoint = Annotated[str, typer.Option(help="Folder of heads; default: the backbone's own.")]
Rule = Annotated[str, typer.Option(help=f"One of {', '.join(RULES)}.")]


def print_json(value: object) -> None:
    """JSON on standard output, and nothing else there."""
    print(json.dumps(value, indent=1))


def check_rule(rule: str) -> str:
    """The rule, or a sentence that names those there are."""
    if rule not in RULES:
        raise ClipdemoError(f"There is no rule {rule!r}: choose one of {', '.join(RULES)}.")
    return rule


class _Rate(ProgressColumn):
    """Rows per second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:.1f}/s" if speed else "")


def bar() -> Progress:
    """A progress bar with rate and time left, on standard error."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
