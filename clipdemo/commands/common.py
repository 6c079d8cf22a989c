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


Columns = Annotated[
    str,
    typer.Option(help="Which columns hold what, such as ImageID=path,Labels=tags; default: told "
                 "by their names."),
]  # fmt: skip
Strict = Annotated[bool, typer.Option(help="Refuse the table if a row of it would be left out.")]
Unlabelled = Annotated[
    str, typer.Option(help="A row without labels: keep (none is true) or leave-out.")
]


def reading(columns: str, unlabelled: str, strict: bool) -> dict:
    """These options as `read_label_table` takes them."""
    from clipdemo.tables.columns import parse_columns

    if unlabelled not in ("keep", "leave-out"):
        raise ClipdemoError(f"--unlabelled takes keep or leave-out, not {unlabelled!r}.")
    return {"columns": parse_columns(columns), "unlabelled": unlabelled, "strict": strict}


def show_account(account: dict) -> None:
    """An account in a few lines."""
    from clipdemo.tables.account import account_lines

    for line in account_lines(account):
        out.print(line, markup=False, highlight=False)


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
