"""Labelled photos as JSON: records in various containers, COCO, and other tools' exports."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from clipdemo.errors import TableError
from clipdemo.inputs.photo_names import is_photo
from clipdemo.tables.coco_instances import is_coco, read_coco
from clipdemo.tables.columns import Columns, find_columns
from clipdemo.tables.forms import with_class_names
from clipdemo.tables.gathered import gathered
from clipdemo.tables.json_labels import are_scores, class_list, likely, named, number_key, scores_of
from clipdemo.tables.rows import Find, Rows, photo_name
from clipdemo.tables.tool_records import (
    NOT_ANNOTATED,
    NotAnnotated,
    as_record,
    is_one_photo,
    of_datumaro,
    of_label_studio,
    of_megadetector,
    of_vott,
)

_GAP = re.compile(r"[\s,]*")
Records = Iterable[tuple[int, dict | None]]


def read_json(text: str, path: Path, find: Find) -> Rows:
    """COCO's instances, an annotation tool's export, or records in a list or one after another.

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
    classes = {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        records = _objects(text) or _lines(text, path)
        return _rows(((n, row and as_record(row)) for n, row in records), find, path)
    if isinstance(found, dict) and is_coco(found):
        return read_coco(path, found)
    if isinstance(found, dict):
        found, classes = _unpacked(found, find)
    if _has_header(found, find):
        found = [dict(zip(found[0], row, strict=False)) for row in found[1:]]
    if isinstance(found, list) and found and all(isinstance(row, dict) for row in found):
        if all(isinstance(row.get("data"), dict) for row in found):
            found = map(of_label_studio, found)
        return _rows(enumerate(map(as_record, found), 1), find, path, classes)
    raise TableError(
        f"{path} is JSON in an unknown form: give a list of records, COCO's instances or "
        "Label Studio's export."
    )


def _objects(text: str) -> list[tuple[int, dict]] | None:
    """Objects one after another, each with its line, as `jq` writes them; None for other text."""
    decoder, found, line, at = json.JSONDecoder(), [], 1, 0
    while (start := _GAP.match(text, at).end()) < len(text):
        try:
            value, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            return None
        if not isinstance(value, dict):
            return None
        line += text.count("\n", at, start)
        found.append((line, value))
        line += text.count("\n", start, end)
        at = end
    return found


def _lines(text: str, path: Path) -> list[tuple[int, dict | None]]:
    """The objects of lines, of which some may be damaged."""
    lines = [(n, line) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
    found = [(n, _object(line)) for n, line in lines]
    if not any(row is not None for _, row in found):
        raise TableError(f"{path} cannot be read as JSON: check whether it is complete.")
    return found


def _object(line: str) -> dict | None:
    try:
        found = json.loads(line.strip().removesuffix(","))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _has_header(found: object, find: Find) -> bool:
    """Whether a list of lists has the names of columns in its first."""
    if not isinstance(found, list) or not all(isinstance(row, list) for row in found):
        return False
    texts = len(found) > 1 and all(isinstance(name, str) for name in found[0])
    return texts and _finds(found[0], find)


def _unpacked(found: dict, find: Find) -> tuple[list, dict[str, str]]:
    """The records of an object, and number -> name if it has a list of classes.

    They are in one of its keys, by column, by photo, or the object itself.
    """
    if is_one_photo(found):
        return [found], {}
    if "items" in found and "label" in (found.get("categories") or ()):
        return list(of_datumaro(found)), {}
    if isinstance(found.get("assets"), dict):
        return list(of_vott(found)), {}
    if "detection_categories" in found:
        return list(of_megadetector(found)), class_list(found)[1]
    if isinstance(found.get("labels"), dict) and "classes" in found:  # FiftyOne's classification
        records = [{"ImageID": photo, "Labels": said} for photo, said in found["labels"].items()]
        return records, class_list(found)[1]
    key, classes = class_list(found)
    rest = {name: value for name, value in found.items() if name != key}
    records = _contained(rest, find)
    if records == [rest] and "Labels" not in _places(rest, find):
        return [found], {}
    return records, classes


def _contained(found: dict, find: Find) -> list:
    """The records in an object without a list of classes."""
    found = {name: value for name, value in found.items() if name != "licenses"}  # COCO's
    values = list(found.values())
    columns, rows, features = (found.get(key) for key in ("columns", "data", "features"))
    if isinstance(features, list) and isinstance(found.get("rows"), list):
        return _of_hugging_face(found["rows"], features)
    if isinstance(found.get("_via_img_metadata"), dict):
        return _contained(found["_via_img_metadata"], find)
    inside = _inside(found, find)
    if inside is not None:
        return _contained(inside, find)
    given = [value for value in values if value is not None]
    if any(map(is_photo, found)) and all(isinstance(value, list | str) for value in given):
        return [{"ImageID": name, "Labels": value} for name, value in found.items()]
    listed = isinstance(columns, list) and isinstance(rows, list)
    if listed and all(isinstance(row, list) for row in rows):  # pandas' "split"
        return [dict(zip(map(str, columns), row, strict=False)) for row in rows]
    lists = [value for value in values if isinstance(value, list) and value]
    packed = [value for value in lists if all(isinstance(row, dict) for row in value)]
    if len(packed) > 1:  # such as annotators next to photos
        name = partial(find_columns, labels=None, needed=("ImageID",))
        packed = [v for v in packed if any(_finds([key], name) for key in v[0])] or packed
    if isinstance(rows, list) or len(packed) == 1:
        return rows if isinstance(rows, list) else packed[0]
    if not packed and _is_table(found, find):
        cells = [v.values() if isinstance(v, dict) else v for v in values]
        if len(set(map(len, cells))) == 1 and (lists or all(isinstance(v, dict) for v in values)):
            return [dict(zip(found, row, strict=True)) for row in zip(*cells, strict=True)]
        return [found]
    if given and all(isinstance(value, dict) for value in given):
        return _by_name(found)
    return [found]


def _inside(found: dict, find: Find) -> dict | None:
    """The only value of an object with records by photo, or by a database's keys."""
    objects = [value for value in found.values() if isinstance(value, dict)]
    by_photo = [value for value in objects if any(map(is_photo, value))]
    if any(map(is_photo, found)) or len(by_photo) == 1:
        return None if any(map(is_photo, found)) else by_photo[0]
    by_key = [v for v in objects if v and all(isinstance(row, dict) for row in v.values())]
    lists = [v for v in found.values() if isinstance(v, list) and v and isinstance(v[0], dict)]
    if lists or len(by_key) != 1 or _finds(found, find) or not _lacks_name(by_key[0]):
        return None
    return by_key[0]


def _by_name(found: dict) -> list[dict]:
    """Records by the name of their photo; some are nothing but scores by label."""
    found = {name: row or {} for name, row in found.items()}
    if are_scores(score for row in found.values() for score in row.values()):
        return [{"ImageID": name, "Labels": row} for name, row in found.items()]
    return [{"ImageID": n, **row} if _lacks_name(row) else row for n, row in found.items()]


def _of_hugging_face(rows: list[dict], features: list[dict]) -> list[dict]:
    """The rows of Hugging Face's dataset viewer, with the names of their classes."""
    kinds = {feature["name"]: feature["type"] for feature in features}
    return [
        {name: with_class_names(value, kinds.get(name)) for name, value in row["row"].items()}
        for row in rows
    ]


def _is_table(found: dict, find: Find) -> bool:
    return _finds(found, find) and all(isinstance(v, dict | list) for v in found.values())


def _places(names: Iterable[str], find: Find) -> dict[str, int]:
    """The places of our columns among names; none if one is missing."""
    try:
        return find(list(names)).places
    except TableError:
        return {}


def _finds(names: Iterable[str], find: Find) -> bool:
    return bool(_places(names, find))


def _lacks_name(row: dict) -> bool:
    try:
        found = find_columns(list(row), None, needed=("ImageID",))
    except TableError:
        return True
    return found.unclear is not None


def _rows(records: Records, find: Find, path: Path, classes: dict[str, str] | None = None) -> Rows:
    """The rows of records, each with its line; see `class_list` for `classes`."""
    records = list(records)
    header = list(dict.fromkeys(name for _, row in records if row for name in row))
    columns = _columns(header, records, find, path)
    cells = {name: [row and row.get(name) for _, row in records] for name in header}
    unlikely, by_number = _read_labels(cells, columns, classes or {}, path)
    photo = header[columns.places["ImageID"]]
    several = [cell if isinstance(cell, list) else [cell] for cell in cells[photo]]
    cells[photo] = [names[0] if len(names) == 1 else None for names in several]
    found = zip(*cells.values(), strict=True)
    rows = gathered(zip((n for n, _ in records), found, strict=True), header, columns)
    for (line, record), names, name in zip(records, several, cells[photo], strict=True):
        if record is None:
            rows.problems[line] = "", "is not a JSON record"
        elif isinstance(record, NotAnnotated):
            rows.problems[line] = photo_name(name), NOT_ANNOTATED
        elif len(names) > 1:
            rows.problems[line] = photo_name(names[0]), "has several photos"
    rows.repaired["labels not used because of their scores"] = unlikely
    if by_number:
        rows.read_as["numbers of labels"] = "its list of classes"
    return rows


def _read_labels(
    cells: dict[str, list], columns: Columns, classes: dict[str, str], path: Path
) -> tuple[int, bool]:
    """Keep the labels that count, by their names.

    Returns:
        The number of the others, and whether they had numbers.
    """
    unlikely, by_number = 0, False
    for place in (columns.places.get("Labels"), *columns.several):
        if place is None:
            continue
        name = [*cells][place]
        found, others = likely(cells[name], scores_of(cells, name), path)
        cells[name] = named(found, classes, path) if classes else found
        unlikely, by_number = unlikely + others, by_number or cells[name] != found
    return unlikely, by_number


def _columns(header: list[str], records: Records, find: Find, path: Path) -> Columns:
    """The columns, of which one may have the numbers of labels.

    Raises:
        TableError: one is missing; if records have records in them, it says which forms are read.
    """
    number = number_key(header)
    numbered = ["Labels" if name == number else name for name in header]
    if number and "Labels" not in _places(header, find) and _finds(numbered, find):
        return find(numbered)
    try:
        return find(header)
    except TableError as error:
        cells = (value for _, row in records if row for value in row.values())
        if "no column" in str(error) and any(isinstance(cell, dict) for cell in cells):
            seen = ", ".join(header)[:160]
            raise TableError(
                f"{path} is an export in an unknown form (found: {seen}): export it as COCO, or "
                "say which keys to read with --columns ImageID=NAME,Labels=NAME."
            ) from error
        raise
