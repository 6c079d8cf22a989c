"""A labelled table of drawn scenes, for use if no table is given."""

import io
from functools import lru_cache

import pandas as pd

from clipdemo.errors import PhotoError
from clipdemo.inputs.labels import COCO18, LabelSet
from clipdemo.scenes.random_scenes import random_scene

FIRST_SEED = 20_000_000  # the bundled model has not been trained on these
COUNT = 160
SIZE = (320, 240)


class DrawnPhotos:
    """Photos by name like `PhotoSource`, each drawn on request."""

    def __contains__(self, name: str) -> bool:
        number = name.removeprefix("scene-").removesuffix(".png")
        return number.isdecimal() and int(number) < COUNT and name == _name(int(number))

    def read(self, name: str) -> bytes:
        """The PNG bytes of a photo; raises PhotoError if there is none with this name."""
        if name not in self:
            raise PhotoError(f"There is no scene {name}: choose one from the table.")
        return _drawn(int(name[6:-4]))[0]


def drawn_table(labels: LabelSet = COCO18) -> pd.DataFrame:
    """All scenes as a label table: `ImageID`, `Labels` (ids) and `Caption`.

    Captions name only some of the objects. Empty if none of `labels` is ever drawn.
    """
    ids = dict(zip(labels.names, labels.ids, strict=True))
    rows = []
    for number in range(COUNT if ids.keys() & set(COCO18.names) else 0):
        _, labels, caption = _drawn(number)
        rows.append((_name(number), tuple(ids[name] for name in labels if name in ids), caption))
    return pd.DataFrame(rows, columns=["ImageID", "Labels", "Caption"])


def _name(number: int) -> str:
    return f"scene-{number:03d}.png"


@lru_cache(COUNT)
def _drawn(number: int) -> tuple[bytes, tuple[str, ...], str]:
    """A scene's photo as PNG, its labels and its caption; all of them have 3 MB together."""
    scene = random_scene(FIRST_SEED + number, SIZE)
    file = io.BytesIO()
    scene.image.save(file, "PNG", compress_level=1)
    return file.getvalue(), scene.labels, scene.caption
