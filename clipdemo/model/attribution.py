"""What a word or a region contributes to a score, and how well photo and caption match.

Both contributions are measured by erasure: the full score minus the score without the word (Li et
al. 2016, "Understanding Neural Networks through Representation Erasure") or with the region covered
(Zeiler and Fergus 2014, section 4.2). Nothing is approximated: each variant is encoded.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import numpy as np
from PIL import Image

from clipdemo.errors import ClipdemoError
from clipdemo.inputs.captions import clean_caption
from clipdemo.inputs.images import read_photo
from clipdemo.model.classifier import Classifier
from clipdemo.model.embeddings import Photo

Box = tuple[float, float, float, float]

CELLS = 8
SIDE = 2
"""Cells along each side of the grid, and of the window that slides over it cell by cell.

In 97 % of 130 drawn scenes with one object that `tiny` finds, the centre of the hottest cell was on
the object (in 94 % of 130 others). With blurred windows it was in 95 %, and with the mean instead
of the sum over a cell's windows, of which there are fewer at the edges, in 87 %. Windows without
overlap did worse, a finer grid no better.
"""
BATCH = 16
MAX_WORDS = 100
PERCENTS = range(101)


@dataclass(frozen=True)
class Word:
    """A word of a caption.

    Attributes:
        word: the word.
        read: whether the backbone reads this far; otherwise there are no effects.
        effects: per mode that reads captions, per label name, the score with all words minus the
            score without this one; a mode that has no input without it is absent.
    """

    word: str
    read: bool
    effects: dict[str, dict[str, float]]

    def to_dict(self) -> dict:
        """JSON-ready."""
        return asdict(self)


def words(classifier: Classifier, photo: Photo | None, caption: str | None) -> list[Word]:
    """The words of a caption with their effects, from a batch of captions that each lack one word.

    Words beyond what the backbone reads, or beyond `MAX_WORDS`, get no effects.

    Raises:
        PhotoError: the photo cannot be read.
    """
    said = clean_caption(caption)
    if said is None or classifier.modes == ["image"]:
        return []
    spoken = said.split()
    read = min(classifier.backbone.words_read(said), MAX_WORDS)
    without = [" ".join(spoken[:i] + spoken[i + 1 :]) for i in range(read)]
    [image, *_], text = classifier.embed([photo, *[None] * read], [said, *without])
    all_words, *less = classifier.predict_embeddings([image] * len(text), text)
    effects = [
        {
            mode: {name: all_words.scores[mode][name] - score for name, score in scores.items()}
            for mode, scores in found.scores.items()
            if mode != "image"
        }
        for found in less
    ]
    effects += [{}] * (len(spoken) - read)
    return [Word(word, i < read, effects[i]) for i, word in enumerate(spoken)]


@dataclass(frozen=True)
class Regions:
    """The effects of a photo's regions on the score of one label in one mode.

    Attributes:
        mode, label, score: of the photo as it is.
        seen: left, top, right and bottom of the grid as fractions of the photo; the backbone does
            not see what lies outside.
        effects: [CELLS, CELLS], rows from the top: how much the score falls when the cell is
            covered, summed over the windows that cover it and divided by SIDE * SIDE, the number of
            windows over a cell that is not at the edge.
    """

    mode: str
    label: str
    score: float
    seen: Box
    effects: np.ndarray

    def hottest(self, count: int = 1) -> list[tuple[float, Box]]:
        """The largest effects, and the boxes of their cells as fractions of the photo."""
        left, top, right, bottom = self.seen
        wide, high = (right - left) / CELLS, (bottom - top) / CELLS
        found = []
        for cell in np.argsort(-self.effects, axis=None, kind="stable")[:count].tolist():
            y, x = divmod(cell, CELLS)
            corner = left + x * wide, top + y * high
            found.append((float(self.effects[y, x]), (*corner, corner[0] + wide, corner[1] + high)))
        return found

    def to_dict(self) -> dict:
        """JSON-ready."""
        return asdict(self) | {"effects": self.effects.tolist()}


def regions(
    classifier: Classifier,
    photo: Photo,
    caption: str | None,
    mode: str,
    label: str,
    watch: Callable[[int, int], object] = lambda done, total: None,
) -> Regions:
    """The effect of each region of the photo on the score of a label.

    The covered photos are encoded once; another label, mode or caption then needs no encoding.

    Args:
        watch: called after each batch with the number of covered photos encoded and their total;
            an exception that it raises ends the work.

    Raises:
        PhotoError: the photo cannot be read.
        ClipdemoError: the mode reads no photo or lacks its caption, or there is no such label.
    """
    *_, found = (
        step if isinstance(step, Regions) else watch(*step)
        for step in mapping(classifier, photo, caption, mode, label)
    )
    return found


def mapping(
    classifier: Classifier, photo: Photo, caption: str | None, mode: str, label: str
) -> Iterator[tuple[int, int] | Regions]:
    """`regions` step by step, so that it can be stopped; raises the same.

    Yields:
        The number of covered photos encoded and their total, at the start and after each batch;
        finally the result.
    """
    _check(classifier, caption, mode, label)
    backbone = classifier.backbone
    read = read_photo(photo, backbone.image_size)
    photos = _covered(backbone.cut(read))
    yield 0, len(photos)
    images = []
    for start in range(0, len(photos), BATCH):
        part = photos[start : start + BATCH]
        images += classifier.embed(part, [None] * len(part))[0]
        yield len(images), len(photos)
    [whole], [text] = classifier.embed([photo], [caption])
    found = classifier.predict_embeddings([whole, *images], [text] * (1 + len(images)))
    score, *without = [prediction.scores[mode][label] for prediction in found]
    effects = np.zeros((CELLS, CELLS))
    for (left, top, right, bottom), less in zip(windows(), without, strict=True):
        effects[top:bottom, left:right] += (score - less) / SIDE**2
    yield Regions(mode, label, score, backbone.seen(read.size), effects)


def _check(classifier: Classifier, caption: str | None, mode: str, label: str) -> None:
    readers = [m for m in classifier.modes if m != "text"]
    if mode not in readers:
        choose = f"choose {' or '.join(readers)}" if readers else "these heads have none"
        raise ClipdemoError(f"{mode!r} is not a mode that reads photos: {choose}.")
    if label not in classifier.card.labels.names:
        raise ClipdemoError(f"There is no label {label!r}: choose one that the board shows.")
    if mode != "image" and clean_caption(caption) is None:
        raise ClipdemoError(f"{mode} reads photo and caption together: give a caption too.")


def windows() -> list[tuple[int, int, int, int]]:
    """Left, top, right and bottom of every window, in cells."""
    return [
        (x, y, x + SIDE, y + SIDE) for y in range(CELLS - SIDE + 1) for x in range(CELLS - SIDE + 1)
    ]


def _covered(cut: Image.Image) -> list[Image.Image]:
    """Copies of the cut photo, each with one window in the mean colour."""
    mean = tuple(np.asarray(cut).mean((0, 1)).round().astype(int).tolist())
    photos = []
    for box in windows():
        left, right = (round(x * cut.width / CELLS) for x in box[::2])
        top, bottom = (round(y * cut.height / CELLS) for y in box[1::2])
        photo = cut.copy()
        photo.paste(mean, (left, top, right, bottom))
        photos.append(photo)
    return photos


@dataclass(frozen=True)
class Fit:
    """How well photo and caption match.

    Attributes:
        similarity: cosine similarity of their embeddings.
        better_than: share in [0, 1] of the validation pairs that match less well; None if the card
            has no such pairs.
    """

    similarity: float
    better_than: float | None

    def to_dict(self) -> dict:
        """JSON-ready."""
        return asdict(self)


def fit(classifier: Classifier, photo: Photo | None, caption: str | None) -> Fit | None:
    """How well a photo and a caption match; None unless both are given and heads read both.

    Raises:
        PhotoError: the photo cannot be read.
    """
    [image], [text] = classifier.embed([photo], [caption])
    if image is None or text is None:
        return None
    similarity = float(image @ text)
    known = classifier.card.content.get("fit")
    share = np.interp(similarity, known["matching"], PERCENTS) / 100 if known else None
    return Fit(similarity, None if share is None else float(share))


def fit_of_pairs(image: np.ndarray, text: np.ndarray) -> dict:
    """The card's entry `fit`: how well validation pairs match, from their embeddings [N, D].

    Returns:
        `n`, and the percentiles 0 to 100 of the cosine similarities of `matching` pairs and of
        `mismatched` ones, in which each photo has the caption half a table further on.
    """
    pairs = {"matching": text, "mismatched": np.roll(text, len(text) // 2, axis=0)}
    return {"n": len(image)} | {
        name: np.percentile((image * other).sum(1), PERCENTS).round(4).tolist()
        for name, other in pairs.items()
    }
