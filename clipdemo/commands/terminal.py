"""A console that prints what it can: no letter and no closed pipe ends the program."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TextIO


def settle_console() -> None:
    """Have standard output and error write what their encoding lacks as \\N escapes, and go on
    silently when whoever reads them has gone, as `head` does."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
            setattr(sys, name, _Lasting(stream))


class _Lasting:
    """A text stream whose reader may go."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            self._let_go()
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._let_go()

    def __getattr__(self, name: str):
        return getattr(self._stream, name)

    def _let_go(self) -> None:
        """From now on into nothing, at the interpreter's end too."""
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, self._stream.fileno())
        os.close(nothing)
        with suppress(OSError):
            self._stream.flush()
