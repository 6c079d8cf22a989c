"""clipdemo: what a photo says, what its caption says, and what both say together.

    clf = clipdemo.load("auto")
    p = clf.predict("photo.jpg", "a dog on a bench")
    p.scores["concat"]["dog"]
    p.labels("concat", rule="tuned")

Importing this package loads no torch; `load` does.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clipdemo.errors import BackboneError, CheckpointError, ClipdemoError, PhotoError, TableError

if TYPE_CHECKING:
    from clipdemo.classifier import Classifier, Prediction

__all__ = [
    "BackboneError", "CheckpointError", "Classifier", "ClipdemoError", "PhotoError", "Prediction",
    "TableError", "load",
]  # fmt: skip


def __getattr__(name: str):
    if name in ("Classifier", "Prediction"):
        from clipdemo import classifier

        return getattr(classifier, name)
    raise AttributeError(f"module 'clipdemo' has no attribute {name!r}")


def load(
    backbone: str = "auto", *, device: str = "auto", checkpoint: str | Path | None = None
) -> Classifier:
    """A ready classifier.

    Args:
        backbone: a backbone id; `auto` is the checkpoint's own, or the bundled `tiny`.
        device: `auto`, or a torch device such as `cpu` or `cuda`.
        checkpoint: folder of heads; by default the backbone's own under `checkpoints/`.

    Raises:
        BackboneError: the backbone cannot be loaded.
        CheckpointError: there are no heads for it, or they do not fit it.
    """
    from clipdemo.checkpoints import find_card
    from clipdemo.classifier import load_card

    return load_card(find_card(backbone, checkpoint), device, backbone)
