"""Functions in separate processes, which can be killed; their imports are loaded only once."""

import atexit
import importlib
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from multiprocessing.forkserver import ensure_running
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import huggingface_hub.constants

from support.paths import ROOT

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(
    ["clipdemo.commands.encode", "clipdemo.tiny.train_backbone", "support.app_imports"]
)


def start(
    function: Callable, *args: object, log: Path | None = None, errors: Path | None = None
) -> multiprocessing.Process:
    """Call it in a process that leads a process group.

    Its output is written to `log`, and what it writes to standard error to `errors`, if given.
    """
    # Python 3.11 looks for what it preloads there only, and is silent if it finds nothing.
    with patch.dict(os.environ, PYTHONPATH=f"{ROOT}{os.pathsep}{ROOT / 'tests'}"):
        ensure_running()
    process = _context.Process(target=_run, args=(log, errors, function, *args))
    process.start()
    return process


def _run(log: Path | None, errors: Path | None, function: Callable, *args: object) -> None:
    assert "support.app_imports" in sys.modules, "the imports were not loaded before"
    os.setsid()
    with Path(log or os.devnull).open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    if errors:
        with errors.open("w") as file:
            os.dup2(file.fileno(), 2)
    function(*args)


def run_clipdemo(*args: object) -> subprocess.CompletedProcess:
    """`python -m clipdemo ...` in a process of its own, forked from one with its imports."""
    command = ["-m", "clipdemo", *map(str, args)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CLIPDEMO_")}
    with TemporaryDirectory() as name:
        out, errors = Path(name, "out"), Path(name, "errors")
        process = start(_program, command, environment, None, log=out, errors=errors)
        process.join()
        told = out.read_text("utf-8"), errors.read_text("utf-8")
        return subprocess.CompletedProcess(command, process.exitcode, *told)


class App:
    """`python ...` in the project's folder, forked from a process that has imported its libraries.

    It runs `app.py`, `-m clipdemo`, or `-c` and a program, and has the methods of
    `subprocess.Popen` that the tests use.
    """

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        reader, self._writer = _context.Pipe(duplex=False)
        self.stdin = open(self._writer.fileno(), "wb", closefd=False)  # noqa: SIM115
        arguments = list(map(str, arguments))
        self._process = start(_program, arguments, dict(environment), reader, log=log)
        reader.close()
        self.pid = self._process.pid
        self.terminate, self.kill = self._process.terminate, self._process.kill

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("python", timeout)
        return self._process.exitcode

    def send_signal(self, signal: int) -> None:
        os.kill(self.pid, signal)


def _program(arguments: list[str], environment: dict[str, str], reader: Connection | None) -> None:
    if reader:
        os.dup2(reader.fileno(), 0)
        sys.stdin = open(0, closefd=False)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(environment)
    importlib.reload(huggingface_hub.constants)  # which has read the variables at its import
    os.chdir(ROOT)
    what, *rest = arguments
    try:
        if what == "-c":
            code, *rest = rest
            sys.argv = ["-c", *rest]
            exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})
        elif what == "-m":
            from clipdemo.commands.app import main

            sys.argv = rest
            main()
        else:
            import app

            sys.argv = arguments
            app.main()
    finally:  # as at the end of an interpreter
        atexit._run_exitfuncs()
