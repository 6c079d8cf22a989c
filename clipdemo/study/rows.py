"""The rows of a feature store that a head is trained and validated on."""

from dataclasses import dataclass

import numpy as np

from clipdemo.errors import TableError
from clipdemo.study.feature_store import Store
from clipdemo.study.splits import DEFAULT, held_out

CAPTIONS = {"original": ("table",), "generated": ("generated",), "both": ("table", "generated")}


@dataclass(frozen=True)
class Rows:
    """Inputs and targets of one mode's head.

    Attributes:
        inputs: [N, inputs].
        targets: [N, L], 1 where the row has the label.
        captions: N texts.
    """

    inputs: np.ndarray
    targets: np.ndarray
    captions: list[str]


def split_rows(
    store: Store, mode: str, validation: str = DEFAULT, captions: str = "original"
) -> tuple[Rows, Rows]:
    """Training rows and validation rows.

    For `image` each photo counts once; the other modes use the rows with a caption. Validation is
    always on the table's own captions: generated ones are for training only.

    Args:
        store: embeddings.
        mode: `image`, `text`, `concat` or `mutan`.
        validation: see `held_out`.
        captions: those to train on: `original`, `generated` or `both`.

    Raises:
        TableError: the store has no embeddings for the mode, or no such rows with a label.
    """
    if not store.has(mode):
        raise TableError(f"{store.folder} lacks embeddings that {mode} reads: encode them first.")
    if captions not in CAPTIONS:
        raise TableError(f"There are no captions {captions!r}: choose {', '.join(CAPTIONS)}.")
    index = store.index
    judged, own = held_out(index, validation), (index["source"] == "table").to_numpy()
    if mode == "image":
        usable = train = own & ~index["ImageID"].duplicated().to_numpy()
    else:
        usable = (index["Caption"] != "").to_numpy()
        train = index["source"].isin(CAPTIONS[captions]).to_numpy()
    return (
        _rows(store, mode, usable & train & ~judged),
        _rows(store, mode, usable & own & judged),
    )


def _rows(store: Store, mode: str, chosen: np.ndarray) -> Rows:
    if not store.targets[chosen].any():
        raise TableError(
            f"{store.folder} has no rows with a label for {mode}: encode more, or split otherwise."
        )
    at = np.flatnonzero(chosen)
    parts = {"image": (store.image,), "text": (store.text,)}.get(mode, (store.image, store.text))
    inputs = np.concatenate([np.asarray(part[at], np.float32) for part in parts], axis=1)
    return Rows(inputs, store.targets[at], store.index["Caption"].iloc[at].tolist())
