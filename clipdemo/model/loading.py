"""`load`: a classifier, ready to use. torch is imported only when it is called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clipdemo.hub.fetch import Fetch
    from clipdemo.model.classifier import Classifier


def load(
    backbone: str = "auto",
    *,
    device: str = "auto",
    checkpoint: str | Path | None = None,
    labels: Sequence[str] | None = None,
    precision: str = "auto",
    watch: Callable[[Fetch], object] = lambda fetch: None,
) -> Classifier:
    """A ready classifier; a backbone that is not on this machine is downloaded first.

    Args:
        backbone: a backbone id; `auto`: the checkpoint's own, else that of `choice.choose`.
        device: `auto`, or a torch device such as `cpu` or `cuda`.
        checkpoint: folder of heads; by default the backbone's own under `checkpoints/`. A backbone
            without any gets zero-shot heads for the 18 labels.
        labels: names of any labels, for zero-shot heads instead.
        precision: `auto`, `fp32`, `bf16` or `fp16`.
        watch: called with the download (`hub.Fetch`: done, total, cancel) if there is one.

    Raises:
        BackboneError: the backbone cannot be loaded.
        CheckpointError: the heads do not fit it.
        LabelError: there is no label, or there are too many.
    """
    from clipdemo.hub.catalog import has_cuda
    from clipdemo.inputs.labels import COCO18, named_labels
    from clipdemo.model.backbones import Backbone
    from clipdemo.model.checkpoints import find_card, has_card
    from clipdemo.model.choice import choose
    from clipdemo.model.classifier import Classifier, load_card
    from clipdemo.model.embeddings import Encoder
    from clipdemo.model.zero_shot import zero_shot_heads

    options = {"device": device, "precision": precision, "watch": watch}
    if backbone == "auto" and checkpoint is None:
        backbone = choose(has_cuda()).backbone
    if labels is None and (checkpoint is not None or has_card(backbone)):
        return load_card(find_card(backbone, checkpoint), backbone, **options)
    if backbone == "auto":
        backbone = find_card(backbone, checkpoint).backbone
    wanted = COCO18 if labels is None else named_labels(labels)
    encoder = Encoder(Backbone(backbone, **options))
    return Classifier(encoder, *zero_shot_heads(encoder, wanted))
