"""The encoded batches of a feature store in the making: one file each, there whole or not at all.

Parts and the finished store together are what is known already when `encode` is started again.
"""

import fcntl
import json
import shutil
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import numpy as np

from clipdemo.errors import BackboneError, TableError
from clipdemo.study.feature_store import IMAGE, TEXT, read_index, read_store

PARTS = "parts"
_MADE_BY = "made_by.json"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """The folder, made if need be, for this process alone; a killed process holds it no more.

    Raises:
        TableError: another process has it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # forked processes do not inherit it
        except (BlockingIOError, PermissionError):
            raise TableError(
                f"Another encode is at work in {folder}: wait for it or choose another --out."
            ) from None
        yield


class Parts:
    """Embeddings [D] by kind (`IMAGE` or `TEXT`) and sha256 of the photo or caption."""

    def __init__(self, folder: Path, backbone: str, fingerprint: str, width: int) -> None:
        """Find what this backbone encoded; what older weights of it encoded is not known.

        Raises:
            BackboneError: what is in the folder was encoded by another backbone.
        """
        self._folder = folder / PARTS
        self._dtype = np.dtype([("key", "S64"), ("row", np.float32, (width,))])
        self._read = lru_cache(64)(self._read)  # there may be more than can be open at once
        self._places: dict[str, dict[str, tuple[Path, int]]] = {IMAGE: {}, TEXT: {}}
        self._made_by = {"backbone": backbone, "fingerprint": fingerprint}
        self._find_store(folder)
        self._find_parts()

    def known(self, kind: str) -> Set[str]:
        """The keys there are, those added later among them."""
        return self._places[kind].keys()

    def add(self, kind: str, keys: Sequence[str], rows: np.ndarray) -> None:
        """Keep the embeddings [N, D] of a batch."""
        part = np.empty(len(keys), self._dtype)
        part["key"], part["row"] = keys, rows
        path = self._folder / f"{kind.removesuffix('.npy')}-{self._next:07d}.npy"
        self._next += 1
        partial = path.with_suffix(".partial")
        with partial.open("wb") as file:
            np.save(file, part)
        partial.replace(path)
        self._places[kind] |= {key: (path, row) for row, key in enumerate(keys)}

    def rows(self, kind: str, keys: Iterable[str]) -> Iterator[np.ndarray | None]:
        """Their embeddings; None for an empty key."""
        for key in keys:
            path, row = self._places[kind].get(key, (None, 0))
            yield self._read(path)[row] if key else None

    def remove(self) -> None:
        """Remove the files of the parts."""
        shutil.rmtree(self._folder)

    def _find_store(self, folder: Path) -> None:
        try:
            store, (about, _) = read_store(folder), read_index(folder)
        except TableError:  # none, or a damaged one, which is made again
            return
        if not self._is_mine(folder, vars(about)):
            return
        for kind, rows, column in (
            (IMAGE, store.image, "photo_sha256"), (TEXT, store.text, "caption_sha256"),
        ):  # fmt: skip
            if rows is not None:
                keys = enumerate(store.index[column])
                self._places[kind] |= {key: (folder / kind, row) for row, key in keys if key}

    def _find_parts(self) -> None:
        made_by = self._folder / _MADE_BY
        try:
            its = json.loads(made_by.read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            its = None
        if its is None or not self._is_mine(self._folder.parent, its):
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir()
            partial = made_by.with_suffix(".partial")
            partial.write_text(json.dumps(self._made_by), "utf-8")
            partial.replace(made_by)
        self._next = 0
        for path in sorted(self._folder.glob("*-*.npy")):
            kind, number = path.stem.rsplit("-")
            self._next = max(self._next, int(number) + 1)
            try:
                keys = np.load(path, mmap_mode="r")["key"]
            except (OSError, EOFError, ValueError):  # cut off when the machine lost power
                path.unlink()
                continue
            places = {key.decode(): (path, row) for row, key in enumerate(keys)}
            self._places[f"{kind}.npy"] |= places

    def _is_mine(self, folder: Path, made_by: dict) -> bool:
        mine, its = self._made_by["backbone"], made_by["backbone"]
        if mine != its:
            raise BackboneError(
                f"{folder} holds embeddings of the backbone {its}, not of {mine}: choose another "
                "--out."
            )
        return made_by["fingerprint"] == self._made_by["fingerprint"]

    @staticmethod
    def _read(path: Path) -> np.ndarray:
        rows = np.load(path, mmap_mode="r")
        return rows if rows.dtype.names is None else rows["row"]
