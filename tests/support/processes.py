"""Functions in processes of their own, which can be killed; what they import is loaded once."""

import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["clipdemo.commands.encode", "clipdemo.tiny.train_backbone"])


def start(function: Callable, *args: object, log: Path | None = None) -> multiprocessing.Process:
    """Call it in a process that leads a process group; what it prints goes to `log`."""
    process = _context.Process(target=_run, args=(log, function, *args))
    process.start()
    return process


def _run(log: Path | None, function: Callable, *args: object) -> None:
    os.setsid()
    with Path(log or os.devnull).open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    function(*args)
