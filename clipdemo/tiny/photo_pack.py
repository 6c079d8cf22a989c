"""The real photos, captions and teacher files of a data folder, as arrays that training can index.

A data folder holds `manifest.csv`, `captions.csv`, `photos/<set>.zip` and the teacher's
`teacher.csv`, `teacher_grid.npz`, `teacher_features.npz`. Photos are read by `images.read_photo`
and squashed to a square, as at inference.
"""

import json
import math
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from clipdemo.errors import TableError
from clipdemo.inputs.images import read_photo
from clipdemo.inputs.labels import COCO18
from clipdemo.scenes import random_scene
from clipdemo.tables.label_table import read_label_table, target_matrix

SIDE = 144
GRID = 10
FEATURES = 464
FIRST_VALIDATION_ROW = 28_000


@dataclass
class Pack:
    """N photos with everything known about them; nan means not known.

    photos [N, SIDE, SIDE, 3] uint8; labels [N, L] 1, 0 or nan; grid [N, L, GRID, GRID] probability
    that the label is in the cell; soft [N, L] probability that it is in the photo; features
    [N, FEATURES] of the teacher; captions: N lists; sets, names: N strings.
    """

    photos: np.ndarray
    labels: np.ndarray
    soft: np.ndarray
    grid: np.ndarray
    features: np.ndarray
    captions: list[list[str]]
    sets: np.ndarray
    names: np.ndarray

    @property
    def annotated(self) -> np.ndarray:
        """[N] bool: the photos of the sets in which all labels are annotated."""
        return np.isin(self.sets, ("comp5329", "coco"))

    @property
    def validation(self) -> np.ndarray:
        """[N] bool: photos held out from training (number % 6 == 1 in comp5329 and coco)."""
        return self.annotated & np.array([is_validation(name) for name in self.names], bool)

    @property
    def known(self) -> np.ndarray:
        """[N, L] the labels, or the teacher's probabilities where there is no annotation."""
        return np.where(np.isnan(self.labels), self.soft, self.labels).astype(np.float32)


def is_validation(name: str) -> bool:
    """Whether a photo of comp5329 or coco belongs to validation, by the number in its name."""
    return Path(name).stem.isdecimal() and int(Path(name).stem) % 6 == 1


def _known_labels(manifest: pd.DataFrame) -> np.ndarray:
    """[N, L] 1 present, 0 absent, nan not annotated."""
    present, annotated = (
        manifest[column].str.get_dummies(" ").reindex(columns=list(COCO18.ids), fill_value=0)
        for column in ("labels", "annotated")
    )
    all_annotated = (manifest["annotated"] == "") & (manifest["labels"] != "?")
    known = present | annotated | all_annotated.to_numpy(int)[:, None]
    return present.where(known == 1).to_numpy(np.float32)


def _calibrate(pack: Pack) -> None:
    """Turn the teacher's scores into probabilities, label by label (Platt 1999), in place."""
    for label in range(len(COCO18)):
        truth = pack.labels[:, label]
        rows = ~pack.validation & ~np.isnan(truth)
        platt = LogisticRegression(C=100).fit(_logit(pack.soft[rows, label]), truth[rows])
        for scores in (pack.soft[:, label], pack.grid[:, label]):
            scores[...] = platt.predict_proba(_logit(scores))[:, 1].reshape(scores.shape)


def _logit(chances: np.ndarray) -> np.ndarray:
    """[M, 1] logits of all probabilities."""
    clipped = np.clip(chances, 1e-3, 1 - 1e-3).reshape(-1, 1)
    return np.log(clipped / (1 - clipped))


def _read_photos(data: Path, files: list[str], out: np.ndarray) -> None:
    archives = {}
    for row, file in enumerate(files):
        folder, name = file.split("/", 1)
        if folder not in archives:
            archives[folder] = zipfile.ZipFile(data / "photos" / f"{folder}.zip")
        photo = read_photo(archives[folder].read(name), min_side=SIDE)
        out[row] = np.asarray(photo.resize((SIDE, SIDE), resample=3))


def load_pack(data: Path, cache: Path) -> Pack:
    """Read the data folder; decoded photos are cached in `cache` for the next call.

    Raises:
        TableError: a file is missing.
    """
    needed = ("manifest.csv", "teacher.csv", "teacher_grid.npz", "teacher_features.npz")
    for name in needed:
        if not (data / name).is_file():
            raise TableError(f"{data} has no {name}: point --data at a complete data folder.")
    manifest = pd.read_csv(data / "manifest.csv", dtype=str, keep_default_na=False)
    files = manifest["file"].tolist()
    photos_file = cache / f"photos-{len(files)}-{SIDE}.npy"
    if not photos_file.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        partial = photos_file.with_suffix(".part")
        photos = np.lib.format.open_memmap(partial, "w+", np.uint8, (len(files), SIDE, SIDE, 3))
        _read_photos(data, files, photos)
        photos.flush()
        partial.rename(photos_file)

    teacher = pd.read_csv(data / "teacher.csv").set_index("file").loc[files, list(COCO18.ids)]
    # Both arrays are in the manifest's order; their name arrays are pickled and never loaded.
    grid = np.load(data / "teacher_grid.npz")["grid"].astype(np.float32) / 255
    features = np.load(data / "teacher_features.npz")["features"].astype(np.float32)
    if not len(grid) == len(features) == len(files):
        raise TableError(f"The teacher files of {data} do not have one row per manifest row.")
    pack = Pack(
        photos=np.load(photos_file, mmap_mode="r"),
        labels=_known_labels(manifest),
        soft=teacher.to_numpy(np.float32, copy=True),
        grid=grid,
        features=features,
        captions=[json.loads(c) for c in manifest["captions"]],
        sets=manifest["set"].to_numpy(str),
        names=np.array([f.split("/", 1)[1] for f in files]),
    )
    _calibrate(pack)
    return pack


def drawn_pack(count: int, first_seed: int = 0) -> Pack:
    """`count` drawn scenes as a Pack; a cell holds a label when its box touches the cell."""
    photos = np.empty((count, SIDE, SIDE, 3), np.uint8)
    labels = np.zeros((count, len(COCO18)), np.float32)
    grid = np.zeros((count, len(COCO18), GRID, GRID), np.float32)
    captions = []
    for row in range(count):
        scene = random_scene(first_seed + row)
        photos[row] = np.asarray(scene.image.resize((SIDE, SIDE), resample=3))
        captions.append([scene.caption])
        for name, (x0, y0, x1, y1) in scene.objects:
            label = COCO18.names.index(name)
            labels[row, label] = 1
            columns = slice(int(x0 * GRID), math.ceil(x1 * GRID))
            rows = slice(int(y0 * GRID), math.ceil(y1 * GRID))
            grid[row, label, rows, columns] = 1
    return Pack(
        photos=photos,
        labels=labels,
        soft=labels.copy(),
        grid=grid,
        features=np.full((count, FEATURES), np.nan, np.float32),
        captions=captions,
        sets=np.array(["drawn"] * count),
        names=np.array([f"{first_seed + row}.png" for row in range(count)]),
    )


def join(*packs: Pack) -> Pack:
    """Several packs as one, in order."""
    arrays = ("photos", "labels", "soft", "grid", "features", "sets", "names")
    return Pack(
        captions=[c for pack in packs for c in pack.captions],
        **{name: np.concatenate([getattr(pack, name) for pack in packs]) for name in arrays},
    )


@dataclass
class CaptionRows:
    """Captions of the label table with the labels [N, L] of their rows.

    Validation is the study's: rows 28000 to 29999. Training also leaves out the captions of
    validation photos.
    """

    train: list[str]
    train_labels: np.ndarray
    check: list[str]
    check_labels: np.ndarray


def caption_rows(data: Path, pack: Pack) -> CaptionRows:
    """Read the captions of a data folder's label table."""
    frame = read_label_table(data / "captions.csv").frame
    held = pack.names[pack.validation & (pack.sets == "comp5329")]
    check = validation_rows(frame)
    train = ~check & ~frame["ImageID"].isin(held)
    texts, targets = frame["Caption"], target_matrix(frame, COCO18)
    return CaptionRows(texts[train].tolist(), targets[train], texts[check].tolist(), targets[check])


def validation_rows(frame: pd.DataFrame) -> pd.Series:
    """[N] bool: the study's validation rows of a label table, by the number of their photo."""
    return frame["ImageID"].str.removesuffix(".jpg").astype(int) >= FIRST_VALIDATION_ROW
