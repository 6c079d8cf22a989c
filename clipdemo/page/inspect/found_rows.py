"""The rows that a query finds, as CSV, and a row's scores."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

from clipdemo.tables.safe_csv import write_rows

if TYPE_CHECKING:
    import numpy as np

    from clipdemo.inspection.queries import Inspection, Query


def rows_csv(inspection: Inspection, query: Query) -> str:
    """All rows that a query finds, as CSV for spreadsheets."""
    from clipdemo.inspection.predictions import STEPS

    found = inspection.found
    on = inspection.decisions(replace(query, label=None), query.mode)
    chosen = [] if query.label is None else [f"score of {found.labels[query.label]}"]
    lines = [["ImageID", "Caption", "Labels", f"predicted by {query.mode}", *chosen]]
    for row in inspection.select(query):
        said = [name for name, yes in zip(found.labels, on[row], strict=True) if yes]
        line = [found.ids[row], found.captions[row], ";".join(found.true_of(row)), ";".join(said)]
        steps = steps_of(found.scores[query.mode][row])
        lines.append(line + [steps[query.label] / STEPS for _ in chosen if steps])
    file = io.StringIO(newline="")
    write_rows(file, lines)
    return file.getvalue()


def steps_of(values: np.ndarray) -> list[int] | None:
    """A row's scores in steps; None if it lacks the mode's input."""
    from clipdemo.inspection.predictions import MISSING

    return None if values[0] == MISSING else values.tolist()
