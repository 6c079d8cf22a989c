"""Labelled photos as JSON: a list or lines of records, COCO's instances, Label Studio's export."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from clipdemo.errors import TableError
from clipdemo.tables.columns import COLUMNS
from clipdemo.tables.rows import OURS, Find, Rows, gathered, with_note


def read_json(text: str, path: Path, find: Find) -> Rows:
    """COCO's instances, Label Studio's export, a list of records, or one record per line.

    Raises:
        TableError: it is none of these.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return _records(_json_lines(text, path), find)
    if isinstance(found, dict) and {"images", "annotations", "categories"} <= found.keys():
        return _coco(path, found)
    if isinstance(found, dict) and isinstance(found.get("data"), list):
        found = found["data"]
    if isinstance(found, list) and found and all(isinstance(row, dict) for row in found):
        if all(isinstance(row.get("data"), dict) for row in found):
            found = [_label_studio(row) for row in found]
        return _records(enumerate(found, 1), find)
    if isinstance(found, dict):
        return _records([(1, found)], find)
    raise TableError(
        f"{path} is JSON of a form that is not known: give a list of records, COCO's instances or "
        "Label Studio's export."
    )


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
            chosen += found if isinstance(found, list) and kind != "textarea" else []
    return {**task["data"], "Labels": list(dict.fromkeys(map(str, chosen)))}


def _coco(path: Path, found: dict) -> Rows:
    """COCO's instances; captions of a file beside it, named as COCO names it."""
    try:
        names = {c["id"]: str(c["name"]) for c in found["categories"]}
        labels, captions = defaultdict(list), {}
        for annotation in found["annotations"]:
            if "category_id" in annotation:
                labels[annotation["image_id"]].append(names[annotation["category_id"]])
            if "caption" in annotation:
                captions.setdefault(annotation["image_id"], str(annotation["caption"]))
        beside = path.with_name(path.name.replace("instances", "captions"))
        if beside != path and beside.is_file():
            for annotation in json.loads(beside.read_text("utf-8"))["annotations"]:
                captions.setdefault(annotation["image_id"], str(annotation["caption"]))
        rows = [
            (
                image["file_name"],
                tuple(dict.fromkeys(labels[image["id"]])),
                captions.get(image["id"], ""),
            )
            for image in found["images"]
        ]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TableError(
            f"{path} is not a complete COCO file ({str(error)[:80]} is missing): export it again."
        ) from error
    return with_note(gathered(enumerate(rows, 1), COLUMNS, OURS), form="COCO instances")
