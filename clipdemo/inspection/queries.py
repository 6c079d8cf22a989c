"""Error analysis: queries for rows of a table, and error counts per label."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from clipdemo.inspection.predictions import MISSING, STEPS, Predictions, first_step

OUTCOMES = ("", "error", "found", "false", "missed")
READS_MOST = ("concat", "mutan", "text", "image")
NOTHING = -1  # in place of a label
PAIRS = 12  # of confused labels, listed at most


@dataclass(frozen=True)
class Query:
    """Filters, all of which a row must pass; each is off by default.

    Attributes:
        mode: whose scores and decisions are used.
        thresholds: per mode [L].
        label: the label to look at; None: any of them.
        outcome: `found` (true and predicted), `false` (predicted, not true), `missed` (true, not
            predicted), `error` (one of the last two).
        instead: the label wrongly predicted where `label` is missed, or missed where it is wrongly
            predicted; NOTHING: there is none.
        disagree: the modes decide differently.
        low, high: bounds of the score.
        text: part of the caption, ignoring case.
        suspect: the table's label is probably wrong, according to cleanlab.
        rows: only these, such as rows with a finding, or a selection on the map.
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
    """Predictions, for repeated queries with different filters and thresholds."""

    def __init__(self, found: Predictions) -> None:
        self.found = found
        self._captions = found.captions.str.casefold().astype("string[pyarrow]")

    def counts(self) -> np.ndarray:
        """Histograms of the scores' steps, [M, L, 2, STEPS + 1] uint32; false labels, then true.

        Precision, recall, F1, average precision and reliability at every threshold follow from
        them, however many rows there are.
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
        """[N, L or 1] bool, a mode's decisions for the query's label or for all."""
        steps = self._columns(self.found.scores[mode], query)
        return (steps >= self._cuts(query, mode)) & (steps != MISSING)

    def select(self, query: Query) -> np.ndarray:
        """The rows that pass, starting with those whose score is furthest on the wrong side."""
        steps = self._columns(self.found.scores[query.mode], query)
        truth = self._columns(self.found.truth, query)
        known, on = steps != MISSING, self.decisions(query, query.mode)
        here = known & _outcome(query.outcome, truth, on)
        if (query.low, query.high) != (0, 1):
            here &= (steps / STEPS >= query.low) & (steps / STEPS <= query.high)
        if query.disagree:
            here &= self._disagree(query)
        if query.suspect:
            here &= self._columns(self.suspects, query)
        passed = here.any(1)
        if query.instead is not None:
            passed &= self._has_instead(query)
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

    def confused(self, query: Query) -> list[list[int]]:
        """Which labels the mode predicts in place of which, the most frequent first, NOTHING last.

        A pair is a label that is missed and one that is wrongly predicted in the same row; labels
        that are correctly predicted there do not count.

        Returns:
            [missed, predicted, rows], at most `PAIRS`, of `query.label` or of all labels; NOTHING
            in place of a label that the row lacks.
        """
        missed, false = self._wrong(query)
        count = np.zeros((missed.shape[1] + 1,) * 2, np.int64)  # NOTHING is last, as an index
        count[:-1, :-1] = missed.T.astype(np.float32) @ false.astype(np.float32)
        count[:-1, NOTHING] = missed[~false.any(1)].sum(0)
        count[NOTHING, :-1] = false[~missed.any(1)].sum(0)
        if query.label is not None:
            of_label = np.zeros(count.shape, bool)
            of_label[query.label] = of_label[:, query.label] = True
            count[~of_label] = 0
        names = [*range(missed.shape[1]), NOTHING]
        first = count > 0
        first[NOTHING] = first[:, NOTHING] = False
        most = np.lexsort((-count.ravel(), ~first.ravel()))[:PAIRS]
        pairs = zip(*np.unravel_index(most, count.shape), strict=True)
        return [[names[a], names[b], int(count[a, b])] for a, b in pairs if count[a, b]]

    @cached_property
    def known(self) -> dict[str, int]:
        """Per mode, the number of rows that have its input."""
        return {m: int((s[:, 0] != MISSING).sum()) for m, s in self.found.scores.items()}

    @cached_property
    def judge(self) -> str:
        """The mode used to find wrong labels: that with most rows, then that with most inputs."""
        return max(self.known, key=lambda mode: (self.known[mode], -READS_MOST.index(mode)))

    @cached_property
    def suspects(self) -> np.ndarray:
        """[N, L] bool, whether the table's label is probably wrong, from the scores of `judge`.

        cleanlab's confident learning, label by label (Northcutt et al. 2021; Thyagarajan et al.
        2022).
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

    def _wrong(self, query: Query) -> tuple[np.ndarray, np.ndarray]:
        """Two [N, L] bool: the labels that the mode misses, and those it wrongly predicts."""
        everything = replace(query, label=None)
        known, truth = self.found.scores[query.mode] != MISSING, self.found.truth
        on = self.decisions(everything, query.mode)
        return known & truth & ~on, on & ~truth

    def _has_instead(self, query: Query) -> np.ndarray:
        """[N] bool, whether the row has the opposite error in the label `query.instead`."""
        missed, false = self._wrong(query)
        other = {"missed": false, "false": missed}.get(query.outcome, missed | false)
        return ~other.any(1) if query.instead == NOTHING else other[:, query.instead]

    def _disagree(self, query: Query) -> np.ndarray:
        """[N, L or 1] bool, whether two modes that have their input decide differently."""
        any_on = any_off = False
        for mode, steps in self.found.scores.items():
            on, known = self.decisions(query, mode), self._columns(steps, query) != MISSING
            any_on, any_off = any_on | on, any_off | (known & ~on)
        return any_on & any_off

    def _cuts(self, query: Query, mode: str) -> np.ndarray:
        """[1, L or 1], the lowest step that is on."""
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
