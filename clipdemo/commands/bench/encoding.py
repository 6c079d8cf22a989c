"""Encoding many photos, over the bare model in batches of the same size."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from clipdemo.commands.bench.comparison import Comparison, compare, timed
from clipdemo.commands.bench.samples import photos as made
from clipdemo.inputs.images import read_photo
from clipdemo.study.encode import default_batch, encode_table

if TYPE_CHECKING:
    from clipdemo.model.backbones import Backbone

FAST = 0.1
"""Seconds per photo below which four batches are encoded instead of one."""


def encoding(backbone: Backbone, rounds: int) -> Comparison:
    """Encoding over a bare loop: of prepared photos on a GPU, of a table's photos elsewhere."""
    if backbone.device.startswith("cuda"):
        return prepared(backbone, rounds)
    batch = default_batch(backbone.device)
    pixels = torch.rand(batch, 3, backbone.image_size, backbone.image_size)
    backbone.encode_pixels(pixels)  # the first is slower
    fast = timed(lambda: backbone.encode_pixels(pixels)) < FAST * batch
    return from_files(backbone, min(rounds, 3), batch * (4 if fast else 1))


def from_files(backbone: Backbone, rounds: int, photos: int) -> Comparison:
    """Encoding a table's photos, over the bare model at the same batch size.

    Ours: the photos of `encode`, from files to embeddings on disk: its worker processes started,
    each photo read, checked, decoded and prepared, each batch encoded and written.
    Plain: `encode_image` on the same photos, prepared and in memory.
    """
    batch = default_batch(backbone.device)
    with tempfile.TemporaryDirectory() as name:
        folder, pixels = Path(name), []
        for i, (photo, _) in zip(range(photos), made(), strict=False):
            (folder / f"{i}.jpg").write_bytes(photo)
            pixels.append(backbone.prepare(read_photo(photo, backbone.image_size)))
        rows = "".join(f"{i}.jpg,1\n" for i in range(photos))
        (folder / "table.csv").write_text(f"ImageID,Labels\n{rows}")
        batches, stores = torch.stack(pixels).split(batch), itertools.count()

        def ours() -> float:
            store = folder / f"store-{next(stores)}"
            report = encode_table(backbone, folder / "table.csv", store, folder, batch=batch)
            return photos / report["photos_per_second"]

        def bare() -> None:
            with torch.inference_mode():
                for part in batches:
                    backbone.model.encode_image(part.to(backbone.device)).cpu()

        return compare(ours, lambda: timed(bare), rounds)


def prepared(backbone: Backbone, rounds: int, photos: int = 256) -> Comparison:
    """Encoding a batch of prepared photos, over a bare loop in bfloat16 on the same device.

    Ours: `Backbone.encode_pixels`, from photos in memory to normalised embeddings in memory.
    Plain: `encode_image` under autocast on photos that are on the device already.
    """
    size, device = backbone.image_size, torch.device(backbone.device)
    pixels = torch.rand(photos, 3, size, size)
    there = pixels.to(device)

    def bare() -> None:
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16):
            backbone.model.encode_image(there).cpu()

    return compare(
        lambda: timed(lambda: backbone.encode_pixels(pixels)), lambda: timed(bare), rounds
    )
