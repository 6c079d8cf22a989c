"""Photos to measure with: drawn, so that there are as many different ones as are needed."""

import itertools
from collections.abc import Iterator
from io import BytesIO

from clipdemo.data.drawn_scenes import random_scene

PHOTO_SIZE = (640, 480)


def photos() -> Iterator[tuple[bytes, str]]:
    """Drawn photos as JPEG, each with its caption; no two are the same."""
    for seed in itertools.count():
        scene, file = random_scene(seed, PHOTO_SIZE), BytesIO()
        scene.image.save(file, "JPEG", quality=90)
        yield file.getvalue(), f"{scene.caption} {seed}"
