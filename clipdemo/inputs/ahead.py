"""Computing results ahead: while one is used, threads compute the next ones."""

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Given, Made = TypeVar("Given"), TypeVar("Made")


def ahead(
    function: Callable[[Given], Made], items: Iterable[Given], threads: int, most: int
) -> Iterator[Made]:
    """Yield `function(item)` for each item, in order, computed by threads.

    Items are taken in the caller's thread, at most `most` of them ahead of their results, so that
    few are in memory at once.

    Raises:
        Exception: any that `items` or `function` raises; no further item is started then.
    """
    pool, waiting = ThreadPoolExecutor(threads), deque()
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > most:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
