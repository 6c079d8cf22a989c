"""Photos and captions encoded on this machine, to parts of a feature store."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy as np
import torch

from clipdemo.inputs.ahead import ahead
from clipdemo.inputs.photo_source import PhotoSource
from clipdemo.model.backbones import Backbone
from clipdemo.study.decode import decoded, tokenised
from clipdemo.study.feature_store import IMAGE, TEXT
from clipdemo.study.store_parts import Parts

CAPTIONS = 4
"""Captions that are encoded together by default, for each photo of a batch: they are smaller."""
Progress = Callable[[str, int, int], object]
"""Is told of `photos` or `captions`, how many are done, and of how many."""


def default_batch(device: str) -> int:
    """How many photos are encoded together."""
    return 256 if device.startswith("cuda") else 32


class Engine(Protocol):
    """What encodes what is new and keeps it in parts; `batch`: 0 for what suits the device."""

    def photos(
        self,
        backbone: Backbone,
        source: PhotoSource,
        names: Sequence[str],
        parts: Parts,
        batch: int,
        progress: Progress,
    ) -> tuple[dict[str, str], dict[str, str]]:
        """The photos' sha256 by name, and by name why one cannot be read."""

    def captions(
        self, backbone: Backbone, new: dict[str, str], parts: Parts, batch: int, progress: Progress
    ) -> None:
        """Captions, each given with its sha256."""


class Here:
    """The engine of one machine: decoding, the model and writing at the same time."""

    def photos(
        self,
        backbone: Backbone,
        source: PhotoSource,
        names: Sequence[str],
        parts: Parts,
        batch: int,
        progress: Progress,
    ) -> tuple[dict[str, str], dict[str, str]]:
        """As `Engine` says.

        A batch is the next photos that can be read and are not known, so that it does not depend on
        where a run began.
        """
        batch = batch or default_batch(backbone.device)
        keys, reasons, taken = {}, {}, set(parts.known(IMAGE))

        def batches() -> Iterator[tuple[int, list[str], np.ndarray]]:
            """How many photos are looked at, and the next batch: sha256s and [N, S, S, 3]."""
            waiting = {}
            photos = decoded(backbone, source, names, parts.known(IMAGE))
            for done, (name, (key, photo)) in enumerate(zip(names, photos, strict=True), 1):
                if isinstance(photo, str):
                    reasons[name] = photo
                else:
                    keys[name] = key
                if isinstance(photo, np.ndarray) and key not in taken:
                    waiting[key] = photo
                    taken.add(key)
                if len(waiting) == batch or (waiting and done == len(names)):
                    yield done, list(waiting), np.stack(list(waiting.values()))
                    waiting.clear()
                elif photo is None:
                    progress("photos", done, len(names))

        for done, added, rows in _encoded(backbone, backbone.encode_cut, batches()):
            parts.add(IMAGE, added, rows)
            progress("photos", done, len(names))
        return keys, reasons

    def captions(
        self, backbone: Backbone, new: dict[str, str], parts: Parts, batch: int, progress: Progress
    ) -> None:
        """As `Engine` says."""
        batch = batch or CAPTIONS * default_batch(backbone.device)
        ready = tokenised(backbone, list(new), batch)
        batches = (
            (batch * i + len(captions), [new[caption] for caption in captions], tokens)
            for i, (captions, tokens) in enumerate(ready)
        )
        for done, added, rows in _encoded(backbone, backbone.encode_tokens, batches):
            parts.add(TEXT, added, rows)
            progress("captions", done, len(new))


def _encoded(
    backbone: Backbone,
    encode: Callable[[torch.Tensor], np.ndarray],
    batches: Iterator[tuple[int, list[str], np.ndarray]],
) -> Iterator[tuple[int, Sequence[str], np.ndarray]]:
    """Batches with rows [N, D] for inputs [N, ...].

    The model is at work while the next batches are made ready and those before are written.
    """

    def run(batch: tuple[int, list[str], np.ndarray]) -> tuple[int, list[str], np.ndarray]:
        done, keys, inputs = batch
        return done, keys, encode(torch.from_numpy(inputs))

    # While one thread waits for a GPU's rows, another has given it the next batch.
    return ahead(run, batches, 2 if backbone.device.startswith("cuda") else 1, most=2)
