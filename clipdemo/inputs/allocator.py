"""Returning freed memory to the system, which glibc would keep for later allocations.

It has an arena for each of many threads. After thirty users these held more than a gigabyte.
"""

import ctypes
import threading

QUIET = 5.0  # seconds from the first call to the return of all memory that is free by then

_pending = threading.Lock()


def give_back_soon() -> None:
    """Return free memory after `QUIET` seconds; further calls until then have no effect."""
    if _trim is not None and _pending.acquire(blocking=False):
        timer = threading.Timer(QUIET, _give_back)
        timer.daemon = True
        timer.start()


def _give_back() -> None:
    _pending.release()  # first, so that memory used from now on gets another call
    _trim(0)


def _find_trim():
    """glibc's `malloc_trim`, or None with another C library."""
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return None


_trim = _find_trim()
