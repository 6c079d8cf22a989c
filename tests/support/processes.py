"""Functions in separate processes, which can be killed; their imports are loaded only once."""

import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["clipdemo.commands.encode", "clipdemo.tiny.train_backbone"])


def start(function: Callable, *args: object, log: Path | None = None) -> multiprocessing.Process:
    """Call it in a process that leads a process group, with its output in `log`."""
    process = _context.Process(target=_run, args=(log, function, *args))
    process.start()
    return process


def _run(log: Path | None, function: Callable, *args: object) -> None:
    os.setsid()
    with Path(log or os.devnull).open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    function(*args)
