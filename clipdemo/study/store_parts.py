"""The encoded batches of an unfinished feature store, each in one file that is written atomically.

When `encode` is started again, the parts and the existing store are what is already known.
"""

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
from filelock import FileLock, Timeout
from pyarrow import parquet

from clipdemo.errors import BackboneError, TableError
from clipdemo.inputs.atomic import atomic_write
from clipdemo.study.feature_store import IMAGE, TEXT, read_store

PARTS = "parts"
_MADE_BY = "made_by.json"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock a folder, created if necessary, for this process; the lock ends with the process.

    Raises:
        TableError: another process holds the lock.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise TableError(
            f"Another encode is at work in {folder}: wait for it or choose another --out."
        ) from None
    with lock:
        yield


def write_part(folder: Path, kind: str, keys: Sequence[str], rows: np.ndarray) -> None:
    """Store the embeddings [N, D] of a batch as Parquet, from any machine that sees the folder.

    The file is named after the keys, so a batch that is encoded twice is stored once.
    """
    name = hashlib.sha256("".join(keys).encode()).hexdigest()[:24]
    path = folder / f"{kind.removesuffix('.npy')}-{name}.parquet"
    lists = pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), rows.shape[1])
    with atomic_write(path) as partial:
        parquet.write_table(pa.table({"key": pa.array(keys, pa.string()), "row": lists}), partial)


class Parts:
    """Embeddings [D] by kind (`IMAGE` or `TEXT`) and sha256 of the photo or caption.

    Attributes:
        folder: where they are.
    """

    def __init__(self, folder: Path, backbone: str, fingerprint: str, width: int) -> None:
        """Find what this backbone has encoded; embeddings by other weights of it do not count.

        Raises:
            BackboneError: what is in the folder was encoded by another backbone.
        """
        self.folder = folder / PARTS
        self._dtype = np.dtype([("key", "S64"), ("row", np.float32, (width,))])
        self._read = lru_cache(64)(self._read)  # there may be more than can be open at once
        self._places: dict[str, dict[str, tuple[Path, int]]] = {IMAGE: {}, TEXT: {}}
        self._made_by = {"backbone": backbone, "fingerprint": fingerprint}
        self._find_store(folder)
        self._find_parts()

    def known(self, kind: str) -> Set[str]:
        """The keys of a kind, as a live view."""
        return self._places[kind].keys()

    def add(self, kind: str, keys: Sequence[str], rows: np.ndarray) -> None:
        """Store the embeddings [N, D] of a batch."""
        part = np.empty(len(keys), self._dtype)
        part["key"], part["row"] = keys, rows
        path = self.folder / f"{kind.removesuffix('.npy')}-{self._next:07d}.npy"
        self._next += 1
        with atomic_write(path) as partial, partial.open("wb") as file:
            np.save(file, part)
        self._found(kind, path, keys)

    def rows(self, kind: str, keys: Iterable[str]) -> Iterator[np.ndarray | None]:
        """The embeddings of these keys; None for an empty key."""
        for key in keys:
            path, row = self._places[kind].get(key, (None, 0))
            yield self._read(path)[row] if key else None

    def remove(self) -> None:
        """Remove the files of the parts."""
        shutil.rmtree(self.folder)

    def _find_store(self, folder: Path) -> None:
        try:
            store = read_store(folder)
        except TableError:  # none, or a damaged one, which is rebuilt
            return
        if not self._is_mine(folder, vars(store.about)):
            return
        for kind, rows, column in (
            (IMAGE, store.image, "photo_sha256"), (TEXT, store.text, "caption_sha256"),
        ):  # fmt: skip
            if rows is not None:
                keys = enumerate(store.index[column])
                self._places[kind] |= {key: (folder / kind, row) for row, key in keys if key}

    def _find_parts(self) -> None:
        made_by = self.folder / _MADE_BY
        try:
            its = json.loads(made_by.read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            its = None
        if its is None or not self._is_mine(self.folder.parent, its):
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir()
            with atomic_write(made_by) as partial:
                partial.write_text(json.dumps(self._made_by), "utf-8")
        self._next, self._looked_at = 0, set()
        for path in sorted(self.folder.glob("*-*.npy")):
            kind, number = path.stem.rsplit("-")
            self._next = max(self._next, int(number) + 1)
            try:
                keys = np.load(path, mmap_mode="r")["key"]
            except (OSError, EOFError, ValueError):  # truncated by a power failure
                path.unlink()
                continue
            self._found(f"{kind}.npy", path, [key.decode() for key in keys])
        for kind in (IMAGE, TEXT):
            self.find_written(kind)

    def find_written(self, kind: str) -> None:
        """Find the parts that other machines wrote (`write_part`)."""
        for path in sorted(self.folder.glob(f"{kind.removesuffix('.npy')}-*.parquet")):
            if path not in self._looked_at:
                self._looked_at.add(path)
                try:
                    keys = parquet.read_table(path, columns=["key"])["key"].to_pylist()
                except (OSError, pa.ArrowException):
                    path.unlink()
                    continue
                self._found(kind, path, keys)

    def _found(self, kind: str, path: Path, keys: Iterable[str]) -> None:
        self._places[kind] |= {key: (path, row) for row, key in enumerate(keys)}

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
        if path.suffix == ".parquet":
            rows = parquet.read_table(path, columns=["row"])["row"].combine_chunks()
            return rows.flatten().to_numpy().reshape(len(rows), -1)
        rows = np.load(path, mmap_mode="r")
        return rows if rows.dtype.names is None else rows["row"]
