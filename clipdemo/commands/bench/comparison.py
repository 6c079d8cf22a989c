"""Measure ours and the plain way in turn, and compare medians."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median


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
    """Medians of the seconds that both return in turn, after one warm-up round."""
    return medians(turns(ours, plain, 1 + rounds)[1:])


def medians(times: list[tuple[float, float]]) -> Comparison:
    """Medians of the seconds of ours and of the plain way, given for each round."""
    return Comparison(*map(median, zip(*times, strict=True)))


def turns(ours: Callable, plain: Callable, rounds: int) -> list[tuple]:
    """Both results of each round, ours first."""
    return [(ours(), plain()) for _ in range(rounds)]


def timed(action: Callable[..., object], *inputs: object) -> float:
    """The seconds that a call takes."""
    begin = time.perf_counter()
    action(*inputs)
    return time.perf_counter() - begin
