"""Second stage: the text tower alone, against the image tower as it now is (Zhai et al. 2022, LiT).

With the image tower locked its embeddings are computed once, so a step can compare hundreds of
pairs, and the captions that have no photo get their full share.
"""

import copy
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from clipdemo.training import joint
from clipdemo.training.backbone import Data, drop_words, pad
from clipdemo.training.fit import mean_average_precision


@dataclass(frozen=True)
class TextRecipe:
    """Every knob of the stage."""

    cycles: int = 2  # each of its own: new optimizer, rate up and down again
    steps: int = 700  # per cycle
    pairs: int = 96  # photo and caption, per step
    alone: int = 160  # captions with labels only, per step
    rate: float = 1e-3
    decay: float = 0.1
    word_dropout: float = 0.15
    contrast: float = 0.5  # weight of the contrastive loss beside the labels' 1
    seed: int = 0


def train_text(
    model: torch.nn.Module, image: np.ndarray, data: Data, recipe: TextRecipe, log: Path
) -> None:
    """Train `model.text` in place; the best validation mAP's weights are kept.

    Args:
        model: the open_clip model.
        image: [N, WIDTH] embeddings of the training photos `data.train` by its image tower.
    """
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    pack, labels = data.pack, data.text_labels.shape[1]
    module = joint.Joint(model, labels)
    parameters = [*model.text.parameters(), *module.text_head.parameters()]
    parameters.append(model.logit_scale)
    optimizer = torch.optim.AdamW(
        parameters, recipe.rate, betas=(0.9, 0.98), weight_decay=recipe.decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.rate, recipe.steps, pct_start=0.1
    )
    captioned = np.array([i for i, r in enumerate(data.train) if data.tokens[r]])
    chance = np.where(pack.sets[data.train[captioned]] == "flickr8k", 1.0, 0.7)
    chance /= chance.sum()
    image = torch.from_numpy(image)
    known = np.where(np.isnan(pack.labels), pack.soft, pack.labels).astype(np.float32)
    named = np.isin(pack.sets, ("comp5329", "coco"))
    scale, bce = joint.WIDTH**0.5, F.binary_cross_entropy_with_logits
    best, kept, started = -1.0, None, time.monotonic()
    for step in range(recipe.steps):
        module.train()
        looked = rng.choice(captioned, recipe.pairs, replace=False, p=chance)
        pair = data.train[looked]
        alone = rng.integers(len(data.text_tokens), size=recipe.alone)
        tokens = [data.tokens[r][rng.integers(len(data.tokens[r]))] for r in pair]
        tokens += [data.text_tokens[i] for i in alone]
        text = module.text(drop_words(pad(tokens), rng, recipe.word_dropout))
        targets = torch.from_numpy(np.concatenate([known[pair], data.text_labels[alone]]))
        weight = np.concatenate([np.where(named[pair], 1, 0.2), np.ones(len(alone))])
        weight = torch.from_numpy(weight.astype(np.float32))
        per_text = bce(module.text_head(text * scale), targets, reduction="none").sum(1)
        loss = (per_text * weight).sum() / weight.sum()
        logits = model.logit_scale.exp().clamp(max=100) * image[looked] @ text[: len(pair)].T
        same = torch.arange(len(pair))
        contrast = (F.cross_entropy(logits, same) + F.cross_entropy(logits.T, same)) / 2
        optimizer.zero_grad()
        (loss + recipe.contrast * contrast).backward()
        torch.nn.utils.clip_grad_norm_(parameters, 2.0)
        optimizer.step()
        schedule.step()
        if (step + 1) % 200 == 0 or step + 1 == recipe.steps:
            with torch.inference_mode():
                module.eval()
                check = [module.text(pad(data.check_tokens[i : i + 256]))
                         for i in range(0, len(data.check_tokens), 256)]  # fmt: skip
                found = module.text_head(torch.cat(check) * scale).numpy()
            precision = mean_average_precision(data.check_labels, found)
            entry = {"stage": "text", "step": step + 1, "loss": loss.item()}
            entry |= {"contrast": contrast.item(), "text": precision}
            entry |= {"seconds": round(time.monotonic() - started, 1)}
            with log.open("a") as file:
                file.write(json.dumps(entry) + "\n")
            print(entry, flush=True)
            if precision > best:
                best, kept = precision, copy.deepcopy(model.text.state_dict())
    model.text.load_state_dict(kept)
    model.eval()
