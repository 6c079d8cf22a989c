"""Second stage: the text tower alone, against the trained image tower (Zhai et al. 2022, LiT).

With the image tower frozen, its embeddings are computed once, so a step can compare hundreds of
pairs, and captions without a photo get their full share. The tower starts from random weights
again: in the first stage it saw the captions too often. The labels are softened with out-of-fold
predictions of bags of words, which keeps the tower from memorising the captions (self-distillation;
Furlanello et al. 2018).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from torch.utils.data import Dataset

from clipdemo.inspection.metrics import mean_average_precision
from clipdemo.tiny import joint_model as joint
from clipdemo.tiny.batches import Data, drop_words
from clipdemo.tiny.training import LoopRecipe, train


@dataclass(frozen=True)
class TextRecipe(LoopRecipe):
    """The settings of the stage."""

    steps: int = 2000
    rate: float = 1.5e-3
    decay: float = 0.1
    warmup: float = 0.1
    average: int = 200
    pairs: int = 96  # of photo and caption, per step
    alone: int = 160  # captions without a photo, per step
    dropout: float = 0.3  # of the auxiliary head
    word_dropout: float = 0.15
    contrast: float = 0.5  # weight of the contrastive loss next to the labels' 1
    soft: float = 0.6  # the bags of words' share in the targets


def bags_of_words() -> Pipeline:
    """A logistic regression per label on TF-IDF of words, word pairs and character n-grams."""
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    letters = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(2, 5), min_df=3, sublinear_tf=True, max_features=40_000
    )
    regression = LogisticRegression(C=4, solver="liblinear")
    return make_pipeline(make_union(words, letters), OneVsRestClassifier(regression))


def text_targets(data: Data, share: float) -> tuple[np.ndarray, list[np.ndarray]]:
    """Targets [N, L] of captions without a photo, and per training photo of its captions [C, L].

    The bags of words have the share `share` in them, except where a photo's labels are annotated.
    """
    pack, texts, labels = data.pack, data.rows.train, data.rows.train_labels > 0.5
    bags = bags_of_words()
    unseen = cross_val_predict(bags, texts, labels, cv=3, method="predict_proba")
    alone = (1 - share) * labels + share * unseen
    captions = [c for r in data.train for c in pack.captions[r]]
    counts = [len(pack.captions[r]) for r in data.train]
    rows = np.repeat(data.train, counts)
    predicted = bags.fit(texts, labels).predict_proba(captions)
    soft = np.where(pack.annotated[rows], 0, share)[:, None]
    paired = (1 - soft) * pack.known[rows] + soft * predicted
    return alone.astype(np.float32), np.split(paired.astype(np.float32), np.cumsum(counts)[:-1])


class TextBatches(Dataset):
    """Captions, those of photos first, with their labels and the photos' embeddings."""

    def __init__(self, data: Data, image: np.ndarray, recipe: TextRecipe) -> None:
        """image: [N, WIDTH] embeddings of the training photos."""
        self.data, self.image, self.recipe = data, image, recipe
        self.alone, self.paired = text_targets(data, recipe.soft)
        self.captioned = np.flatnonzero([len(targets) for targets in self.paired])
        self.weight = np.where(data.pack.annotated[data.train], 1, 0.3).astype(np.float32)

    def __getitem__(self, step: int) -> dict:
        """The batch of a step."""
        data, recipe = self.data, self.recipe
        rng = np.random.default_rng((recipe.seed, step))
        pair = rng.choice(self.captioned, recipe.pairs, replace=False)
        which = [rng.integers(len(self.paired[i])) for i in pair]
        alone = rng.integers(len(data.text_tokens), size=recipe.alone)
        tokens = [data.tokens[data.train[i]][w] for i, w in zip(pair, which, strict=True)]
        tokens += [data.text_tokens[i] for i in alone]
        paired = [self.paired[i][w] for i, w in zip(pair, which, strict=True)]
        weight = np.append(self.weight[pair], np.ones(len(alone), np.float32))
        return {
            "tokens": [drop_words(t, rng, recipe.word_dropout) for t in tokens],
            "targets": torch.from_numpy(np.concatenate([paired, self.alone[alone]])),
            "weight": torch.from_numpy(weight),
            "image": torch.from_numpy(self.image[pair]),
        }


def train_text(
    data: Data, image: np.ndarray, work: Path, recipe: TextRecipe, every: float, version: str
) -> torch.nn.Module:
    """Train a new text tower for the embeddings [N, WIDTH] of the training photos.

    Args:
        version: sha256 of the image tower's weights; if it changes, training starts again.

    Returns:
        An open_clip model whose text tower and logit scale are trained.
    """
    torch.manual_seed(recipe.seed)
    module = joint.Joint(joint.new_model(work / "model"), data.pack.labels.shape[1])
    module.model.visual.requires_grad_(False)
    module.text_head[2].p = recipe.dropout

    def losses(module: joint.Joint, batch: dict) -> dict[str, torch.Tensor]:
        text, image = module.texts(batch["tokens"]), batch["image"]
        logits = module.text_head(text * joint.SCALE)
        labels = joint.label_loss(logits, batch["targets"], batch["weight"])
        contrast = module.contrast(image, text[: len(image)])
        return {"contrast": contrast, "total": labels + recipe.contrast * contrast}

    def check(module: joint.Joint, step: int) -> dict[str, float]:
        logits = module.text_head(module.texts(data.check_tokens) * joint.SCALE)
        return {"text": mean_average_precision(data.rows.check_labels, logits.numpy())}

    batches = TextBatches(data, image, recipe)
    return train(module, batches, losses, check, recipe, work, "text", every, version).model
