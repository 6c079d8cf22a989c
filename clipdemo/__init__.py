"""clipdemo: what a photo says, what its caption says, and what both say together.

    clf = clipdemo.load("auto")
    p = clf.predict("photo.jpg", "a dog on a bench")
    p.scores["concat"]["dog"]
    p.labels("concat", rule="tuned")

Importing this package loads no torch; `load` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipdemo.errors import (
    BackboneError,
    CheckpointError,
    ClipdemoError,
    LabelError,
    PhotoError,
    TableError,
)
from clipdemo.model.loading import load

if TYPE_CHECKING:
    from clipdemo.model.classifier import Classifier, Prediction

__all__ = [
    "BackboneError", "CheckpointError", "Classifier", "ClipdemoError", "LabelError", "PhotoError",
    "Prediction", "TableError", "load",
]  # fmt: skip


def __getattr__(name: str):
    if name in ("Classifier", "Prediction"):
        from clipdemo.model import classifier

        return getattr(classifier, name)
    raise AttributeError(f"module 'clipdemo' has no attribute {name!r}")
