"""What the board shows: scores of the trained heads and of labels that the user typed in."""

import re
from typing import TYPE_CHECKING

from clipdemo.errors import ClipdemoError, PhotoError
from clipdemo.model.checkpoints import Card
from clipdemo.page.shared.models import BackgroundModel

if TYPE_CHECKING:
    from clipdemo.model.classifier import Classifier


def frame(card: Card, own: tuple[str, ...] = ()) -> dict:
    """The board without scores: its rows, modes and thresholds (tuned, and by recall)."""
    names = [*card.labels.names, *own]
    middle = [0.5] * len(own)
    return {
        "backbone": card.backbone,
        "head": card.kind,
        "modes": list(card.modes),
        "labels": names,
        "zeroShot": names if card.kind == "zero-shot" else list(own),
        "tuned": {mode: entry["thresholds"] + middle for mode, entry in card.modes.items()},
        "recall": {
            mode: {key: line + middle for key, line in entry.get("recall", {}).items()}
            for mode, entry in card.modes.items()
        },
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
        classifier = model.get()
    except ClipdemoError as error:
        return {"scores": {}, "notice": str(error), "waiting": False}
    board, notice = frame(classifier.card), None
    try:
        try:
            board["scores"] = scores(classifier, path, caption)
        except PhotoError as error:
            path, notice = None, str(error)
            board["scores"] = scores(classifier, None, caption)
        names = own_names(own, classifier.card)
        if names:
            added = classifier.zero_shot(names)
            extra = scores(added, path, caption)
            board = frame(classifier.card, added.card.labels.names) | {
                "scores": {
                    mode: row + extra[zero_shot_mode(mode)] for mode, row in board["scores"].items()
                }
            }
    except ClipdemoError as error:
        notice = str(error)
    return board | {"notice": notice or classifier.too_long(caption)}


def scores(classifier: "Classifier", path: str | None, caption: str | None) -> dict[str, list]:
    """Scores per mode, in the order of the labels."""
    found = classifier.predict(path, caption).scores
    return {mode: list(values.values()) for mode, values in found.items()}


def own_names(text: str | None, card: Card) -> list[str]:
    """Typed label names, separated by commas, semicolons or lines, without those of the card."""
    names = [name.strip() for name in re.split(r"[,;\n]", text or "")]
    known = {name.casefold() for name in card.labels.names}
    return [name for name in names if name and name.casefold() not in known]


def zero_shot_mode(mode: str) -> str:
    """The mode in which typed labels are scored: zero-shot joins photo and caption as `concat`."""
    return "concat" if mode == "mutan" else mode
