"""A classifier, ready to use, from a backbone's id; nothing is imported before it is asked for."""

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
    """A ready classifier; a backbone that is asked for by its id is downloaded if need be.

    Args:
        backbone: a backbone id; `auto` is the checkpoint's own, else the best that is bundled or
            cached (`hub.locate.best`).
        device: `auto`, or a torch device such as `cpu` or `cuda`.
        checkpoint: folder of heads; by default the backbone's own under `checkpoints/`. A backbone
            without any gets zero-shot heads for the 18 labels.
        labels: names of any labels, which get zero-shot heads instead.
        precision: `auto`, `fp32`, `bf16` or `fp16`.
        watch: is given the download (`hub.Fetch`: done, total, cancel) if there is one.

    Raises:
        BackboneError: the backbone cannot be loaded.
        CheckpointError: the heads do not fit it.
    """
    from clipdemo.hub.catalog import has_cuda
    from clipdemo.hub.locate import best
    from clipdemo.inputs.labels import COCO18, named_labels
    from clipdemo.model.checkpoints import find_card, has_card
    from clipdemo.model.classifier import load_card, load_zero_shot

    if backbone == "auto" and checkpoint is None:
        backbone = best(has_cuda())
    if labels is not None or (checkpoint is None and not has_card(backbone)):
        wanted = COCO18 if labels is None else named_labels(labels)
        return load_zero_shot(backbone, wanted, device=device, precision=precision, watch=watch)
    card = find_card(backbone, checkpoint)
    return load_card(card, backbone, device=device, precision=precision, watch=watch)
