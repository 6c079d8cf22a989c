"""The data of the board: scores for the labels of the heads and for those that the user typed."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from clipdemo.errors import ClipdemoError, PhotoError
from clipdemo.inputs.captions import clean_caption
from clipdemo.inputs.labels import LONGEST_LABEL, MAX_NAMED
from clipdemo.model.checkpoints import Card
from clipdemo.page.shared.models import BackgroundModel

if TYPE_CHECKING:
    from clipdemo.model.classifier import Classifier


def frame(card: Card, own: Sequence[str] = ()) -> dict:
    """The board without scores: its rows, modes and thresholds (tuned, and by recall).

    `own` are the labels of the card that the visitor typed.
    """
    return {
        "backbone": card.backbone,
        "head": card.kind,
        "modes": list(card.modes),
        "labels": list(card.labels.names),
        "zeroShot": list(card.labels.names if card.kind == "zero-shot" else own),
        "tuned": {mode: entry["thresholds"] for mode, entry in card.modes.items()},
        "recall": {mode: entry.get("recall", {}) for mode, entry in card.modes.items()},
        "oneThreshold": {mode: entry.get("one_threshold") for mode, entry in card.modes.items()},
        "scores": {},
        "photo": None,
        "notice": None,
        "waiting": False,
        "truth": [],
    }


def scored(model: BackgroundModel, path: str | None, caption: str | None, own: str | None) -> dict:
    """The board with scores per mode, in the order of its labels, and the photo that was read.

    An input that cannot be read is left out, with one sentence in `notice`.
    """
    try:
        classifier, names, notice = with_own(model.get(), own)
    except ClipdemoError as error:
        return {"scores": {}, "notice": str(error), "waiting": False}
    board = frame(classifier.card, names)
    try:
        board["scores"] = scores(classifier, path, caption)
    except PhotoError as error:
        path, notice = None, str(error)
        board["scores"] = scores(classifier, None, caption)
    said = notice, path and classifier.notice(path), classifier.too_long(caption)
    return board | {"photo": path, "notice": next(filter(None, said), None)}


def scores(classifier: "Classifier", path: str | None, caption: str | None) -> dict[str, list]:
    """Scores per mode, in the order of the labels."""
    found = classifier.predict(path, caption).scores
    return {mode: list(values.values()) for mode, values in found.items()}


class WithOwn(NamedTuple):
    """A classifier that also scores typed labels, their names, and a sentence on omitted ones."""

    classifier: "Classifier"
    names: list[str]
    notice: str | None


def with_own(classifier: "Classifier", text: str | None) -> WithOwn:
    """The classifier, extended by the labels in a text, separated by commas, semicolons or lines.

    Labels that it already has, that are too long or that are too many are left out.
    """
    names = {}
    for name in re.split(r"[,;\n]", text or ""):
        cleaned = clean_caption(name)
        if cleaned:
            names.setdefault(cleaned.casefold(), cleaned)
    for known in classifier.card.labels.names:
        names.pop(known.casefold(), None)
    chosen = [name for name in names.values() if len(name) <= LONGEST_LABEL]
    notice = None
    if len(chosen) < len(names):
        notice = f"Labels of over {LONGEST_LABEL} characters were left out: make them shorter."
    if len(chosen) > MAX_NAMED:
        notice = f"Only the first {MAX_NAMED} of these {len(chosen)} labels are scored."
        chosen = chosen[:MAX_NAMED]
    return WithOwn(classifier.extended(chosen) if chosen else classifier, chosen, notice)
