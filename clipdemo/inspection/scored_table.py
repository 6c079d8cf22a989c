"""A labelled table that is scored once, for the Inspect tab."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from clipdemo.errors import TableError
from clipdemo.hub import locate
from clipdemo.inputs.atomic import atomic_write
from clipdemo.inputs.photo_source import PhotoSource
from clipdemo.inspection.predictions import (
    MISSING,
    Predictions,
    in_steps,
    is_predictions,
    read_predictions,
    write_predictions,
)
from clipdemo.model.checkpoints import Card
from clipdemo.scenes import DrawnPhotos, drawn_table
from clipdemo.tables.account import CUT_OFF, NO_INPUT, main_reason, photo_reason
from clipdemo.tables.corrected import Changes, corrected
from clipdemo.tables.label_table import LabelTable, read_label_table, target_matrix

if TYPE_CHECKING:
    from clipdemo.inspection.evaluation import ScoredRows
    from clipdemo.model.classifier import Classifier

PREDICTIONS, EMBEDDINGS = "predictions.parquet", "embeddings.npz"
PART = 64  # rows that are scored and saved together
ON_MAP = 1500  # rows on the map of embeddings, whose cost grows faster than their number
Progress = Callable[[int, int], None]
ScoreParts = Callable[[Sequence[pd.DataFrame], PhotoSource | None], Iterable["ScoredRows"]]


class ScoredTable:
    """A labelled table, its photos, and the folder where its predictions are stored.

    Attributes:
        name: of the table.
        photos: the source of its photos, or None.
        drawn: whether they are drawn scenes, because no table was given.
        given: the paths of the table and its photos, as they were given.
        folder: where predictions and findings of this table are stored.
    """

    def __init__(self, card: Card, table: str, photos: str, data: Path, **reading) -> None:
        """A label table, a file of predictions, or, if `table` is empty, drawn scenes.

        `reading`: columns, unlabelled and strict, passed to `read_label_table`.

        Raises:
            TableError: there is no such table, or there are no such photos.
        """
        self._card, self._table, self._reading = card, Path(table) if table else None, reading
        self.given, self._data = (table, photos), data
        if self._table and not self._table.exists():
            raise TableError(f"There is no table {table}: check the path given as --table.")
        if photos and not table:
            raise TableError("Photos alone cannot be inspected: give their --table as well.")
        self.drawn = self._table is None
        self.name = "drawn scenes" if self.drawn else self._table.name
        self.photos = PhotoSource(photos) if photos else None if table else DrawnPhotos()
        place = str(self._table.resolve()) if self._table else "drawn"
        digest = hashlib.sha256(place.encode()).hexdigest()[:8]
        self.folder = data / f"{self._table.stem if self._table else 'drawn-scenes'}-{digest}"

    def another(self, table: str, photos: str) -> ScoredTable:
        """Another table for the same heads, stored in the same place.

        Raises:
            TableError: there is no such table, or there are no such photos.
        """
        return ScoredTable(self._card, table, photos, self._data)

    def again(self) -> ScoredTable:
        """The same table, to be read again.

        Raises:
            TableError: it, or its photos, are no longer there.
        """
        return ScoredTable(self._card, *self.given, self._data, **self._reading)

    def predictions(
        self,
        load: Callable[[], Classifier],
        progress: Progress = lambda done, total: None,
        score: ScoreParts | None = None,
    ) -> Predictions:
        """The stored predictions, or new ones; after an interruption, the next call resumes.

        Args:
            load: loads the classifier, if there are no predictions yet.
            progress: called with the number of rows done and the total.
            score: scores parts of the table; by default in this process.

        Raises:
            TableError: the table cannot be read, or has nothing that these heads read.
            BackboneError, CheckpointError: the model cannot be loaded.
        """
        if self._is_predictions:
            return read_predictions(self._table)
        if self._frame.empty:
            raise TableError(
                f"{self.name} has no row that can be scored: start the app with --table and "
                "--photos of your own."
            )
        path = self._kept(PREDICTIONS)
        try:
            return read_predictions(path)
        except TableError:  # none yet, or cut off by a power failure
            from clipdemo.inspection.evaluation import score_parts

            classifier = load()
            found = self._score(classifier, score or partial(score_parts, classifier), progress)
            write_predictions(path, found)
            shutil.rmtree(self._kept("parts"), ignore_errors=True)
            return found

    def corrected(self, changes: Changes) -> tuple[str, bytes]:
        """Name and content of the table with corrected labels, in its original format.

        Raises:
            TableError: it was not read from a label table, or cannot be written again.
        """
        if not self.can_be_corrected:
            raise TableError("There is no label table to correct: start the app with --table.")
        return corrected(
            self._table, self._card.labels, changes, self._reading.get("columns") or {}
        )

    @property
    def can_be_corrected(self) -> bool:
        """Whether there is a label table for `corrected`."""
        return self._table is not None and not self._is_predictions

    def embeddings(self) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Rows on the map [M], and their embeddings [M, D] by `image` and `text`, nan for none.

        Both are empty for a file of predictions.
        """
        if self._is_predictions:
            return np.array([], int), {}
        with np.load(self._kept(EMBEDDINGS)) as kept:
            found = dict(kept)
        return found.pop("rows"), found

    def _score(self, classifier: Classifier, score: ScoreParts, progress: Progress) -> Predictions:
        frame, parts, total = self._frame, self._kept("parts"), len(self._frame)
        parts.mkdir(parents=True, exist_ok=True)
        stride, width = -(-total // ON_MAP), classifier.backbone.width
        paths = {start: parts / f"{start:09d}.npz" for start in range(0, total, PART)}
        missing = [start for start, path in paths.items() if not path.exists()]
        frames = [frame.iloc[start : start + PART] for start in missing]
        progress(min(PART * (len(paths) - len(missing)), total), total)
        scored = score(frames, self.photos)
        for done, (start, found) in enumerate(zip(missing, scored, strict=True), 1):
            mapped = slice(-start % stride, None, stride)
            arrays = {
                "image": _stacked(found.image[mapped], width),
                "text": _stacked(found.text[mapped], width),
                "skipped": np.array([entry["reason"] for entry in found.skipped], str),
                "skipped_names": np.array([entry["ImageID"] for entry in found.skipped], str),
                "cut_off": np.array([found.cut_off]),
            }
            scores = {f"scores/{mode}": in_steps(s) for mode, s in found.scores.items()}
            _save(paths[start], arrays | scores)
            progress(min(PART * (len(paths) - len(missing) + done), total), total)
        kept = [dict(np.load(path)) for path in sorted(parts.glob("*.npz"))]
        joined = {name: np.concatenate([part[name] for part in kept]) for name in kept[0]}
        mapped = {kind: joined[kind] for kind in ("image", "text")}
        mapped = {kind: rows for kind, rows in mapped.items() if not np.isnan(rows).all()}
        _save(self._kept(EMBEDDINGS), {"rows": np.arange(0, total, stride)} | mapped)
        card, skipped = classifier.card, joined["skipped"]
        modes = {
            mode: {"thresholds": entry["thresholds"], "recall": entry.get("recall", {})}
            for mode, entry in card.modes.items()
        }
        about = {
            "backbone": card.backbone,
            "head": card.kind,
            "labels": list(card.labels.names),
            "modes": modes,
            "skipped": len(skipped),
            "first_skipped": str(skipped[0]) if len(skipped) else None,
        }
        scores = {mode: joined[f"scores/{mode}"] for mode in modes}
        if self._table:
            about["account"] = self._account(scores, joined)
            if not about["account"]["used"]:
                reason = main_reason(about["account"])
                raise TableError(f"No row of {self.name} can be scored; most often: {reason}.")
        truth = target_matrix(frame, card.labels) > 0.5
        return Predictions(frame["ImageID"], frame["Caption"], truth, scores, about)

    def _account(self, scores: dict[str, np.ndarray], joined: dict[str, np.ndarray]) -> dict:
        """The table's account, in which rows without a score in any mode are left out."""
        names, said = joined["skipped_names"].tolist(), joined["skipped"].tolist()
        reasons = dict(zip(names, map(photo_reason, said), strict=True))
        unread = np.all([(steps == MISSING).all(1) for steps in scores.values()], axis=0)
        out = {
            row: reasons.get(self._frame["ImageID"].iat[row], NO_INPUT)
            for row in np.flatnonzero(unread).tolist()
        }
        if out:
            self._read.leave_out(out)
        self._read.account.repaired[CUT_OFF] = int(joined["cut_off"].sum())
        return self._read.account.to_dict()

    @cached_property
    def version(self) -> str:
        """Changes with the heads, the table's rows and its photos."""
        return f"{self._table.stat().st_mtime_ns:x}" if self._is_predictions else self._key

    @property
    def _is_predictions(self) -> bool:
        return self._table is not None and is_predictions(self._table)

    @cached_property
    def _frame(self) -> pd.DataFrame:
        return drawn_table(self._card.labels) if self._table is None else self._read.frame

    @cached_property
    def _read(self) -> LabelTable:
        found = read_label_table(self._table, self._card.labels, **self._reading)
        if isinstance(self.photos, PhotoSource):
            found.match_photos(self.photos, self._table, self._reading.get("strict", False))
            found.note_photos(self.photos)
        return found

    @cached_property
    def _key(self) -> str:
        """Depends on heads, table and photos, so that results for others are not reused."""
        rows = self._frame[["ImageID", "Labels", "Caption"]].to_json(orient="values")
        stamp = ""
        if isinstance(self.photos, PhotoSource):
            stamp = self.photos.stamp(self._frame["ImageID"])
        parts = self._card.digest, locate.stamp(self._card.backbone), rows, stamp
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]

    def _kept(self, name: str) -> Path:
        return self.folder / f"{self._key}-{name}"


def _stacked(embeddings: list[np.ndarray | None], width: int) -> np.ndarray:
    """[M, D], nan for none."""
    unknown = np.full(width, np.nan, np.float32)
    found = [unknown if row is None else row for row in embeddings]
    return np.array(found, np.float32).reshape(-1, width)


def _save(path: Path, arrays: dict[str, np.ndarray]) -> None:
    with atomic_write(path) as partial, partial.open("wb") as file:
        np.savez(file, **arrays)
