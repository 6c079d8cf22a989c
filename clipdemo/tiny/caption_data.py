"""Training data of the captioner: captions with embeddings of their photos, or of themselves.

The backbone is frozen, so embeddings are computed once and kept in the work folder.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file
from sklearn.linear_model import Ridge
from tokenizers import Tokenizer

from clipdemo.inputs.atomic import atomic_write
from clipdemo.model import checkpoints
from clipdemo.model.backbones import Backbone
from clipdemo.model.captioners.decoder import BACKBONE
from clipdemo.tiny.heads import encode_captions, encode_photos
from clipdemo.tiny.photo_pack import caption_rows, drawn_pack, join, load_pack
from clipdemo.tiny.training import LoopRecipe

DRAWN_SEED = 3_000_000  # scenes that no other training draws


@dataclass(frozen=True)
class CaptionRecipe(LoopRecipe):
    """The settings of a run."""

    steps: int = 2000
    rate: float = 1.5e-3
    clip: float = 1.0
    average: int = 400
    width: int = 192  # that of the text tower, whose weights it starts from
    layers: int = 2
    heads: int = 3
    prefix: int = 4
    length: int = 22  # tokens of a caption; longer ones are left out
    batch: int = 96  # captions per step
    dropout: float = 0.2
    noise: float = 0.3  # norm of the noise added to a photo's embedding, which has norm 1
    residual: float = 1.0  # noise added to a caption's embedding, relative to the measured one
    # Shares of the captions in a step; `alone` have no photo.
    shares: tuple[tuple[str, float], ...] = (
        ("comp5329", 0.26), ("coco", 0.06), ("flickr8k", 0.2), ("drawn", 0.06), ("alone", 0.42),
    )  # fmt: skip
    drawn: int = 2000  # drawn scenes added to the photos


@dataclass
class Sources:
    """C training captions and the validation captions, with the embeddings that the decoder reads.

    Attributes:
        tokens: of each caption, without the start token, which the prefix replaces.
        sets: [C] the set of each caption's photo, or `alone`.
        row: [C] each caption's row in `image`.
        image: [2, M, D] embeddings of photos and of their mirror images; in both, captions without
            a photo have their own embedding, moved to where photos lie.
        residual: [D, D] factor of the covariance of the difference between such a moved embedding
            and the photo's.
        check_image, check_tokens: embeddings [V, D] and captions of the validation photos.
    """

    tokens: list[list[int]]
    sets: np.ndarray
    row: np.ndarray
    image: np.ndarray
    residual: np.ndarray
    check_image: np.ndarray
    check_tokens: list[list[int]]


def load_sources(
    data: Path, work: Path, backbone: Backbone, folder: Path, recipe: CaptionRecipe
) -> Sources:
    """All captions of a data folder that fit the recipe's `length`.

    Args:
        data: photos and captions (see `photo_pack`).
        work: caches decoded photos and embeddings for the next call.
        backbone: computes the embeddings.
        folder: has the backbone's weights, whose sha256 identifies cached embeddings, and the
            decoder's tokenizer.
        recipe: length of captions, and the number of drawn scenes added to the photos.
    """
    pack = join(load_pack(data, work / "cache"), drawn_pack(recipe.drawn, DRAWN_SEED))
    texts = caption_rows(data, pack).train
    captioned = np.array([bool(c) for c in pack.captions])
    rows = np.flatnonzero(captioned & ~pack.validation)
    check = np.flatnonzero(captioned & pack.validation)
    version = checkpoints.sha256(folder / BACKBONE)[:16]
    kept = work / f"embeddings-{version}-{len(rows)}-{len(texts)}.safetensors"
    if not kept.is_file():
        found = {
            "image": encode_photos(backbone, pack, rows),
            "mirrored": encode_photos(backbone, pack, rows, mirror=True),
            "first": encode_captions(backbone, [pack.captions[r][0] for r in rows]),
            "alone": encode_captions(backbone, texts),
            "check": encode_photos(backbone, pack, check),
        }
        with atomic_write(kept) as partial:
            save_file(found, partial)
    found = load_file(kept)
    alone, residual = like_images(found["first"], found["image"], found["alone"])

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    counts = [len(pack.captions[r]) for r in rows]
    captions = [c for r in rows for c in pack.captions[r]] + texts
    tokens = [e.ids[1:] for e in tokenizer.encode_batch(captions)]
    row = np.append(np.repeat(np.arange(len(rows)), counts), len(rows) + np.arange(len(texts)))
    sets = np.append(np.repeat(pack.sets[rows], counts), np.repeat("alone", len(texts)))
    short = np.array([len(ids) <= recipe.length for ids in tokens])
    checked = tokenizer.encode_batch([pack.captions[r][0] for r in check])
    return Sources(
        tokens=[ids for ids, fits in zip(tokens, short, strict=True) if fits],
        sets=sets[short],
        row=row[short],
        image=np.stack([np.concatenate([found[n], alone]) for n in ("image", "mirrored")]),
        residual=residual,
        check_image=found["check"],
        check_tokens=[e.ids[1:][: recipe.length] for e in checked],
    )


def like_images(
    text: np.ndarray, image: np.ndarray, alone: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings of captions without a photo, moved to where their photos would lie.

    CapDec (Nukrai et al. 2022, arXiv:2211.00575) adds noise to a caption's embedding so that a
    decoder trained on it can read photos. Here a ridge regression on pairs also predicts the
    photo's embedding, and its residuals give the noise.

    Args:
        text, image: [N, D] embeddings of captions and of their photos.
        alone: [K, D] embeddings of captions without a photo.

    Returns:
        Their predicted image embeddings [K, D], and a factor [D, D] of the residuals' covariance:
        standard normal noise [K, D] times its transpose is distributed like the residuals.
    """
    ridge = Ridge().fit(text, image)
    left = image - ridge.predict(text)
    covariance = left.T @ left / len(left) + 1e-6 * np.eye(left.shape[1])
    factor = np.linalg.cholesky(covariance)
    return ridge.predict(alone).astype(np.float32), factor.astype(np.float32)
