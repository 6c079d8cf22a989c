"""What the captioner learns from: embeddings of photos and of captions alone, with their captions.

The backbone is frozen, so every embedding is computed once and kept in the work folder.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer

from clipdemo.model import checkpoints
from clipdemo.model.backbones import Backbone
from clipdemo.model.captioners.decoder import BACKBONE
from clipdemo.tiny import crops
from clipdemo.tiny.heads import encode_captions, encode_photos
from clipdemo.tiny.photo_pack import Pack, caption_rows, drawn_pack, join, load_pack
from clipdemo.tiny.training import LoopRecipe

DRAWN_SEED = 3_000_000  # scenes that no other training draws
SMALLEST = 0.6  # area of a crop that its photo's caption still fits
LOOKS = {"comp5329": 4, "coco": 4, "flickr8k": 1, "drawn": 1}
RIDGE = 1.0


@dataclass(frozen=True)
class CaptionRecipe(LoopRecipe):
    """The settings of a run."""

    steps: int = 2000
    rate: float = 1.5e-3
    clip: float = 1.0
    average: int = 400
    width: int = 192  # that of the text tower, as whose copy it starts
    layers: int = 2
    heads: int = 3
    prefix: int = 4
    length: int = 22  # tokens of a caption at most; longer ones are not learned
    batch: int = 96  # captions per step
    dropout: float = 0.2
    noise: float = 0.3  # length of the noise added to a photo's embedding, whose own is 1
    residual: float = 1.0  # of the noise added to a caption's, against what was measured
    # How the captions of a step are shared out; `alone` have no photo.
    shares: tuple[tuple[str, float], ...] = (
        ("comp5329", 0.26), ("coco", 0.06), ("flickr8k", 0.2), ("drawn", 0.06), ("alone", 0.42),
    )  # fmt: skip
    drawn: int = 2000  # drawn scenes added to the photos


@dataclass
class Sources:
    """Training and validation captions, each with what the decoder is conditioned on.

    image [M, D]: looks at training photos, `photo` [M] says at which; captions: their tokens per
    photo; sets: of the photos. alone [K, D]: image-like embeddings of captions without a photo,
    alone_tokens their tokens; residual [D, D] the covariance factor of what such an embedding does
    not know of its photo's. check_image [C, D] and check_tokens: the
    validation photos with a caption.
    """

    image: np.ndarray
    photo: np.ndarray
    captions: list[list[list[int]]]
    sets: np.ndarray
    alone: np.ndarray
    alone_tokens: list[list[int]]
    residual: np.ndarray
    check_image: np.ndarray
    check_tokens: list[list[int]]


def load_sources(
    data: Path, work: Path, backbone: Backbone, folder: Path, recipe: CaptionRecipe
) -> Sources:
    """Everything of a data folder that fits in the recipe's `length`.

    Args:
        data: photos and captions (see `photo_pack`).
        work: keeps the decoded photos and the embeddings for the next call.
        backbone: makes the embeddings.
        folder: where its weights are, which distinguish kept embeddings from older ones, and
            the tokenizer that the decoder writes with.
        recipe: how long captions are, and how many drawn scenes to add to the photos.
    """
    pack = join(load_pack(data, work / "cache"), drawn_pack(recipe.drawn, DRAWN_SEED))
    texts = caption_rows(data, pack).train
    captioned = np.array([bool(c) for c in pack.captions])
    rows = np.flatnonzero(captioned & ~pack.validation)
    check = np.flatnonzero(captioned & pack.validation)
    looks = np.array([LOOKS[s] for s in pack.sets[rows]])
    version = checkpoints.sha256(folder / BACKBONE)[:16]
    kept = work / f"embeddings-{version}-{looks.sum()}-{len(texts)}.safetensors"
    if not kept.is_file():
        found = encode(backbone, pack, rows, looks, check, texts)
        save_file(found, kept.with_suffix(".part"))
        kept.with_suffix(".part").replace(kept)
    found = load_file(kept)
    first_looks = found["image"][np.unique(found["photo"], return_index=True)[1]]
    alone, residual = like_images(found["first"], first_looks, found["alone"])
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))

    def tokens(captions: list[str]) -> list[list[int]]:
        """Without the start, in whose place the prefix is."""
        return [e.ids[1:] for e in tokenizer.encode_batch(captions)]

    def short(captions: list[list[int]]) -> list[list[int]]:
        return [ids for ids in captions if len(ids) <= recipe.length]

    alone_tokens = tokens(texts)
    return Sources(
        image=found["image"],
        photo=found["photo"],
        captions=[short(tokens(pack.captions[r])) for r in rows],
        sets=pack.sets[rows],
        alone=alone[[len(ids) <= recipe.length for ids in alone_tokens]],
        alone_tokens=short(alone_tokens),
        residual=residual,
        check_image=found["check"],
        check_tokens=[ids[: recipe.length] for ids in tokens([pack.captions[r][0] for r in check])],
    )


def encode(
    backbone: Backbone,
    pack: Pack,
    rows: np.ndarray,
    looks: np.ndarray,
    check: np.ndarray,
    texts: list[str],
) -> dict[str, np.ndarray]:
    """Embeddings by name: image and photo, first (of each photo's first caption), alone, check."""
    photo = np.repeat(np.arange(len(rows)), looks)
    look = np.concatenate([np.arange(n) for n in looks])
    boxes = crops.random_boxes(np.random.default_rng(0), len(photo), SMALLEST)
    boxes[look < 2] = crops.WHOLE  # as it is and mirrored, then crops
    return {
        "image": encode_photos(backbone, pack, rows[photo], boxes, look % 2 == 1),
        "photo": photo,
        "first": encode_captions(backbone, [pack.captions[r][0] for r in rows]),
        "alone": encode_captions(backbone, texts),
        "check": encode_photos(backbone, pack, check),
    }


def like_images(
    text: np.ndarray, image: np.ndarray, alone: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings of captions alone, moved to where the embeddings of such photos lie.

    CapDec (Nukrai et al. 2022, arXiv:2211.00575) adds noise to a caption's embedding so that a
    decoder trained on it can read photos. Here the pairs also tell where photos lie, by ridge
    regression, and what noise is left, by its residuals.

    Args:
        text, image: [N, D] embeddings of captions and of their photos.
        alone: [K, D] embeddings of captions without a photo.

    Returns:
        Their expected image embeddings [K, D], and a factor [D, D] of the residuals' covariance:
        normal noise [K, D] times its transpose is distributed as the residuals.
    """
    centre, middle = text.mean(0), image.mean(0)
    x, y = text - centre, image - middle
    weights = np.linalg.solve(x.T @ x + RIDGE * np.eye(x.shape[1]), x.T @ y)
    left = y - x @ weights
    covariance = left.T @ left / len(left)
    values, vectors = np.linalg.eigh(covariance)
    factor = vectors * np.sqrt(values.clip(0))
    return (
        (middle + (alone - centre) @ weights).astype(np.float32),
        factor.astype(np.float32),
    )
