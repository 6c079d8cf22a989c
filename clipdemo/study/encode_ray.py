"""Encode photos and captions on a Ray cluster, to parts of a feature store on shared storage.

Ray Data schedules the work: it distributes blocks of names, keeps one model loaded per GPU (or per
core without GPUs), and retries what was lost with a worker or a machine. Each batch becomes one
Parquet file named after its content, so that a retried batch is stored once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from clipdemo.errors import PhotoError
from clipdemo.inputs.images import read_photo
from clipdemo.inputs.photo_source import PhotoSource
from clipdemo.model.backbones import Backbone
from clipdemo.model.on_ray import BLOCKS, gpus, rows_of, use_given_cores, workers
from clipdemo.study.encode_here import CAPTIONS, Progress, default_batch
from clipdemo.study.feature_store import IMAGE, TEXT
from clipdemo.study.store_parts import Parts, write_part


class RayCluster:
    """The engine for a cluster, whose machines have the project at the same path and see photos
    and store under the same names.
    """

    def photos(
        self,
        backbone: Backbone,
        source: PhotoSource,
        names: Sequence[str],
        parts: Parts,
        batch: int,
        progress: Progress,
    ) -> tuple[dict[str, str], dict[str, str]]:
        """See `Engine`."""
        keys, reasons = {}, {}
        known = frozenset(parts.known(IMAGE))
        read = ReadPhotos(source, known, backbone.cut, backbone.image_size)
        found = _mapped(backbone, IMAGE, parts, list(names), read, batch or self._batch())
        for done in found:
            for name, key, reason in zip(done["name"], done["key"], done["reason"], strict=True):
                if reason:
                    reasons[name] = reason
                else:
                    keys[name] = key
            progress("photos", len(keys) + len(reasons), len(names))
        parts.find_written(IMAGE)
        return keys, reasons

    def captions(
        self, backbone: Backbone, new: dict[str, str], parts: Parts, batch: int, progress: Progress
    ) -> None:
        """See `Engine`."""
        count, done = batch or CAPTIONS * self._batch(), 0
        for found in _mapped(backbone, TEXT, parts, list(new), ReadCaptions(backbone), count):
            done += len(found["key"])
            progress("captions", done, len(new))
        parts.find_written(TEXT)

    def _batch(self) -> int:
        return default_batch("cuda" if gpus() else "cpu")


def _mapped(
    backbone: Backbone, kind: str, parts: Parts, items: list[str], read: Callable, batch: int
) -> Iterator[dict[str, np.ndarray]]:
    """`name`, `key` and `reason` of the items, as soon as they are encoded and stored.

    Raises:
        ClipdemoError: it still fails after Ray's retries.
    """
    import ray

    if not items:
        return
    size = max(batch, len(items) // BLOCKS)
    data = ray.data.from_items(
        [{"name": item} for item in items], override_num_blocks=-(-len(items) // size)
    )
    given, on_gpus = (backbone.id, kind, parts.folder), gpus() > 0
    if on_gpus:  # CPU workers read while GPU workers encode
        data = data.map_batches(read, batch_size=batch)
    given = (*given, None if on_gpus else read)
    yield from rows_of(
        data.map_batches(Encode, batch_size=batch, fn_constructor_args=given, **workers())
    )


class ReadPhotos:
    """Reads, decodes and crops photos: a block of names to the input of `Encode`."""

    def __init__(
        self, source: PhotoSource, known: frozenset[str], cut: Callable, size: int
    ) -> None:
        self._source, self._known, self._cut, self._size = source, known, cut, size

    def __call__(self, block: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """`name`, `key`, `reason` ("" for none), `new`, and `input` [N, S, S, 3], which is only
        meaningful where `new` is true.
        """
        keys, reasons, inputs = [], [], []
        nothing = np.zeros((self._size, self._size, 3), np.uint8)
        for name in block["name"]:
            key, reason, photo = "", "", nothing
            try:
                data = self._source.read(name)
                key = hashlib.sha256(data).hexdigest()
                if key not in self._known:
                    photo = np.asarray(self._cut(read_photo(data, self._size)))
            except PhotoError as error:
                key, reason = "", str(error)
            keys.append(key)
            reasons.append(reason)
            inputs.append(photo)
        new = [bool(key) and key not in self._known for key in keys]
        return {
            "name": block["name"], "key": np.array(keys, object), "new": np.array(new),
            "reason": np.array(reasons, object), "input": np.stack(inputs),
        }  # fmt: skip


class ReadCaptions:
    """Tokenises captions: a block of them to the input of `Encode`."""

    def __init__(self, backbone: Backbone) -> None:
        self._tokenizer = backbone.tokenizer

    def __call__(self, block: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """As `ReadPhotos`, with token ids [N, T] as `input`."""
        captions = block["name"].tolist()
        keys = [hashlib.sha256(caption.encode()).hexdigest() for caption in captions]
        return {
            "name": block["name"], "key": np.array(keys, object),
            "new": np.ones(len(keys), bool), "reason": np.full(len(keys), "", object),
            "input": self._tokenizer(captions).numpy(),
        }  # fmt: skip


class Encode:
    """A backbone loaded in a worker: encodes blocks to parts of the store."""

    def __init__(self, backbone: str, kind: str, folder: Path, read: Callable | None) -> None:
        loaded = Backbone(backbone, use_given_cores())
        self._encode = loaded.encode_cut if kind == IMAGE else loaded.encode_tokens
        self._kind, self._folder, self._read = kind, folder, read

    def __call__(self, block: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Store the embeddings of a block; return its `name`, `key` and `reason`."""
        found = self._read(block) if self._read else block
        rows = dict(zip(found["key"][found["new"]], np.flatnonzero(found["new"]), strict=True))
        if rows:
            inputs = torch.from_numpy(np.ascontiguousarray(found["input"][list(rows.values())]))
            write_part(self._folder, self._kind, list(rows), self._encode(inputs))
        return {name: found[name] for name in ("name", "key", "reason")}
