"""Scoring and encoding, compared with open_clip's bare model."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from statistics import median

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from clipdemo.commands.bench.comparison import Comparison, compare, timed
from clipdemo.commands.bench.samples import photos
from clipdemo.inputs.ahead import cores
from clipdemo.model.backbones import PRECISIONS, Backbone, open_clip_name
from clipdemo.model.loading import load
from clipdemo.study.encode import encode_table
from clipdemo.study.encode_here import default_batch

FAST = 0.1
"""If a photo takes less than these seconds, four batches are encoded instead of one."""


def photo_seconds(backbone: str, rounds: int = 9) -> float:
    """The median time of encoding one photo, alone in its batch, after a warm-up."""
    loaded = Backbone(backbone)
    pixels = loaded.prepare(Image.open(BytesIO(next(photos())[0])).convert("RGB"))[None]
    return median([timed(loaded.encode_pixels, pixels) for _ in range(rounds + 1)][1:])


def scoring(backbone: str, rounds: int) -> tuple[dict[str, Comparison], Backbone]:
    """Scoring a photo and a caption, compared with a bare forward pass; and the loaded backbone.

    Ours: `Classifier.predict`, from a JPEG's bytes and a caption to the scores of every mode:
    checks, decoding, preprocessing, both encoders and the heads. For the first figure, photo and
    caption are new each time; for the second, the photo is known and only the caption is new.
    Plain: open_clip's model on the same photo, already decoded, and the same caption: its
    preprocessing and tokenizer, `encode_image` and `encode_text`, without decoding and heads.
    """
    classifier = load(backbone)
    forward = plain_forward(backbone, classifier.backbone.device)
    fresh, edits = photos(), itertools.count()
    photo, caption = next(fresh)

    def bare() -> float:
        image = Image.open(BytesIO(photo)).convert("RGB")
        return timed(forward, image, caption)

    def new_photo() -> float:
        nonlocal photo, caption
        photo, caption = next(fresh)
        return timed(classifier.predict, photo, caption)

    def new_caption() -> float:
        nonlocal caption
        caption = f"a caption edited {next(edits)} times"
        return timed(classifier.predict, photo, caption)

    compared = {
        "photo_to_scores_ratio": compare(new_photo, bare, rounds),
        "caption_edit_ratio": compare(new_caption, bare, rounds),
    }
    return compared, classifier.backbone


def plain_forward(backbone: str, device: str) -> Callable[[Image.Image, str], None]:
    """open_clip as its README uses it: one photo and one caption to their embeddings."""
    import open_clip

    name, weights = open_clip_name(backbone)
    model, _, preprocess = open_clip.create_model_and_transforms(name, weights, device=device)
    tokenizer = open_clip.get_tokenizer(name)
    model.eval()

    def forward(image: Image.Image, caption: str) -> None:
        with torch.inference_mode():
            pixels, tokens = preprocess(image)[None].to(device), tokenizer([caption]).to(device)
            for embedding in (model.encode_image(pixels), model.encode_text(tokens)):
                embedding.cpu()

    return forward


def encoding(backbone: Backbone, rounds: int) -> Comparison:
    """Encoding a table's photos: enough of them to take seconds, in at most three rounds."""
    batch = default_batch(backbone.device)
    pixels = torch.rand(batch, 3, backbone.image_size, backbone.image_size)
    backbone.encode_pixels(pixels)  # warm-up
    fast = timed(backbone.encode_pixels, pixels) < FAST * batch
    return encoding_files(backbone, min(rounds, 3), batch * (4 if fast else 1))


def encoding_files(backbone: Backbone, rounds: int, count: int) -> Comparison:
    """Encoding a table's photos, compared with a plain loop with the same batch size.

    Ours: the photos of `encode`, from files to embeddings on disk.
    Plain: open_clip's model and preprocessing with torch's `DataLoader`, whose worker processes,
    one per core, open, decode and preprocess each photo; `encode_image`, and `np.save` at the end.
    """
    batch = default_batch(backbone.device)
    with tempfile.TemporaryDirectory() as name:
        folder, table, paths = Path(name), ["ImageID,Labels\n"], []
        for i, (photo, _) in enumerate(itertools.islice(photos(), count)):
            paths.append(folder / f"{i}.jpg")
            paths[-1].write_bytes(photo)
            table.append(f"{i}.jpg,1\n")
        (folder / "table.csv").write_text("".join(table))
        stores, plain = itertools.count(), plain_loop(backbone, paths, batch)

        def ours() -> float:
            store = folder / f"store-{next(stores)}"
            report = encode_table(backbone, folder / "table.csv", store, folder, batch=batch)
            return count / report["photos_per_second"]

        return compare(ours, lambda: timed(plain, folder / "plain.npy"), rounds)


def plain_loop(backbone: Backbone, paths: list[Path], batch: int) -> Callable[[Path], None]:
    """A function that encodes photos to a file of embeddings without any of our code."""
    import open_clip

    name, weights = open_clip_name(backbone.id)
    model, _, preprocess = open_clip.create_model_and_transforms(
        name, weights, precision=backbone.precision, device=backbone.device
    )
    model.eval()
    loader = DataLoader(_Prepared(paths, preprocess), batch, num_workers=cores())
    kind = PRECISIONS[backbone.precision]

    def encode(out: Path) -> None:
        with torch.inference_mode():
            rows = [model.encode_image(x.to(backbone.device, kind)).cpu() for x in loader]
        np.save(out, torch.cat(rows).float().numpy())

    return encode


class _Prepared(Dataset):
    def __init__(self, paths: list[Path], preprocess: Callable) -> None:
        self._paths, self._preprocess = paths, preprocess

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, i: int) -> torch.Tensor:
        return self._preprocess(Image.open(self._paths[i]).convert("RGB"))
