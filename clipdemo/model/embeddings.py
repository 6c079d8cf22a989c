"""Embeddings that are kept: each is computed once, in one batch with whatever else waits."""

import hashlib
import threading
from collections import deque
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from clipdemo.inputs.images import photo_bytes, read_photo
from clipdemo.model.backbones import Backbone
from clipdemo.model.zero_gpu import on_gpu

Photo = str | PathLike | bytes | Image.Image
BATCH = 32


class Recent:
    """Rows by key, at most `limit` bytes of them, shared by all threads.

    Reading takes no lock. What was asked for since it came up for removal gets a second chance
    (the clock algorithm; Corbató 1968).
    """

    def __init__(self, limit: int = 64 * 2**20) -> None:
        self._rows: dict[bytes, np.ndarray] = {}
        self._asked: set[bytes] = set()
        self._limit = limit
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: bytes) -> np.ndarray | None:
        row = self._rows.get(key)
        if row is not None:
            self._asked.add(key)
        return row

    def put(self, key: bytes, row: np.ndarray) -> None:
        with self._lock:
            if key in self._rows:
                return
            self._rows[key] = row
            self._bytes += row.nbytes + len(key)
            while self._bytes > self._limit:
                oldest = next(iter(self._rows))
                removed = self._rows.pop(oldest)
                if oldest in self._asked:
                    self._asked.discard(oldest)
                    self._rows[oldest] = removed
                else:
                    self._bytes -= removed.nbytes + len(oldest)


class _Job:
    """What one thread wants encoded, and then its rows or why there are none."""

    def __init__(self, inputs: torch.Tensor) -> None:
        self.inputs = inputs
        self.rows: np.ndarray | None = None
        self.error: Exception | None = None


class Together:
    """Encodes what several threads ask for at the same time in common batches.

    Whoever's turn it is takes along all that waits by then, and those threads find it done: no
    delay is added when nobody else asks.
    """

    def __init__(self, encode: Callable[[torch.Tensor], np.ndarray]) -> None:
        self._encode = encode
        self._waiting: deque[_Job] = deque()
        self._turn = threading.Lock()

    def __call__(self, inputs: torch.Tensor) -> np.ndarray:
        """Rows [N, D] of inputs [N, ...]; raises what `encode` raises."""
        job = _Job(inputs)
        self._waiting.append(job)
        with self._turn:
            if job.rows is None and job.error is None:
                self._run([self._waiting.popleft() for _ in range(len(self._waiting))])
        if job.error is not None:
            raise job.error
        return job.rows

    def _run(self, jobs: list[_Job]) -> None:
        try:
            inputs = torch.cat([job.inputs for job in jobs])
            rows = np.concatenate([self._encode(part) for part in inputs.split(BATCH)])
            for job in jobs:
                job.rows, rows = rows[: len(job.inputs)], rows[len(job.inputs) :]
        except Exception as error:
            for job in jobs:
                job.error = error


class Encoder:
    """A backbone's embeddings of photos and captions, kept for the next time."""

    def __init__(self, backbone: Backbone) -> None:
        self.backbone = backbone
        self._recent = Recent()
        self._pixels = Together(on_gpu(backbone.encode_pixels))
        self._tokens = Together(on_gpu(backbone.encode_tokens))

    def photos(self, photos: Sequence[Photo | None]) -> list[np.ndarray | None]:
        """An embedding [D] per photo (path, bytes or PIL image), None for None.

        Raises:
            PhotoError: a photo cannot be read.
        """
        size, prepare = self.backbone.image_size, self.backbone.prepare
        photos = [photo_bytes(Path(p)) if isinstance(p, str | PathLike) else p for p in photos]
        photos = [read_photo(p, size) if isinstance(p, Image.Image) else p for p in photos]
        keys = [None if p is None else _photo_key(p) for p in photos]

        def encode(rows: list[int]) -> np.ndarray:
            return self._pixels(torch.stack([prepare(read_photo(photos[i], size)) for i in rows]))

        return self._rows(keys, encode)

    def captions(self, captions: Sequence[str | None]) -> list[np.ndarray | None]:
        """An embedding [D] per cleaned caption, None for None."""
        keys = [None if c is None else _digest(b"caption", c.encode()) for c in captions]

        def encode(rows: list[int]) -> np.ndarray:
            return self._tokens(self.backbone.tokenizer([captions[i] for i in rows]))

        return self._rows(keys, encode)

    def _rows(
        self, keys: list[bytes | None], encode: Callable[[list[int]], np.ndarray]
    ) -> list[np.ndarray | None]:
        """Rows by key: known ones as they are, the others encoded once each."""
        found = {key: self._recent.get(key) for key in set(keys) - {None}}
        first = {key: i for i, key in reversed(list(enumerate(keys))) if key in found}
        missing = sorted(first[key] for key, row in found.items() if row is None)
        for start in range(0, len(missing), BATCH):
            part = missing[start : start + BATCH]
            for i, row in zip(part, encode(part), strict=True):
                found[keys[i]] = row.copy()  # or the whole batch would be kept with it
                self._recent.put(keys[i], found[keys[i]])
        return [None if key is None else found[key] for key in keys]


def _digest(*parts: bytes) -> bytes:
    return hashlib.sha256(b"\0".join(parts)).digest()


def _photo_key(photo: bytes | Image.Image) -> bytes:
    if isinstance(photo, bytes):
        return _digest(b"photo", photo)
    return _digest(b"pixels", photo.mode.encode(), repr(photo.size).encode(), photo.tobytes())
