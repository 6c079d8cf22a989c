"""Photo and/or caption -> Prediction: where backbone, heads and thresholds meet."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from clipdemo import checkpoints
from clipdemo.backbones import Backbone
from clipdemo.captions import clean_caption
from clipdemo.heads import head_input
from clipdemo.images import photo_bytes, read_photo
from clipdemo.thresholds import decide

Photo = str | PathLike | bytes | Image.Image
BATCH = 32


@dataclass(frozen=True)
class Prediction:
    """Scores of one photo and/or caption; a mode whose input is missing is absent.

    Attributes:
        scores: per mode, per label name, the probability in [0, 1].
        thresholds: per mode, per label name, the `tuned` threshold.
        backbone: id of the backbone that made the embeddings.
    """

    scores: dict[str, dict[str, float]]
    thresholds: dict[str, dict[str, float]]
    backbone: str

    def labels(
        self, mode: str, rule: str = "tuned", threshold: float = 0.5, k: int = 3
    ) -> list[str]:
        """Names of the labels that are on, highest score first.

        Raises:
            KeyError: the mode had no input.
            ValueError: the rule is unknown.
        """
        scores = self.scores[mode]
        values = np.array([list(scores.values())])
        tuned = np.array(list(self.thresholds[mode].values()))
        on = decide(values, rule, threshold=threshold, tuned=tuned, k=k)[0]
        chosen = [name for name, is_on in zip(scores, on, strict=True) if is_on]
        return sorted(chosen, key=lambda name: -scores[name])

    def to_dict(self) -> dict:
        """JSON-ready: backbone, scores, thresholds and the `tuned` labels per mode."""
        return {
            "backbone": self.backbone,
            "scores": self.scores,
            "thresholds": self.thresholds,
            "labels": {mode: self.labels(mode) for mode in self.scores},
        }


class _Recent:
    """The embeddings [D] used last, at most `limit` of them, shared by all threads."""

    def __init__(self, limit: int = 4096) -> None:
        self._rows: OrderedDict[bytes, np.ndarray] = OrderedDict()
        self._limit = limit
        self._lock = threading.Lock()

    def get(self, key: bytes) -> np.ndarray | None:
        with self._lock:
            if key in self._rows:
                self._rows.move_to_end(key)
            return self._rows.get(key)

    def put(self, key: bytes, row: np.ndarray) -> None:
        with self._lock:
            self._rows[key] = row
            while len(self._rows) > self._limit:
                self._rows.popitem(last=False)


class Classifier:
    """A backbone and the heads trained for it.

    Attributes:
        card: the heads' card (labels, thresholds, measured quality).
        backbone: the loaded backbone.
    """

    def __init__(self, backbone: Backbone, card: checkpoints.Card) -> None:
        """Raises CheckpointError when the card's heads are not for this backbone."""
        self.backbone = backbone
        self.card = card
        self._heads = checkpoints.load_heads(self.card, backbone.id, backbone.width)
        self._recent = _Recent()

    @property
    def modes(self) -> list[str]:
        """The modes it has heads for."""
        return list(self._heads)

    def too_long(self, caption: str | None) -> str | None:
        """A sentence that says what of a caption the backbone does not read, or None."""
        read = self.backbone.readable(clean_caption(caption) or "")
        if read is None:
            return None
        return f"The caption is too long for {self.backbone.id}: it reads up to “… {read}”."

    def predict(self, photo: Photo | None = None, caption: str | None = None) -> Prediction:
        """Scores of a photo (path, bytes or PIL image) and/or a caption.

        Raises:
            PhotoError: the photo cannot be read.
        """
        return self.predict_batch([photo], [caption])[0]

    def predict_batch(
        self, photos: Sequence[Photo | None], captions: Sequence[str | None]
    ) -> list[Prediction]:
        """The same for many, item by item; photos and captions are encoded in batches.

        Raises:
            PhotoError: a photo cannot be read.
            ValueError: not as many captions as photos.
        """
        if len(photos) != len(captions):
            raise ValueError(f"{len(photos)} photos but {len(captions)} captions")
        image = self._photo_rows(photos)
        text = self._caption_rows([clean_caption(c) for c in captions])
        return self.predict_embeddings(image, text)

    def predict_embeddings(
        self, image: list[np.ndarray | None], text: list[np.ndarray | None]
    ) -> list[Prediction]:
        """Predictions of N embeddings [D] or None each."""
        scores: list[dict[str, dict[str, float]]] = [{} for _ in image]
        names = self.card.labels.names
        for mode in self._heads:
            inputs = [
                head_input(mode, *(None if e is None else torch.from_numpy(e)[None] for e in pair))
                for pair in zip(image, text, strict=True)
            ]
            rows = [i for i, x in enumerate(inputs) if x is not None]
            if not rows:
                continue
            values = self.scores(mode, torch.cat([inputs[i] for i in rows]))
            for row, line in zip(rows, values.tolist(), strict=True):
                scores[row][mode] = dict(zip(names, line, strict=True))
        return [Prediction(s, {m: self._tuned(m) for m in s}, self.backbone.id) for s in scores]

    def scores(self, mode: str, inputs: torch.Tensor) -> np.ndarray:
        """Scores [N, L] of what the mode's head reads [N, inputs]."""
        with torch.inference_mode():
            logits = self._heads[mode](inputs)
        return torch.sigmoid(logits / self.card.modes[mode]["temperature"]).numpy()

    def _tuned(self, mode: str) -> dict[str, float]:
        values = self.card.modes[mode]["thresholds"]
        return dict(zip(self.card.labels.names, values, strict=True))

    def _photo_rows(self, photos: Sequence[Photo | None]) -> list[np.ndarray | None]:
        if not {"image", "concat"} & set(self._heads):
            return [None] * len(photos)
        size = self.backbone.image_size
        photos = [photo_bytes(Path(p)) if isinstance(p, str | PathLike) else p for p in photos]
        photos = [read_photo(p, size) if isinstance(p, Image.Image) else p for p in photos]
        keys = [None if p is None else _photo_key(p) for p in photos]

        def encode(rows: list[int]) -> np.ndarray:
            return self.backbone.encode_photos([read_photo(photos[i], size) for i in rows])

        return self._rows(keys, encode)

    def _caption_rows(self, captions: Sequence[str | None]) -> list[np.ndarray | None]:
        if not {"text", "concat"} & set(self._heads):
            return [None] * len(captions)
        keys = [None if c is None else _digest(b"caption", c.encode()) for c in captions]
        return self._rows(
            keys, lambda rows: self.backbone.encode_captions([captions[i] for i in rows])
        )

    def _rows(self, keys: list[bytes | None], encode) -> list[np.ndarray | None]:
        """Rows by key: known ones as they are, the others encoded once each, in batches."""
        found = {key: self._recent.get(key) for key in set(keys) - {None}}
        first = {key: i for i, key in reversed(list(enumerate(keys))) if key in found}
        missing = sorted(first[key] for key, row in found.items() if row is None)
        for start in range(0, len(missing), BATCH):
            rows = missing[start : start + BATCH]
            for i, row in zip(rows, encode(rows), strict=True):
                found[keys[i]] = row
                self._recent.put(keys[i], row)
        return [None if key is None else found[key] for key in keys]


def load_card(card: checkpoints.Card, device: str = "auto", backbone: str = "auto") -> Classifier:
    """The classifier of a card, its files checked before any of them is loaded.

    Raises:
        BackboneError: the backbone cannot be loaded.
        CheckpointError: a file is not the card's, or `backbone` is another than the card's.
    """
    checkpoints.verify(card)
    return Classifier(Backbone(card.backbone if backbone == "auto" else backbone, device), card)


def _digest(*parts: bytes) -> bytes:
    return hashlib.sha256(b"\0".join(parts)).digest()


def _photo_key(photo: bytes | Image.Image) -> bytes:
    if isinstance(photo, bytes):
        return _digest(b"photo", photo)
    return _digest(b"pixels", photo.mode.encode(), repr(photo.size).encode(), photo.tobytes())
