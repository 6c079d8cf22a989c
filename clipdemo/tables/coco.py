"""COCO 2017 (Lin et al. 2014, arXiv:1405.0312) as photos and a label table.

The photos stay in their zip, which `PhotoSource` reads. COCO's annotations and captions are under
CC BY 4.0; the photos are from Flickr, each under the licence that COCO's annotations name.
"""

import difflib
import json
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd

from clipdemo.errors import LabelError, TableError
from clipdemo.inputs.captions import clean_caption
from clipdemo.inputs.labels import COCO18
from clipdemo.tables.account import Account
from clipdemo.tables.coco_zips import fetch_zip
from clipdemo.tables.label_table import write_label_table

HOST = "http://images.cocodataset.org"
PHOTOS = {"val": 5000, "train": 118_287}
"""Number of photos in each part."""
ANNOTATIONS = "annotations_trainval2017.zip"

Progress = Callable[[str, int, int | None], object]
"""Called with the current step, its number of bytes done, and the total."""


def table_path(folder: Path, photos: str) -> Path:
    """The path of the label table of `val` or `train`."""
    return folder / f"coco-{photos}2017.csv"


def addresses(photos: str, base_url: str = HOST) -> dict[str, str]:
    """Name and URL of each zip: the annotations, then the photos."""
    base = base_url.rstrip("/")
    name = f"{photos}2017.zip"
    return {ANNOTATIONS: f"{base}/annotations/{ANNOTATIONS}", name: f"{base}/zips/{name}"}


def coco(
    folder: Path,
    photos: str = "val",
    labels: str = "18",
    base_url: str = HOST,
    progress: Progress = lambda what, done, total: None,
) -> dict:
    """Download COCO's zips unless they are there, and write a label table.

    A photo gets a row if it shows one of the labels, crowds included; the row's caption is the
    photo's first by annotation id.

    Args:
        folder: the folder for the zips and the table.
        photos: `val` or `train`.
        labels: `18` (ids of `COCO18`), `80` (every category), or category names separated by
            commas; except for the 18, a category's name is its id.
        base_url: of the server, which has `zips/` and `annotations/`.
        progress: called during downloads and checks.

    Returns:
        `table` and `photos` (paths), `rows`, `labels` (rows of each by name), `left_out` (photos
        with none of the labels), `account`, `without_caption` (rows).

    Raises:
        DownloadError: a zip cannot be downloaded, or is damaged.
        LabelError: there is no such category.
        TableError: the annotations are not COCO's.
    """
    (annotations, source), (name, photos_source) = addresses(photos, base_url).items()
    _fetch(source, folder / annotations, progress)
    frame, report = read_annotations(folder / annotations, photos, labels)
    _fetch(photos_source, folder / name, progress)
    write_label_table(frame, table_path(folder, photos))
    return {"table": str(table_path(folder, photos)), "photos": str(folder / name)} | report


def _fetch(url: str, path: Path, progress: Progress) -> None:
    fetch_zip(url, path, partial(progress, path.name), partial(progress, f"checking {path.name}"))


def read_annotations(path: Path, photos: str, labels: str) -> tuple[pd.DataFrame, dict]:
    """The label table of COCO's annotations, sorted by photo, and its counts; see `coco`."""
    try:
        with zipfile.ZipFile(path) as archive:
            instances = _read(archive, f"annotations/instances_{photos}2017.json")
            captions = _read(archive, f"annotations/captions_{photos}2017.json")
        categories = {found["id"]: found["name"] for found in instances["categories"]}
        files = dict(instances["images"])
        shown = pd.DataFrame(instances["annotations"], columns=["photo", "label"])
        said = pd.DataFrame(captions["annotations"], columns=["photo", "id", "caption"])
    except (OSError, zipfile.BadZipFile, ValueError, KeyError, TypeError) as error:
        raise TableError(
            f"{path} does not have COCO's annotations ({error}): delete it and download it again."
        ) from error
    wanted = choose(labels, categories)
    shown = shown[shown["label"].isin(wanted)].drop_duplicates().sort_values("label")
    ids = shown["label"].map(wanted).groupby(shown["photo"]).agg(tuple)
    first = said.sort_values("id").drop_duplicates("photo").set_index("photo")["caption"]
    first = first.map(lambda caption: clean_caption(str(caption)) or "")
    frame = pd.DataFrame(
        {
            "ImageID": ids.index.map(files),
            "Labels": ids.array,
            "Caption": first.reindex(ids.index).fillna("").array,
        }
    )
    frame = frame.dropna().sort_values("ImageID", ignore_index=True)
    rows = shown["label"].value_counts()
    return frame, {
        "rows": len(frame),
        "labels": {categories[c]: int(rows.get(c, 0)) for c in wanted},
        "left_out": len(files) - len(frame),
        "account": _account(files, frame["ImageID"]).to_dict(),
        "without_caption": int((frame["Caption"] == "").sum()),
    }


def _account(files: dict[int, str], kept: pd.Series) -> Account:
    """The account, with COCO's photos as rows."""
    account = Account(len(files))
    for name in sorted(set(files.values()) - set(kept)):
        account.leave_out("shows none of the labels", name)
    return account


def _read(archive: zipfile.ZipFile, name: str) -> dict:
    """A file of annotations; parsing keeps only what a table needs.

    A synthetic file with as many objects as `train`, 456 MB, took 1.0 GB of memory this way and
    2.8 GB with the outlines.
    """
    return json.loads(archive.read(name).decode(), object_hook=_keep_needed)


def _keep_needed(found: dict) -> dict | tuple:
    if "category_id" in found:
        return found["image_id"], found["category_id"]
    if "caption" in found:
        return found["image_id"], found["id"], found["caption"]
    if "file_name" in found:
        return found["id"], found["file_name"]
    return found


def choose(labels: str, categories: dict[int, str]) -> dict[int, str]:
    """COCO's id -> the table's id of each wanted category, in COCO's order.

    Raises:
        LabelError: a name is not a category, or there is no name.
    """
    known = {name.casefold(): number for number, name in sorted(categories.items())}
    if labels == "18":
        names = dict(zip(COCO18.names, COCO18.ids, strict=True))
    elif labels == "80":
        names = {name: name for name in categories.values()}
    else:
        names = dict.fromkeys(" ".join(name.split()) for name in labels.split(","))
        names = {name: categories.get(known.get(name.casefold()), "") for name in names if name}
    for name in names:
        if name.casefold() not in known:
            near = difflib.get_close_matches(name.casefold(), known, 3) or list(known)[:3]
            raise LabelError(
                f"COCO has no category {name!r}: write one of its {len(known)}, such as "
                f"{', '.join(near)}."
            )
    if not names:
        raise LabelError("There is no label: give 18, 80 or names of categories, such as dog,cat.")
    found = {known[name.casefold()]: label for name, label in names.items()}
    return dict(sorted(found.items()))
