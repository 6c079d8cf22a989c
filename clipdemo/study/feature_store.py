"""Feature stores: the embeddings of a label table's photos and captions, on disk.

A store is a folder of `image.npy` and `text.npy` [N, D] float32, `index.parquet` with N rows, and
`skipped.csv`, the photos that were left out. `encode` writes it.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from clipdemo.errors import TableError
from clipdemo.inputs.labels import MODES, LabelSet
from clipdemo.tables.label_table import target_matrix

INDEX, IMAGE, TEXT, SKIPPED = "index.parquet", "image.npy", "text.npy", "skipped.csv"
ACCOUNT = "account.json"
READY = "ready"
"""Subfolder with the new files of a store, which exists only while they replace the old ones."""

_SCHEMA = pa.schema(
    [
        ("ImageID", pa.string()),
        ("Labels", pa.list_(pa.string())),
        ("Caption", pa.string()),
        ("source", pa.string()),
        ("photo_sha256", pa.string()),
        ("caption_sha256", pa.string()),
    ]
)


@dataclass(frozen=True)
class About:
    """What a store was made of.

    Attributes:
        backbone: its id.
        fingerprint: sha256 of its weights and of its preprocessing (see `fingerprint`).
        width: D.
        label_names, label_ids: of the table's labels.
        table, photos: names of the files; photos is None if there were none.
    """

    backbone: str
    fingerprint: str
    width: int
    label_names: tuple[str, ...]
    label_ids: tuple[str, ...]
    table: str
    photos: str | None


@dataclass(frozen=True)
class Store:
    """A feature store of N rows.

    Attributes:
        index: columns `ImageID`, `Labels` (tuples of ids), `Caption` (cleaned, "" for none),
            `source` ("table" or "generated"), `photo_sha256`, `caption_sha256` ("" for none); the
            table's rows first, in its order.
        image: [N, D] float32 embeddings of the photos, memory-mapped; None without photos.
        text: [N, D] float32 embeddings of the captions, memory-mapped, nan where there is none;
            None without any.
        about: what it was made of.
        targets: [N, L] float32, 1 where the row has the label, else 0.
    """

    folder: Path
    index: pd.DataFrame
    image: np.ndarray | None
    text: np.ndarray | None
    about: About
    targets: np.ndarray

    @property
    def labels(self) -> LabelSet:
        """The table's labels."""
        return LabelSet(self.about.label_names, self.about.label_ids)

    @property
    def backbone(self) -> str:
        """Its id."""
        return self.about.backbone

    @property
    def width(self) -> int:
        """D."""
        return self.about.width

    def has(self, mode: str) -> bool:
        """Whether it has the embeddings that a head of this mode reads."""
        image, text = self.image is not None, self.text is not None
        return {"image": image, "text": text}.get(mode, image and text)

    @property
    def modes(self) -> list[str]:
        """Those of `MODES` that it has the embeddings for."""
        return [mode for mode in MODES if self.has(mode)]


def read_store(folder: str | Path) -> Store:
    """Open a feature store.

    Raises:
        TableError: there is none, or it is damaged or incomplete.
    """
    folder = Path(folder)
    if not (folder / INDEX).is_file() or (folder / READY).is_dir():
        raise TableError(
            f"{folder} holds no complete feature store: run `python -m clipdemo encode --out "
            f"{folder}` (again)."
        )
    try:
        about, index = read_index(folder)
        labels = LabelSet(about.label_names, about.label_ids)
        shape = (len(index), about.width)
        image = _open(folder / IMAGE, shape) if about.photos is not None else None
        text = _open(folder / TEXT, shape) if (index["Caption"] != "").any() else None
        targets = target_matrix(index, labels)
    except (OSError, EOFError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise TableError(
            f"The feature store {folder} is damaged ({error}): start encode again, or remove it "
            "first."
        ) from error
    return Store(folder, index, image, text, about, targets)


def read_account(folder: Path) -> dict | None:
    """The account of the table that a store was made of; None for a store of an older version."""
    path = folder / ACCOUNT
    return json.loads(path.read_text("utf-8")) if path.is_file() else None


def read_index(folder: Path) -> tuple[About, pd.DataFrame]:
    """What a store was made of, and its index; raises the parsers' errors if it is damaged."""
    table = parquet.read_table(folder / INDEX)
    about = json.loads(table.schema.metadata[b"clipdemo"])
    for name in ("label_names", "label_ids"):
        about[name] = tuple(about[name])
    index = table.select(_SCHEMA.names).to_pandas()
    return About(**about), index.assign(Labels=[tuple(ids) for ids in index["Labels"]])


def write_index(folder: Path, about: About, index: pd.DataFrame) -> None:
    """Write `index.parquet`: the same bytes for the same content."""
    schema = _SCHEMA.with_metadata({"clipdemo": json.dumps(asdict(about))})
    columns = {name: index[name].tolist() for name in _SCHEMA.names}
    parquet.write_table(pa.table(columns, schema), folder / INDEX)


def write_rows(path: Path, rows: Iterable[np.ndarray | None], shape: tuple[int, int]) -> None:
    """Write [N, D] float32 embeddings row by row, nan for None; they need not fit in memory."""
    out = np.lib.format.open_memmap(path, "w+", np.float32, shape)
    for position, row in enumerate(rows):
        out[position] = np.nan if row is None else row
    out.flush()


def replace(folder: Path) -> None:
    """Move the files in `READY` into place, the index last; completes a killed run's move, too.

    `READY` is created by a single rename; while it exists, the files beside it may be a mix of two
    stores.
    """
    ready = folder / READY
    if not ready.is_dir():
        return
    for name in (IMAGE, TEXT, SKIPPED, ACCOUNT, INDEX):
        if (ready / name).exists():
            (ready / name).replace(folder / name)
    about, index = read_index(folder)
    if about.photos is None:
        (folder / IMAGE).unlink(missing_ok=True)
    if not (index["Caption"] != "").any():
        (folder / TEXT).unlink(missing_ok=True)
    ready.rmdir()


def _open(path: Path, shape: tuple[int, int]) -> np.ndarray:
    rows = np.load(path, mmap_mode="r")
    if rows.shape != shape or rows.dtype != np.float32:
        raise ValueError(f"{path.name} is {rows.dtype} {rows.shape} instead of float32 {shape}")
    return rows
