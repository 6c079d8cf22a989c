"""Photos decoded and captions tokenised in worker processes, ready for the backbone."""

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
"""Photos that a worker returns together."""


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

    A known photo has only its sha256 (and None), an unreadable one only the reason (and "").

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
    # Otherwise the library warns in each process that it no longer uses threads.
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
            "A process that prepares photos and captions was killed, perhaps for lack of memory: "
            "run the same command again to resume."
        ) from error


def _begin(worker: int) -> None:
    """Leave Ctrl-C to the parent process, and exit as soon as it has exited."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # A normal exit would wait until somebody has emptied the worker's queue.
    multiprocessing.parent_process().join()
    os._exit(1)
