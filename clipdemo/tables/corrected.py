"""A copy of a table in its original form, with corrected labels for some of its photos."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from clipdemo.errors import TableError
from clipdemo.inputs.labels import LabelSet
from clipdemo.tables.columns import Columns, find_columns
from clipdemo.tables.folders import METADATA
from clipdemo.tables.label_names import LabelReader
from clipdemo.tables.label_table import read_label_table, write_csv
from clipdemo.tables.label_values import parts
from clipdemo.tables.rows import photo_name
from clipdemo.tables.text import decode, fields, separator

Changes = Mapping[str, Mapping[str, bool]]
"""By the photo's name in the table: labels by name, and whether each is true."""


def corrected(
    path: Path, labels: LabelSet, changes: Changes, wanted: Mapping[str, str] | None = None
) -> tuple[str, bytes]:
    """Name and content of the table at `path`, with these changes.

    Rows, columns, their order and names, separators and the notation of labels stay the same; text
    is UTF-8 (with a byte order mark, for Excel, if it had another encoding). A form that can be
    read but not written becomes plain CSV.

    Args:
        path: the table, in any form that `read_label_table` reads.
        labels: of the table.
        changes: labels of photos that differ from the table.
        wanted: ours -> the file's columns, as used for reading the table.

    Raises:
        TableError: the labels are the names of folders.
    """
    if path.is_dir():
        path = next((path / name for name in METADATA if (path / name).is_file()), path)
        if path.is_dir():
            raise TableError(f"{path} has its labels in its folders' names: move the photos.")
    edit = _Edit(labels, changes)
    frame = _whole(path, edit, wanted)
    with TemporaryDirectory() as folder:
        try:
            name, content = _in_its_form(path, edit, wanted)
            (Path(folder) / name).write_bytes(content)
            again = read_label_table(Path(folder) / name, labels, columns=wanted).frame
            if _said(again) == _said(frame):
                return name, content
        except Exception:  # more forms can be read than written
            pass
    whole = io.StringIO(newline="")
    write_csv(frame, whole)
    return f"{path.stem}-corrected.csv", whole.getvalue().encode()


def _whole(path: Path, edit: _Edit, wanted: Mapping[str, str] | None) -> pd.DataFrame:
    """The corrected table as plain rows."""
    frame = read_label_table(path, edit.labels, columns=wanted).frame
    found = [
        tuple(edit.listed(labels, photo, by_id=True))
        for photo, labels in zip(frame["ImageID"], frame["Labels"], strict=True)
    ]
    return frame.assign(Labels=pd.Series(found, dtype=object))


def _said(frame: pd.DataFrame) -> dict[str, set[str]]:
    return dict(zip(frame["ImageID"], map(set, frame["Labels"]), strict=True))


def _in_its_form(path: Path, edit: _Edit, wanted: Mapping[str, str] | None) -> tuple[str, bytes]:
    suffix = path.suffix.lower()
    name = f"{path.stem}-corrected{path.suffix}"
    if suffix in (".xlsx", ".xlsm"):
        return f"{path.stem}-corrected.xlsx", _excel(path, edit, wanted)
    if suffix == ".parquet":
        frame = pd.read_parquet(path)
        file = io.BytesIO()
        _frame(frame, edit, wanted, path).to_parquet(file, index=False)
        return name, file.getvalue()
    if suffix in (".json", ".jsonl", ".ndjson"):
        return name, _json(path, edit, wanted)
    return name, _csv(path, edit, wanted)


class _Edit:
    """Changes cells, keeping their notation."""

    def __init__(self, labels: LabelSet, changes: Changes) -> None:
        self.labels, self.reader = labels, LabelReader(labels)
        self._ids = dict(zip(labels.names, labels.ids, strict=True))
        self._names = dict(zip(labels.ids, labels.names, strict=True))
        self.changes = changes

    def of(self, photo: str) -> Mapping[str, bool]:
        return self.changes.get(photo, {})

    def listed(self, old: Sequence[str], photo: str, by_id: bool) -> list[str]:
        """Labels in their notation, without those that are not true, and with new ones."""
        changes = {self._ids[name]: on for name, on in self.of(photo).items()}
        kept = [part for part in old if changes.get(self.reader.id_of(part) or "", True)]
        there = {self.reader.id_of(part) for part in kept}
        new = [label for label, on in changes.items() if on and label not in there]
        return kept + [label if by_id else self._names[label] for label in new]

    def cell(self, cell: object, photo: str, how: Callable[[list[str]], str], by_id: bool):
        """A cell of labels; that of a photo without changes stays the same."""
        if not self.of(photo):
            return cell
        if not isinstance(cell, str):
            return self.listed([str(part) for part in cell], photo, by_id)
        ids, unknown = self.reader.read(cell)
        old = [label if by_id else self._names[label] for label in ids]
        return how(self.listed([*old, *unknown], photo, by_id))


def _style(cells: Sequence[object], edit: _Edit) -> tuple[Callable[[list[str]], str], bool]:
    """A table's notation of labels: the function that joins them, and whether they are ids."""
    texts = [cell for cell in cells if isinstance(cell, str) and cell.strip()]
    found = [part for cell in cells[:1000] for part in parts(cell)]
    words = [word for part in found for word in part.split()]
    by_id = bool(words) and all(word.partition(".")[0] in edit.labels.ids for word in words)
    if any(text.lstrip()[:1] in "[(" for text in texts):
        quoted = any('"' in text for text in texts)
        return (json.dumps if quoted else repr), by_id
    marks = [mark for mark in ";|," if any(mark in text for text in texts)]
    mark = marks[0] if marks else " " if by_id else ";"
    blank = marks and any(re.search(re.escape(mark) + " ", text) for text in texts)
    return (mark + " " * bool(blank)).join, by_id


def _frame(
    frame: pd.DataFrame, edit: _Edit, wanted: Mapping[str, str] | None, path: Path
) -> pd.DataFrame:
    header = [str(name) for name in frame.columns]
    columns = find_columns(header, edit.labels, wanted, path)
    photos = [photo_name(cell) for cell in frame.iloc[:, columns.places["ImageID"]]]
    frame = frame.astype(object)
    if columns.own:
        for place in columns.own:
            for row, photo in enumerate(photos):
                on = _changed(edit, photo, columns, place)
                if on is not None:
                    frame.iat[row, place] = _as_written(frame.iloc[:, place].tolist(), on)
        return frame
    place = columns.places["Labels"]
    cells = [
        "" if isinstance(cell, float) and cell != cell else cell for cell in frame.iloc[:, place]
    ]
    how, by_id = _style([str(c) if isinstance(c, int | float) else c for c in cells], edit)
    for row, photo in enumerate(photos):
        if edit.of(photo):
            cell = cells[row]
            cell = str(cell) if cell is None or isinstance(cell, int | float) else cell
            frame.iat[row, place] = edit.cell(cell, photo, how, by_id)
    return frame


def _changed(edit: _Edit, photo: str, columns: Columns, place: int) -> bool | None:
    """The change of the label of an own column; None for none."""
    label = edit.reader.id_of(columns.own[place])
    return next(
        (on for name, on in edit.of(photo).items() if edit.reader.id_of(name) == label), None
    )


def _as_written(column: Sequence[object], on: bool) -> object:
    """Yes or no in the column's notation: 0 and 1, True and False, words, or empty for no."""
    values = list(dict.fromkeys(column))
    texts = {str(value).strip().casefold(): value for value in values}
    for yes, no in (("1", "0"), ("true", "false"), ("yes", "no"), ("y", "n"), ("x", "")):
        if yes in texts or (no in texts and no):
            wanted = yes if on else no
            made = {"1": 1, "0": 0, "true": True, "false": False}
            default = made.get(wanted, wanted)
            if any(isinstance(value, str) for value in values):
                default = wanted
            return texts.get(wanted, texts.get("", default) if not on else default)
    return 1 if on else 0


def _csv(path: Path, edit: _Edit, wanted: Mapping[str, str] | None) -> bytes:
    raw = path.read_bytes()
    text, _, encoding = decode(raw, path)

    mark, body = separator(text, partial(find_columns, labels=edit.labels, wanted=wanted))
    rows = list(csv.reader(io.StringIO(body, newline=""), delimiter=mark))
    header = fields(body.lstrip("\n").partition("\n")[0], mark)
    if any(row and len(row) != len(header) for row in rows):
        raise TableError(f"{path} has broken quotes: write it as well-formed CSV.")
    rows = [row for row in rows if row]
    frame = pd.DataFrame(rows[1:], columns=rows[0], dtype=object)
    file = io.StringIO(newline="")
    end = "\r\n" if b"\r\n" in raw else "\n"
    writer = csv.writer(file, delimiter=mark, lineterminator=end)
    writer.writerow(rows[0])
    writer.writerows(_frame(frame, edit, wanted, path).itertuples(index=False, name=None))
    start = f"sep={mark}{end}" if body != text else ""
    with_mark = encoding != "utf-8" or raw.startswith(b"\xef\xbb\xbf")
    return (start + file.getvalue()).encode("utf-8-sig" if with_mark and not start else "utf-8")


def _excel(path: Path, edit: _Edit, wanted: Mapping[str, str] | None) -> bytes:
    from openpyxl import load_workbook

    book = load_workbook(path)
    for sheet in book.worksheets:
        rows = list(sheet.iter_rows())
        start = next((i for i, row in enumerate(rows) if any(c.value for c in row)), len(rows))
        cells = [[cell.value for cell in row] for row in rows[start:]]
        if len(cells) < 2:
            continue
        frame = pd.DataFrame(cells[1:], columns=[str(v or "") for v in cells[0]], dtype=object)
        try:
            changed = _frame(frame.fillna(""), edit, wanted, path)
        except TableError:
            continue
        for row, values in zip(rows[start + 1 :], changed.itertuples(index=False), strict=True):
            for cell, value in zip(row, values, strict=True):
                if cell.value != value and not (cell.value is None and value == ""):
                    cell.value = value
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _json(path: Path, edit: _Edit, wanted: Mapping[str, str] | None) -> bytes:
    text, *_ = decode(path.read_bytes(), path)
    try:
        found = json.loads(text)
    except ValueError:
        records = [json.loads(line) for line in text.split("\n") if line.strip()]
        lines = [json.dumps(r, ensure_ascii=False) for r in _records(records, edit, wanted, path)]
        return ("\n".join(lines) + "\n").encode()
    if isinstance(found, dict) and "annotations" in found:
        _coco(found, edit)
    elif isinstance(found, list) and all(isinstance(row.get("data"), dict) for row in found):
        found = label_studio(found, edit)
    elif isinstance(found, dict):
        found["data"] = _records(found["data"], edit, wanted, path)
    else:
        found = _records(found, edit, wanted, path)
    return (json.dumps(found, ensure_ascii=False, indent=1) + "\n").encode()


def _records(
    records: list[dict], edit: _Edit, wanted: Mapping[str, str] | None, path: Path
) -> list[dict]:
    header = list(dict.fromkeys(name for row in records for name in row))
    frame = pd.DataFrame([[row.get(name) for name in header] for row in records], dtype=object)
    changed = _frame(frame.set_axis(header, axis=1), edit, wanted, path)
    return [
        {name: new for name, new in zip(header, row, strict=True) if name in old or new is not None}
        for old, row in zip(records, changed.itertuples(index=False, name=None), strict=True)
    ]


def _coco(found: dict, edit: _Edit) -> None:
    """Remove annotations of labels that are not true, and add true labels, without a box."""
    category = {edit.reader.id_of(str(c["name"])): c["id"] for c in found["categories"]}
    photos = {image["id"]: photo_name(image["file_name"]) for image in found["images"]}
    label = {number: key for key, number in category.items()}
    ids = dict(zip(edit.labels.names, edit.labels.ids, strict=True))
    off = {(n, ids[name]) for n, p in photos.items() for name, on in edit.of(p).items() if not on}
    kept = [
        a
        for a in found["annotations"]
        if (a["image_id"], label.get(a.get("category_id"))) not in off
    ]
    there = {(a["image_id"], a.get("category_id")) for a in kept}
    number = max((a.get("id", 0) for a in found["annotations"]), default=0)
    for image, photo in photos.items():
        for name, on in edit.of(photo).items():
            place = category.get(ids[name])
            if on and place is not None and (image, place) not in there:
                number += 1
                kept.append(
                    {"id": number, "image_id": image, "category_id": place, "iscrowd": 0,
                     "bbox": [], "area": 0}
                )  # fmt: skip
    found["annotations"] = kept


def label_studio(tasks: list[dict], edit: _Edit) -> list[dict]:
    """Label Studio's tasks with the changed choices as an annotation, ready for import."""
    for task in tasks:
        photo = next(
            (photo_name(v) for v in task["data"].values() if photo_name(v) in edit.changes), ""
        )
        for annotation in task.get("annotations") or ():
            for result in annotation.get("result", ()):
                choices = result.get("value", {}).get("choices")
                if isinstance(choices, list) and edit.of(photo):
                    result["value"]["choices"] = edit.listed(choices, photo, by_id=False)
    return tasks
