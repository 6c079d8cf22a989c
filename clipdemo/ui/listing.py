"""The backbones on offer, as the page lists them: width, size, and where each one is."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from clipdemo.catalog import OFFERS, offer

if TYPE_CHECKING:
    from clipdemo.hub import State

STATES = {
    "bundled": "bundled",
    "cached": "here",
    "downloadable": "can be downloaded",
    "unreachable": "not reachable",
}
FRESH = 60.0  # seconds that an answer about all of them is used for


class Listing:
    """The offered backbones and the one that the page starts with, as people read them."""

    def __init__(self, first: str) -> None:
        self._others = [first] if offer(first) is None else []
        self._told, self._choices = -FRESH, []
        self._lock = threading.Lock()

    def choices(self, states: Mapping[str, State] | None = None) -> list[tuple[str, str]]:
        """Text and id of each: width and size of its weights, and its state where that is known."""
        listed = []
        for known in OFFERS:
            state = (states or {}).get(known.id)
            size = (state.bytes if state else None) or 4 * known.parameters
            words = [known.id, f"{known.width} wide", f"{size / 1e6:,.0f} MB"]
            listed.append(
                (" · ".join([*words, *([STATES[state.state]] if state else [])]), known.id)
            )
        return [*((name, name) for name in self._others), *listed]

    def survey(self) -> list[tuple[str, str]]:
        """The same with the states; the hub is asked once a minute at most, for all visitors."""
        from clipdemo.hub import survey

        with self._lock:
            if time.monotonic() - self._told >= FRESH:
                self._choices = self.choices(survey([known.id for known in OFFERS]))
                self._told = time.monotonic()
            return self._choices
