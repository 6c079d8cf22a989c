"""Labelled photos as JSON: records in any of the ways they are packed, COCO, Label Studio's."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from clipdemo.errors import TableError
from clipdemo.inputs.photo_names import is_photo
from clipdemo.tables.columns import COLUMNS, find_columns
from clipdemo.tables.label_values import parts
from clipdemo.tables.rows import OURS, Find, Rows, gathered, with_note


def read_json(text: str, path: Path, find: Find) -> Rows:
    """COCO's instances, Label Studio's export, a list of records, or one record per line.

    Raises:
        TableError: it is none of these.
    """
    try:
        return _read(text, path, find)
    except RecursionError:
        raise TableError(f"{path} has lists in lists too deep to read: export it again.") from None
    except (AttributeError, KeyError, TypeError) as error:  # a number where a record should be
        raise TableError(
            f"{path} is not a complete export ({str(error)[:80]}): export it again."
        ) from error


def _read(text: str, path: Path, find: Find) -> Rows:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return _records(_json_lines(text, path), find)
    if isinstance(found, dict) and {"images", "annotations"} <= found.keys():
        return _coco(path, found)
    if isinstance(found, dict):
        found = _unpacked(found, find)
    if isinstance(found, list) and found and all(isinstance(row, dict) for row in found):
        if all(isinstance(row.get("data"), dict) for row in found):
            found = [_label_studio(row) for row in found]
        return _records(enumerate(map(_fiftyone, found), 1), find)
    raise TableError(
        f"{path} is JSON of a form that is not known: give a list of records, COCO's instances or "
        "Label Studio's export."
    )


def _unpacked(found: dict, find: Find) -> list:
    """The records of an object: of one of its keys, by column, by photo, or the object itself."""
    values = list(found.values())
    if isinstance(found.get("labels"), dict) and "classes" in found:  # FiftyOne's classification
        return _classified(found["labels"], found["classes"])
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
        find_columns(list(row), None, needed=("ImageID",))
    except TableError:
        return True
    return False


def _classified(labels: dict, classes: list | None) -> list[dict]:
    """FiftyOne's classification datasets: photos without extension, labels often as positions."""

    def name(label: object) -> object:
        known = isinstance(label, int) and isinstance(classes, list) and 0 <= label < len(classes)
        return classes[label] if known else label

    found = {photo: said if isinstance(said, list) else [said] for photo, said in labels.items()}
    return [{"ImageID": photo, "Labels": list(map(name, said))} for photo, said in found.items()]


def _fiftyone(sample: dict) -> dict:
    """A sample of a FiftyOne dataset, whose tags are no labels, as a record; others as they are."""
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
        raise TableError(f"{path} is not JSON that can be read: check where it ends.")
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
    chosen = []
    for annotation in task.get("annotations") or task.get("completions") or ():
        if annotation.get("was_cancelled"):
            continue
        for result in annotation.get("result", ()):
            value = result.get("value", {})
            kind = result.get("type")
            found = value.get("choices") or value.get(kind) if isinstance(value, dict) else None
            if kind == "taxonomy" and isinstance(found, list):  # each a path from the root
                found = [path[-1] if isinstance(path, list) and path else path for path in found]
            chosen += found if isinstance(found, list) and kind != "textarea" else []
    return {**task["data"], "Labels": list(dict.fromkeys(map(str, chosen)))}


def _coco(path: Path, found: dict) -> Rows:
    """COCO's instances; captions of a file beside it, named as COCO names it."""
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
