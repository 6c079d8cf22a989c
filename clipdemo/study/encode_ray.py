"""Photos and captions encoded on a Ray cluster, to parts of a feature store that all its machines
see.

Ray Data does all of the work: it hands out blocks of names, keeps as many models loaded as there
are GPUs (or else cores), and repeats what was lost with a worker or a machine. A batch becomes one
Parquet file, named after its content, so that it is there once, or not yet.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from clipdemo.errors import ClipdemoError, PhotoError
from clipdemo.inputs.images import read_photo
from clipdemo.inputs.photo_source import PhotoSource
from clipdemo.model.backbones import Backbone
from clipdemo.study.encode_here import CAPTIONS, Progress, default_batch
from clipdemo.study.feature_store import IMAGE, TEXT
from clipdemo.study.store_parts import Parts, write_part

ROOT = Path(__file__).resolve().parents[2]
BLOCKS = 10_000  # at most, for the driver keeps a record of each


@contextmanager
def cluster(address: str) -> Iterator[RayCluster]:
    """A connection to the cluster at an address; `auto`: the one of this machine, `local`: a new
    one on it.

    Raises:
        ClipdemoError: Ray is not installed, or does not answer.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        from ray.data import DataContext
    except ImportError:
        raise ClipdemoError("Ray is missing: run `pip install -r requirements-ray.txt`.") from None
    try:
        ray.init(
            address,
            runtime_env={"env_vars": {"PYTHONPATH": str(ROOT)}},
            logging_level="error",
            log_to_driver=False,
            include_dashboard=False if address == "local" else None,
        )
    except (ConnectionError, ValueError, OSError) as error:
        raise ClipdemoError(
            f"There is no Ray cluster at {address} ({error}): start one with `ray start --head`."
        ) from error
    DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        yield RayCluster()
    finally:
        ray.shutdown()


class RayCluster:
    """The engine of a cluster. Each machine has the project at the same path, and sees the photos
    and the store under the same names.
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
        """As `Engine` says."""
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
        """As `Engine` says."""
        count, done = batch or CAPTIONS * self._batch(), 0
        for found in _mapped(backbone, TEXT, parts, list(new), ReadCaptions(backbone), count):
            done += len(found["key"])
            progress("captions", done, len(new))
        parts.find_written(TEXT)

    def _batch(self) -> int:
        return default_batch("cuda" if _gpus() else "cpu")


def _gpus() -> int:
    import ray

    return int(ray.cluster_resources().get("GPU", 0))


def _mapped(
    backbone: Backbone, kind: str, parts: Parts, items: list[str], read: Callable, batch: int
) -> Iterator[dict[str, np.ndarray]]:
    """`name`, `key` and `reason` of the items, as soon as they are encoded and kept.

    Raises:
        ClipdemoError: it fails again and again.
    """
    import ray

    if not items:
        return
    size = max(batch, len(items) // BLOCKS)
    data = ray.data.from_items(
        [{"name": item} for item in items], override_num_blocks=-(-len(items) // size)
    )
    gpus, given = _gpus(), (backbone.id, kind, parts.folder)
    if gpus:  # cores read while GPUs encode
        data = data.map_batches(read, batch_size=batch)
        workers, how = gpus, {"num_gpus": 1, "fn_constructor_args": (*given, None)}
    else:
        workers = int(ray.cluster_resources().get("CPU", 1))
        how = {"num_cpus": 1, "fn_constructor_args": (*given, read)}
    pool = ray.data.ActorPoolStrategy(min_size=1, max_size=workers)
    data = data.map_batches(Encode, batch_size=batch, compute=pool, **how)
    try:
        yield from data.iter_batches(batch_size=None)
    except ray.exceptions.RayError as error:
        raise ClipdemoError(
            f"The cluster does not come to an end with it ({str(error).splitlines()[-1]}): start "
            "again, and it goes on."
        ) from error


class ReadPhotos:
    """Photos read, decoded and cut: a block of names to what `Encode` takes."""

    def __init__(
        self, source: PhotoSource, known: frozenset[str], cut: Callable, size: int
    ) -> None:
        self._source, self._known, self._cut, self._size = source, known, cut, size

    def __call__(self, block: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """`name`, `key`, `reason` ("" for none), `new`, and `input` [N, S, S, 3], which only says
        something where `new` is true.
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
    """Captions tokenised: a block of them to what `Encode` takes."""

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
    """A loaded backbone in a worker: inputs to a part of the store."""

    def __init__(self, backbone: str, kind: str, folder: Path, read: Callable | None) -> None:
        import ray

        device = "cuda" if ray.get_gpu_ids() else "cpu"
        if device == "cpu":
            torch.set_num_threads(1)  # Ray gave it one core
        loaded = Backbone(backbone, device)
        self._encode = loaded.encode_cut if kind == IMAGE else loaded.encode_tokens
        self._kind, self._folder, self._read = kind, folder, read

    def __call__(self, block: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """`name`, `key` and `reason` of a block whose embeddings are kept."""
        found = self._read(block) if self._read else block
        rows = dict(zip(found["key"][found["new"]], np.flatnonzero(found["new"]), strict=True))
        if rows:
            inputs = torch.from_numpy(np.ascontiguousarray(found["input"][list(rows.values())]))
            write_part(self._folder, self._kind, list(rows), self._encode(inputs))
        return {name: found[name] for name in ("name", "key", "reason")}
