"""The backbones on offer, as the page lists them: width, size, and where each one is."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from clipdemo.hub.catalog import OFFERS, offer

if TYPE_CHECKING:
    from clipdemo.hub.locate import State
    from clipdemo.page.server.access import Role

STATES = {
    "bundled": "bundled",
    "cached": "here",
    "downloadable": "can be downloaded",
    "unreachable": "not reachable",
}
FRESH = 60.0  # seconds that an answer about all of them is used for


class Listing:
    """The backbones on offer, as people read them.

    Visitors see those that are on this machine, which is all they may have, beside what the page
    starts with and what its owner offers.
    """

    def __init__(self, first: str, offered: Sequence[str] = ()) -> None:
        self._always = (first, *offered)
        self._others = [name for name in dict.fromkeys(self._always) if offer(name) is None]
        self._told, self._choices = -FRESH, []
        self._lock = threading.Lock()

    def choices(self, states: Mapping[str, State | None] | None = None) -> list[tuple[str, str]]:
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

    def survey(self, role: Role) -> list[tuple[str, str]]:
        """The same with the states; the hub is asked once a minute at most, whoever asks."""
        from clipdemo.hub.locate import locate_all, locate_local

        if role == "visitor":
            states = {known.id: locate_local(known.id) for known in OFFERS}
            allowed = {*self._always, *(name for name, state in states.items() if state)}
            return [choice for choice in self.choices(states) if choice[1] in allowed]
        with self._lock:
            if time.monotonic() - self._told >= FRESH:
                self._choices = self.choices(locate_all([known.id for known in OFFERS]))
                self._told = time.monotonic()
            return self._choices
