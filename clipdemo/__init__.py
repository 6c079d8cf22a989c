"""clipdemo: what a photo says, what its caption says, and what both say together.

    clf = clipdemo.load("auto")
    p = clf.predict("photo.jpg", "a dog on a bench")
    p.scores["concat"]["dog"]
    p.labels("concat", rule="tuned")

Importing this package loads no torch; `load` does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from clipdemo.errors import (
    BackboneError,
    CheckpointError,
    ClipdemoError,
    LabelError,
    PhotoError,
    TableError,
)

if TYPE_CHECKING:
    from clipdemo.classifier import Classifier, Prediction
    from clipdemo.hub import Fetch

__all__ = [
    "BackboneError", "CheckpointError", "Classifier", "ClipdemoError", "LabelError", "PhotoError",
    "Prediction", "TableError", "load",
]  # fmt: skip


def __getattr__(name: str):
    if name in ("Classifier", "Prediction"):
        from clipdemo import classifier

        return getattr(classifier, name)
    raise AttributeError(f"module 'clipdemo' has no attribute {name!r}")


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
            cached (`catalog.best`).
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
    from clipdemo.catalog import best, has_cuda
    from clipdemo.checkpoints import find_card, has_card
    from clipdemo.classifier import load_card, load_zero_shot
    from clipdemo.labels import COCO18, named_labels

    if backbone == "auto" and checkpoint is None:
        backbone = best(has_cuda())
    if labels is not None or (checkpoint is None and not has_card(backbone)):
        wanted = COCO18 if labels is None else named_labels(labels)
        return load_zero_shot(backbone, wanted, device=device, precision=precision, watch=watch)
    card = find_card(backbone, checkpoint)
    return load_card(card, backbone, device=device, precision=precision, watch=watch)
