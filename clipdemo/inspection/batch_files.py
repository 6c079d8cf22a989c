"""Results as files: CSV and JSON, with the rule and the thresholds that decided.

Importing this module loads no torch. The page's results.js writes the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from clipdemo.errors import ClipdemoError
from clipdemo.tables.safe_csv import write_rows

if TYPE_CHECKING:
    from clipdemo.inspection.batch import Result
    from clipdemo.model.classifier import Classifier

Write = Callable[[list["Result"]], None]


@dataclass(frozen=True)
class Rule:
    """A rule and its numbers, as `Prediction.labels` takes them."""

    rule: str = "tuned"
    threshold: float = 0.5
    k: int = 3
    recall: float = 0.9

    def used(self) -> dict[str, object]:
        """The rule and what it depends on, and nothing else."""
        number = {"fixed": "threshold", "top-k": "k", "recall": "recall"}.get(self.rule)
        return {"rule": self.rule} | ({number: getattr(self, number)} if number else {})


def entry(result: Result, rule: Rule) -> dict:
    """A result, JSON-ready: scores, thresholds and labels per mode; `problem` only if there is one.

    Scores have four decimals, and these decide, or the file could contradict itself.

    Raises:
        CheckpointError: see `Prediction.labels`.
    """
    scores = {
        mode: {name: round(score, 4) for name, score in values.items()}
        for mode, values in result.prediction.scores.items()
    }
    found, options = replace(result.prediction, scores=scores), asdict(rule)
    told = {
        "photo": result.item.name,
        "caption": result.caption,
        "caption_by": (result.written and "model") or (result.caption and "given") or None,
        "scores": scores,
        "thresholds": {mode: found.cuts(mode, **options) for mode in scores},
        "labels": {mode: found.labels(mode, **options) for mode in scores},
    }
    return told | ({"problem": result.problem} if result.problem else {})


def columns(modes: list[str], names: tuple[str, ...]) -> list[str]:
    """The header of the CSV: a line per photo, and per mode its labels, scores and thresholds."""
    pairs = [f"{mode} {name}" for mode in modes for name in names]
    return [
        "photo", "caption", "caption by", "rule", *(f"{mode} labels" for mode in modes),
        *pairs, *(f"{pair} threshold" for pair in pairs), "problem",
    ]  # fmt: skip


def line(told: dict, rule: Rule, modes: list[str], names: tuple[str, ...]) -> list[object]:
    """The cells of an `entry`, in the order of `columns`; empty where a mode had no input."""

    def numbers(key: str) -> list[object]:
        return [told[key].get(mode, {}).get(name, "") for mode in modes for name in names]

    return [
        told["photo"], told["caption"] or "", told["caption_by"] or "",
        " ".join(map(str, rule.used().values())),
        *("; ".join(told["labels"].get(mode, [])) for mode in modes),
        *numbers("scores"), *numbers("thresholds"), told.get("problem", ""),
    ]  # fmt: skip


@contextmanager
def writing(path: Path, classifier: Classifier, rule: Rule) -> Iterator[Write]:
    """Gives a function that writes results to a `.csv` or `.json` file, whole at the end.

    What has been written so far is kept if it ends early.

    Raises:
        ClipdemoError: the file's name ends otherwise.
    """
    kinds = {".csv": _csv, ".json": _json}
    if path.suffix.lower() not in kinds:
        raise ClipdemoError(f"{path} is neither a .csv nor a .json: choose one of them.")
    with (
        path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
        kinds[path.suffix.lower()](file, classifier, rule) as write,
    ):
        yield write


@contextmanager
def _csv(file: TextIO, classifier: Classifier, rule: Rule) -> Iterator[Write]:
    shape = classifier.modes, classifier.card.labels.names
    write_rows(file, [columns(*shape)])
    yield lambda results: write_rows(file, [line(entry(r, rule), rule, *shape) for r in results])


@contextmanager
def _json(file: TextIO, classifier: Classifier, rule: Rule) -> Iterator[Write]:
    head = {"backbone": classifier.backbone.id, "head": classifier.card.kind} | rule.used()
    file.write(json.dumps(head)[:-1] + ', "photos": [')
    between = "\n"

    def write(results: list[Result]) -> None:
        nonlocal between
        for result in results:
            file.write(between + json.dumps(entry(result, rule)))
            between = ",\n"

    try:
        yield write
    finally:
        file.write("\n]}\n")
