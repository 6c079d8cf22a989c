"""Importing Gradio without its generation of type stubs."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_stubs() -> Iterator[None]:
    """A context for the import of Gradio and the page's modules.

    For each component class, Gradio parses the source and writes a stub file next to it, which
    takes over a third of the import and cannot be disabled; classes without a source file are
    skipped.
    """
    usual = inspect.getfile

    def no_file(of: object) -> str:
        raise OSError(f"{of} is said to have no file")

    inspect.getfile = no_file
    try:
        yield
    finally:
        inspect.getfile = usual
