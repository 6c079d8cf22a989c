"""Captioners: a photo to a few captions to choose from.

The bundled one is a small decoder on the embedding of `tiny`; the others are models of
transformers: VisionEncoderDecoderModel, such as the study's `nlpconnect/vit-gpt2-image-captioning`,
and BLIP (Li et al. 2022, arXiv:2201.12086).

    captioner = load_captioner("bundled")
    captioner.suggest("photo.jpg")  # three captions, the best first

Importing this module loads no torch; `load_captioner` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from clipdemo.errors import CaptionerError
from clipdemo.hub.catalog import CHECKPOINTS
from clipdemo.inputs.captions import clean_caption
from clipdemo.inputs.images import read_photo

if TYPE_CHECKING:
    from PIL import Image

    from clipdemo.model.backbones import Backbone
    from clipdemo.model.classifier import Classifier

    Photo = str | PathLike | bytes | Image.Image

BUNDLED = "bundled"
STUDY = "nlpconnect/vit-gpt2-image-captioning"
STUDY = "nlpconnect/vit-gpt2-image-captioning"
OFFERED = (BUNDLED, STUDY, "Salesforce/blip-image-captioning-base")
CARD = "captioner.json"

# A small decoder likes to say a word again: "a cat and a cat". These it may.
_MAY_REPEAT = {
    "a", "an", "the", "and", "or", "of", "in", "on", "at", "to", "by", "with", "from", "for",
    "near", "next", "is", "are", "his", "her", "their", "it", "its", "that", "some", "two",
}  # fmt: skip


class Captioner(Protocol):
    """What every captioner has.

    Attributes:
        name: as it was asked for.
    """

    name: str

    def suggest(self, photo: Photo, count: int = 3) -> list[str]:
        """Up to `count` different cleaned captions, the best first.

        Args:
            photo: path, bytes or PIL image.
            count: how many to choose from.

        Raises:
            PhotoError: the photo cannot be read.
        """
        ...


def at_hand(name: str) -> bool:
    """Whether the captioner of a setting is here, as far as can be told without loading it."""
    if name != "auto" or (CHECKPOINTS / "tiny" / CARD).is_file():
        return True
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(STUDY, "config.json"), str)


def load_captioner(
    name: str = BUNDLED,
    classifier: Classifier | Backbone | None = None,
    device: str = "auto",
    download: bool = False,
) -> Captioner:
    """A ready captioner.

    Args:
        name: `bundled`, a model on the Hugging Face hub, or a local directory; `auto` is the
            study's where it is cached, else the bundled one.
        classifier: one whose backbone the bundled captioner may share, or a backbone.
        device: `auto`, or a torch device such as `cpu` or `cuda`.
        download: fetch the model when it is not in the hub's cache; it may be gigabytes.

    Raises:
        CaptionerError: there is no such captioner here, or its files are damaged.
    """
    from clipdemo.model.captioners.huggingface import HubCaptioner, hub_folder

    if name == "auto":
        try:
            return load_captioner(STUDY, classifier, device)
        except CaptionerError:
            name = BUNDLED
    if name == BUNDLED or (name and Path(name, CARD).is_file()):
        return _bundled(name, getattr(classifier, "backbone", classifier), device)
    local = bool(name) and Path(name).is_dir()
    return HubCaptioner(name, Path(name) if local else hub_folder(name, download), device)


def _bundled(name: str, backbone: Backbone | None, device: str) -> BundledCaptioner:
    """The captioner of the given backbone if it has one; else of `tiny`, or the folder `name`."""
    from clipdemo.model.backbones import TINY, Backbone

    folder = CHECKPOINTS / TINY if name == BUNDLED else Path(name)
    if backbone is not None and name == BUNDLED and backbone.id.startswith("local-dir:"):
        own = Path(backbone.id.removeprefix("local-dir:"))
        folder = own if (own / CARD).is_file() else folder
    wanted = TINY if folder == CHECKPOINTS / TINY else f"local-dir:{folder}"
    if not (folder / CARD).is_file():
        raise CaptionerError(
            f"{folder} holds no {CARD}: train a captioner with `python -m clipdemo "
            "train-captioner`, or choose another one."
        )
    if backbone is None or backbone.id != wanted:
        backbone = Backbone(wanted, device)
    return BundledCaptioner(name, folder, backbone)


def different(captions: Iterable[str]) -> list[str]:
    """The captions, cleaned, without those that say the same in the same words."""
    found = {}
    for caption in map(clean_caption, captions):
        if caption is not None:
            found.setdefault(" ".join(re.findall(r"\w+", caption.casefold())), caption)
    found.pop("", None)
    return list(found.values())


class BundledCaptioner:
    """The decoder that was trained on the embedding of a backbone of this project."""

    def __init__(self, name: str, folder: Path, backbone: Backbone) -> None:
        """Load it.

        Raises:
            CaptionerError: a file is missing, damaged or not the card's, or the decoder was
                trained for other weights of the backbone.
        """
        import torch
        from tokenizers import Tokenizer

        from clipdemo.model.captioners.decoder import read_decoder

        self.name = name
        self.backbone = backbone
        self.card, self._decoder = read_decoder(folder)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._once = torch.ones(self._decoder.shape.vocabulary, dtype=torch.bool)
        for word, token in self._tokenizer.get_vocab().items():
            if word in _MAY_REPEAT or not word.isalpha():  # nor is a word's end, such as ##ing
                self._once[token] = False

    def suggest(self, photo: Photo, count: int = 3) -> list[str]:
        """See `Captioner`."""
        image = read_photo(photo, self.backbone.image_size)
        return self.suggest_for(self.backbone.encode_photos([image])[0], count)

    def suggest_for(self, embedding: np.ndarray, count: int = 3) -> list[str]:
        """The same from the photo's embedding [D].

        Of the captions drawn, the best is the one that the others agree with most (minimum Bayes
        risk; Kumar and Byrne 2004) and that is most similar to the photo.
        """
        how = self.card["decoding"]
        drawn = self._draw(embedding, how["temperature"])
        captions, own = different(drawn), max(len(drawn), 1)
        if len(captions) < count:  # so sure that it hardly ever says anything else
            drawn += self._draw(embedding, 2.0)
            captions = different(drawn)
        if not captions:
            return []
        texts = self.backbone.encode_captions(drawn)
        middle = texts[:own].mean(0)
        texts = texts[[drawn.index(caption) for caption in captions]]
        scores = texts @ middle + how["similarity"] * texts @ embedding
        return [captions[i] for i in unlike(scores, texts, count, how["unlike"])]

    def _draw(self, embedding: np.ndarray, temperature: float) -> list[str]:
        """Captions of an embedding, as often as they were drawn."""
        import torch

        how = self.card["decoding"]
        drawn = self._decoder.sample(
            torch.from_numpy(embedding), how["samples"], temperature, how["share"], self._once
        )
        return [text for text in map(self._readable, drawn) if text]

    def _readable(self, tokens: list[int]) -> str:
        """The caption as people write it."""
        text = self._tokenizer.decode(tokens)
        text = re.sub(r"\s*([-'/])\s*", r"\1", text).strip(" .")
        return clean_caption(text[:1].upper() + text[1:]) or ""


def unlike(scores: np.ndarray, texts: np.ndarray, count: int, weight: float) -> list[int]:
    """Which captions to offer: the best one, then good ones that say something else.

    Maximal marginal relevance (Carbonell and Goldstein 1998).

    Args:
        scores: [N] how good each caption is.
        texts: [N, D] their embeddings, L2-normalised.
        count: how many to choose.
        weight: of the cosine similarity to the nearest of those chosen, against the score.
    """
    chosen = [int(scores.argmax())]
    while len(chosen) < min(count, len(scores)):
        left = scores - weight * (texts @ texts[chosen].T).max(1)
        left[chosen] = -np.inf
        chosen.append(int(left.argmax()))
    return chosen
