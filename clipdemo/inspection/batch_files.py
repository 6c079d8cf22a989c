"""Results of a batch as CSV and JSON, with the rule and the thresholds that were used.

Importing this module loads no torch. The page's results.js writes the same files.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import chain, repeat
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
        """The rule and the number that it depends on, if any."""
        number = {"fixed": "threshold", "top-k": "k", "recall": "recall"}.get(self.rule)
        return {"rule": self.rule} | ({number: getattr(self, number)} if number else {})


def entry(result: Result, rule: Rule) -> dict:
    """A result, JSON-ready: scores, thresholds and labels per mode; `problem` only if there is one.

    Scores are rounded to four decimals before the rule is applied, or the file could contradict
    itself.

    Raises:
        CheckpointError: see `Prediction.labels`.
    """
    scores = {
        mode: {name: round(score, 4) for name, score in values.items()}
        for mode, values in result.prediction.scores.items()
    }
    rounded, options = replace(result.prediction, scores=scores), asdict(rule)
    found = {
        "photo": result.item.name,
        "caption": result.caption,
        "caption_by": (result.written and "model") or (result.caption and "given") or None,
        "scores": scores,
        "thresholds": {mode: rounded.cuts(mode, **options) for mode in scores},
        "labels": {mode: rounded.labels(mode, **options) for mode in scores},
    }
    return found | ({"problem": result.problem} if result.problem else {})


def columns(modes: list[str], names: tuple[str, ...]) -> list[str]:
    """The header of the CSV: one line per photo, with each mode's labels, scores and thresholds."""
    pairs = [f"{mode} {name}" for mode in modes for name in names]
    return [
        "photo", "caption", "caption by", "rule", *(f"{mode} labels" for mode in modes),
        *pairs, *(f"{pair} threshold" for pair in pairs), "problem",
    ]  # fmt: skip


def line(found: dict, rule: Rule, modes: list[str], names: tuple[str, ...]) -> list[object]:
    """The cells of an `entry`, in the order of `columns`; empty where a mode had no input."""

    def numbers(key: str) -> list[object]:
        return [found[key].get(mode, {}).get(name, "") for mode in modes for name in names]

    return [
        found["photo"], found["caption"] or "", found["caption_by"] or "",
        " ".join(map(str, rule.used().values())),
        *("; ".join(found["labels"].get(mode, [])) for mode in modes),
        *numbers("scores"), *numbers("thresholds"), found.get("problem", ""),
    ]  # fmt: skip


@contextmanager
def writing(path: Path, classifier: Classifier, rule: Rule) -> Iterator[Write]:
    """Gives a function that writes results to a `.csv` or `.json` file.

    The file is complete at the end of the block, even if an exception ends it early.

    Raises:
        ClipdemoError: the file is neither.
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
    separators = chain(["\n"], repeat(",\n"))

    def write(results: list[Result]) -> None:
        for result in results:
            file.write(next(separators) + json.dumps(entry(result, rule)))

    try:
        yield write
    finally:
        file.write("\n]}\n")
