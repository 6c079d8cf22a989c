"""The page's list of backbones: width, size and state of each."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
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
FRESH = 60  # seconds for which an answer of the hub is cached


def choices(
    always: Sequence[str], states: Mapping[str, State | None] | None = None
) -> list[tuple[str, str]]:
    """Text and id of each backbone: width, size of its weights, whether they are for research
    only, and its state if known.

    The ids in `always` are listed even if they are not in the catalogue.
    """
    listed = []
    for known in OFFERS:
        state = (states or {}).get(known.id)
        size = (state.bytes if state else None) or 4 * known.parameters
        words = [known.id, f"{known.width} wide", f"{size / 1e6:,.0f} MB"]
        words += ["research only"] if known.research_only else []
        listed.append((" · ".join([*words, *([STATES[state.state]] if state else [])]), known.id))
    return [*((name, name) for name in dict.fromkeys(always) if offer(name) is None), *listed]


def choices_for(role: Role, always: Sequence[str]) -> list[tuple[str, str]]:
    """The choices with their states; visitors get only those that they may use.

    These are `always` and those on this machine. The hub is asked at most once a minute.
    """
    from clipdemo.hub.locate import locate_local

    if role == "owner":
        return choices(always, _states(int(time.monotonic() / FRESH)))
    states = {known.id: locate_local(known.id) for known in OFFERS}
    allowed = {*always, *(name for name, state in states.items() if state)}
    return [choice for choice in choices(always, states) if choice[1] in allowed]


@lru_cache(maxsize=1)
def _states(minute: int) -> dict[str, State]:
    from clipdemo.hub.locate import locate_all

    return locate_all([known.id for known in OFFERS])
