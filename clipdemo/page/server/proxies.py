"""Proxies named by the environment: used to reach the hub, and not to reach this machine."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

_NAMES = ("http_proxy", "https_proxy", "all_proxy")


@contextmanager
def around_proxies() -> Iterator[None]:
    """A context without proxies.

    Gradio makes clients when it is imported and calls its own page when it starts. Either would
    end in a traceback for a proxy that its client does not support.
    """
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.lower() in _NAMES}
    try:
        yield
    finally:
        os.environ.update(kept)


def reach_directly(host: str) -> None:
    """From now on no client uses a proxy to reach this machine, or the address it listens at."""
    own = {"localhost", "127.0.0.1", "::1", host}
    for name in ("no_proxy", "NO_PROXY"):
        own.update(os.environ.get(name, "").split(","))
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = ",".join(sorted(filter(None, own)))
