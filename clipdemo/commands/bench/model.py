"""Scoring and encoding, over the bare model of open_clip."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import torch
from PIL import Image

from clipdemo.commands.bench.comparison import Comparison, compare, timed
from clipdemo.commands.bench.samples import photos
from clipdemo.inputs.images import read_photo
from clipdemo.model.backbones import Backbone, open_clip_name
from clipdemo.model.loading import load
from clipdemo.study.encode import default_batch, encode_table

FAST = 0.1
"""Seconds per photo below which four batches are encoded instead of one."""


def scoring(backbone: str, rounds: int) -> tuple[dict[str, Comparison], Backbone]:
    """Scoring a photo and a caption, over a bare forward pass; and the loaded backbone.

    Ours: `Classifier.predict`, from the bytes of a JPEG and a caption to the scores of every
    mode: checks, decoding, preprocessing, both encoders and the heads. For the first figure photo
    and caption are new each time; for the second the photo is known and only the caption is new.
    Plain: open_clip's own model on the same photo, already decoded, and the same caption: its
    preprocessing and tokenizer, `encode_image` and `encode_text`. No decoding and no heads.
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
    """Encoding over a bare loop: of prepared photos on a GPU, of a table's photos elsewhere."""
    if backbone.device.startswith("cuda"):
        return encoding_prepared(backbone, rounds)
    batch = default_batch(backbone.device)
    pixels = torch.rand(batch, 3, backbone.image_size, backbone.image_size)
    backbone.encode_pixels(pixels)  # the first is slower
    fast = timed(backbone.encode_pixels, pixels) < FAST * batch
    return encoding_files(backbone, min(rounds, 3), batch * (4 if fast else 1))


def encoding_files(backbone: Backbone, rounds: int, count: int) -> Comparison:
    """Encoding a table's photos, over the bare model at the same batch size.

    Ours: the photos of `encode`, from files to embeddings on disk: its worker processes started,
    each photo read, checked, decoded and prepared, each batch encoded and written.
    Plain: `encode_image` on the same photos, prepared and in memory.
    """
    batch = default_batch(backbone.device)
    with tempfile.TemporaryDirectory() as name:
        folder, table, pixels = Path(name), ["ImageID,Labels\n"], []
        for i, (photo, _) in enumerate(itertools.islice(photos(), count)):
            (folder / f"{i}.jpg").write_bytes(photo)
            table.append(f"{i}.jpg,1\n")
            pixels.append(backbone.prepare(read_photo(photo, backbone.image_size)))
        (folder / "table.csv").write_text("".join(table))
        batches, stores = torch.stack(pixels).split(batch), itertools.count()

        def ours() -> float:
            store = folder / f"store-{next(stores)}"
            report = encode_table(backbone, folder / "table.csv", store, folder, batch=batch)
            return count / report["photos_per_second"]

        def bare() -> None:
            with torch.inference_mode():
                for part in batches:
                    backbone.model.encode_image(part.to(backbone.device)).cpu()

        return compare(ours, lambda: timed(bare), rounds)


def encoding_prepared(backbone: Backbone, rounds: int, count: int = 256) -> Comparison:
    """Encoding a batch of prepared photos, over a bare loop in bfloat16 on the same device.

    Ours: `Backbone.encode_pixels`, from photos in memory to normalised embeddings in memory.
    Plain: `encode_image` under autocast on photos that are on the device already.
    """
    size, device = backbone.image_size, torch.device(backbone.device)
    pixels = torch.rand(count, 3, size, size)
    there = pixels.to(device)

    def bare() -> None:
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16):
            backbone.model.encode_image(there).cpu()

    return compare(lambda: timed(backbone.encode_pixels, pixels), lambda: timed(bare), rounds)
