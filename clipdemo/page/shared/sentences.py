"""Sentences of the commands, in the words of the page: it has no flags, and hides its folders."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

_FLAGS = (
    (r",? or say which [^;]*? with --columns \S+=NAME(?=[.,])", ""),
    (r"choose one with --columns (\w+)=.+?(?=\.$)", r"name one of them \1"),
    (r"say --columns (\w+)=(.+?)(?=, or )", r"name the column \2 \1"),
)


def on_page(error: Exception, paths: Iterable[str | Path]) -> str:
    """The error's sentence with the names of these files, and without advice to give flags."""
    sentence = str(error)
    for path in filter(None, map(str, paths)):
        sentence = sentence.replace(path, Path(path).name or path)
    for flag, words in _FLAGS:
        sentence = re.sub(flag, words, sentence)
    return sentence
