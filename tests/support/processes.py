"""Functions in separate processes, which can be killed; their imports are loaded only once."""

import atexit
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from support.paths import ROOT

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(
    ["clipdemo.commands.encode", "clipdemo.tiny.train_backbone", "support.app_imports"]
)


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


class App:
    """`python app.py`, forked from a process that has imported its libraries.

    It has the methods of `subprocess.Popen` that the tests use.
    """

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self._process = start(_app, list(arguments), dict(environment), log=log)
        self.pid = self._process.pid
        self.terminate, self.kill = self._process.terminate, self._process.kill

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("app.py", timeout)
        return self._process.exitcode

    def send_signal(self, signal: int) -> None:
        os.kill(self.pid, signal)


def _app(arguments: list[str], environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    sys.argv = arguments
    import app

    try:
        app.main()
    finally:  # as at the end of an interpreter
        atexit._run_exitfuncs()
