"""The training recipe of the bundled backbone, its data, and the batches made from them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.utils.data import Dataset

from clipdemo.tiny import crops
from clipdemo.tiny import joint_model as joint
from clipdemo.tiny.photo_pack import CaptionRows, Pack, caption_rows, drawn_pack, join, load_pack
from clipdemo.tiny.training import LoopRecipe


@dataclass(frozen=True)
class Recipe(LoopRecipe):
    """The settings of the joint stage."""

    steps: int = 3800
    rate: float = 2e-3
    width: int = 24  # channels of the image tower's first stage
    layers: tuple[int, ...] = (1, 2, 2, 1)  # its blocks per stage
    vocabulary: int = 3400
    batch: int = 128  # photos per step
    text_every: int = 4  # captions are in every fourth batch
    captions: int = 80  # per batch with captions, starting with those of its photos
    # Share of the steps done, and the input size in pixels from then on.
    sizes: tuple[tuple[float, int], ...] = ((0.0, 64), (0.45, 96), (0.9, 128))
    # Input size of the finished backbone: larger than in training, where crops are enlarged and
    # objects look larger than in whole photos (Touvron et al. 2019).
    serve_size: int = 192
    smallest: float = 0.15  # least area of a crop
    joined: float = 0.4  # probability that a crop's right side shows another photo
    teacher: float = 0.3  # the teacher's share in annotated targets
    drawn: int = 3000  # drawn scenes added to the photos
    word_dropout: float = 0.1
    weights: tuple[tuple[str, float], ...] = (
        ("image", 1.0), ("dense", 0.5), ("features", 2.0), ("text", 0.5), ("concat", 0.3),
        ("contrast", 0.3),
    )  # fmt: skip

    def size_at(self, step: int) -> int:
        """Input size in pixels at a step."""
        return [size for share, size in self.sizes if step >= share * self.steps][-1]


CONTINUED = Recipe(steps=10_000, rate=1.2e-3, sizes=((0.0, 96), (0.6, 128)))
"""For continuing with a trained image tower."""


@dataclass
class Data:
    """Training data of both stages; a caption's tokens are ids [T]."""

    pack: Pack
    train: np.ndarray  # [N] rows of the pack
    tokens: list[list[torch.Tensor]]  # per pack row, its captions' tokens
    rows: CaptionRows  # captions without a photo
    text_tokens: list[torch.Tensor]  # of those to train on
    check_tokens: list[torch.Tensor]  # of those of validation


def prepare(data: Path, work: Path, recipe: Recipe) -> Data:
    """Read all data; if `work` has no model files, learn the tokenizer and write them."""
    pack = join(load_pack(data, work / "cache"), drawn_pack(recipe.drawn, first_seed=1_000_000))
    train = np.flatnonzero(~pack.validation)
    rows = caption_rows(data, pack)
    folder = work / "model"
    if not (folder / joint.CONFIG).is_file():
        corpus = rows.train + [c for row in train for c in pack.captions[row]]
        tokenizer = joint.train_tokenizer(corpus, recipe.vocabulary)
        joint.write_model_files(folder, tokenizer, recipe.width, recipe.layers, recipe.sizes[-1][1])
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(joint.CONTEXT)

    def encode(captions: list[str]) -> list[torch.Tensor]:
        return [torch.tensor(e.ids) for e in tokenizer.encode_batch(captions)]

    tokens = [encode(captions) for captions in pack.captions]
    return Data(pack, train, tokens, rows, encode(rows.train), encode(rows.check))


def sampling_chance(pack: Pack, train: np.ndarray) -> np.ndarray:
    """[N] sums to 1: photos with rare labels, and of fully labelled sets, are drawn more often."""
    present = pack.known[train]
    share = present.mean(0)
    rarity = (present * np.sqrt(share.max() / share)).max(1)
    base = {"comp5329": 2.0, "coco": 1.2, "flickr8k": 0.8, "drawn": 0.6}
    weight = np.array([base.get(s, 1.0) for s in pack.sets[train]]) * np.clip(rarity, 1, 6)
    return weight / weight.sum()


def drop_words(tokens: torch.Tensor, rng: np.random.Generator, chance: float) -> torch.Tensor:
    """Replace random tokens by the unknown token, so that nothing depends on a single word."""
    drop = torch.from_numpy(rng.uniform(size=tokens.shape) < chance) & (tokens > 3)
    return tokens.masked_fill(drop, 1)


class JointBatches(Dataset):
    """Batches of random crops and, with some steps, captions: what `Joint.forward` reads."""

    def __init__(self, data: Data, recipe: Recipe) -> None:
        self.data, self.recipe = data, recipe
        self.known = data.pack.known
        self.chance = sampling_chance(data.pack, data.train)

    def __getitem__(self, step: int) -> dict:
        """The batch of a step."""
        recipe, pack = self.recipe, self.data.pack
        rng = np.random.default_rng((recipe.seed, step))
        torch.manual_seed(rng.integers(2**62))
        size = recipe.size_at(step)
        rows = rng.choice(self.data.train, recipe.batch, replace=False, p=self.chance)
        boxes = crops.random_boxes(rng, len(rows), recipe.smallest)
        flip = rng.uniform(size=len(rows)) < 0.5
        images = crops.cut([pack.photos[r] for r in rows], boxes, flip, size)
        targets = crops.label_targets(pack, rows, boxes, recipe.teacher)
        grid = torch.from_numpy(
            np.where(pack.labels[rows][:, :, None, None] == 0, 0, pack.grid[rows])
        )
        box, mirrored = torch.from_numpy(boxes), torch.from_numpy(flip)
        grids = [crops.grid_targets(grid, box, mirrored, c) for c in (size // 16, size // 32)]

        # Two crops side by side, as in CutMix (Yun et al. 2019): labels of either are there.
        joined = rng.uniform(size=len(rows)) < recipe.joined
        share = rng.integers(1, size // 32) / (size // 32)
        left, right = (
            crops.label_targets(
                pack, rows, crops.side_boxes(boxes, flip, share, side), recipe.teacher
            )
            for side in (True, False)
        )
        targets[joined] = (1 - (1 - left) * (1 - np.roll(right, 1, 0)))[joined]
        for values in (images, *grids):
            other, start = values.roll(1, 0), round(share * values.shape[-1])
            values[joined, ..., start:] = other[joined, ..., start:]

        area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) * ~joined
        features = pack.features[rows]
        seen = np.where(np.isnan(features[:, 0]), 0, np.clip(area - 0.3, 0, 1))
        batch = {
            "images": crops.augment(images),
            "targets": torch.from_numpy(targets),
            "grids": grids,
            "features": torch.from_numpy(np.nan_to_num(features)),
            "seen": torch.from_numpy(seen.astype(np.float32)),
        }
        return batch | (self._captions(rng, rows, area) if step % recipe.text_every == 0 else {})

    def _captions(self, rng: np.random.Generator, rows: np.ndarray, area: np.ndarray) -> dict:
        """Captions of the batch's photos (unless cropped too small), then captions without one."""
        data, count = self.data, self.recipe.captions
        pair = [i for i, r in enumerate(rows) if data.tokens[r] and area[i] > 0.25][:count]
        paired = rows[pair]
        alone = rng.integers(len(data.text_tokens), size=max(count - len(pair), 32))
        tokens = [data.tokens[r][rng.integers(len(data.tokens[r]))] for r in paired]
        tokens = joint.pad(tokens + [data.text_tokens[i] for i in alone])
        weight = np.append(np.where(data.pack.annotated[paired], 1, 0.3), np.ones(len(alone)))
        labels = np.concatenate([self.known[paired], data.rows.train_labels[alone]])
        return {
            "tokens": drop_words(tokens, rng, self.recipe.word_dropout),
            "pair": torch.tensor(pair),
            "text_targets": torch.from_numpy(labels.astype(np.float32)),
            "text_weight": torch.from_numpy(weight.astype(np.float32)),
        }
