"""What the captioner learns from: embeddings of photos and of captions alone, with their captions.

The backbone is frozen, so every embedding is computed once and kept in the work folder.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer

from clipdemo import checkpoints
from clipdemo.backbones import Backbone
from clipdemo.decoder import BACKBONE
from clipdemo.training import bundle, crops
from clipdemo.training.pack import Pack, caption_rows, drawn_pack, join, load_pack

DRAWN_SEED = 3_000_000  # scenes that no other training draws
SMALLEST = 0.6  # area of a crop that its photo's caption still fits
LOOKS = {"comp5329": 4, "coco": 4, "flickr8k": 2, "drawn": 1}
RIDGE = 1.0


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
    data: Path, work: Path, backbone: Backbone, folder: Path, length: int, drawn: int
) -> Sources:
    """Everything of a data folder that fits in `length` tokens.

    Args:
        data: photos and captions (see `pack`).
        work: keeps the decoded photos and the embeddings for the next call.
        backbone: makes the embeddings.
        folder: where its weights are, which tell kept embeddings from older ones, and the
            tokenizer that the decoder writes with.
        length: tokens of a caption at most, its end included.
        drawn: how many drawn scenes to add to the photos.
    """
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    pack = load_pack(data, work / "cache")
    pack = join(pack, drawn_pack(drawn, DRAWN_SEED)) if drawn else pack
    texts, *_ = caption_rows(data, pack)
    captioned = np.array([bool(c) for c in pack.captions])
    rows = np.flatnonzero(captioned & ~pack.validation)
    check = np.flatnonzero(captioned & pack.validation)
    version = checkpoints.sha256(folder / BACKBONE)[:16]
    kept = work / f"embeddings-{version}-{len(rows)}-{len(texts)}.safetensors"
    if not kept.is_file():
        found = encode(backbone, pack, rows, check, texts)
        save_file(found, kept.with_suffix(".part"))
        kept.with_suffix(".part").replace(kept)
    found = load_file(kept)
    alone, residual = like_images(found["first"], first_looks(found), found["alone"])

    def tokens(captions: list[str]) -> list[list[int]]:
        """Without the start, which the prefix stands for, and those too long left out."""
        ids = [e.ids[1:] for e in tokenizer.encode_batch(captions)]
        return [i for i in ids if len(i) <= length]

    alone_tokens = [e.ids[1:] for e in tokenizer.encode_batch(texts)]
    short = np.array([len(i) <= length for i in alone_tokens])
    return Sources(
        image=found["image"],
        photo=found["photo"],
        captions=[tokens(pack.captions[r]) for r in rows],
        sets=pack.sets[rows],
        alone=alone[short],
        alone_tokens=[i for i, s in zip(alone_tokens, short, strict=True) if s],
        residual=residual,
        check_image=found["check"],
        check_tokens=[tokenizer.encode(pack.captions[r][0]).ids[1:][:length] for r in check],
    )


def encode(
    backbone: Backbone, pack: Pack, rows: np.ndarray, check: np.ndarray, texts: list[str]
) -> dict[str, np.ndarray]:
    """Embeddings by name: image and photo, first (of each photo's first caption), alone, check."""
    rng = np.random.default_rng(0)
    looks = np.array([LOOKS[s] for s in pack.sets[rows]])
    photo = np.repeat(np.arange(len(rows)), looks)
    look = np.concatenate([np.arange(n) for n in looks])
    boxes = crops.random_boxes(rng, len(photo), SMALLEST)
    boxes[look < 2] = (0, 0, 1, 1)  # as it is and mirrored, then crops
    whole = np.tile(np.array([[0, 0, 1, 1]], np.float32), (len(check), 1))
    unflipped = np.zeros(len(check), bool)
    model = backbone.model
    return {
        "image": bundle.encode_crops(model, pack, rows[photo], boxes, look % 2 == 1),
        "photo": photo,
        "first": bundle.encode_captions(backbone, [pack.captions[r][0] for r in rows]),
        "alone": bundle.encode_captions(backbone, texts),
        "check": bundle.encode_crops(model, pack, check, whole, unflipped),
    }


def first_looks(found: dict[str, np.ndarray]) -> np.ndarray:
    """[N, D] the first look at each photo."""
    return found["image"][np.unique(found["photo"], return_index=True)[1]]


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
