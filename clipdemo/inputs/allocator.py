"""Memory that was freed, given back to the system: glibc would keep it for whoever asks next.

It has an arena for each of many threads. After thirty users these held more than a gigabyte.
"""

import ctypes
import threading

QUIET = 5.0  # seconds from the first use to giving back what is free by then

_pending = threading.Lock()


def give_back_soon() -> None:
    """Give back what is free in a moment; any further call until then adds nothing."""
    if _trim is not None and _pending.acquire(blocking=False):
        timer = threading.Timer(QUIET, _give_back)
        timer.daemon = True
        timer.start()


def _give_back() -> None:
    _pending.release()  # before: what is used from now on has a turn of its own
    _trim(0)


def _find_trim():
    """glibc's `malloc_trim`, or None where another library is in its place."""
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return None


_trim = _find_trim()
