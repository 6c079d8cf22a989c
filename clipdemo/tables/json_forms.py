"""Labelled photos as JSON: records in various containers, COCO, and Label Studio's export."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from clipdemo.errors import TableError
from clipdemo.inputs.photo_names import is_photo
from clipdemo.tables.columns import COLUMNS, find_columns
from clipdemo.tables.label_values import leaves, parts
from clipdemo.tables.rows import OURS, Find, Rows, gathered, with_note


def read_json(text: str, path: Path, find: Find) -> Rows:
    """COCO's instances, Label Studio's export, a list of records, or one record per line.

    Raises:
        TableError: it is none of these.
    """
    try:
        return _read(text, path, find)
    except RecursionError:
        raise TableError(f"{path} has lists nested too deeply: export it again.") from None
    except (AttributeError, KeyError, TypeError) as error:  # a number in place of a record
        raise TableError(
            f"{path} is not a complete export ({str(error)[:80]}): export it again."
        ) from error


def _read(text: str, path: Path, find: Find) -> Rows:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        lines = _json_lines(text, path)
        return _records(((n, row and _as_record(row)) for n, row in lines), find)
    if isinstance(found, dict) and {"images", "annotations"} <= found.keys():
        return _coco(path, found)
    if isinstance(found, dict):
        found = _unpacked(found, find)
    if isinstance(found, list) and found and all(isinstance(row, dict) for row in found):
        if all(isinstance(row.get("data"), dict) for row in found):
            found = [_label_studio(row) for row in found]
        return _records(enumerate(map(_as_record, found), 1), find)
    raise TableError(
        f"{path} is JSON in an unknown form: give a list of records, COCO's instances or "
        "Label Studio's export."
    )


def _unpacked(found: dict, find: Find) -> list:
    """The records of an object: of one of its keys, by column, by photo, or the object itself."""
    values = list(found.values())
    if isinstance(found.get("labels"), dict) and "classes" in found:  # FiftyOne's classification
        return _classified(found["labels"], found["classes"])
    if "items" in found and "label" in (found.get("categories") or ()):
        return _of_datumaro(found)
    if "imagePath" in found:
        return [found]
    if isinstance(found.get("_via_img_metadata"), dict):
        found = found["_via_img_metadata"]
        values = list(found.values())
    inside = [v for v in values if isinstance(v, dict) and any(map(is_photo, v))]
    if len(inside) == 1 and not any(map(is_photo, found)):
        return _unpacked(inside[0], find)
    columns, rows = found.get("columns"), found.get("data")
    listed = isinstance(columns, list) and isinstance(rows, list)
    if listed and all(isinstance(row, list) for row in rows):  # pandas' "split"
        return [dict(zip(map(str, columns), row, strict=False)) for row in rows]
    lists = [value for value in values if isinstance(value, list) and value]
    packed = [value for value in lists if all(isinstance(row, dict) for row in value)]
    if isinstance(rows, list) or len(packed) == 1:
        return rows if isinstance(rows, list) else packed[0]
    if not packed and _is_table(found, find):  # of columns
        cells = [v.values() if isinstance(v, dict) else v for v in values]
        if len(set(map(len, cells))) == 1 and (lists or all(isinstance(v, dict) for v in values)):
            return [dict(zip(found, row, strict=True)) for row in zip(*cells, strict=True)]
        return [found]
    if values and all(isinstance(value, dict) for value in values):
        named = found.items()
        return [{"ImageID": name, **row} if _lacks_name(row) else row for name, row in named]
    if all(isinstance(value, list | str) for value in values) and any(map(is_photo, found)):
        return [{"ImageID": name, "Labels": value} for name, value in found.items()]
    return [found]


def _is_table(found: dict, find: Find) -> bool:
    try:
        find(list(found))
    except TableError:
        return False
    return all(isinstance(value, dict | list) for value in found.values())


def _lacks_name(row: dict) -> bool:
    try:
        found = find_columns(list(row), None, needed=("ImageID",))
    except TableError:
        return True
    return found.unclear is not None


def _classified(labels: dict, classes: list | None) -> list[dict]:
    """FiftyOne's classification datasets: photos without extension, labels often as indices."""

    def name(label: object) -> object:
        label = label.get("label") if isinstance(label, dict) else label
        known = isinstance(label, int) and isinstance(classes, list) and 0 <= label < len(classes)
        return classes[label] if known else label

    found = {photo: said if isinstance(said, list) else [said] for photo, said in labels.items()}
    return [{"ImageID": photo, "Labels": list(map(name, said))} for photo, said in found.items()]


def _as_record(row: dict) -> dict:
    """A sample of FiftyOne, a line of SageMaker's manifest or a file of LabelMe's as a record;
    other records unchanged.
    """
    if "source-ref" in row:
        return _of_manifest(row)
    if "imagePath" in row and "shapes" in row:
        flags = [name for name, on in (row.get("flags") or {}).items() if on is True]
        return {"ImageID": row["imagePath"], "Labels": flags + [s["label"] for s in row["shapes"]]}
    return _of_fiftyone(row)


def _of_manifest(row: dict) -> dict:
    """A line of an augmented manifest, with the names of its classes from their metadata."""
    named = {
        key: row[f"{key}-metadata"] for key in row if isinstance(row.get(f"{key}-metadata"), dict)
    }
    if not named:
        return row
    labels = []
    for key, about in named.items():  # Rekognition writes one for each label
        said = row[key]["annotations"] if isinstance(row[key], dict) else row[key]
        said = said if isinstance(said, list) else [about.get("class-name", said)]
        numbers = [part.get("class_id") if isinstance(part, dict) else part for part in said]
        classes = about.get("class-map") or {}
        labels += [classes.get(str(number), number) for number in numbers]
    rest = {k: v for k, v in row.items() if k not in named and not k.endswith("-metadata")}
    return {**rest, "ImageID": row["source-ref"], "Labels": labels}


def _of_datumaro(found: dict) -> list[dict]:
    """Datumaro's items, whose labels are indices."""
    names = [label["name"] for label in found["categories"]["label"]["labels"]]
    records = []
    for item in found["items"]:
        said = item.get("annotations") or ()
        numbers = [part.get("label_id") for part in said]
        records.append({
            "ImageID": (item.get("image") or {}).get("path") or item["id"],
            "Labels": [names[n] for n in numbers if isinstance(n, int) and 0 <= n < len(names)],
            "Caption": [part["caption"] for part in said if part.get("caption")],
        })  # fmt: skip
    return records


def _of_fiftyone(sample: dict) -> dict:
    """A FiftyOne sample, whose tags are not labels, as a record; other records unchanged."""
    kinds = ("Classification", "Classifications", "Detection", "Detections")
    fields = {k: v for k, v in sample.items() if isinstance(v, dict) and v.get("_cls") in kinds}
    if not fields:
        return sample
    field = fields.get("ground_truth", next(iter(fields.values())))
    rest = {key: value for key, value in sample.items() if key not in ("tags", *fields)}
    return {**rest, "Labels": parts(field)}


def _json_lines(text: str, path: Path) -> Iterator[tuple[int, dict | None]]:
    lines = [(n, line) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines or not lines[0][1].lstrip().startswith("{"):
        raise TableError(f"{path} cannot be read as JSON: check whether it is complete.")
    for number, line in lines:
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            found = None
        yield number, found if isinstance(found, dict) else None


def _records(
    records: Iterable[tuple[int, dict | None]],
    find: Find,
) -> Rows:
    records = list(records)
    header = list(dict.fromkeys(name for _, row in records if row for name in row))
    columns = find(header)
    problems = {line: ("", "is not a JSON record") for line, row in records if row is None}
    lines = ((line, [(row or {}).get(name) for name in header]) for line, row in records)
    rows = gathered(lines, header, columns)
    rows.problems |= problems
    return rows


def _label_studio(task: dict) -> dict:
    """A task of Label Studio's JSON export as a record."""
    chosen, written = [], []
    for annotation in task.get("annotations") or task.get("completions") or ():
        if annotation.get("was_cancelled"):
            continue
        for result in annotation.get("result", ()):
            value = result.get("value", {})
            kind = result.get("type")
            found = value.get("choices") or value.get(kind) if isinstance(value, dict) else None
            if kind == "taxonomy" and isinstance(found, list):
                found = leaves(found)
            if kind == "textarea":
                whole = isinstance(value, dict) and "x" not in value  # not of a region
                written += [value.get("text")] if whole else []
            else:
                chosen += found if isinstance(found, list) else []
    caption = {"Caption": written} if written else {}
    return {**caption, **task["data"], "Labels": list(dict.fromkeys(map(str, chosen)))}


def _coco(path: Path, found: dict) -> Rows:
    """COCO's instances; captions from a file next to it with COCO's name."""
    try:
        names = {str(c["id"]): str(c["name"]) for c in found.get("categories", ())}
        labels, captions, strange = defaultdict(list), {}, 0
        for annotation in found["annotations"]:
            image = str(annotation["image_id"])
            for shown in annotation.get("segments_info", [annotation]):  # of a panoptic file
                name = names.get(str(shown.get("category_id")))
                strange += name is None and "category_id" in shown
                labels[image] += [name] if name is not None else []
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
    rows.repaired["annotations of a category that is not there"] = strange
    rows.repaired["annotations of an image that is not there"] = sum(map(len, labels.values()))
    return rows
