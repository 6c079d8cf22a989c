"""A labelled table of drawn scenes, for use if no table is given."""

import io

import pandas as pd

from clipdemo.errors import PhotoError
from clipdemo.inputs.labels import COCO18, LabelSet
from clipdemo.scenes.random_scenes import random_scene
from clipdemo.scenes.stage import Scene

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
        file = io.BytesIO()
        _scene(int(name[6:-4])).image.save(file, "PNG", compress_level=1)
        return file.getvalue()


def drawn_table(labels: LabelSet = COCO18) -> pd.DataFrame:
    """All scenes as a label table: `ImageID`, `Labels` (ids) and `Caption`.

    Captions name only some of the objects. Empty if none of `labels` is ever drawn.
    """
    ids = dict(zip(labels.names, labels.ids, strict=True))
    rows = []
    for number in range(COUNT if ids.keys() & set(COCO18.names) else 0):
        scene = _scene(number)
        known = tuple(ids[name] for name in scene.labels if name in ids)
        rows.append((_name(number), known, scene.caption))
    return pd.DataFrame(rows, columns=["ImageID", "Labels", "Caption"])


def _name(number: int) -> str:
    return f"scene-{number:03d}.png"


def _scene(number: int) -> Scene:
    return random_scene(FIRST_SEED + number, SIZE)
