"""Proxies from environment variables: used to reach the hub, but not to reach this machine."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

_NAMES = ("http_proxy", "https_proxy", "all_proxy")


@contextmanager
def around_proxies() -> Iterator[None]:
    """A context without proxies.

    Gradio creates HTTP clients on import and calls its own page at start-up. Either fails with a
    traceback if its client does not support the proxy.
    """
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.lower() in _NAMES}
    try:
        yield
    finally:
        os.environ.update(kept)


def reach_directly(host: str) -> None:
    """Exempt this machine, and the address it listens at, from the use of proxies."""
    own = {"localhost", "127.0.0.1", "::1", host}
    for name in ("no_proxy", "NO_PROXY"):
        own.update(os.environ.get(name, "").split(","))
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = ",".join(sorted(filter(None, own)))
