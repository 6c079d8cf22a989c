"""Predictions of a labelled table: the truth and every mode's scores, in one Parquet file.

Columns: `ImageID`, `Caption`, `Labels` (names of the true labels), and for each mode and label
`mode/label`, such as `concat/dog`, with a score or null. The metadata `clipdemo` describes the
backbone and the heads, with their thresholds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from clipdemo.errors import TableError
from clipdemo.inputs.atomic import atomic_write

STEPS = 10_000
"""Scores are stored with four decimals, as the board shows and compares them."""
MISSING = np.uint16(65_535)


@dataclass(frozen=True)
class Predictions:
    """A model's scores for N rows and L labels.

    Attributes:
        ids, captions: of each row; "" for no caption.
        truth: [N, L] bool, whether the row has the label.
        scores: per mode [N, L] uint16, the score in steps of 1 / `STEPS`; `MISSING` where the row
            lacks the mode's input.
        about: `backbone`, `head` (`trained` or `zero-shot`), `labels`, and per mode `thresholds`
            [L] and `recall` {recall: [L]}, as a card has them.
    """

    ids: pd.Series
    captions: pd.Series
    truth: np.ndarray
    scores: dict[str, np.ndarray]
    about: dict

    @property
    def labels(self) -> list[str]:
        return self.about["labels"]

    def true_of(self, row: int) -> list[str]:
        """Names of the labels that a row has."""
        return [name for name, true in zip(self.labels, self.truth[row], strict=True) if true]

    def labels_on(self, row: int) -> dict[str, list[str]]:
        """Per mode that has the row's input, the labels that are on at the tuned thresholds."""
        found = {}
        for mode, steps in self.scores.items():
            cuts = first_step(self.about["modes"][mode]["thresholds"])
            if steps[row, 0] != MISSING:
                on = steps[row] >= cuts
                found[mode] = [name for name, yes in zip(self.labels, on, strict=True) if yes]
        return found


def in_steps(scores: np.ndarray) -> np.ndarray:
    """Scores [...] in [0, 1] as steps, nan as `MISSING`."""
    known = ~np.isnan(scores)
    steps = np.full(scores.shape, MISSING)
    steps[known] = np.rint(scores[known] * STEPS)
    return steps


def first_step(thresholds: np.ndarray) -> np.ndarray:
    """The lowest step that reaches each threshold: a score with this step or a higher one is on."""
    return np.searchsorted(np.arange(STEPS + 1) / STEPS, np.asarray(thresholds, float))


def write_predictions(path: Path, found: Predictions) -> None:
    """Write the file atomically."""
    labels = np.array(found.labels, dtype=object)
    columns = {
        "ImageID": pa.array(found.ids, pa.string()),
        "Caption": pa.array(found.captions, pa.string()),
        "Labels": pa.array([labels[row].tolist() for row in found.truth], pa.list_(pa.string())),
    }
    for mode, steps in found.scores.items():
        missing = steps == MISSING
        scores = (steps / STEPS).astype(np.float32)
        for i, label in enumerate(found.labels):
            columns[f"{mode}/{label}"] = pa.array(scores[:, i], mask=missing[:, i])
    table = pa.table(columns).replace_schema_metadata({"clipdemo": json.dumps(found.about)})
    with atomic_write(path) as partial:
        parquet.write_table(table, partial)


def is_predictions(path: Path) -> bool:
    """Whether a file has predictions; a Parquet file may also be a label table."""
    if path.suffix.lower() != ".parquet":
        return False
    try:
        return b"clipdemo" in (parquet.read_schema(path).metadata or {})
    except (OSError, pa.ArrowException):
        return True  # so that `read_predictions` reports the error


def read_predictions(path: Path) -> Predictions:
    """Read a file of predictions.

    Raises:
        TableError: it cannot be read, or has no predictions.
    """
    from sklearn.preprocessing import MultiLabelBinarizer

    try:
        table = parquet.read_table(path)
        about = json.loads((table.schema.metadata or {})[b"clipdemo"])
        labels, modes = about["labels"], about["modes"]
        if not modes or any(len(mode["thresholds"]) != len(labels) for mode in modes.values()):
            raise ValueError("it lacks a mode, or a threshold of one")
        scores = {
            mode: np.stack([_steps(table[f"{mode}/{label}"]) for label in labels], axis=1)
            for mode in modes
        }
        ids, captions = (table[name].to_pandas().fillna("") for name in ("ImageID", "Caption"))
        true = [names or () for names in table["Labels"].to_pylist()]
        unknown = set().union(*true) - set(labels)
        if unknown:
            raise ValueError(f"{unknown.pop()!r} is not one of its labels")
        truth = MultiLabelBinarizer(classes=labels).fit_transform(true).astype(bool)
        return Predictions(ids, captions, truth, scores, about)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise TableError(f"{path} cannot be read ({reason}); check the path.") from error
    except (KeyError, ValueError, TypeError, AttributeError, pa.ArrowException) as error:
        raise TableError(
            f"{path} is not a file of predictions ({error}): make one with `python -m clipdemo "
            "score`."
        ) from error


def _steps(column: pa.ChunkedArray) -> np.ndarray:
    scores = column.to_numpy().astype(float)
    if not np.nanmin(scores, initial=0) >= 0 or not np.nanmax(scores, initial=0) <= 1:
        raise ValueError("a score is not between 0 and 1")
    return in_steps(scores)
