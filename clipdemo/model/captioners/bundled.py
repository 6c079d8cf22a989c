"""The captioner that comes with this project: a small decoder on its backbone's embeddings."""

import re
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from clipdemo.hub.catalog import CHECKPOINTS, TINY
from clipdemo.inputs.captions import clean_caption
from clipdemo.inputs.images import read_photo
from clipdemo.model.backbones import Backbone
from clipdemo.model.captioners.captioner import BUNDLED, distinct
from clipdemo.model.captioners.decoder import CARD, read_decoder
from clipdemo.model.embeddings import Photo

# A small decoder tends to repeat words: "a cat and a cat". Only these may occur twice.
_MAY_REPEAT = {
    "a", "an", "the", "and", "or", "of", "in", "on", "at", "to", "by", "with", "from", "for",
    "near", "next", "is", "are", "his", "her", "their", "it", "its", "that", "some", "two",
}  # fmt: skip


def load_bundled(name: str, backbone: Backbone | None, device: str) -> "BundledCaptioner":
    """`bundled`: the given backbone's captioner if it has one, else that of `tiny`; any other name
    is a captioner's folder.

    Raises:
        CaptionerError: its files are damaged.
    """
    folder = CHECKPOINTS / TINY if name == BUNDLED else Path(name)
    if backbone is not None and name == BUNDLED and backbone.id.startswith("local-dir:"):
        own = Path(backbone.id.removeprefix("local-dir:"))
        folder = own if (own / CARD).is_file() else folder
    wanted = TINY if folder == CHECKPOINTS / TINY else f"local-dir:{folder}"
    if backbone is None or backbone.id != wanted:
        backbone = Backbone(wanted, device)
    return BundledCaptioner(name, folder, backbone)


class BundledCaptioner:
    """A decoder trained on the embeddings of one of this project's backbones."""

    def __init__(self, name: str, folder: Path, backbone: Backbone) -> None:
        """Load it.

        Raises:
            CaptionerError: a file is missing, damaged or not the card's, or the decoder was
                trained for other weights of the backbone.
        """
        self.name = name
        self.backbone = backbone
        self.card, self._decoder = read_decoder(folder)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._once = torch.ones(self._decoder.shape.vocabulary, dtype=torch.bool)
        for word, token in self._tokenizer.get_vocab().items():
            if word in _MAY_REPEAT or not word.isalpha():  # such as ##ing, a word's ending
                self._once[token] = False

    def suggest(self, photo: Photo, count: int = 3) -> list[str]:
        """See `Captioner`.

        The best of the sampled captions agrees most with the others (minimum Bayes risk; Kumar and
        Byrne 2004) and with the photo.
        """
        image = read_photo(photo, self.backbone.image_size)
        embedding = self.backbone.encode_photos([image])[0]
        how = self.card["decoding"]
        drawn = self._sample(embedding, how["temperature"])
        captions, own = distinct(drawn), max(len(drawn), 1)
        if len(captions) < count:  # too confident to vary
            drawn += self._sample(embedding, 2.0)
            captions = distinct(drawn)
        if not captions:
            return []
        texts = self.backbone.encode_captions(drawn)
        middle = texts[:own].mean(0)
        texts = texts[[drawn.index(caption) for caption in captions]]
        scores = texts @ middle + how["similarity"] * texts @ embedding
        return [captions[i] for i in diverse(scores, texts, count, how["unlike"])]

    def _sample(self, embedding: np.ndarray, temperature: float) -> list[str]:
        """Sampled captions of an embedding [D], repetitions included."""
        how = self.card["decoding"]
        drawn = self._decoder.sample(
            torch.from_numpy(embedding), how["samples"], temperature, how["share"], self._once
        )
        return [text for text in map(self._text, drawn) if text]

    def _text(self, tokens: list[int]) -> str:
        """The caption with usual spacing and capitals."""
        text = self._tokenizer.decode(tokens)
        text = re.sub(r"\s*([-'/])\s*", r"\1", text).strip(" .")
        return clean_caption(text[:1].upper() + text[1:]) or ""


def diverse(scores: np.ndarray, texts: np.ndarray, count: int, weight: float) -> list[int]:
    """Indices of the captions to offer: the best one, then good ones that say something else.

    Maximal marginal relevance (Carbonell and Goldstein 1998).

    Args:
        scores: [N] quality of each caption.
        texts: [N, D] their embeddings, L2-normalised.
        count: how many to choose.
        weight: of the cosine similarity to the nearest chosen caption, subtracted from the score.
    """
    chosen = [int(scores.argmax())]
    while len(chosen) < min(count, len(scores)):
        left = scores - weight * (texts @ texts[chosen].T).max(1)
        left[chosen] = -np.inf
        chosen.append(int(left.argmax()))
    return chosen
