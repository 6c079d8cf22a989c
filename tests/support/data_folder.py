"""A small data folder of drawn scenes in the format for training."""

import csv
import io
import json
import zipfile
from pathlib import Path

import numpy as np

from clipdemo.inputs.labels import COCO18
from clipdemo.scenes import random_scene

PHOTOS = 72
CAPTIONS_ALONE = 40


def write_data_folder(folder: Path) -> Path:
    """Photos with captions, more captions from row 28000 on, and a nearly correct teacher."""
    (folder / "photos").mkdir(parents=True)
    rng = np.random.default_rng(0)
    manifest, table, soft, grids = [], [], [], []
    with zipfile.ZipFile(folder / "photos" / "comp5329.zip", "w") as archive:
        seeds = (s for s in range(10_000) if random_scene(s).labels)
        for number, seed in zip(range(1, PHOTOS + 1), seeds, strict=False):
            scene, file = random_scene(seed), io.BytesIO()
            scene.image.save(file, "JPEG")
            archive.writestr(f"{number}.jpg", file.getvalue())
            ids = [COCO18.ids[COCO18.names.index(name)] for name in scene.labels]
            captions = json.dumps([scene.caption])
            name = f"comp5329/{number}.jpg"
            manifest.append([name, "comp5329", " ".join(ids), captions, ""])
            table.append([f"{number}.jpg", " ".join(ids), scene.caption])
            present = np.isin(COCO18.names, scene.labels)
            scores = np.where(present, 0.6, 0.05) + rng.uniform(-0.04, 0.3, 18)
            soft.append([name, *scores.round(3)])
            grids.append(np.where(present[:, None, None], 150, 8) * np.ones((18, 10, 10)))
    for row in range(CAPTIONS_ALONE):
        label = row % 18
        table.append([f"{28_000 + row}.jpg", COCO18.ids[label], f"a {COCO18.names[label]} {row}"])
        table.append([f"{1_000 + row}.jpg", COCO18.ids[label], f"the {COCO18.names[label]} {row}"])
    write_csv(folder / "manifest.csv", ["file", "set", "labels", "captions", "annotated"], manifest)
    write_csv(folder / "captions.csv", ["ImageID", "Labels", "Caption"], table)
    write_csv(folder / "teacher.csv", ["file", *COCO18.ids], soft)
    np.savez(folder / "teacher_grid.npz", grid=np.array(grids, np.uint8))
    features = rng.normal(size=(PHOTOS, 464)).astype(np.float16)
    np.savez(folder / "teacher_features.npz", features=features)
    return folder


def write_csv(path: Path, header: list[str], rows: list[list]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
