"""First stage: image and text tower together, on photos and captions."""

import os
import shutil
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch.nn import functional as F

from clipdemo.study.fit import mean_average_precision
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
    """Take configuration and tokenizer of an earlier checkpoint into a new run."""
    if not (work / "model").is_dir():
        ignored = shutil.ignore_patterns("*.safetensors", "card*")
        shutil.copytree(start, work / "model", ignore=ignored)


def check(module: joint.Joint, data: Data, size: int) -> dict[str, float]:
    """Mean average precision of the auxiliary heads on the validation photos and captions.

    `image`: all photos; `image_comp`, `text_comp` and `concat_comp`: those of comp5329 and their
    captions; `text`: captions alone. `caption_in_10`: how often the image embedding has its own
    caption among its ten nearest.
    """
    pack = data.pack
    rows = np.flatnonzero(pack.validation)
    images = []
    for part in np.array_split(rows, -(-len(rows) // 128)):
        boxes, flip = np.tile(crops.WHOLE, (len(part), 1)), np.zeros(len(part), bool)
        cut = crops.cut([pack.photos[r] for r in part], boxes, flip, size)
        images.append(F.normalize(module.image(crops.normalise(cut))[0], dim=-1))
    images, truth = torch.cat(images), pack.labels[rows]
    comp = pack.sets[rows] == "comp5329"
    captions = module.texts([data.tokens[r][0] for r in rows[comp]])
    nearest = (images[comp] @ captions.T).argsort(1, descending=True)[:, :10]
    in_10 = (nearest == torch.arange(len(captions))[:, None]).any(1)

    def precision(truth: np.ndarray, head: torch.nn.Module, embeddings: torch.Tensor) -> float:
        return mean_average_precision(truth, head(embeddings * joint.SCALE).numpy())

    both = torch.cat([images[comp], captions], 1)
    return {
        "image": precision(truth, module.image_head, images),
        "image_comp": precision(truth[comp], module.image_head, images[comp]),
        "text_comp": precision(truth[comp], module.text_head, captions),
        "concat_comp": precision(truth[comp], module.concat_head, both),
        "text": precision(
            data.rows.check_labels, module.text_head, module.texts(data.check_tokens)
        ),
        "caption_in_10": float(in_10.float().mean()),
    }
