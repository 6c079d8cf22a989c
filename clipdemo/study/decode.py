"""Photos on their way to the backbone: read, decoded and cut to its size in worker processes."""

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
    loader = DataLoader(
        photos,
        batch_size=CHUNK,
        collate_fn=list,  # of arrays: tensors would go through /dev/shm, which may be too small
        num_workers=cores(),
        worker_init_fn=_begin,
        multiprocessing_context="fork" if sys.platform == "linux" else None,
        pin_memory=backbone.device.startswith("cuda"),  # fetches them while the GPU is at work
    )
    try:
        for chunk in loader:
            yield from chunk
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise ClipdemoError(
            "A process that reads photos was ended from outside, perhaps for want of memory: "
            "start again, and it goes on."
        ) from error


def cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _begin(worker: int) -> None:
    """A worker leaves Ctrl-C to its parent, and ends as soon as that one has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # Its queue would wait for somebody to read what it still holds.
    multiprocessing.parent_process().join()
    os._exit(1)
