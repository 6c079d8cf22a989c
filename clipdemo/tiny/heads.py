"""The heads of the bundled backbone: their training data, their fit, and their card entries."""

import copy

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

from clipdemo.inputs.labels import MODES
from clipdemo.model.backbones import Backbone
from clipdemo.model.heads import SumHead
from clipdemo.study import fit
from clipdemo.study.calibrate import calibrated
from clipdemo.tiny import crops
from clipdemo.tiny.batches import Data
from clipdemo.tiny.photo_pack import CaptionRows, Pack

SETTINGS = {
    "image": fit.FitSettings(hidden=(512, 256), epochs=8),
    "text": fit.FitSettings(hidden=(512, 256), epochs=4),
    "concat": fit.FitSettings(hidden=(128,), epochs=4, rate=3e-4, dropout=0.6),
}


def encode_photos(
    backbone: Backbone, pack: Pack, rows: np.ndarray, mirror: bool = False
) -> np.ndarray:
    """Embeddings [N, D] of the rows' photos or of their mirror images."""
    out = []
    for start in range(0, len(rows), 32):  # small enough for the allocator to reuse its memory
        images = crops.whole(
            [pack.photos[r] for r in rows[start : start + 32]], backbone.image_size
        )
        out.append(backbone.encode_pixels(images.flip(3) if mirror else images))
    return np.concatenate(out)


def encode_captions(backbone: Backbone, captions: list[str]) -> np.ndarray:
    """Embeddings [N, D]."""
    parts = [backbone.encode_captions(captions[i : i + 256]) for i in range(0, len(captions), 256)]
    return np.concatenate(parts)


def without_words(captions: list[str], chance: float = 0.25, seed: int = 1) -> list[str]:
    """The captions, with each word dropped with probability `chance`.

    A text tower knows the captions it was trained on better than others; with words missing, they
    are closer to new ones.
    """
    rng, out = np.random.default_rng(seed), []
    for caption in captions:
        kept = [word for word in caption.split() if rng.uniform() >= chance]
        out.append(" ".join(kept) or caption)
    return out


def fit_heads(
    backbone: Backbone, data: Data, images: np.ndarray
) -> tuple[dict[str, nn.Module], dict[str, dict], dict[str, list[dict]]]:
    """Heads of the three modes, their entries in the card, and the histories of their fits.

    images: [N, D] embeddings of the training photos.
    """
    rows, checks = training_rows(backbone, data, images), check_rows(backbone, data.pack, data.rows)
    heads, entries, histories = {}, {}, {}
    for mode in MODES:
        inputs, truth = checks[mode]
        head, histories[mode] = fit.fit_head(*rows[mode], inputs, truth, SETTINGS[mode])
        heads[mode] = head.half().float()  # as it is stored
        entries[mode] = SETTINGS[mode].shape(inputs.shape[1])
        entries[mode] |= calibrated(fit.logits(heads[mode], inputs), truth)
        print(mode, [round(h["map"], 4) for h in histories[mode]], flush=True)
    heads["concat"], entries["concat"] = sum_head(heads, entries, *checks["concat"])
    return heads, entries, histories


def sum_head(
    heads: dict[str, nn.Module], entries: dict[str, dict], inputs: np.ndarray, truth: np.ndarray
) -> tuple[SumHead, dict]:
    """A concat head that sums the heads of the three modes, and its entry in the card.

    Its weights and thresholds are fitted on validation pairs, inputs [M, 2 * D] and truth [M, L]:
    the backbone has seen the training photos, on which the image head is far too confident.
    """
    head = SumHead(*(copy.deepcopy(heads[mode]) for mode in MODES)).eval()
    with torch.no_grad():
        parts = head.parts(torch.from_numpy(inputs)).flatten(0, 1).numpy()
        found = LogisticRegression(C=1e6).fit(parts, np.ravel(truth) > 0.5)
        head.weights.copy_(torch.from_numpy(found.coef_[0]))
        head.bias.copy_(torch.tensor(found.intercept_[0]))
    head = head.half().float()  # as it is stored
    entry = {"kind": "sum", "inputs": inputs.shape[1], "hidden": entries["concat"]["hidden"]}
    entry |= {f"{mode}_hidden": entries[mode]["hidden"] for mode in ("image", "text")}
    entry |= {"weights": [round(w, 4) for w in head.weights.tolist()]}
    return head, entry | calibrated(fit.logits(head, inputs), truth)


def check_rows(
    backbone: Backbone, pack: Pack, rows: CaptionRows
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Per mode, the inputs of its head for the validation photos and captions, and the truth."""
    check = np.flatnonzero(pack.validation)
    images, truth = encode_photos(backbone, pack, check), pack.known[check]
    captioned = np.array([bool(pack.captions[r]) for r in check])
    first = encode_captions(backbone, [pack.captions[r][0] for r in check[captioned]])
    alone, labels = encode_captions(backbone, rows.check), rows.check_labels
    return {
        "image": (images, truth),
        "text": (np.concatenate([alone, first]), np.concatenate([labels, truth[captioned]])),
        "concat": (np.concatenate([images[captioned], first], 1), truth[captioned]),
    }


def training_rows(
    backbone: Backbone, data: Data, images: np.ndarray
) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Inputs [M, D or 2 * D], targets [M, L] and weights [M] per mode.

    Captions come twice, unchanged and with words missing. For concat there are also captions and
    photos alone, next to zeros, so that it learns what the other two heads know.
    """
    pack, train, texts, labels = data.pack, data.train, data.rows.train, data.rows.train_labels
    paired = [c for r in train for c in pack.captions[r]]
    photo = np.repeat(np.arange(len(train)), [len(pack.captions[r]) for r in train])
    sets, annotated = pack.sets[train], pack.annotated[train][photo]
    weight = np.select([pack.annotated[train], sets == "drawn"], [1.0, 0.5], 0.4)
    targets = pack.known[train]

    text, concat = [], [(beside_zeros(images, left=False), targets, 0.3 * weight)]
    for change in (list, without_words):
        alone, pairs = (encode_captions(backbone, change(c)) for c in (texts, paired))
        text += [
            (alone, labels, np.ones(len(alone))),
            (pairs[annotated], targets[photo][annotated], np.ones(annotated.sum())),
        ]
        both = np.concatenate([images[photo], pairs], 1)
        concat += [
            (beside_zeros(alone, left=True), labels, np.ones(len(alone))),
            (both, targets[photo], np.where(annotated, 1, 0.3)),
        ]
    parts = {"image": [(images, targets, weight)], "text": text, "concat": concat}
    return {
        mode: tuple(np.concatenate(column) for column in zip(*rows, strict=True))
        for mode, rows in parts.items()
    }


def beside_zeros(embeddings: np.ndarray, left: bool) -> np.ndarray:
    """[N, 2 * D] with zeros on the left or on the right."""
    zeros = np.zeros_like(embeddings)
    return np.concatenate([zeros, embeddings] if left else [embeddings, zeros], 1)
