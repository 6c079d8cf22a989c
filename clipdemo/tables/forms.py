"""The forms in which people have labelled photos: each is read into the same plain rows.

CSV by `,` `;` tab or `|`; Excel; Parquet; JSON lines and lists of records; COCO's instances, with
captions; Label Studio's export; Hugging Face's imagefolder. The study's own CSV, whose quotes may
be broken, is read by `loose_csv`.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pandas as pd

from clipdemo.errors import TableError
from clipdemo.inputs.photo_names import is_photo
from clipdemo.tables.columns import COLUMNS, Columns
from clipdemo.tables.label_values import is_true

METADATA = ("metadata.csv", "metadata.jsonl", "metadata.parquet")  # of an imagefolder
OURS = Columns({name: place for place, name in enumerate(COLUMNS)})
Find = Callable[[Sequence[str]], Columns]
"""Finds the columns by a header; raises TableError."""
CHUNK = 100_000  # rows that are held as Python objects at once


@dataclass
class Rows:
    """Rows as a file has them, before their labels are understood.

    Attributes:
        frame: columns `line` (int, of the file, from 1), `ImageID` (str), `Labels` (object: text,
            a list, or names) and `Caption` (str).
        problems: line -> the row's photo name and why the row cannot be read.
        repaired: what was repaired, and how often.
        read_as: what was taken for what.
    """

    frame: pd.DataFrame
    problems: dict[int, tuple[str, str]] = field(default_factory=dict)
    repaired: dict[str, int] = field(default_factory=dict)
    read_as: dict[str, str] = field(default_factory=dict)


def read_excel(path: Path, find: Find) -> Rows:
    """The first sheet that has our columns.

    Raises:
        TableError: it is no workbook, or no sheet has them.
    """
    try:
        sheets = pd.read_excel(path, sheet_name=None, header=None, dtype=object)
    except Exception as error:  # zip, XML and openpyxl have errors of their own
        raise TableError(
            f"{path} cannot be opened as a workbook ({str(error)[:120]}): save it again as .xlsx."
        ) from error
    problem = TableError(f"{path} has no sheet with rows: fill one.")
    for name, sheet in sheets.items():
        sheet = sheet.dropna(how="all")
        if len(sheet) < 2:
            continue
        header = [_cell(value) for value in sheet.iloc[0]]
        try:
            columns = find(header)
        except TableError as error:
            problem = error
            continue
        lines = zip(sheet.index[1:] + 1, sheet.iloc[1:].itertuples(index=False), strict=True)
        rows = _gathered(lines, header, columns)
        return _with(rows, sheet=name) if len(sheets) > 1 else rows
    raise problem


def read_parquet(path: Path, find: Find) -> Rows:
    """A table in a Parquet file, read in pieces.

    Raises:
        TableError: it is no Parquet file, or has not our columns.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(path)
        header = file.schema_arrow.names
        columns = find(header)
        used = [header[place] for place in (*columns.places.values(), *columns.own)]

        def lines() -> Iterator[tuple[int, Sequence]]:
            line = 1
            for batch in file.iter_batches(CHUNK, columns=used):
                found = {name: batch.column(name).to_pylist() for name in used}
                none = [None] * len(batch)
                for row in zip(*(found.get(name, none) for name in header), strict=True):
                    line += 1
                    yield line, row

        return _gathered(lines(), header, columns)
    except (OSError, pa.ArrowException) as error:
        raise TableError(
            f"{path} is no Parquet file that can be read ({str(error)[:120]}): write it again."
        ) from error


def read_json(path: Path, find: Find) -> Rows:
    """COCO's instances, Label Studio's export, a list of records, or one record per line.

    Raises:
        TableError: it is none of these.
    """
    text = path.read_text("utf-8-sig", errors="replace")
    try:
        found = json.loads(text)
    except ValueError:
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


def read_folder(path: Path) -> Path | Rows:
    """An imagefolder: its metadata file, or rows made of one folder of photos per label.

    Raises:
        TableError: it is neither.
    """
    for name in METADATA:
        if (path / name).is_file():
            return path / name
    rows = [
        (0, (f"{folder.name}/{photo.relative_to(folder).as_posix()}", (folder.name,), ""))
        for folder in sorted(path.iterdir())
        if folder.is_dir() and not folder.name.startswith((".", "_", "@"))
        for photo in sorted(folder.rglob("*"))
        if is_photo(photo.name) and photo.is_file()
    ]
    if not rows:
        raise TableError(
            f"{path} holds neither {METADATA[0]} nor a folder of photos per label: give a table."
        )
    numbered = ((line, row) for line, (_, row) in enumerate(rows, 1))
    return _with(_gathered(numbered, COLUMNS, OURS), Labels="names of folders")


def read_csv_rows(text: str, mark: str, find: Find) -> Rows:
    """Rows of well-formed CSV.

    Raises:
        TableError: the header has not our columns.
    """
    reader = csv.reader(_lines_of(text), delimiter=mark)
    header = next((row for row in reader if any(cell.strip() for cell in row)), [])
    while header and not header[-1].strip():
        header.pop()
    columns = find(header)
    problems = {}

    def lines() -> Iterator[tuple[int, list[str]]]:
        line = reader.line_num + 1
        try:
            for row in reader:
                at, line = line, reader.line_num + 1
                if not any(cell.strip() for cell in row):
                    continue
                if len(row) < len(header) and len(row) <= max(columns.places.values()):
                    name = row[columns.places["ImageID"]] if _has(row, columns) else row[0]
                    problems[at] = name.strip(), "has too few fields"
                elif any(cell.strip() for cell in row[len(header) :]):
                    name = row[columns.places["ImageID"]]
                    problems[at] = name.strip(), "has too many fields"
                yield at, row
        except csv.Error as error:
            problems[line] = "", f"cannot be read ({error})"
            yield line, []

    rows = _gathered(lines(), header, columns)
    rows.problems |= problems
    return _with(rows, separator="tab") if mark == "\t" else _with(rows, separator=mark)


def _lines_of(text: str) -> Iterator[str]:
    """The lines of a text, one at a time: a file-like copy of a large one would be larger still."""
    at = 0
    while at < len(text):
        end = text.find("\n", at) + 1 or len(text)
        yield text[at:end]
        at = end


def _has(row: Sequence[str], columns: Columns) -> bool:
    return columns.places["ImageID"] < len(row)


def _gathered(
    lines: Iterable[tuple[int, Sequence]],
    header: Sequence[str],
    columns: Columns,
) -> Rows:
    """Rows from cells in the file's order, made in pieces so that few are Python objects."""
    pieces, problems = [], {}
    own, labelled = dict(columns.own), "Labels" in columns.places
    waiting: list[tuple] = []
    wrong: set[int] = set()

    def flush() -> None:
        if waiting:
            frame = pd.DataFrame(waiting, columns=["line", *COLUMNS])
            texts = all(isinstance(cell, str) for cell in frame["Labels"])
            kinds = {"ImageID": "str", "Caption": "str", "line": "int64"}
            pieces.append(frame.astype(kinds | ({"Labels": "str"} if texts else {})))
            waiting.clear()

    for line, row in lines:
        cells = [row[place] if place < len(row) else None for place in range(len(header))]
        if columns.own:
            values = {place: is_true(cells[place]) for place in own}
            wrong |= {place for place, value in values.items() if value is None}
            found = tuple(own[place] for place, value in values.items() if value)
        else:
            found = _plain(cells[columns.places["Labels"]]) if labelled else ""
        caption = columns.places.get("Caption")
        waiting.append(
            (
                line,
                photo_name(cells[columns.places["ImageID"]]),
                found,
                "" if caption is None else _cell(cells[caption]),
            )
        )
        if len(waiting) == CHUNK:
            flush()
    flush()
    frame = pd.concat(pieces, ignore_index=True) if pieces else _empty()
    if wrong and not columns.known:  # columns of something else
        names = {own[place] for place in wrong}
        frame["Labels"] = [tuple(n for n in c if n not in names) for c in frame["Labels"]]
    rows = Rows(frame, problems)
    if wrong and columns.known:
        rows.repaired["cells of labels that are neither yes nor no"] = len(wrong)
    taken = {
        ours: header[place]
        for ours, place in columns.places.items()
        if header[place].strip() != ours
    }
    if own:
        taken["Labels"] = f"one column per label ({len(own)})"
    rows.read_as = taken
    return rows


def _empty() -> pd.DataFrame:
    frame = pd.DataFrame(columns=["line", *COLUMNS], dtype=object)
    return frame.astype({"ImageID": "str", "Caption": "str", "line": "int64"})


def _with(rows: Rows, **read_as: str) -> Rows:
    rows.read_as |= read_as
    return rows


def _plain(cell: object) -> object:
    """A cell of labels as text or a tuple, so that equal ones are understood once."""
    if isinstance(cell, dict):
        return tuple(name for name, on in cell.items() if is_true(on))
    if isinstance(cell, (list, tuple, set)) or hasattr(cell, "tolist"):
        return tuple(map(_cell, cell if not hasattr(cell, "tolist") else cell.tolist()))
    return _cell(cell)


def _cell(cell: object) -> str:
    """A cell as text; Excel's numbers without `.0`."""
    if cell is None or cell != cell:  # NaN
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    text = str(cell).strip()
    return text if text.isascii() else text.encode("utf-8", "replace").decode()  # half pairs


def photo_name(cell: object) -> str:
    """The name that a cell gives a photo; Hugging Face's image columns are dicts."""
    if isinstance(cell, dict):
        cell = cell.get("path")
    name = _cell(cell)
    if "?d=" in name:  # Label Studio's local files
        name = parse_qs(urlsplit(name).query).get("d", [name])[0]
    return name


def _json_lines(text: str, path: Path) -> Iterator[tuple[int, dict | None]]:
    lines = [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines or not lines[0][1].lstrip().startswith("{"):
        raise TableError(f"{path} is no JSON that can be read: check where it ends.")
    for number, line in lines:
        try:
            found = json.loads(line)
        except ValueError:
            found = None
        yield number, found if isinstance(found, dict) else None


def _records(
    records: Iterable[tuple[int, dict | None]],
    find: Find,
) -> Rows:
    records = list(records)
    header = list(dict.fromkeys(name for _, row in records if row for name in row))
    columns = find(header)
    problems = {line: ("", "is no JSON record") for line, row in records if row is None}
    lines = ((line, [(row or {}).get(name) for name in header]) for line, row in records)
    rows = _gathered(lines, header, columns)
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
    names = {str(name) for name in chosen}
    return {**task["data"], "Labels": [name for name in dict.fromkeys(map(str, chosen)) if names]}


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
            f"{path} is no complete COCO file ({str(error)[:80]} is missing): export it again."
        ) from error
    return _with(_gathered(enumerate(rows, 1), COLUMNS, OURS), form="COCO instances")
