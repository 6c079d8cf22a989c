"""Encode photos and captions on this machine, to parts of a feature store."""

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
"""A batch of captions is by default this many times as large as one of photos."""
Progress = Callable[[str, int, int], object]
"""Called with `photos` or `captions`, the number done and the total."""


def default_batch(device: str) -> int:
    """The default number of photos in a batch."""
    return 256 if device.startswith("cuda") else 32


class Engine(Protocol):
    """Encodes what is new and stores it in parts; `batch`: 0 for the device's default."""

    def photos(
        self,
        backbone: Backbone,
        source: PhotoSource,
        names: Sequence[str],
        parts: Parts,
        batch: int,
        progress: Progress,
    ) -> tuple[dict[str, str], dict[str, str]]:
        """The photos' sha256 by name, and the reasons by name for those that cannot be read."""

    def captions(
        self, backbone: Backbone, new: dict[str, str], parts: Parts, batch: int, progress: Progress
    ) -> None:
        """Encode captions; `new` maps each to its sha256."""


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
        """See `Engine`.

        A batch is the next photos that are readable and not yet known, so that it does not depend
        on where the run started.
        """
        batch = batch or default_batch(backbone.device)
        keys, reasons, taken = {}, {}, set(parts.known(IMAGE))

        def batches() -> Iterator[tuple[int, list[str], np.ndarray]]:
            """The number of photos processed, and the next batch: sha256s and [N, S, S, 3]."""
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
        """See `Engine`."""
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
    """Batches with embeddings [N, D] in place of their inputs [N, ...].

    The model runs while the next batches are prepared and the previous ones written.
    """

    def run(batch: tuple[int, list[str], np.ndarray]) -> tuple[int, list[str], np.ndarray]:
        done, keys, inputs = batch
        return done, keys, encode(torch.from_numpy(inputs))

    # While one thread waits for the GPU's result, another has already queued the next batch.
    return ahead(run, batches, 2 if backbone.device.startswith("cuda") else 1, most=2)
