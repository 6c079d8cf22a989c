"""Freed memory is returned to the system, whichever thread used it."""

import sys

import pytest

USED = """
import threading, time
import psutil
from clipdemo.inputs import allocator

allocator.QUIET = 0.2

def use():
    # Small pieces, of which one in fifty stays: no arena can shrink from its end.
    pieces = [bytes(20_000) for _ in range(5000)]
    kept.append(pieces[::50])
    together.wait()
    allocator.give_back_soon()

kept, together = [], threading.Barrier(4)
start = psutil.Process().memory_info().rss
threads = [threading.Thread(target=use) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
time.sleep(2)
print((psutil.Process().memory_info().rss - start) / 2**20)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
def test_what_was_freed_is_given_back(run_python):
    """400 MB were in use, and 8 MB still are."""
    done = run_python("-c", USED)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 60
