"""Computing ahead: in order, for few items at a time, and for none after an error."""

import threading

import pytest

from clipdemo.inputs.ahead import ahead


def test_results_come_in_order_and_few_items_are_taken_before_they_are_wanted():
    taken = []

    def items():
        for i in range(20):
            taken.append(i)
            yield i

    found = ahead(lambda i: 10 * i, items(), threads=3, most=4)
    assert next(found) == 0
    assert len(taken) == 5
    assert list(found) == [10 * i for i in range(1, 20)]


def test_the_next_item_is_computed_while_a_result_is_used():
    """Otherwise nothing would overlap: the second starts before its result is requested."""
    begun = threading.Event()
    found = ahead(lambda i: begun.set() if i == 1 else None, range(3), threads=1, most=1)
    next(found)
    assert begun.wait(60)


@pytest.mark.parametrize("broken", ["items", "function"])
def test_an_error_arrives_and_ends_the_work(broken):
    done = []

    def items():
        yield from range(3)
        if broken == "items":
            raise OSError("gone")
        yield from range(3, 1000)

    def function(i: int) -> int:
        if i == 3:
            raise OSError("gone")
        done.append(i)
        return i

    with pytest.raises(OSError, match="gone"):
        list(ahead(function, items(), threads=1, most=2))
    assert len(done) < 10
