"""Photos and captions on their way to the backbone, made ready in worker processes."""

import hashlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence, Set

import numpy as np
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from clipdemo.errors import ClipdemoError, PhotoError
from clipdemo.inputs.ahead import cores
from clipdemo.inputs.images import read_photo
from clipdemo.inputs.photo_source import PhotoSource
from clipdemo.model.backbones import Backbone

CHUNK = 16
"""Photos that a worker hands over together."""


class _Photos(Dataset):
    def __init__(
        self,
        source: PhotoSource,
        names: Sequence[str],
        known: Set[str],
        cut: Callable[[Image.Image], Image.Image],
        size: int,
    ) -> None:
        self._source, self._names, self._known = source, names, frozenset(known)
        self._cut, self._size = cut, size

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, i: int) -> tuple[str, np.ndarray | str | None]:
        try:
            photo = self._source.read(self._names[i])
            key = hashlib.sha256(photo).hexdigest()
            if key in self._known:
                return key, None
            return key, np.asarray(self._cut(read_photo(photo, self._size)))
        except PhotoError as error:
            return "", str(error)


def decoded(
    backbone: Backbone, source: PhotoSource, names: Sequence[str], known: Set[str]
) -> Iterator[tuple[str, np.ndarray | str | None]]:
    """Per photo, in order: its sha256 and what `Backbone.encode_cut` reads, [S, S, 3] uint8.

    Of a photo whose sha256 is known only that is given, of one that cannot be read only why.

    Raises:
        ClipdemoError: a worker process died.
    """
    photos = _Photos(source, names, known, backbone.cut, backbone.image_size)
    for chunk in _made_by_workers(photos, batch_size=CHUNK, collate_fn=list):
        yield from chunk


def tokenised(
    backbone: Backbone, captions: Sequence[str], batch: int
) -> Iterator[tuple[Sequence[str], np.ndarray]]:
    """Captions, `batch` at a time, and their token ids [N, T].

    Raises:
        ClipdemoError: a worker process died.
    """
    # Said here, or the library warns in each process that it does no more in threads.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    batches = _Captions(backbone.tokenizer, captions, batch)
    return _made_by_workers(batches, batch_size=None, collate_fn=tuple)


class _Captions(Dataset):
    def __init__(self, tokenizer: Callable, captions: Sequence[str], batch: int) -> None:
        self._tokenizer = tokenizer
        self._batches = [captions[i : i + batch] for i in range(0, len(captions), batch)]

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, i: int) -> tuple[Sequence[str], np.ndarray]:
        return self._batches[i], self._tokenizer(self._batches[i]).numpy()


def _made_by_workers(items: Dataset, **how) -> Iterator:
    loader = DataLoader(
        items,
        num_workers=min(cores(), len(items)),
        worker_init_fn=_begin,
        multiprocessing_context="fork" if sys.platform == "linux" and len(items) else None,
        **how,  # no tensors: they would go through /dev/shm, which may be too small
    )
    try:
        yield from loader
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise ClipdemoError(
            "A process that makes photos and captions ready was ended from outside, perhaps for "
            "want of memory: start again, and it goes on."
        ) from error


def _begin(worker: int) -> None:
    """A worker leaves Ctrl-C to its parent, and ends as soon as that one has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # Its queue would wait for somebody to read what it still holds.
    multiprocessing.parent_process().join()
    os._exit(1)
