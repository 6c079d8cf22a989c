"""Results of a batch as CSV and JSON, with the rule and thresholds used.

Importing this module loads no torch. The page's results.js writes the same files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from itertools import chain, repeat
from pathlib import Path
from typing import TYPE_CHECKING

from clipdemo.errors import ClipdemoError
from clipdemo.inputs.atomic import atomic_write
from clipdemo.tables.safe_csv import write_rows

if TYPE_CHECKING:
    from clipdemo.inspection.batch import Result
    from clipdemo.model.checkpoints import Card


@dataclass(frozen=True)
class Rule:
    """A rule and its parameters, as `Prediction.labels` takes them."""

    rule: str = "tuned"
    threshold: float = 0.5
    k: int = 3
    recall: float = 0.9

    def used(self) -> dict[str, object]:
        """The rule and the parameter that it uses, if any."""
        number = {"fixed": "threshold", "top-k": "k", "recall": "recall"}.get(self.rule)
        return {"rule": self.rule} | ({number: getattr(self, number)} if number else {})


def entry(result: Result, rule: Rule) -> dict:
    """A result, JSON-ready: scores, thresholds and labels per mode; `problem` only if there is one.

    Scores are rounded to four decimals before the rule is applied, so that the file is consistent.

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


def columns(modes: list[str], names: tuple[str, ...], scores: bool) -> list[str]:
    """The header of the CSV, with each mode's labels, and its scores if `scores`."""
    pairs = [f"{mode} {name}" for mode in modes for name in names] if scores else []
    return [
        "photo", "caption", "caption by", "rule", *(f"{mode} labels" for mode in modes),
        *pairs, *(f"{pair} threshold" for pair in pairs), "problem",
    ]  # fmt: skip


def line(
    found: dict, rule: Rule, modes: list[str], names: tuple[str, ...], scores: bool
) -> list[object]:
    """The cells of an `entry`, in the order of `columns`; empty where a mode had no input."""

    def numbers(key: str) -> list[object]:
        if not scores:
            return []
        return [found[key].get(mode, {}).get(name, "") for mode in modes for name in names]

    return [
        found["photo"], found["caption"] or "", found["caption_by"] or "",
        " ".join(map(str, rule.used().values())),
        *("; ".join(found["labels"].get(mode, [])) for mode in modes),
        *numbers("scores"), *numbers("thresholds"), found.get("problem", ""),
    ]  # fmt: skip


def check_name(path: Path) -> None:
    """Check that results can be written to this file.

    Raises:
        ClipdemoError: its name ends in neither .csv nor .json.
    """
    if path.suffix.lower() not in (".csv", ".json"):
        raise ClipdemoError(f"{path} is neither a .csv nor a .json: choose one of them.")


def write_results(
    path: Path, entries: Iterable[dict], card: Card, rule: Rule, scores: bool = False
) -> None:
    """Write results of `entry` as JSON, or as CSV, with scores if `scores`.

    Raises:
        ClipdemoError: see `check_name`.
    """
    check_name(path)
    # Without a byte order mark, Excel reads a CSV in the local code page.
    encoding = "utf-8-sig" if path.suffix.lower() == ".csv" else "utf-8"
    with (
        atomic_write(path) as partial,
        partial.open("w", encoding=encoding, errors="backslashreplace", newline="") as file,
    ):
        if encoding == "utf-8-sig":
            shape = list(card.modes), card.labels.names, scores
            write_rows(file, [columns(*shape)])
            write_rows(file, (line(found, rule, *shape) for found in entries))
            return
        head = {"backbone": card.backbone, "head": card.kind} | rule.used()
        file.write(json.dumps(head)[:-1] + ', "photos": [')
        for separator, found in zip(chain(["\n"], repeat(",\n")), entries, strict=False):
            file.write(separator + json.dumps(found))
        file.write("\n]}\n")
