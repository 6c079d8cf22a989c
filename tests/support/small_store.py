"""A small feature store of drawn scenes, with photos, captions and generated captions."""

from pathlib import Path

import pandas as pd

from clipdemo.inputs.labels import COCO18
from clipdemo.model.backbones import Backbone
from clipdemo.scenes import random_scene
from clipdemo.study.encode import encode_table
from clipdemo.tables.label_table import write_label_table

IDS = dict(zip(COCO18.names, COCO18.ids, strict=True))


def write_table(folder: Path, count: int = 60) -> Path:
    """`T.csv` with `count` photos in `photos/`, and `generated.csv` with captions for them."""
    (folder / "photos").mkdir(parents=True)
    scenes = [s for s in map(random_scene, range(3 * count)) if s.labels][:count]
    rows = []
    for number, scene in enumerate(scenes):
        scene.image.save(folder / "photos" / f"{number}.jpg")
        rows.append((f"{number}.jpg", tuple(IDS[name] for name in scene.labels), scene.caption))
    frame = pd.DataFrame(rows, columns=["ImageID", "Labels", "Caption"])
    write_label_table(frame, folder / "T.csv")
    said = [f"This has {' and '.join(scene.labels)}" for scene in scenes]
    write_label_table(frame.assign(Caption=said), folder / "generated.csv")
    return folder / "T.csv"


def write_store(folder: Path, clip: Path, captions: bool = True) -> Path:
    """The store of such a table for the backbone in `clip`, with or without captions."""
    table = write_table(folder)
    if not captions:
        frame = pd.read_csv(table, dtype=str)
        frame.drop(columns="Caption").to_csv(table, index=False)
    encode_table(
        Backbone(f"local-dir:{clip}", "cpu"),
        table,
        folder / "store",
        folder / "photos",
        folder / "generated.csv" if captions else None,
    )
    return folder / "store"
