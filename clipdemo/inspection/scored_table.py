"""Labelled tables that are scored once and kept, to be looked at: what the Inspect tab opens."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from clipdemo.errors import TableError
from clipdemo.inputs.photo_source import PhotoSource
from clipdemo.inspection.score_file import (
    MISSING,
    Predictions,
    in_steps,
    is_predictions,
    read_predictions,
    write_predictions,
)
from clipdemo.model.checkpoints import Card
from clipdemo.scenes.table import DrawnPhotos, drawn_table
from clipdemo.tables.account import NO_INPUT, photo_reason
from clipdemo.tables.label_table import LabelTable, read_label_table, target_matrix

if TYPE_CHECKING:
    from clipdemo.model.classifier import Classifier

PREDICTIONS, EMBEDDINGS = "predictions.parquet", "embeddings.npz"
PART = 64  # rows that are scored and kept together
ON_MAP = 1500  # rows on the map of embeddings, for its cost grows faster than their number
Progress = Callable[[int, int], None]


class ScoredTable:
    """A labelled table, its photos, and the folder where its predictions are kept.

    Attributes:
        name: of the table.
        photos: where its photos are, or None.
        drawn: whether they are drawn scenes, as nobody gave a table.
        folder: where predictions and findings of this table are kept.
    """

    def __init__(self, card: Card, table: str, photos: str, data: Path, **reading) -> None:
        """A label table, a file of predictions, or, where `table` is empty, drawn scenes.

        `reading`: columns, unlabelled and strict, as `read_label_table` takes them.

        Raises:
            TableError: there is no such table, or there are no such photos.
        """
        self._card, self._table, self._reading = card, Path(table) if table else None, reading
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

    def predictions(
        self, load: Callable[[], Classifier], progress: Progress = lambda done, total: None
    ) -> Predictions:
        """As they were kept, or scored now; stopped, the next call goes on where this one was.

        `progress` is told how many rows are done, of how many.

        Raises:
            TableError: the table cannot be read, or has nothing that these heads read.
            BackboneError, CheckpointError: the model cannot be loaded.
        """
        if self._scored:
            return read_predictions(self._table)
        if self._frame.empty:
            raise TableError(
                f"{self.name} has no row that can be scored: start the app with --table and "
                "--photos of your own."
            )
        path = self._kept(PREDICTIONS)
        try:
            return read_predictions(path)
        except TableError:  # none yet, or cut off when the machine lost power
            found = self._score(load(), progress)
            write_predictions(path, found)
            shutil.rmtree(self._kept("parts"), ignore_errors=True)
            return found

    def embeddings(self) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Rows on the map [M], and their embeddings [M, D] by `image` and `text`, nan for none.

        Nothing of it where a file of predictions was given.
        """
        if self._scored:
            return np.array([], int), {}
        with np.load(self._kept(EMBEDDINGS)) as kept:
            found = dict(kept)
        return found.pop("rows"), found

    def _score(self, classifier: Classifier, progress: Progress) -> Predictions:
        from clipdemo.inspection.evaluation import embed_rows

        frame, parts, total = self._frame, self._kept("parts"), len(self._frame)
        parts.mkdir(parents=True, exist_ok=True)
        every = -(-total // ON_MAP)
        for start in range(0, total, PART):
            path = parts / f"{start:09d}.npz"
            if not path.exists():
                rows = frame.iloc[start : start + PART]
                (image, text), skipped = embed_rows(classifier, rows, self.photos)
                scores = _matrices(classifier, classifier.predict_embeddings(image, text))
                mapped = [row for row in range(len(rows)) if (start + row) % every == 0]
                width = classifier.backbone.width
                partial = path.with_suffix(f".{os.getpid()}.partial")
                with partial.open("wb") as file:
                    np.savez(
                        file,
                        image=_stacked(image, mapped, width),
                        text=_stacked(text, mapped, width),
                        skipped=np.array([entry["reason"] for entry in skipped], str),
                        skipped_names=np.array([entry["ImageID"] for entry in skipped], str),
                        **{f"scores/{mode}": in_steps(values) for mode, values in scores.items()},
                    )
                partial.replace(path)
            progress(min(start + PART, total), total)
        kept = [dict(np.load(path)) for path in sorted(parts.glob("*.npz"))]
        joined = {name: np.concatenate([part[name] for part in kept]) for name in kept[0]}
        self._keep_embeddings(np.arange(0, total, every), joined)
        card = classifier.card
        modes = {
            mode: {"thresholds": entry["thresholds"], "recall": entry.get("recall", {})}
            for mode, entry in card.modes.items()
        }
        about = {"backbone": card.backbone, "head": card.kind, "labels": list(card.labels.names)}
        about |= {"modes": modes, "skipped": len(joined["skipped"])}
        about["first_skipped"] = str(joined["skipped"][0]) if about["skipped"] else None
        scores = {mode: joined[f"scores/{mode}"] for mode in modes}
        if self._table:
            about["account"] = self._account(scores, joined)
        truth = target_matrix(frame, card.labels) > 0.5
        return Predictions(frame["ImageID"], frame["Caption"], truth, scores, about)

    def _account(self, scores: dict[str, np.ndarray], joined: dict[str, np.ndarray]) -> dict:
        """The table's account; rows that no mode has a score for do not count."""
        names, said = joined["skipped_names"].tolist(), joined["skipped"].tolist()
        reasons = dict(zip(names, map(photo_reason, said), strict=True))
        unread = np.all([(steps == MISSING).all(1) for steps in scores.values()], axis=0)
        out = {
            row: reasons.get(self._frame["ImageID"].iat[row], NO_INPUT)
            for row in np.flatnonzero(unread).tolist()
        }
        if out:
            self._read.leave_out(out)
        return self._read.account.to_dict()

    def _keep_embeddings(self, rows: np.ndarray, joined: dict[str, np.ndarray]) -> None:
        found = {kind: joined[kind] for kind in ("image", "text")}
        found = {kind: e for kind, e in found.items() if not np.isnan(e).all()}
        partial = self._kept(f"embeddings.{os.getpid()}.partial")
        with partial.open("wb") as file:
            np.savez(file, rows=rows, **found)
        partial.replace(self._kept(EMBEDDINGS))

    @property
    def _scored(self) -> bool:
        return self._table is not None and is_predictions(self._table)

    @cached_property
    def _frame(self) -> pd.DataFrame:
        if self._table is None:
            return drawn_table(self._card.labels)
        return self._read.frame

    @cached_property
    def _read(self) -> LabelTable:
        found = read_label_table(self._table, self._card.labels, **self._reading)
        if isinstance(self.photos, PhotoSource):
            if self._reading.get("strict"):
                found.check_photos(self.photos, self._table)
            found.note_photos(self.photos)
        return found

    @cached_property
    def _key(self) -> str:
        """Changes with heads, table or photos: what was kept of others does not count."""
        rows = self._frame[["ImageID", "Labels", "Caption"]].to_json(orient="values")
        stamp = ""
        if isinstance(self.photos, PhotoSource):
            stamp = self.photos.stamp(self._frame["ImageID"])
        card = {name: self._card.content.get(name) for name in ("backbone", "modes", "files")}
        card = json.dumps(card | vars(self._card.labels), sort_keys=True)
        return hashlib.sha256("\0".join((card, rows, stamp)).encode()).hexdigest()[:12]

    def _kept(self, name: str) -> Path:
        return self.folder / f"{self._key}-{name}"


def _matrices(classifier: Classifier, predictions: list) -> dict[str, np.ndarray]:
    """Scores per mode [N, L], nan where the input is missing."""
    none = [np.nan] * len(classifier.card.labels)
    return {
        mode: np.array([list(p.scores[mode].values()) if mode in p.scores else none
                        for p in predictions])
        for mode in classifier.modes
    }  # fmt: skip


def _stacked(embeddings: list[np.ndarray | None], rows: list[int], width: int) -> np.ndarray:
    """[M, D] of these rows, nan for none."""
    none = np.full(width, np.nan, np.float32)
    found = [none if embeddings[row] is None else embeddings[row] for row in rows]
    return np.array(found, np.float32).reshape(len(rows), width)
