"""Output of commands: text, tables, JSON and progress bars, on any console."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from rich import progress as bars
from rich.console import Console
from rich.table import Table
from rich.text import Text

from clipdemo.study.stages import Progress

out = Console(soft_wrap=True, markup=False, emoji=False)
err = Console(soft_wrap=True, markup=False, emoji=False, stderr=True)


def print_json(value: object) -> None:
    """Print JSON on standard output, where nothing else may go."""
    print(json.dumps(value, indent=1))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], **style: object) -> None:
    """Print a table on standard output: floats with three decimals, None as a dash.

    Args:
        columns: the header.
        rows: the cells of each row; a `Text` keeps its style.
        style: passed to `rich.table.Table`.
    """
    table = Table(*columns, **style)
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else _cell(cell) for cell in row))
    out.print(table)


def print_account(account: dict) -> None:
    """Print the account of a table's rows in a few lines."""
    from clipdemo.tables.account import account_lines

    for line in account_lines(account):
        out.print(line, highlight=False)


def read_table(path: Path, labels, **reading: object):
    """`read_label_table` with a spinner on a terminal: it may take a minute."""
    from clipdemo.tables.label_table import read_label_table

    with err.status(Text(f"reading {path.name}"), spinner="line"):
        return read_label_table(path, labels, **reading)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


@contextmanager
def progress_bars() -> Iterator[Progress]:
    """A bar with rate and remaining time for every step, if standard error is a terminal."""
    columns = (
        bars.TextColumn("{task.description}", markup=False), bars.BarColumn(), _Amount(),
        bars.TimeRemainingColumn(),
    )  # fmt: skip
    with bars.Progress(*columns, console=err, disable=not err.is_terminal) as shown:
        tasks = {}

        def report(step: str, done: int, total: int | None) -> None:
            if step not in tasks:
                tasks[step] = shown.add_task(step, total=total)
            shown.update(tasks[step], completed=done, total=total)

        yield report


class _Amount(bars.ProgressColumn):
    """Amount done, total and rate: megabytes of a download, else rows."""

    def render(self, task: bars.Task) -> Text:
        in_bytes = ".zip" in task.description or task.description.startswith("downloading")
        unit, name = (1e6, " MB") if in_bytes else (1, "")
        done, speed = task.completed / unit, (task.finished_speed or task.speed or 0) / unit
        total = f"/{task.total / unit:,.0f}" if task.total else ""
        return Text(f"{done:,.0f}{total}{name} {speed:.1f}{name}/s")


@contextmanager
def resumable() -> Iterator[None]:
    """On Ctrl-C, exits with one line that says how to resume."""
    try:
        yield
    except KeyboardInterrupt:
        print("Stopped: run the same command again to resume.", file=sys.stderr)
        raise SystemExit(130) from None


def settle_console() -> None:
    """Make standard output and error robust.

    Characters that their encoding lacks are written as escapes, and output is discarded once its
    reader has closed the pipe, as `| head` does.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
            setattr(sys, name, _Lasting(stream))


class _Lasting:
    """A text stream that survives a closed pipe."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with self._surviving():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._surviving():
            self._stream.flush()

    def __getattr__(self, name: str):
        return getattr(self._stream, name)

    @contextmanager
    def _surviving(self) -> Iterator[None]:
        """Once the reader is gone, everything goes to the null device, also on exit."""
        try:
            yield
        except BrokenPipeError:
            with Path(os.devnull).open("wb") as null:
                os.dup2(null.fileno(), self._stream.fileno())
            with suppress(OSError):
                self._stream.flush()
