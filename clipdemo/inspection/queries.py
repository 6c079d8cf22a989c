"""Error analysis: which rows of a table a query finds, and how often a label goes wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from clipdemo.inspection.predictions import MISSING, STEPS, Predictions, first_step

OUTCOMES = ("", "error", "found", "false", "missed")
READS_MOST = ("concat", "mutan", "text", "image")
INSTEAD = 8  # at most so many labels are listed as given instead


@dataclass(frozen=True)
class Query:
    """Filters, all of which a row must pass; each is off by default.

    Attributes:
        mode: whose scores and decisions count.
        thresholds: per mode [L].
        label: the label looked at; None: any of them.
        outcome: `found` (true and predicted), `false` (predicted, not true), `missed` (true, not
            predicted), `error` (one of the last two).
        instead: a label that is predicted wrongly where `label` is missed, or missed where `label`
            is predicted wrongly.
        disagree: the modes decide differently.
        low, high: bounds of the score.
        text: part of the caption, in any case.
        suspect: the table's label is probably wrong, according to cleanlab.
        rows: only these, such as rows with a finding, or selected on the map.
    """

    mode: str
    thresholds: dict[str, np.ndarray]
    label: int | None = None
    outcome: str = ""
    instead: int | None = None
    disagree: bool = False
    low: float = 0.0
    high: float = 1.0
    text: str = ""
    suspect: bool = False
    rows: list[int] | None = None


class Inspection:
    """Predictions, for repeated queries with other filters and thresholds."""

    def __init__(self, found: Predictions) -> None:
        self.found = found
        self._captions = found.captions.str.casefold().astype("string[pyarrow]")

    def counts(self) -> np.ndarray:
        """How many scores are at each step, [M, L, 2, STEPS + 1] uint32; true labels second.

        Precision, recall, F1, average precision and reliability at every threshold follow from
        these sums, however many rows there are.
        """
        truth = self.found.truth
        counts = np.zeros((len(self.found.scores), truth.shape[1], 2, STEPS + 1), np.uint32)
        for mode, steps in enumerate(self.found.scores.values()):
            for label in range(truth.shape[1]):
                column, known = steps[:, label], steps[:, label] != MISSING
                for is_true in (0, 1):
                    at = column[known & (truth[:, label] == bool(is_true))]
                    counts[mode, label, is_true] = np.bincount(at, minlength=STEPS + 1)
        return counts

    def decisions(self, query: Query, mode: str) -> np.ndarray:
        """[N, L or 1] bool, what a mode predicts for the labels that are looked at."""
        steps = self._columns(self.found.scores[mode], query)
        return (steps >= self._cuts(query, mode)) & (steps != MISSING)

    def select(self, query: Query) -> np.ndarray:
        """The rows that pass, first those whose score is furthest on the wrong side."""
        steps = self._columns(self.found.scores[query.mode], query)
        truth = self._columns(self.found.truth, query)
        known, on = steps != MISSING, self.decisions(query, query.mode)
        here = known & _outcome(query.outcome, truth, on)
        if (query.low, query.high) != (0, 1):
            here &= (steps / STEPS >= query.low) & (steps / STEPS <= query.high)
        if query.instead is not None:
            here &= self._instead(query)
        if query.disagree:
            here &= self._disagree(query)
        if query.suspect:
            here &= self._columns(self.suspects, query)
        passed = here.any(1)
        if query.text:
            text = query.text.casefold()
            passed &= self._captions.str.contains(text, regex=False).to_numpy(bool)
        if query.rows is not None:
            chosen = np.zeros(len(passed), bool)
            chosen[query.rows] = True
            passed &= chosen
        rows = np.flatnonzero(passed)
        past = steps[rows].astype(np.int32) - self._cuts(query, query.mode)
        wrong = np.where(truth[rows], -past, past)
        wrong = np.where(here[rows], wrong, -2 * STEPS).max(1, initial=-2 * STEPS)
        return rows[np.argsort(-wrong, kind="stable")]

    def instead(self, query: Query) -> dict:
        """Which labels are given instead of the query's label, and which it is given instead of.

        Returns:
            `missed` and `false`, in how many rows the label goes wrong that way; `predicted`, the
            labels that are predicted wrongly where it is missed, and `lacking`, those that are
            missed where it is predicted wrongly, as [place, rows], the most frequent first.
        """
        everything = replace(query, label=None)
        on, truth = self.decisions(everything, query.mode), self.found.truth
        known = self.found.scores[query.mode][:, query.label] != MISSING
        its, predicted = truth[:, query.label] & known, on[:, query.label]
        missed, false = its & ~predicted, predicted & ~its & known
        return {
            "missed": int(missed.sum()),
            "false": int(false.sum()),
            "predicted": _most((on & ~truth)[missed]),
            "lacking": _most((truth & ~on)[false]),
        }

    @cached_property
    def known(self) -> dict[str, int]:
        """Per mode, the number of rows that have its input."""
        return {m: int((s[:, 0] != MISSING).sum()) for m, s in self.found.scores.items()}

    @cached_property
    def judge(self) -> str:
        """The mode that finds probably wrong labels: most rows first, then most input."""
        return max(self.known, key=lambda mode: (self.known[mode], -READS_MOST.index(mode)))

    @cached_property
    def suspects(self) -> np.ndarray:
        """[N, L] bool, whether the table's label is probably wrong, from the scores of `judge`.

        Confident learning, label by label (Northcutt et al. 2021; Thyagarajan et al. 2022), as
        cleanlab does it.
        """
        from cleanlab.multilabel_classification.filter import find_multilabel_issues_per_class

        steps = self.found.scores[self.judge]
        known = steps[:, 0] != MISSING
        truth = self.found.truth[known]
        suspects = np.zeros(self.found.truth.shape, bool)
        if len(truth):
            suspects[known] = find_multilabel_issues_per_class(
                [np.flatnonzero(row).tolist() for row in truth], steps[known] / STEPS, n_jobs=1
            )
        return suspects

    def _instead(self, query: Query) -> np.ndarray:
        """[N, 1] bool, whether the other label goes wrong the other way."""
        other = replace(query, label=query.instead)
        truth, on = self._columns(self.found.truth, other), self.decisions(other, query.mode)
        return _outcome("missed" if query.outcome == "false" else "false", truth, on)

    def _disagree(self, query: Query) -> np.ndarray:
        """[N, L or 1] bool, whether two modes that have their input decide differently."""
        any_on = any_off = False
        for mode, steps in self.found.scores.items():
            on, known = self.decisions(query, mode), self._columns(steps, query) != MISSING
            any_on, any_off = any_on | on, any_off | (known & ~on)
        return any_on & any_off

    def _cuts(self, query: Query, mode: str) -> np.ndarray:
        """[1, L or 1], the lowest step that is predicted."""
        return self._columns(first_step(query.thresholds[mode])[None], query)

    def _columns(self, table: np.ndarray, query: Query) -> np.ndarray:
        return table if query.label is None else table[:, query.label : query.label + 1]


def _outcome(outcome: str, truth: np.ndarray, on: np.ndarray) -> np.ndarray | bool:
    if outcome == "found":
        return truth & on
    if outcome == "false":
        return on & ~truth
    if outcome == "missed":
        return truth & ~on
    return truth != on if outcome == "error" else True


def _most(rows: np.ndarray) -> list[list[int]]:
    """[place, rows] of the columns that are most often true in rows [N, L]."""
    count = rows.sum(0)
    most = np.argsort(-count, kind="stable")[:INSTEAD]
    return [[int(i), int(count[i])] for i in most if count[i]]
