"""Score rows and photos on a Ray cluster.

Each function takes a function with which a worker loads its classifier, and otherwise does what its
namesake without `on_ray` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pandas as pd

from clipdemo.inputs.photo_source import PhotoSource
from clipdemo.inspection.batch import Item, Result, predict_items
from clipdemo.inspection.evaluation import ScoredRows, score_rows
from clipdemo.model.captioners.captioner import Captioner
from clipdemo.model.classifier import Classifier
from clipdemo.model.on_ray import map_in_workers

CHUNK = 64  # items that a worker scores at a time


def score_parts_on_ray(
    load: Callable[[], Classifier], parts: Sequence[pd.DataFrame], photos: PhotoSource | None
) -> Iterator[ScoredRows]:
    """The scores of each part's rows, in the order of the parts."""

    def make() -> Callable[[pd.DataFrame], ScoredRows]:
        classifier = load()
        return lambda part: score_rows(classifier, part, photos)

    return map_in_workers(make, parts)


def predict_items_on_ray(
    load: Callable[[], Classifier],
    items: Sequence[Item],
    captioner: Callable[[Classifier], Captioner] | None = None,
) -> Iterator[list[Result]]:
    """Results in the order of the items, without their photos."""

    def make() -> Callable[[Sequence[Item]], list[Result]]:
        classifier, sources = load(), {}
        writer = captioner and captioner(classifier)

        def score(part: Sequence[Item]) -> list[Result]:
            found = predict_items(classifier, part, writer, sources)
            return [replace(result, photo=None) for results in found for result in results]

        return score

    return map_in_workers(make, [items[i : i + CHUNK] for i in range(0, len(items), CHUNK)])
