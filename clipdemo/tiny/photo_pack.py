"""The real photos, captions and teacher files of a data folder, as arrays that training can index.

A data folder holds `manifest.csv`, `captions.csv`, `photos/<set>.zip` and the teacher's
`teacher.csv`, `teacher_grid.npz`, `teacher_features.npz`. Photos come in through
`images.read_photo` and are squashed to a square, as the backbone squashes them when it serves.
"""

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from clipdemo.errors import TableError
from clipdemo.inputs.images import read_photo
from clipdemo.inputs.labels import COCO18
from clipdemo.scenes.scenes import random_scene
from clipdemo.tables.label_table import read_label_table, target_matrix

SIDE = 144
GRID = 10
FEATURES = 464
FIRST_VALIDATION_ROW = 28_000


@dataclass
class Pack:
    """N photos with everything known of them; `nan` means not known.

    photos [N, SIDE, SIDE, 3] uint8; labels [N, L] 1, 0 or nan; grid [N, L, GRID, GRID] chance
    that the label is in the cell; soft [N, L] chance that it is in the photo; features
    [N, FEATURES] of the teacher; captions, sets, names: N lists and strings.
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
    def validation(self) -> np.ndarray:
        """[N] bool: the photos no training may see (number % 6 == 1 in comp5329 and coco)."""
        return np.array(
            [
                s in ("comp5329", "coco") and int(Path(n).stem) % 6 == 1
                for s, n in zip(self.sets, self.names, strict=True)
            ]
        )


def _known_labels(manifest: pd.DataFrame) -> np.ndarray:
    """[N, L] 1 present, 0 absent, nan not annotated."""
    out = np.full((len(manifest), len(COCO18)), np.nan, np.float32)
    index = COCO18.index_of_id
    for row, (labels, annotated) in enumerate(
        zip(manifest["labels"], manifest["annotated"], strict=True)
    ):
        if labels == "?":
            continue
        known = [index[i] for i in annotated.split()] if annotated else slice(None)
        out[row, known] = 0
        out[row, [index[i] for i in labels.split()]] = 1
    return out


def _calibration(scores: np.ndarray, labels: np.ndarray, train: np.ndarray) -> np.ndarray:
    """[L, 2] slope and offset that turn a teacher score's logit into a chance (Platt 1999)."""
    out = []
    for column in range(scores.shape[1]):
        rows = train & ~np.isnan(labels[:, column])
        fit = LogisticRegression(C=100).fit(
            _logit(scores[rows, column, None]), labels[rows, column]
        )
        out.append((fit.coef_[0, 0], fit.intercept_[0]))
    return np.array(out, np.float32)


def _logit(p: np.ndarray) -> np.ndarray:
    p = np.clip(p, 1e-3, 1 - 1e-3)
    return np.log(p / (1 - p))


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _read_photos(data: Path, files: list[str], out: np.ndarray) -> None:
    archives = {}
    for row, file in enumerate(files):
        folder, name = file.split("/", 1)
        if folder not in archives:
            archives[folder] = zipfile.ZipFile(data / "photos" / f"{folder}.zip")
        photo = read_photo(archives[folder].read(name), min_side=SIDE)
        out[row] = np.asarray(photo.resize((SIDE, SIDE), resample=3))


def load_pack(data: Path, cache: Path) -> Pack:
    """Read the data folder; the decoded photos are kept in `cache` for the next time.

    Raises:
        TableError: a file is missing.
    """
    needed = ("manifest.csv", "teacher.csv", "teacher_grid.npz", "teacher_features.npz")
    for name in needed:
        if not (data / name).is_file():
            raise TableError(f"{data} has no {name}: point --data at a complete data folder.")
    manifest = pd.read_csv(data / "manifest.csv", dtype=str, keep_default_na=False)
    files = manifest["file"].tolist()
    labels = _known_labels(manifest)
    sets = manifest["set"].to_numpy()

    photos_file = cache / f"photos-{len(files)}-{SIDE}.npy"
    if not photos_file.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        partial = photos_file.with_suffix(".part")
        photos = np.lib.format.open_memmap(partial, "w+", np.uint8, (len(files), SIDE, SIDE, 3))
        _read_photos(data, files, photos)
        photos.flush()
        partial.rename(photos_file)
    photos = np.load(photos_file, mmap_mode="r")

    teacher = pd.read_csv(data / "teacher.csv").set_index("file").loc[files, list(COCO18.ids)]
    soft = teacher.to_numpy(np.float32)
    # Both arrays follow the manifest; their name arrays are pickled, which is never loaded.
    grid = np.load(data / "teacher_grid.npz")["grid"].astype(np.float32) / 255
    features = np.load(data / "teacher_features.npz")["features"].astype(np.float32)
    if not len(grid) == len(features) == len(files):
        raise TableError(f"The teacher files of {data} do not have one row per manifest row.")

    pack = Pack(
        photos=photos,
        labels=labels,
        soft=soft,
        grid=grid,
        features=features,
        captions=[json.loads(c) for c in manifest["captions"]],
        sets=sets,
        names=np.array([f.split("/", 1)[1] for f in files]),
    )
    slope, offset = _calibration(soft, labels, ~pack.validation).T
    pack.soft = _sigmoid(slope * _logit(soft) + offset).astype(np.float32)
    cells = (slice(None), None, None)
    np.copyto(grid, _sigmoid(slope[cells] * _logit(grid) + offset[cells]))
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
            columns = slice(int(x0 * GRID), max(int(np.ceil(x1 * GRID)), int(x0 * GRID) + 1))
            rows = slice(int(y0 * GRID), max(int(np.ceil(y1 * GRID)), int(y0 * GRID) + 1))
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


def caption_rows(data: Path, pack: Pack) -> tuple[list[str], np.ndarray, list[str], np.ndarray]:
    """Captions with the labels of their row: training (texts, [N, L]), validation (texts, [N, L]).

    Validation is the study's: rows 28000 to 29999. Training also leaves out the rows whose photo
    is a validation photo.
    """
    frame = read_label_table(data / "captions.csv").frame
    number = frame["ImageID"].str.removesuffix(".jpg").astype(int)
    held = set(pack.names[pack.validation & (pack.sets == "comp5329")])
    validation = (number >= FIRST_VALIDATION_ROW).to_numpy()
    train = ~validation & ~frame["ImageID"].isin(held).to_numpy()
    targets = target_matrix(frame, COCO18)
    texts = frame["Caption"].to_numpy()
    return (
        texts[train].tolist(), targets[train], texts[validation].tolist(), targets[validation]
    )  # fmt: skip
