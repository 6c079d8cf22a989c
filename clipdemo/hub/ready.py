"""What a backbone needs before it is loaded: its files here, and memory enough for them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from clipdemo.errors import BackboneError
from clipdemo.hub.fetch import Fetch, check_memory, look


def bring(backbone: str, watch: Callable[[Fetch], object] = lambda fetch: None) -> None:
    """Have a backbone's files here, downloading them if need be.

    Args:
        backbone: a backbone id.
        watch: is given a download as it begins.

    Raises:
        BackboneError: there is no such backbone, it cannot be had, or it is too large for memory.
    """
    state = look(backbone)
    if state.state == "unreachable":
        raise BackboneError(
            f"{backbone} is not here, and the hub cannot be reached: check the network, or choose "
            "a backbone that is here."
        )
    check_memory(state.bytes or 0)
    if state.state == "downloadable":
        fetch = Fetch(backbone).start()
        watch(fetch)
        fetch.wait()
        if not fetch.ready:
            raise fetch.error or BackboneError(f"The download of {backbone} was cancelled.")


@contextmanager
def files_at_hand() -> Iterator[None]:
    """Inside, the hub's client takes what its cache holds and asks nobody.

    It would otherwise ask for news of every file, and wait long for a hub that does not answer.
    """
    from huggingface_hub import constants

    before, constants.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE, True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before
