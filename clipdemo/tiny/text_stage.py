"""Second stage: the text tower alone, against the image tower as it now is (Zhai et al. 2022, LiT).

With the image tower locked its embeddings are computed once, so a step can compare hundreds of
pairs, and the captions that have no photo get their full share. The tower starts anew: what the
first stage made of it has seen the captions too often. The labels are softened by two bags of words
that have not seen the caption in question, which is what keeps the tower from learning the captions
by heart (self-distillation; Furlanello et al. 2018).
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from torch.nn import functional as F

from clipdemo.study.fit import mean_average_precision
from clipdemo.tiny import joint_model as joint
from clipdemo.tiny.batches import Data, drop_words, pad


@dataclass(frozen=True)
class TextRecipe:
    """Every knob of the stage."""

    steps: int = 2000
    pairs: int = 96  # photo and caption, per step
    alone: int = 160  # captions with labels only, per step
    rate: float = 1.5e-3
    decay: float = 0.1
    dropout: float = 0.3  # of the head that only teaches the tower
    word_dropout: float = 0.15
    contrast: float = 0.5  # weight of the contrastive loss beside the labels' 1
    soft: float = 0.6  # share of the bags of words in the targets
    average: int = 200  # steps that the kept weights are averaged over
    seed: int = 0


class BagsOfWords:
    """Logistic regressions on TF-IDF of words and word pairs, and of letters within words."""

    def __init__(self, texts: list[str], labels: np.ndarray) -> None:
        """Of texts and their labels [N, L]."""
        words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
        letters = TfidfVectorizer(
            analyzer="char_wb", ngram_range=(2, 5), min_df=3, sublinear_tf=True, max_features=40_000
        )
        self._bags = [(bag, bag.fit_transform(texts)) for bag in (words, letters)]
        self._labels = labels > 0.5

    def unseen(self) -> np.ndarray:
        """[N, L] chances of the labels of its own texts, by models not fitted on that text."""
        return self._mean(
            lambda bag, x, model, y: cross_val_predict(
                model, x, y, cv=3, method="decision_function"
            )
        )

    def predict(self, texts: list[str]) -> np.ndarray:
        """[M, L] chances of the labels of other texts."""
        return self._mean(
            lambda bag, x, model, y: model.fit(x, y).decision_function(bag.transform(texts))
        )

    def _mean(self, logits: Callable[..., np.ndarray]) -> np.ndarray:
        """Chances from the mean of both bags' logits; zero for labels with hardly a text."""
        columns = []
        for y in self._labels.T:
            if min(y.sum(), (~y).sum()) < 3:
                columns.append(None)
                continue
            both = [logits(bag, x, LogisticRegression(C=4, solver="liblinear"), y)
                    for bag, x in self._bags]  # fmt: skip
            columns.append(1 / (1 + np.exp(-np.mean(both, 0))))
        rows = max(len(c) for c in columns if c is not None)
        zero = np.zeros(rows)
        return np.stack([zero if c is None else c for c in columns], 1).astype(np.float32)


def encode(module: joint.Joint, tokens: list[torch.Tensor]) -> torch.Tensor:
    """Embeddings [N, WIDTH] of captions; those of like length are padded together."""
    order = np.argsort([len(t) for t in tokens], kind="stable")
    parts = np.array_split(order, -(-len(order) // 48))
    found = torch.cat([module.text(pad([tokens[i] for i in part])) for part in parts])
    return found[torch.from_numpy(np.argsort(order))]


def text_targets(data: Data, share: float) -> tuple[np.ndarray, list[np.ndarray]]:
    """Labels [N, L] of the captions alone, and per training photo of its captions [C, L].

    `share` of them comes from the bags of words, save where a photo's labels are annotated.
    """
    pack = data.pack
    bags = BagsOfWords(data.texts, data.text_labels)
    alone = (1 - share) * data.text_labels + share * bags.unseen()
    known = np.where(np.isnan(pack.labels), pack.soft, pack.labels).astype(np.float32)
    captions = [c for r in data.train for c in pack.captions[r]]
    of_photo = np.repeat(np.arange(len(data.train)), [len(pack.captions[r]) for r in data.train])
    soft = np.where(annotated(data)[of_photo], 0, share)[:, None]
    mixed = (1 - soft) * known[data.train][of_photo] + soft * bags.predict(captions)
    ends = np.cumsum([len(pack.captions[r]) for r in data.train])[:-1]
    return alone.astype(np.float32), np.split(mixed.astype(np.float32), ends)


def annotated(data: Data) -> np.ndarray:
    """[N] bool: training photos of the sets in which all labels were annotated."""
    return np.isin(data.pack.sets[data.train], ("comp5329", "coco"))


def train_text(
    model: torch.nn.Module, image: np.ndarray, data: Data, recipe: TextRecipe, log: Path
) -> None:
    """Train `model.text`, which may have random weights, in place.

    Args:
        model: the open_clip model.
        image: [N, WIDTH] embeddings of the training photos `data.train` by its image tower.
    """
    alone_targets, pair_targets = text_targets(data, recipe.soft)
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    module = joint.Joint(model, data.text_labels.shape[1])
    module.text_head[2].p = recipe.dropout
    parameters = [*model.text.parameters(), *module.text_head.parameters(), model.logit_scale]
    average = [p.detach().clone() for p in parameters]
    optimizer = torch.optim.AdamW(
        parameters, recipe.rate, betas=(0.9, 0.98), weight_decay=recipe.decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.rate, recipe.steps, pct_start=0.1
    )
    captioned = np.array([i for i, targets in enumerate(pair_targets) if len(targets)])
    trusted = np.where(annotated(data), 1, 0.3).astype(np.float32)
    image = torch.from_numpy(image)
    scale, started = joint.WIDTH**0.5, time.monotonic()
    module.train()
    for step in range(recipe.steps):
        pair = rng.choice(captioned, recipe.pairs, replace=False)
        which = [rng.integers(len(pair_targets[i])) for i in pair]
        alone = rng.integers(len(data.texts), size=recipe.alone)
        tokens = [data.tokens[data.train[i]][w] for i, w in zip(pair, which, strict=True)]
        tokens += [data.text_tokens[i] for i in alone]
        lengths = [len(t) for t in tokens]
        dropped = drop_words(torch.cat(tokens), rng, recipe.word_dropout)
        text = encode(module, dropped.split(lengths))
        rows = [pair_targets[i][w] for i, w in zip(pair, which, strict=True)]
        targets = torch.from_numpy(np.concatenate([rows, alone_targets[alone]]))
        weight = torch.from_numpy(np.append(trusted[pair], np.ones(len(alone), np.float32)))
        found = module.text_head(text * scale)
        losses = F.binary_cross_entropy_with_logits(found, targets, reduction="none").sum(1)
        logits = model.logit_scale.exp().clamp(max=100) * image[pair] @ text[: len(pair)].T
        same = torch.arange(len(pair))
        contrast = (F.cross_entropy(logits, same) + F.cross_entropy(logits.T, same)) / 2
        loss = (losses * weight).sum() / weight.sum() + recipe.contrast * contrast
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 2.0)
        optimizer.step()
        schedule.step()
        with torch.no_grad():
            share = 1 - min(1 - 1 / recipe.average, (1 + step) / (10 + step))
            torch._foreach_lerp_(average, parameters, share)
        if (step + 1) % 200 == 0 or step + 1 == recipe.steps:
            entry = {"stage": "text", "step": step + 1, "loss": loss.item()}
            entry |= {"contrast": contrast.item()}
            with at(parameters, average), torch.inference_mode():
                module.eval()
                logits = module.text_head(encode(module, data.check_tokens) * scale)
                module.train()
            entry |= {"text": mean_average_precision(data.check_labels, logits.numpy())}
            entry |= {"seconds": round(time.monotonic() - started, 1)}
            with log.open("a") as file:
                file.write(json.dumps(entry) + "\n")
            print(entry, flush=True)
    with torch.no_grad():
        torch._foreach_copy_(parameters, average)
    model.eval()


@contextmanager
def at(parameters: list[torch.Tensor], values: list[torch.Tensor]) -> Iterator[None]:
    """The parameters have these values inside."""
    own = [p.detach().clone() for p in parameters]
    with torch.no_grad():
        torch._foreach_copy_(parameters, values)
    yield
    with torch.no_grad():
        torch._foreach_copy_(parameters, own)
