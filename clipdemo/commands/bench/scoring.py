"""Scoring in this process, over a bare forward pass of the same backbone."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image

from clipdemo.commands.bench.comparison import Comparison, compare, timed
from clipdemo.commands.bench.samples import photos

if TYPE_CHECKING:
    from clipdemo.model.backbones import Backbone


def scoring(backbone: str, rounds: int) -> tuple[dict[str, Comparison], Backbone]:
    """Scoring a photo and a caption, over a bare forward pass; and the backbone, as it is loaded.

    Ours: `Classifier.predict`, from the bytes of a JPEG and a caption to the scores of every
    mode: checks, decoding, preprocessing, both encoders and the heads. For the first figure photo
    and caption are new each time; for the second the photo is known and only the caption is new.
    Plain: open_clip's own model on the same photo, already decoded, and the same caption: its
    preprocessing and tokenizer, `encode_image` and `encode_text`. No decoding and no heads.
    """
    from clipdemo.model.loading import load

    classifier = load(backbone)
    device = classifier.backbone.device
    forward = plain_forward(backbone, device)
    made, edits = photos(), itertools.count()
    photo, caption = next(made)

    def bare() -> float:
        image = Image.open(BytesIO(photo)).convert("RGB")
        return timed(lambda: forward(image, caption))

    def new_photo() -> float:
        nonlocal photo, caption
        photo, caption = next(made)
        return timed(lambda: classifier.predict(photo, caption))

    def new_caption() -> float:
        nonlocal caption
        caption = f"a caption edited {next(edits)} times"
        return timed(lambda: classifier.predict(photo, caption))

    found = {"photo_to_scores_ratio": compare(new_photo, bare, rounds)}
    found["caption_edit_ratio"] = compare(new_caption, bare, rounds)
    return found, classifier.backbone


def plain_forward(backbone: str, device: str) -> Callable[[Image.Image, str], None]:
    """open_clip as its README uses it: one photo and one caption to their embeddings."""
    import open_clip
    import torch

    from clipdemo.model.backbones import open_clip_name

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
