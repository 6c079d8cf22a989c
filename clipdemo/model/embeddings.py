"""Embeddings of photos and captions: cached, and batched across threads."""

import hashlib
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from clipdemo.inputs.allocator import give_back_soon
from clipdemo.inputs.images import CUT_OFF, read_photo
from clipdemo.inputs.photo_files import photo_bytes
from clipdemo.model.backbones import Backbone
from clipdemo.model.zero_gpu import on_gpu


@dataclass(frozen=True)
class CutPhoto:
    """A photo resized and cropped for the backbone, far smaller than it was.

    Attributes:
        key: identifies the photo in the cache.
        pixels: [S, S, 3] uint8.
        cut_off: whether its file is truncated.
    """

    key: bytes
    pixels: torch.Tensor
    cut_off: bool


Photo = str | PathLike | bytes | Image.Image | CutPhoto
BATCH = 32
NOTICES = 1000  # remembered at most


class RowCache:
    """A thread-safe LRU cache of rows, of at most `limit` bytes."""

    def __init__(self, limit: int = 64 * 2**20) -> None:
        self._rows: OrderedDict[bytes, np.ndarray] = OrderedDict()
        self._limit = limit
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: bytes) -> np.ndarray | None:
        with self._lock:
            row = self._rows.get(key)
            if row is not None:
                self._rows.move_to_end(key)
            return row

    def put(self, key: bytes, row: np.ndarray) -> None:
        with self._lock:
            if key in self._rows:
                return
            self._rows[key] = row
            self._bytes += row.nbytes
            while self._bytes > self._limit:
                _, removed = self._rows.popitem(last=False)
                self._bytes -= removed.nbytes


class Batcher:
    """Batches simultaneous requests of several threads.

    A worker thread encodes all inputs that are waiting, so a single request is not delayed. If the
    callers' threads did this, each would keep the memory of a whole batch.
    """

    def __init__(self, encode: Callable[[torch.Tensor], np.ndarray]) -> None:
        self._encode = encode
        self._waiting: deque[tuple[torch.Tensor, Future]] = deque()
        self._thread = ThreadPoolExecutor(1)

    def __call__(self, inputs: torch.Tensor) -> np.ndarray:
        """Rows [N, D] of inputs [N, ...]; raises what `encode` raises."""
        rows = Future()
        self._waiting.append((inputs, rows))
        # In the caller's context, where ZeroGPU finds out whose request it is.
        self._thread.submit(copy_context().run, self._run)
        return rows.result()

    def _run(self) -> None:
        jobs = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if not jobs:  # already done in an earlier batch
            return
        try:
            inputs = torch.cat([inputs for inputs, _ in jobs])
            rows = np.concatenate([self._encode(part) for part in inputs.split(BATCH)])
            for inputs, found in jobs:
                found.set_result(rows[: len(inputs)])
                rows = rows[len(inputs) :]
        except Exception as error:
            for _, found in jobs:
                found.set_exception(error)
        give_back_soon()


class Encoder:
    """A backbone's embeddings of photos and captions, with a cache of recent ones."""

    def __init__(self, backbone: Backbone) -> None:
        self.backbone = backbone
        self._recent = RowCache()
        self._notices: dict[bytes, str] = {}
        where = on_gpu if backbone.device != "cpu" else (lambda function: function)
        self._pixels = Batcher(where(backbone.encode_cut))
        self._tokens = Batcher(where(backbone.encode_tokens))

    def photos(self, photos: Sequence[Photo | None]) -> list[np.ndarray | None]:
        """An embedding [D] per photo (path, bytes, PIL image or `CutPhoto`), None for None.

        Raises:
            PhotoError: a photo cannot be read.
        """
        photos = [None if p is None else self._plain(p) for p in photos]
        keys = [None if p is None else _photo_key(p) for p in photos]

        def encode(rows: list[int]) -> np.ndarray:
            return self._pixels(torch.stack([self._cut(keys[i], photos[i]).pixels for i in rows]))

        return self._rows(keys, encode)

    def cut(self, photo: Photo) -> CutPhoto:
        """The photo decoded and cut in advance, in any thread, for `photos`.

        Raises:
            PhotoError: it cannot be read.
        """
        photo = self._plain(photo)
        return self._cut(_photo_key(photo), photo)

    def _plain(self, photo: Photo) -> bytes | Image.Image | CutPhoto:
        if isinstance(photo, str | PathLike):
            return photo_bytes(Path(photo))
        if isinstance(photo, Image.Image):
            return read_photo(photo, self.backbone.image_size)
        return photo

    def _cut(self, key: bytes, photo: bytes | Image.Image | CutPhoto) -> CutPhoto:
        if isinstance(photo, CutPhoto):
            return photo
        read = read_photo(photo, self.backbone.image_size) if isinstance(photo, bytes) else photo
        self._note(key, read)
        pixels = torch.from_numpy(np.array(self.backbone.cut(read)))
        return CutPhoto(key, pixels, read.info.get("notice") == CUT_OFF)

    def notice(self, photo: Photo) -> str | None:
        """A sentence on what could not be seen in a photo that `photos` encoded, or None."""
        return self._notices.get(_photo_key(self._plain(photo)))

    def _note(self, key: bytes, photo: Image.Image) -> None:
        said = photo.info.get("notice"), self.backbone.overlooked(photo.size)
        if any(said):
            if len(self._notices) >= NOTICES:
                self._notices.pop(next(iter(self._notices)), None)
            self._notices[key] = " ".join(filter(None, said))

    def captions(self, captions: Sequence[str | None]) -> list[np.ndarray | None]:
        """An embedding [D] per cleaned caption, None for None."""
        keys = [None if c is None else _digest(b"caption", c.encode()) for c in captions]

        def encode(rows: list[int]) -> np.ndarray:
            return self._tokens(self.backbone.tokenizer([captions[i] for i in rows]))

        return self._rows(keys, encode)

    def _rows(
        self, keys: list[bytes | None], encode: Callable[[list[int]], np.ndarray]
    ) -> list[np.ndarray | None]:
        """Rows by key, from the cache or encoded once each."""
        first: dict[bytes, int] = {}
        for i, key in enumerate(keys):
            if key is not None:
                first.setdefault(key, i)
        found = {key: self._recent.get(key) for key in first}
        missing = [i for key, i in first.items() if found[key] is None]
        for start in range(0, len(missing), BATCH):
            part = missing[start : start + BATCH]
            for i, row in zip(part, encode(part), strict=True):
                found[keys[i]] = row.copy()  # a view would keep the whole batch in memory
                self._recent.put(keys[i], found[keys[i]])
        return [None if key is None else found[key] for key in keys]


def _digest(*parts: bytes) -> bytes:
    return hashlib.sha256(b"\0".join(parts)).digest()


def _photo_key(photo: bytes | Image.Image | CutPhoto) -> bytes:
    if isinstance(photo, CutPhoto):
        return photo.key
    if isinstance(photo, bytes):
        return _digest(b"photo", photo)
    return _digest(b"pixels", repr(photo.size).encode(), photo.tobytes())
