"""First stage: image and text tower together, on photos and captions."""

import os
import shutil
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch.nn import functional as F

from clipdemo.inspection.metrics import mean_average_precision
from clipdemo.tiny import crops
from clipdemo.tiny import joint_model as joint
from clipdemo.tiny.batches import Data, JointBatches, Recipe
from clipdemo.tiny.training import train


def train_joint(
    data: Data, work: Path, recipe: Recipe, every: float, start: Path | None = None
) -> joint.Joint:
    """Train the towers, from random weights or, image tower only, from those in `start`.

    Returns:
        The module with averaged weights.
    """
    torch.manual_seed(recipe.seed)
    module = joint.Joint(joint.new_model(work / "model"), data.pack.labels.shape[1])
    if start is not None:
        module.model.load_state_dict(load_file(start / joint.WEIGHTS))
        module.model.text.requires_grad_(False)
    weights = dict(recipe.weights)
    return train(
        module.to(memory_format=torch.channels_last),
        JointBatches(data, recipe),
        lambda module, batch: module(batch, weights),
        lambda module, step: check(module, data, recipe.size_at(step)),
        recipe,
        work,
        "joint",
        every,
        version=str(start),
        workers=(os.cpu_count() or 2) // 2,
    )


def copy_model_files(start: Path, work: Path) -> None:
    """Copy configuration and tokenizer of an earlier checkpoint to a new run."""
    if not (work / "model").is_dir():
        ignored = shutil.ignore_patterns("*.safetensors", "card*")
        shutil.copytree(start, work / "model", ignore=ignored)


def check(module: joint.Joint, data: Data, size: int) -> dict[str, float]:
    """Metrics on the validation photos and captions.

    `image` and `text`: mean average precision of the auxiliary heads, on all photos and on the
    captions without a photo. `caption_in_10`: recall at 10 of a photo's own caption, on comp5329.
    """
    pack = data.pack
    rows = np.flatnonzero(pack.validation)
    images = [
        module.image(crops.whole([pack.photos[r] for r in part], size))[0]
        for part in np.array_split(rows, -(-len(rows) // 128))
    ]
    images = F.normalize(torch.cat(images), dim=-1)
    texts = module.texts(data.check_tokens)
    comp = pack.sets[rows] == "comp5329"
    captions = module.texts([data.tokens[r][0] for r in rows[comp]])
    nearest = (images[comp] @ captions.T).argsort(1, descending=True)[:, :10]
    found = (nearest == torch.arange(len(captions))[:, None]).any(1)
    image_logits = module.image_head(images * joint.SCALE).numpy()
    text_logits = module.text_head(texts * joint.SCALE).numpy()
    return {
        "image": mean_average_precision(pack.labels[rows], image_logits),
        "text": mean_average_precision(data.rows.check_labels, text_logits),
        "caption_in_10": float(found.float().mean()),
    }
