"""The complete training of the bundled backbone, at a small size."""

from pathlib import Path

from clipdemo.study.fit import FitSettings
from clipdemo.tiny import heads
from clipdemo.tiny.batches import Recipe
from clipdemo.tiny.text_stage import TextRecipe
from clipdemo.tiny.train_backbone import train_backbone

RECIPE = Recipe(width=8, layers=(1, 1, 1, 1), vocabulary=300, steps=6, batch=16, captions=12,
                text_every=2, sizes=((0.0, 64), (0.5, 96)), drawn=4, seed=1)  # fmt: skip
TEXT = TextRecipe(steps=3, pairs=8, alone=4)


def train_small(data: Path, work: Path, out: Path, start: Path | None = None) -> None:
    """Train towers and heads in a few steps, each of them saved."""
    heads.SETTINGS = {mode: FitSettings(hidden=(8,), epochs=1) for mode in heads.SETTINGS}
    train_backbone(data, work, out, RECIPE, TEXT, every=0.0, start=start)
