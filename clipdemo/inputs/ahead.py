"""Work that is done ahead: while a result is used, the next ones are being computed."""

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
    """`function(item)` per item, in order, computed by threads.

    Items are taken in the caller's thread, at most `most` of them before their results are wanted,
    so that few are in memory at once.

    Raises:
        Exception: what `items` or `function` raises; no further item is begun then.
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
