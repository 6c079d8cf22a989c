"""What the bundled backbone is trained on: its recipe, its data, and batches made of them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from clipdemo.tiny import crops
from clipdemo.tiny import joint_model as joint
from clipdemo.tiny.photo_pack import Pack, caption_rows, drawn_pack, join, load_pack


@dataclass(frozen=True)
class Recipe:
    """Every knob of a run."""

    width: int = 24  # channels of the image tower's first stage
    layers: tuple[int, ...] = (1, 2, 2, 1)  # its blocks per stage
    vocabulary: int = 3400
    steps: int = 3800
    batch: int = 64  # photos per process and step
    text_every: int = 4  # captions come with every fourth step
    captions: int = 40  # captions per process in such a step, those of the photos first
    rate: float = 2e-3  # peak learning rate
    decay: float = 0.05
    warmup: float = 0.05  # share of the steps
    sizes: tuple[tuple[float, int], ...] = ((0.0, 64), (0.45, 96), (0.9, 128))  # from share on
    # Input size of the finished backbone: larger than in training, where crops are enlarged and
    # objects look larger than in whole photos (Touvron et al. 2019).
    serve_size: int = 192
    smallest: float = 0.15  # least area of a crop
    joined: float = 0.4  # chance that a crop's right side shows another photo
    teacher: float = 0.3  # the teacher's share of targets that are also annotated
    drawn: int = 3000  # drawn scenes added to the photos
    word_dropout: float = 0.1
    bfloat16: bool = False  # a step took 0.55 of the time on a CPU with AVX512-BF16
    seed: int = 0
    weights: tuple[tuple[str, float], ...] = (
        ("image", 1.0), ("dense", 0.5), ("features", 2.0), ("text", 0.5), ("concat", 0.3),
        ("contrast", 0.3),
    )  # fmt: skip


GO_ON = Recipe(steps=10_000, rate=1.2e-3, sizes=((0.0, 96), (0.6, 128)))
"""For an image tower that is trained already."""


@dataclass
class Data:
    """What the training processes share."""

    pack: Pack
    train: np.ndarray  # [N] rows of the pack
    chance: np.ndarray  # [N] how often each training row is drawn
    tokens: list[list[torch.Tensor]]  # per pack row, its captions' token ids
    texts: list[str]  # captions of the label table
    text_tokens: list[torch.Tensor]  # their token ids
    text_labels: np.ndarray
    check_tokens: list[torch.Tensor]  # validation captions
    check_labels: np.ndarray


def sampling_chance(pack: Pack, train: np.ndarray) -> np.ndarray:
    """[N] sums to 1: photos with rare labels come more often, and fully labelled sets too."""
    present = np.where(np.isnan(pack.labels[train]), pack.soft[train], pack.labels[train])
    share = present.mean(0)
    rarity = (present * np.sqrt(share.max() / share)).max(1)
    base = {"comp5329": 2.0, "coco": 1.2, "flickr8k": 0.8, "drawn": 0.6}
    weight = np.array([base.get(s, 1.0) for s in pack.sets[train]]) * np.clip(rarity, 1, 6)
    return weight / weight.sum()


def prepare(data: Path, out: Path, recipe: Recipe) -> Data:
    """Read everything, learn the tokenizer, write the model's files."""
    pack = load_pack(data, out / "cache")
    if recipe.drawn:
        pack = join(pack, drawn_pack(recipe.drawn, first_seed=1_000_000))
    train = np.flatnonzero(~pack.validation)
    texts, labels, check_texts, check_labels = caption_rows(data, pack)
    folder = out / "model"
    if not (folder / "open_clip_config.json").is_file():
        corpus = texts + [c for row in train for c in pack.captions[row]]
        tokenizer = joint.train_tokenizer(corpus, recipe.vocabulary)
        joint.write_model_files(folder, tokenizer, recipe.width, recipe.layers, recipe.sizes[-1][1])
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(joint.CONTEXT)

    def encode(captions: list[str]) -> list[torch.Tensor]:
        return [torch.tensor(e.ids) for e in tokenizer.encode_batch(captions)]

    return Data(
        pack=pack,
        train=train,
        chance=sampling_chance(pack, train),
        tokens=[encode(c) for c in pack.captions],
        texts=texts,
        text_tokens=encode(texts),
        text_labels=labels,
        check_tokens=encode(check_texts),
        check_labels=check_labels,
    )


def pad(tokens: list[torch.Tensor]) -> torch.Tensor:
    """[N, T] token ids, zero padded to the longest."""
    return torch.nn.utils.rnn.pad_sequence(tokens, batch_first=True)


def drop_words(tokens: torch.Tensor, rng: np.random.Generator, chance: float) -> torch.Tensor:
    """Some words become unknown, so that no single word carries everything."""
    drop = torch.from_numpy(rng.uniform(size=tokens.shape) < chance) & (tokens > 3)
    return tokens.masked_fill(drop, 1)


def make_batch(
    data: Data, recipe: Recipe, rng: np.random.Generator, size: int, with_text: bool
) -> dict:
    """One process's batch, wholly decided by `rng`."""
    pack = data.pack
    rows = rng.choice(data.train, recipe.batch, replace=False, p=data.chance)
    boxes = crops.random_boxes(rng, len(rows), recipe.smallest)
    flip = rng.uniform(size=len(rows)) < 0.5
    images = crops.cut([pack.photos[r] for r in rows], boxes, flip, size)
    targets = crops.label_targets(pack, rows, boxes, recipe.teacher)
    known = pack.labels[rows][:, :, None, None]
    grid = torch.from_numpy(np.where(known == 0, 0, pack.grid[rows]))
    box, mirrored = torch.from_numpy(boxes), torch.from_numpy(flip)
    grids = [crops.grid_targets(grid, box, mirrored, c) for c in (size // 16, size // 32)]

    # Two crops side by side, as in CutMix (Yun et al. 2019): labels of one or the other are there.
    joined = rng.uniform(size=len(rows)) < recipe.joined
    share = rng.integers(1, size // 32) / (size // 32)
    left, right = (crops.side_boxes(boxes, flip, share, side) for side in (True, False))
    seen_left = crops.label_targets(pack, rows, left, recipe.teacher)
    seen_right = np.roll(crops.label_targets(pack, rows, right, recipe.teacher), 1, 0)
    targets[joined] = (1 - (1 - seen_left) * (1 - seen_right))[joined]
    for values in (images, *grids):
        other, start = values.roll(1, 0), round(share * values.shape[-1])
        values[joined, ..., start:] = other[joined, ..., start:]

    images = crops.normalise(crops.erase(crops.jitter(images, rng), rng, 0.2))
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) * ~joined
    features = pack.features[rows]
    seen = np.where(np.isnan(features[:, 0]), 0, np.clip(area - 0.3, 0, 1)).astype(np.float32)
    batch = {
        "images": images,
        "targets": torch.from_numpy(targets),
        "grids": grids,
        "features": torch.from_numpy(np.nan_to_num(features)),
        "seen": torch.from_numpy(seen),
    }
    return batch | (add_captions(data, recipe, rng, rows, area) if with_text else {})


def add_captions(
    data: Data, recipe: Recipe, rng: np.random.Generator, rows: np.ndarray, area: np.ndarray
) -> dict:
    """Captions of the batch's photos first (those cut not too small), then captions alone."""
    pack = data.pack
    pair = [i for i, r in enumerate(rows) if data.tokens[r] and area[i] > 0.25]
    pair = pair[: recipe.captions]
    tokens = [data.tokens[rows[i]][rng.integers(len(data.tokens[rows[i]]))] for i in pair]
    whole = np.where(np.isnan(pack.labels[rows]), pack.soft[rows], pack.labels[rows])[pair]
    alone = rng.integers(len(data.text_tokens), size=max(recipe.captions - len(pair), 16))
    tokens += [data.text_tokens[i] for i in alone]
    named = np.isin(pack.sets[rows[pair]], ("comp5329", "coco"))
    weight = np.concatenate([np.where(named, 1, 0.3), np.ones(len(alone))])
    return {
        "tokens": drop_words(pad(tokens), rng, recipe.word_dropout),
        "pair": torch.tensor(pair),
        "text_targets": torch.from_numpy(np.concatenate([whole, data.text_labels[alone]])),
        "text_weight": torch.from_numpy(weight.astype(np.float32)),
    }
