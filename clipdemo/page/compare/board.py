"""What the board shows: scores of the trained heads and of labels that the user typed in."""

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

    `own` are those of the card's labels that a visitor typed in.
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
        "notice": None,
        "waiting": False,
        "truth": [],
    }


def scored(model: BackgroundModel, path: str | None, caption: str | None, own: str | None) -> dict:
    """The board with scores per mode, in the order of its labels.

    An input that cannot be read is left out, and `notice` is one sentence about it.
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
    return board | {"notice": next(filter(None, said), None)}


def scores(classifier: "Classifier", path: str | None, caption: str | None) -> dict[str, list]:
    """Scores per mode, in the order of the labels."""
    found = classifier.predict(path, caption).scores
    return {mode: list(values.values()) for mode, values in found.items()}


class WithOwn(NamedTuple):
    """A classifier that scores typed labels as well, their names, and what was left out of them."""

    classifier: "Classifier"
    names: list[str]
    notice: str | None


def with_own(classifier: "Classifier", text: str | None) -> WithOwn:
    """A classifier and the labels that a visitor typed in, separated by commas or lines.

    Those that it knows already, or that cannot be looked for, are left out.
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
        notice = f"Labels of over {LONGEST_LABEL} characters are left out: make them shorter."
    if len(chosen) > MAX_NAMED:
        notice = f"Only the first {MAX_NAMED} of these {len(chosen)} labels are looked for."
        chosen = chosen[:MAX_NAMED]
    return WithOwn(classifier.extended(chosen) if chosen else classifier, chosen, notice)
