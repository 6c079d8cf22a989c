"""Locate backbones: bundled, in the Hugging Face cache, in a folder, on the hub or nowhere."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from clipdemo.errors import BackboneError
from clipdemo.hub.catalog import BEST_FIRST, CHECKPOINTS, TINY, is_slow
from clipdemo.hub.client import describe, sentence, unreachable
from clipdemo.hub.repositories import LOCAL, Source, config, repository, text_files, weights

WEIGHT_FILES = (".safetensors", ".bin", ".pth")


@dataclass(frozen=True)
class State:
    """Where a backbone is.

    Attributes:
        state: `bundled`, `cached`, `local`, `downloadable` or `unreachable`.
        bytes: size of its weights, where known.
    """

    state: str
    bytes: int | None = None


def locate(backbone: str) -> State:
    """Where a backbone is; the hub is asked only if it is not on this machine.

    Raises:
        BackboneError: there is no such backbone, on this machine or on the hub.
    """
    return locate_local(backbone) or _ask_hub(backbone)


def locate_local(backbone: str) -> State | None:
    """`locate` without the hub: None for a backbone that is not on this machine."""
    if backbone == "tiny":
        return _folder("bundled", CHECKPOINTS / backbone)
    if backbone.startswith(LOCAL):
        return _folder("local", Path(backbone.removeprefix(LOCAL)))
    path = cached(backbone)
    return State("cached", path.stat().st_size) if path else None


def locate_all(backbones: list[str]) -> dict[str, State]:
    """States of several, located concurrently; those that the hub refuses count as unreachable."""

    def state(backbone: str) -> State:
        try:
            return locate(backbone)
        except BackboneError:
            return State("unreachable")

    with ThreadPoolExecutor(len(backbones)) as pool:
        return dict(zip(backbones, pool.map(state, backbones), strict=True))


def best(cuda: bool) -> str:
    """The best backbone on this machine to train heads on.

    Args:
        cuda: whether there is a GPU; without one the slow backbones are left out.
    """
    for backbone in BEST_FIRST:
        if (cuda or not is_slow(backbone)) and cached(backbone):
            return backbone
    return TINY


def cached(backbone: str) -> Path | None:
    """The weights in the cache, if everything the backbone needs is there.

    Raises:
        BackboneError: there is no such backbone.
    """
    if repository(backbone) is None:
        return None
    found, described = in_cache(weights(backbone)), config(backbone)
    config_file = in_cache(described) if described else None
    if found is None or (described and config_file is None):
        return None
    try:
        needed = [s for s in text_files(backbone, config_file) if not s.optional]
    except BackboneError:
        return None
    return found if all(in_cache(source) for source in needed) else None


def in_cache(source: Source) -> Path | None:
    """The file of a source in the cache (in HF_HOME)."""
    from huggingface_hub import try_to_load_from_cache

    for name in source.names:
        path = try_to_load_from_cache(source.repository, name)
        if isinstance(path, str) and is_whole(Path(path)):
            return Path(path)
    return None


def is_whole(path: Path) -> bool:
    """Whether a file is neither empty nor truncated, as far as its format shows."""
    if path.suffix != ".safetensors":
        return path.stat().st_size > 0
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy"):
            return True
    except SafetensorError:
        return False


def stamp(backbone: str) -> str:
    """Changes if the weights in a folder are replaced; empty for other backbones."""
    if not backbone.startswith(LOCAL):
        return ""
    folder = Path(backbone.removeprefix(LOCAL)).resolve()
    found = sorted(path for path in folder.glob("*") if path.suffix in WEIGHT_FILES)
    states = [path.stat() for path in found if path.is_file()]
    return repr([str(folder), *((state.st_size, state.st_mtime_ns) for state in states)])


@contextmanager
def cache_only() -> Iterator[None]:
    """Keeps the hub's client offline in this thread; others may be downloading.

    Otherwise it would check every file for updates, and wait long for a hub that does not answer.
    """
    _make_offline_a_matter_of_threads()
    before, _offline.on = getattr(_offline, "on", False), True
    try:
        yield
    finally:
        _offline.on = before


_offline = threading.local()


@cache
def _make_offline_a_matter_of_threads() -> None:
    from huggingface_hub import constants

    of_all = constants.is_offline_mode  # which the client asks before each request
    constants.is_offline_mode = lambda: getattr(_offline, "on", False) or of_all()


def _folder(state: str, folder: Path) -> State:
    if not (folder / "open_clip_config.json").is_file():
        raise BackboneError(
            f"{folder} has no open_clip_config.json: point to a folder that open_clip's "
            "local-dir: can load."
        )
    sizes = [p.stat().st_size for p in folder.iterdir() if p.suffix in WEIGHT_FILES]
    return State(state, max(sizes, default=None))


def _ask_hub(backbone: str) -> State:
    source = weights(backbone)
    try:
        found = describe(source)
    except Exception as error:
        if unreachable(error):
            return State("unreachable")
        raise BackboneError(sentence(error, backbone, source.repository)) from error
    if found is None:
        raise BackboneError(
            f"{source.repository} on the hub has no weights that open_clip can load: choose "
            "another backbone."
        )
    return State("downloadable", found.size or None)
