"""Ours and the plain way take turns, and medians are compared."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Comparison:
    """Median seconds of ours and of the plain way."""

    ours: float
    plain: float

    @property
    def ratio(self) -> float:
        """Ours over plain: below 1, ours is faster."""
        return self.ours / self.plain


def compare(ours: Callable[[], float], plain: Callable[[], float], rounds: int) -> Comparison:
    """Take turns, ours first, after one turn each that does not count; both return seconds."""
    turns = [(ours(), plain()) for _ in range(1 + rounds)][1:]
    return Comparison(*(statistics.median(seconds) for seconds in zip(*turns, strict=True)))


def timed(action: Callable[[], object]) -> float:
    """The seconds it takes."""
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin
