"""Zero-shot heads: any labels, from their names alone."""

import numpy as np
import torch

from clipdemo.inputs.labels import MODES, LabelSet
from clipdemo.model.checkpoints import Card, zero_shot_card
from clipdemo.model.embeddings import Encoder
from clipdemo.model.heads import ZeroShotHead

TEMPLATES = (
    "a photo of {}.",
    "a picture with {} in it.",
    "there is {} in the scene.",
    "a close-up of {}.",
    "{} in the background.",
)
BACKGROUND = (
    "a photo.",
    "a picture of something.",
    "a photo of a place.",
    "there is nothing special in the scene.",
    "a close-up of an object.",
)


def prompts(name: str) -> list[str]:
    """Sentences that name a label (the prompt ensemble of Radford et al. 2021, section 3.1.4)."""
    article = "an" if name[:1].lower() in "aeiou" else "a"
    return [template.format(f"{article} {name}") for template in TEMPLATES]


def zero_shot_heads(encoder: Encoder, labels: LabelSet) -> tuple[Card, dict[str, ZeroShotHead]]:
    """A card and heads of the three modes for any labels; every threshold is 0.5."""
    width = encoder.backbone.width
    sentences = [sentence for name in labels.names for sentence in prompts(name)]
    rows = np.stack(encoder.captions([*sentences, *BACKGROUND]))
    rows, background = (torch.from_numpy(part) for part in np.split(rows, [len(sentences)]))
    means = rows.view(len(labels), len(TEMPLATES), width).mean(1)
    head = ZeroShotHead(
        torch.nn.functional.normalize(means, dim=-1), background, encoder.backbone.logit_scale
    ).eval()
    return zero_shot_card(encoder.backbone.id, labels), dict.fromkeys(MODES, head)
