"""Folders of photos per label, as in Hugging Face's imagefolder.

A folder's name is a label only if that is clear: the parts of a dataset, a folder that holds
everything, and folders by date are not, and what has annotations is refused with what to give.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from clipdemo.errors import TableError
from clipdemo.inputs.photo_names import EXTENSIONS, is_photo, is_side_file
from clipdemo.inputs.photo_source import files_below
from clipdemo.tables.columns import COLUMNS
from clipdemo.tables.gathered import gathered
from clipdemo.tables.rows import OURS, Rows

METADATA = ("metadata.csv", "metadata.jsonl", "metadata.parquet")  # of an imagefolder
_NO_CLASSES = {
    "images", "img", "imgs", "jpegimages", "jpg", "jpeg", "png", "dcim", "val", "validation",
    "test", "testing",
}  # fmt: skip
_CLASSES_AMONG_OTHERS = {
    "train", "training", "valid", "dev", "set", "part", "fold", "split", "batch", "shard", "image",
    "photo", "photos", "picture", "pictures", "data", "dataset", "mask", "raw", "originals",
    "resized", "cropped", "processed", "camera", "roll", "screenshots", "downloads", "whatsapp",
    "new", "folder",
}  # fmt: skip
_ASIDE = {
    "annotations", "labels", "masks", "segmentationclass", "segmentationobject", "thumbs",
    "thumbnails", "previews",
}  # fmt: skip
_BY_DATE = r"(photos from )?(19|20)\d\d([-_. ]?\d\d){0,2}"  # Photos from 2021, and 2021-05-04
_BY_CAMERA = r"[1-9]\d\d(?=\w*[a-z_])[a-z_\d]{5}"  # 100APPLE
_BY_SIZE = r"\d+x\d+"
_BY = re.compile(f"{_BY_DATE}|{_BY_CAMERA}|{_BY_SIZE}", re.IGNORECASE)
_NOTHING = "no label"  # as the command batch writes
_NUMBER = re.compile(r"\d+[\s._-]+(?=.*[^\W\d_])")  # such as 001.Albatross
_TABLES = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".manifest", ".xlsx", ".parquet")
_BINARY = (".xlsx", ".parquet")
_ANY_PHOTO = re.compile(rf"\.(?:{'|'.join(EXTENSIONS)})\b", re.IGNORECASE)
_SAMPLES = 3  # files of a kind that are examined in each folder
_HEAD = 2**16  # bytes of each


def read_folder(path: Path) -> Path | Rows:
    """An imagefolder: its metadata file, or rows from one folder of photos per label.

    Raises:
        TableError: it is neither, or the labels are not clear.
    """
    for name in METADATA:
        if (path / name).is_file():
            return path / name
    files = sorted(file for file in files_below(path) if not is_side_file(file))
    photos = [file for file in files if is_photo(file)]
    _refuse_annotations(path, files, photos)
    labels = _labels(photos)
    _refuse_unclear(path, files, labels)
    return _rows(labels)


def _rows(labels: dict[str, list[str]]) -> Rows:
    """Rows of the photos that have a label."""
    names = {photo: found[0] for photo, found in labels.items() if found}
    plain = {name: _NUMBER.sub("", name) for name in set(names.values())}
    numbered = len(set(plain.values())) == len(plain) and all(map(_NUMBER.match, plain))
    if numbered:
        names = {photo: plain[name] for photo, name in names.items()}
    rows = [(photo, (name,) if name != _NOTHING else (), "") for photo, name in names.items()]
    rows = gathered(enumerate(rows, 1), COLUMNS, OURS)
    rows.read_as["Labels"] = "names of folders" + " without their numbers" * numbered
    left = {PurePosixPath(photo).parent.as_posix() for photo in labels if photo not in names}
    if left:
        left = sorted("the folder itself" if folder == "." else folder for folder in left)
        rows.read_as["photos not read, in"] = ", ".join(left)[:200]
    return rows


def _labels(photos: Sequence[str]) -> dict[str, list[str]]:
    """The folders of each photo that may be labels, from the top."""
    places = {photo: PurePosixPath(photo).parent for photo in photos}
    siblings = defaultdict(set)
    for place in set(places.values()):
        for folder in (place, *place.parents):
            siblings[folder.parent].add(folder.name)
    found = {}
    for place in set(places.values()):
        folders = [folder for folder in (place, *place.parents) if folder.name][::-1]
        names = [f.name for f in folders if _is_class(f.name, siblings[f.parent])]
        aside = any(f.name.startswith(("_", "@")) or _words(f.name) <= _ASIDE for f in folders)
        found[place] = [] if aside else names
    tops = {names[0] for names in found.values() if names}
    while len(tops) == 1 and any(len(names) > 1 for names in found.values()):
        found = {place: names[1:] for place, names in found.items()}  # it holds everything
        tops = {names[0] for names in found.values() if names}
    return {photo: found[place] for photo, place in places.items()}


def _is_class(name: str, siblings: set[str]) -> bool:
    """Whether a folder's name may be a label, which it and its siblings tell."""
    if _words(name) <= _NO_CLASSES | _CLASSES_AMONG_OTHERS and _words(name) & _NO_CLASSES:
        return False
    none = _NO_CLASSES | _CLASSES_AMONG_OTHERS | _ASIDE
    return any(
        not _words(other) <= none and not _BY.fullmatch(other) for other in siblings if other
    )


def _words(name: str) -> set[str]:
    """The words of a name such as `train_images` or `val2017`; digits alone are a word."""
    return set(re.findall(r"[^\W\d_]+", name.casefold())) or {name}


def _refuse_annotations(path: Path, files: Sequence[str], photos: Sequence[str]) -> None:
    """Raise TableError if files name the photos, or lie next to them as YOLO's do."""
    stems = {PurePosixPath(photo).stem for photo in photos}
    kinds = defaultdict(list)
    for file in files:
        if not is_photo(file):
            kinds[PurePosixPath(file).parent, PurePosixPath(file).suffix].append(file)
    some = [file for found in kinds.values() for file in found[:_SAMPLES]]
    telling = [file for file in some if _names_photos(path / file)]
    whole = [f for f in telling if not {Path(f).stem, Path(Path(f).stem).stem} & stems]
    if len(whole) == 1:
        raise TableError(f"{path} has its labels in a table: give {whole[0]}.")
    if whole:
        raise TableError(f"{path} has its labels in tables: give one, such as {whole[0]}.")
    if telling:
        raise TableError(
            f"{path} has a file of labels for each photo, such as {telling[0]}: export them as one "
            "table, such as in COCO format."
        )
    numbers = (
        f for f in some if PurePosixPath(f).suffix == ".txt" and PurePosixPath(f).stem in stems
    )
    if any(re.fullmatch(r"[\d\s.e+-]*\d[\d\s.e+-]*", _head(path / file)) for file in numbers):
        _refuse_yolo(path)


def _names_photos(file: Path) -> bool:
    """Whether a file says which photo has which labels."""
    suffix = file.suffix.lower()
    if suffix in _BINARY or file.name in METADATA:
        return True
    if suffix == ".txt":  # or a text about the dataset
        lines = [line for line in _head(file).splitlines() if line.strip()][:50]
        return 2 * sum(bool(_ANY_PHOTO.search(line)) for line in lines) > len(lines)
    if suffix not in (*_TABLES, ".xml"):
        return False
    return is_photo(file.stem) or bool(_ANY_PHOTO.search(_head(file)))  # or 1.jpg.json


def _head(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(_HEAD).decode("utf-8", "replace")
    except OSError:  # a link to nowhere
        return ""


def _refuse_unclear(path: Path, files: Sequence[str], labels: dict[str, list[str]]) -> None:
    """Raise TableError, with what to give, unless photos have one label each, of several."""
    nested = next((photo for photo, names in labels.items() if len(names) > 1), None)
    if nested:
        inner = PurePosixPath(nested).parent
        raise TableError(
            f"{path} has folders within folders of photos, such as {inner}, so "
            "that its labels are not clear: give a folder with one folder per label, or a table."
        )
    found = {names[0] for names in labels.values() if names}
    if len(found) == 1:
        raise TableError(
            f"{path} has photos of one label only ({next(iter(found))}): add folders of others, or "
            "give a table."
        )
    if found:
        return
    if any(file.endswith(".txt") and "labels" in file.split("/") for file in files):
        _refuse_yolo(path)
    tables = [f for f in files if f.lower().endswith(_TABLES) and not is_photo(Path(f).stem)]
    raise TableError(
        f"{path} has neither {METADATA[0]} nor a folder of photos per label: give a table"
        f"{f', such as {tables[0]}' if tables else ''}."
    )


def _refuse_yolo(path: Path) -> None:
    raise TableError(
        f"{path} has YOLO's label files, which are not supported: export it in COCO format."
    )
