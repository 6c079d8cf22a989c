"""Encode a label table's photos and captions to a feature store, each of them once.

Embeddings are stored under the sha256 of the photo's bytes or of the cleaned caption, one file per
batch. A killed run resumes after its last complete batch with the same batches that it would have
made, so that the store has the same bytes in the end.
"""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from clipdemo.errors import PhotoError, TableError
from clipdemo.inputs.captions import clean_caption
from clipdemo.inputs.photo_source import PhotoSource, photo_source
from clipdemo.model.backbones import Backbone
from clipdemo.model.fingerprint import fingerprint
from clipdemo.study.encode_here import Engine, Here, Progress
from clipdemo.study.feature_store import (
    ACCOUNT,
    IMAGE,
    READY,
    SKIPPED,
    TEXT,
    About,
    replace,
    write_index,
    write_rows,
)
from clipdemo.study.store_parts import Parts, locked
from clipdemo.tables.account import Account, main_reason, photo_reason
from clipdemo.tables.label_table import LabelTable, read_label_table


def encode_table(
    backbone: Backbone,
    table: Path,
    out: Path,
    photos: str | Path | None = None,
    generated: Path | None = None,
    batch: int = 0,
    progress: Progress = lambda what, done, total: None,
    engine: Engine | None = None,
    **reading,
) -> dict:
    """Write the feature store of a label table to `out`, or bring the one there up to date.

    With the same batch size on the same machine, an interrupted run ends with the same bytes as an
    uninterrupted one. Known embeddings are not computed again, whatever their batch was.

    Args:
        backbone: encodes the photos and captions.
        table: a label table.
        out: folder of the store.
        photos: folder, zip, tar or address of the photos; rows whose photo is missing or cannot be
            read are left out. Without it, rows without a caption are.
        generated: a second label table, whose captions become more rows for photos of the first.
        batch: batch size; 0: the device's default.
        progress: called after each batch.
        engine: where to encode; by default in this process.
        reading: columns, unlabelled and strict, passed to `read_label_table`.

    Returns:
        The report of `encode --json`.

    Raises:
        TableError: a table or the photos cannot be read, no row is left, or another process
            encodes to `out`.
        BackboneError: the store in `out` is of another backbone.
    """
    begin = time.perf_counter()
    engine = engine or Here()
    source = photo_source(photos) if photos else None
    found = read_label_table(table, None, **reading)
    if source:
        found.match_photos(source, table, reading.get("strict", False))
    labels, index = found.labels, _with_captions(found.frame, "table")
    if generated:
        more = read_label_table(generated, labels)
        index = _join(index, _with_captions(more.frame, "generated"))
    about = About(
        backbone.id, fingerprint(backbone), backbone.width, labels.names, labels.ids, table.name,
        source.path.name if source else None,
    )  # fmt: skip
    with locked(out):
        replace(out)
        parts = Parts(out, about.backbone, about.fingerprint, about.width)
        known = len(parts.known(IMAGE)), len(parts.known(TEXT))
        start = time.perf_counter()
        if source:
            names = index["ImageID"].unique()
            missing = _missing(source, names)
            there = [name for name in names if name not in missing]
            keys, reasons = engine.photos(backbone, source, there, parts, batch, progress)
            reasons |= missing
            skipped = [{"ImageID": n, "reason": reasons[n]} for n in names if n not in keys]
            index = index.assign(photo_sha256=index["ImageID"].map(keys)).dropna()
        else:
            skipped, index = [], index[index["Caption"] != ""].assign(photo_sha256="")
        account = _accounted(found, index, skipped, source).to_dict()
        if index.empty:
            reason = main_reason(account)
            raise TableError(f"No row of {table} can be encoded; most often: {reason}.")
        begun = time.perf_counter()
        sha256 = {c: hashlib.sha256(c.encode()).hexdigest() for c in index["Caption"] if c}
        new = {c: key for c, key in sha256.items() if key not in parts.known(TEXT)}
        engine.captions(backbone, new, parts, batch, progress)
        index = index.assign(caption_sha256=[sha256.get(c, "") for c in index["Caption"]])
        spent = begun - start, time.perf_counter() - begun
        encoded = len(parts.known(IMAGE)) - known[0], len(parts.known(TEXT)) - known[1]
        _write(out, about, index, skipped, account, parts)
    return {
        "rows": len(index),
        "photos": index["ImageID"].nunique() if source else 0,
        "captions": int((index["Caption"] != "").sum()),
        "encoded": {"photos": encoded[0], "captions": encoded[1]},
        "skipped": skipped,
        "account": account,
        "labels": len(labels),
        "backbone": backbone.id,
        "store": str(out),
        "seconds": round(time.perf_counter() - begin, 2),
        "photos_per_second": round(encoded[0] / spent[0], 2) if encoded[0] else None,
        "captions_per_second": round(encoded[1] / spent[1], 2) if encoded[1] else None,
    }


def _accounted(
    table: LabelTable, index: pd.DataFrame, skipped: list[dict], source: PhotoSource | None
) -> Account:
    """The table's account, in which rows that are not in the store are left out."""
    reasons = {entry["ImageID"]: photo_reason(entry["reason"]) for entry in skipped}
    names = table.frame["ImageID"]
    gone = np.flatnonzero(~names.isin(index["ImageID"])).tolist()
    if gone:
        table = table.leave_out({r: reasons.get(names.iat[r], "has no caption") for r in gone})
    if source:
        table.note_photos(source)
    return table.account


def _with_captions(frame: pd.DataFrame, source: str) -> pd.DataFrame:
    """The rows with cleaned captions, "" for none."""
    captions = [clean_caption(caption) or "" for caption in frame["Caption"]]
    return frame.assign(Caption=captions, source=source)


def _join(table: pd.DataFrame, generated: pd.DataFrame) -> pd.DataFrame:
    """The table's rows, then the generated captions of its photos, with the table's labels."""
    labels = table.set_index("ImageID")["Labels"]
    more = generated[generated["ImageID"].isin(labels.index) & (generated["Caption"] != "")]
    more = more.assign(Labels=more["ImageID"].map(labels))
    return pd.concat([table, more], ignore_index=True)


def _missing(source: PhotoSource, names: Iterable[str]) -> dict[str, str]:
    """Names without a photo, and the reasons."""
    missing = {}
    for name in names:
        try:
            source.find(name)
        except PhotoError as error:
            missing[name] = str(error)
    return missing


def _write(
    out: Path, about: About, index: pd.DataFrame, skipped: list[dict], account: dict, parts: Parts
) -> None:
    """Write the store's files, put them in place and remove the parts."""
    ready = out / f"{READY}.partial"
    shutil.rmtree(ready, ignore_errors=True)
    ready.mkdir()
    shape = len(index), about.width
    if about.photos is not None:
        write_rows(ready / IMAGE, parts.rows(IMAGE, index["photo_sha256"]), shape)
    if (index["Caption"] != "").any():
        write_rows(ready / TEXT, parts.rows(TEXT, index["caption_sha256"]), shape)
    columns = ["ImageID", "reason"]
    pd.DataFrame(skipped, columns=columns).to_csv(ready / SKIPPED, index=False, lineterminator="\n")
    (ready / ACCOUNT).write_text(json.dumps(account, indent=1) + "\n", "utf-8")
    write_index(ready, about, index)
    for path in ready.iterdir():
        with path.open("rb") as file:  # on disk before the folder is renamed
            os.fsync(file.fileno())
    ready.rename(out / READY)
    replace(out)
    parts.remove()
