"""Gradio imported without type stubs."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_stubs() -> Iterator[None]:
    """While Gradio and the page's modules are imported.

    For each class of a component, Gradio parses its source and writes a stub file next to it, which
    takes over a third of the import and has no switch; it leaves out classes without a source file.
    """
    usual = inspect.getfile

    def no_file(of: object) -> str:
        raise OSError(f"{of} is said to have no file")

    inspect.getfile = no_file
    try:
        yield
    finally:
        inspect.getfile = usual
