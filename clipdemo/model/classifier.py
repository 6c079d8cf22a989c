"""Photo and/or caption to Prediction: backbone, heads and thresholds together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from clipdemo.inputs.captions import clean_caption
from clipdemo.inputs.labels import LabelSet, named_labels
from clipdemo.model import checkpoints
from clipdemo.model.backbones import Backbone
from clipdemo.model.embeddings import CutPhoto, Encoder, Photo
from clipdemo.model.heads import head_input
from clipdemo.model.thresholds import cuts, decide
from clipdemo.model.zero_shot import zero_shot_heads


@dataclass(frozen=True)
class Prediction:
    """Scores of one photo and/or caption; a mode whose input is missing is absent.

    Attributes:
        scores: per mode, per label name, the probability in [0, 1].
        thresholds: per mode, per label name, the `tuned` threshold.
        backbone: id of the backbone that made the embeddings.
        head: `trained`, or `zero-shot`: uncalibrated scores from the labels' names alone.
        recall: per mode and recall, per label name, the threshold that reached it; may be empty.
    """

    scores: dict[str, dict[str, float]]
    thresholds: dict[str, dict[str, float]]
    backbone: str
    head: str = "trained"
    recall: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)

    def labels(
        self,
        mode: str,
        rule: str = "tuned",
        threshold: float = 0.5,
        k: int = 3,
        recall: float = 0.9,
    ) -> list[str]:
        """Names of the labels that are on, highest score first.

        Raises:
            KeyError: the mode had no input.
            ValueError: the rule is unknown.
            CheckpointError: the rule is `recall`, and the card has no thresholds for this one.
        """
        on = self._apply(decide, mode, rule, threshold, k, recall)
        scores = self.scores[mode]
        chosen = [name for name, is_on in zip(scores, on, strict=True) if is_on]
        return sorted(chosen, key=lambda name: -scores[name])

    def cuts(
        self,
        mode: str,
        rule: str = "tuned",
        threshold: float = 0.5,
        k: int = 3,
        recall: float = 0.9,
    ) -> dict[str, float]:
        """Per label name, the threshold that `labels` compares its score with; raises the same."""
        found = self._apply(cuts, mode, rule, threshold, k, recall)
        return dict(zip(self.scores[mode], found.tolist(), strict=True))

    def _apply(
        self, function: Callable, mode: str, rule: str, threshold: float, k: int, recall: float
    ) -> np.ndarray:
        """[L] result of `decide` or `cuts` for the scores of a mode."""
        scores = np.array([list(self.scores[mode].values())])
        chosen = self.thresholds[mode]
        if rule == "recall":
            chosen = checkpoints.at_recall(self.recall.get(mode, {}), recall)
        tuned = np.array(list(chosen.values()))
        return function(scores, rule, threshold=threshold, tuned=tuned, k=k)[0]

    def to_dict(self) -> dict:
        """JSON-ready: backbone, kind of head, scores, thresholds, `tuned` labels per mode."""
        return {
            "backbone": self.backbone,
            "head": self.head,
            "scores": self.scores,
            "thresholds": self.thresholds,
            "labels": {mode: self.labels(mode) for mode in self.scores},
        }


class Classifier:
    """One backbone and the heads that read its embeddings.

    Attributes:
        card: the heads' card (labels, thresholds, measured quality).
        backbone: the loaded backbone.
        heads: by mode, from embeddings to logits.
    """

    def __init__(
        self, encoder: Encoder, card: checkpoints.Card, heads: dict[str, torch.nn.Module]
    ) -> None:
        self.backbone = encoder.backbone
        self.card = card
        self._encoder = encoder
        self.heads = heads
        self._names = card.labels.names

    def zero_shot(self, labels: Sequence[str] | LabelSet) -> "Classifier":
        """A zero-shot classifier of any labels that shares this one's embeddings.

        Raises:
            LabelError: there is no label, or there are too many.
        """
        if not isinstance(labels, LabelSet):
            labels = named_labels(labels)
        return Classifier(self._encoder, *zero_shot_heads(self._encoder, labels))

    def extended(self, labels: Sequence[str]) -> "Classifier":
        """This classifier with more labels, which are scored zero-shot, with thresholds of 0.5.

        Raises:
            LabelError: there is no further label, or there are too many.
        """
        return _Extended(self, self.zero_shot(labels))

    @property
    def modes(self) -> list[str]:
        """The modes that it has heads for."""
        return list(self.heads)

    def too_long(self, caption: str | None) -> str | None:
        """A sentence on where the backbone stops reading a long caption, or None."""
        read = self.backbone.readable(clean_caption(caption) or "")
        if read is None or self.modes == ["image"]:
            return None
        return f"The caption is too long for {self.backbone.id}: it reads up to “… {read}”."

    def notice(self, photo: Photo | None) -> str | None:
        """A sentence on what could not be seen in a photo that was scored, or None."""
        return None if photo is None or self.modes == ["text"] else self._encoder.notice(photo)

    def cut(self, photo: Photo) -> CutPhoto:
        """The part of a photo that is read: far smaller, and accepted wherever a photo is.

        Raises:
            PhotoError: the photo cannot be read.
        """
        return self._encoder.cut(photo)

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
            ValueError: the numbers of photos and captions differ.
        """
        return self.predict_embeddings(*self.embed(photos, captions))

    def embed(
        self, photos: Sequence[Photo | None], captions: Sequence[str | None]
    ) -> tuple[list[np.ndarray | None], list[np.ndarray | None]]:
        """Embeddings [D] of photos and captions; None for a missing input or if no head reads it.

        Raises:
            PhotoError: a photo cannot be read.
            ValueError: the numbers of photos and captions differ.
        """
        if len(photos) != len(captions):
            raise ValueError(f"{len(photos)} photos but {len(captions)} captions")
        nothing = [None] * len(photos)
        reads_photos, reads_captions = (
            {m, "concat", "mutan"} & set(self.heads) for m in ("image", "text")
        )
        image = self._encoder.photos(photos) if reads_photos else nothing
        text = nothing
        if reads_captions:
            text = self._encoder.captions([clean_caption(c) for c in captions])
        return image, text

    def predict_embeddings(
        self, image: list[np.ndarray | None], text: list[np.ndarray | None]
    ) -> list[Prediction]:
        """Predictions from N pairs of embeddings [D], each of which may be None."""
        scores: list[dict[str, dict[str, float]]] = [{} for _ in image]
        for mode in self.heads:
            inputs = [
                head_input(mode, *(None if e is None else torch.from_numpy(e)[None] for e in pair))
                for pair in zip(image, text, strict=True)
            ]
            rows = [i for i, x in enumerate(inputs) if x is not None]
            if not rows:
                continue
            values = self.scores(mode, torch.cat([inputs[i] for i in rows]))
            for row, line in zip(rows, values.tolist(), strict=True):
                scores[row][mode] = self._named(line)
        entries = self.card.modes
        tuned = {mode: self._named(entries[mode]["thresholds"]) for mode in self.heads}
        recall = {
            mode: {r: self._named(line) for r, line in entries[mode].get("recall", {}).items()}
            for mode in self.heads
        }
        return [
            Prediction(
                s, {m: tuned[m] for m in s}, self.backbone.id, self.card.kind,
                {m: recall[m] for m in s},
            )
            for s in scores
        ]  # fmt: skip

    def _named(self, values: Sequence[float]) -> dict[str, float]:
        return dict(zip(self._names, values, strict=True))

    def scores(self, mode: str, inputs: torch.Tensor) -> np.ndarray:
        """Scores [N, L] by a mode's head from its inputs [N, inputs]."""
        logits = torch.from_numpy(self.logits(mode, inputs))
        return torch.sigmoid(logits / self.card.modes[mode]["temperature"]).numpy()

    def logits(self, mode: str, inputs: torch.Tensor) -> np.ndarray:
        """Logits [N, L] by a mode's head from its inputs [N, inputs]."""
        with torch.inference_mode():
            return self.heads[mode](inputs).numpy()


class _Extended(Classifier):
    """A classifier with the labels of a zero-shot one after its own."""

    def __init__(self, first: Classifier, more: Classifier) -> None:
        own, extra = first.card.labels, more.card.labels
        middle = [0.5] * len(extra)
        modes = {
            mode: entry
            | {"thresholds": entry["thresholds"] + middle}
            | {"recall": {r: line + middle for r, line in entry.get("recall", {}).items()}}
            for mode, entry in first.card.modes.items()
        }
        labels = {"labels": [*own.names, *extra.names], "label_ids": [*own.ids, *extra.ids]}
        card = checkpoints.Card(None, first.card.content | labels | {"modes": modes})
        super().__init__(first._encoder, card, first.heads)
        self._more = more

    def scores(self, mode: str, inputs: torch.Tensor) -> np.ndarray:
        # There is no zero-shot head for mutan.
        more = self._more.scores("concat" if mode == "mutan" else mode, inputs)
        return np.concatenate([super().scores(mode, inputs), more], axis=1)


def load_card(card: checkpoints.Card, backbone: str = "auto", **options) -> Classifier:
    """The classifier of a card, all of whose files are verified before any is loaded.

    `options`: device, precision and watch, passed to `Backbone`.

    Raises:
        BackboneError: the backbone cannot be loaded.
        CheckpointError: a file is not the card's, or `backbone` is not the card's backbone.
    """
    checkpoints.verify(card)
    loaded = Backbone(card.backbone if backbone == "auto" else backbone, **options)
    heads = checkpoints.load_heads(card, loaded.id, loaded.width)
    return Classifier(Encoder(loaded), card, heads)
