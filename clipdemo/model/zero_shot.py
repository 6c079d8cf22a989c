"""Zero-shot heads: any labels, from their names alone."""

import numpy as np
import torch
from torch import nn

from clipdemo.inputs.labels import LabelSet
from clipdemo.model.checkpoints import Card, zero_shot_card
from clipdemo.model.embeddings import Encoder
from clipdemo.model.heads import MeanHead, SigmoidHead, ZeroShotHead

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


def zero_shot_heads(encoder: Encoder, labels: LabelSet) -> tuple[Card, dict[str, nn.Module]]:
    """A card and heads of the three modes for any labels; every threshold is 0.5.

    A backbone with a sigmoid loss directly gives a label's probability for a photo, but not for a
    caption: two sentences are always much closer to each other than to a photo. Captions are
    therefore compared with the background, whatever the backbone.
    """
    backbone = encoder.backbone
    sentences = [sentence for name in labels.names for sentence in prompts(name)]
    rows = np.stack(encoder.captions([*sentences, *BACKGROUND]))
    rows, background = (torch.from_numpy(part) for part in np.split(rows, [len(sentences)]))
    means = rows.view(len(labels), len(TEMPLATES), backbone.width).mean(1)
    means = torch.nn.functional.normalize(means, dim=-1)
    image = text = ZeroShotHead(means, background, backbone.logit_scale)
    if backbone.logit_bias is not None:
        image = SigmoidHead(means, backbone.logit_scale, backbone.logit_bias)
    heads = {"image": image, "text": text, "concat": MeanHead(image, text)}
    card = zero_shot_card(backbone.id, labels)
    return card, {mode: head.eval() for mode, head in heads.items()}
