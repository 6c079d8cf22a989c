"""COCO's instances, and what other tools export in their form."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path

from clipdemo.errors import TableError
from clipdemo.tables.columns import COLUMNS
from clipdemo.tables.gathered import gathered
from clipdemo.tables.label_values import LIKELY
from clipdemo.tables.rows import OURS, Rows, with_note


def is_coco(found: dict) -> bool:
    """Whether an object has images and annotations, and these are not just lists of names."""
    lists = [found.get(key) for key in ("images", "annotations")]
    names = all(isinstance(v, list) and v and not isinstance(v[0], dict) for v in lists)
    return {"images", "annotations"} <= found.keys() and not names


def read_coco(path: Path, found: dict) -> Rows:
    """COCO's instances; captions from a file next to it with COCO's name.

    Raises:
        TableError: it is not complete.
    """
    try:
        names = {str(c["id"]): str(c["name"]) for c in found.get("categories", ())}
        labels, captions, repaired = defaultdict(list), {}, Counter()
        for annotation in found["annotations"]:
            image = str(annotation["image_id"])
            for shown in annotation.get("segments_info", [annotation]):  # of a panoptic file
                labels[image] += _labels(shown, names, repaired)
            if "caption" in annotation:
                captions.setdefault(image, str(annotation["caption"]))
        beside = path.with_name(path.name.replace("instances", "captions"))
        if beside != path and beside.is_file():
            for annotation in json.loads(beside.read_text("utf-8"))["annotations"]:
                captions.setdefault(str(annotation["image_id"]), str(annotation["caption"]))
        rows = [
            (
                image.get("file_name") or image.get("coco_url") or image["file_name"],
                tuple(dict.fromkeys(labels.pop(str(image["id"]), ()))),
                captions.get(str(image["id"])) or image.get("caption", ""),
            )
            for image in found["images"]
        ]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TableError(
            f"{path} is not a complete COCO file ({str(error)[:80]} is missing): export it again."
        ) from error
    rows = with_note(gathered(enumerate(rows, 1), COLUMNS, OURS), form="COCO instances")
    rows.repaired |= repaired
    rows.repaired["annotations of an image that is not there"] = sum(map(len, labels.values()))
    return rows


def _labels(shown: dict, names: dict[str, str], repaired: Counter[str]) -> list[str]:
    """The names of an annotation's categories; what has none is counted in `repaired`."""
    score = shown.get("score")
    if isinstance(score, int | float) and score < LIKELY:  # a detector's
        repaired["labels not used because of their scores"] += 1
        return []
    numbers = shown.get("category_ids", [shown.get("category_id")])
    found = [names.get(str(number)) for number in numbers]
    said = [shown.get(key) for key in ("category_name", "category")]
    if None in found and any(isinstance(name, str) for name in said):
        return [name for name in said if isinstance(name, str)][:1]
    if "category_id" in shown or "category_ids" in shown:
        repaired["annotations of a category that is not there"] += found.count(None)
    elif "caption" not in shown:
        repaired["annotations without a category"] += 1
    return [name for name in found if name is not None]
