"""The forms in which people have tables: CSV, Excel, Parquet and Hugging Face's imagefolder.

Each is read into the same plain rows. JSON is read by `json_forms`, and the study's own CSV, whose
quotes may be broken, by `loose_csv`.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pandas as pd

from clipdemo.errors import TableError
from clipdemo.inputs.photo_names import is_photo
from clipdemo.tables.columns import COLUMNS, Columns
from clipdemo.tables.rows import CHUNK, OURS, Find, Rows, cell_text, gathered, with_note
from clipdemo.tables.text import ABOVE, quote, unquote

_SPLITS = {"train", "training", "val", "valid", "validation", "test", "testing", "dev"}
_NO_CLASSES = {"images", "labels", "annotations"}
METADATA = ("metadata.csv", "metadata.jsonl", "metadata.parquet")  # of an imagefolder


def read_excel(path: Path, find: Find) -> Rows:
    """The first sheet that has our columns.

    Raises:
        TableError: it is not a workbook, or no sheet has them.
    """
    try:
        # Merged cells are not known in openpyxl's read-only mode.
        with pd.ExcelFile(path, "openpyxl", engine_kwargs={"read_only": False}) as book:
            sheets = book.parse(None, header=None, dtype=object)
            for name, sheet in sheets.items():
                _fill_merged(sheet, book.book[name])
    except Exception as error:  # zip, XML and openpyxl have their own errors
        raise TableError(
            f"{path} cannot be opened as a workbook ({str(error)[:120]}): save it again as .xlsx."
        ) from error
    problem = TableError(f"{path} has no sheet with rows: fill one.")
    for name, sheet in sheets.items():
        sheet = sheet.dropna(how="all")
        if len(sheet) < 2:
            continue
        try:
            below, header, columns = _header(sheet, find)
        except TableError as error:
            problem = error
            continue
        lines = zip(
            sheet.index[below:] + 1, sheet.iloc[below:].itertuples(index=False), strict=True
        )
        rows = gathered(lines, header, columns)
        return with_note(rows, sheet=name) if len(sheets) > 1 else rows
    raise problem


def _fill_merged(sheet: pd.DataFrame, source: Any) -> None:
    """Copy the value of vertically merged cells into each of their rows."""
    for cells in source.merged_cells.ranges:
        top, bottom, column = cells.min_row - 1, cells.max_row, cells.min_col - 1
        if top < len(sheet) and column < sheet.shape[1]:
            sheet.iloc[top + 1 : bottom, column] = sheet.iat[top, column]


def _header(sheet: pd.DataFrame, find: Find) -> tuple[int, list[str], Columns]:
    """The number of rows up to the end of the header, the header and its columns.

    There may be a title above it, and it may have two rows: a common heading of labels, and their
    names.

    Raises:
        TableError: no row near the top is a header.
    """
    found = [[cell_text(value) for value in row] for row in sheet.head(ABOVE).to_numpy(object)]
    problem = None
    for above, header in enumerate(found[: len(sheet) - 1]):
        try:
            columns = find(header)
        except TableError as error:
            problem = problem or error
            continue
        below = found[above + 1] if above + 1 < len(found) else header
        place = columns.places["ImageID"]
        new = [
            i
            for i, (upper, lower) in enumerate(zip(header, below, strict=True))
            if lower > upper == ""
        ]
        if new and below[place] in ("", header[place]):
            header = [lower or upper for upper, lower in zip(header, below, strict=True)]
            return above + 2, header, find(header)
        return above + 1, header, columns
    raise problem


def read_parquet(path: Path, find: Find) -> Rows:
    """A table in a Parquet file, read in pieces.

    Raises:
        TableError: it is not a Parquet file, or lacks our columns.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(path)
        header = file.schema_arrow.names
        columns = find(header)
        used = [header[place] for place in columns.used]
        features = _features(file.schema_arrow.metadata)

        def lines() -> Iterator[tuple[int, Sequence]]:
            line = 1
            for batch in file.iter_batches(CHUNK, columns=used):
                found = {name: batch.column(name).to_pylist() for name in used}
                found |= {n: _named(found[n], [features[n]]) for n in used if n in features}
                none = [None] * len(batch)
                for row in zip(*(found.get(name, none) for name in header), strict=True):
                    line += 1
                    yield line, row

        return gathered(lines(), header, columns)
    except (OSError, pa.ArrowException) as error:
        raise TableError(
            f"{path} cannot be read as Parquet ({str(error)[:120]}): write it again."
        ) from error


def _features(metadata: dict | None) -> dict:
    """Hugging Face's description of a Parquet file's columns."""
    try:
        found = json.loads((metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, ValueError, TypeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _named(value: Any, feature: Any) -> Any:
    """A value in which indices of classes are replaced by their names (`datasets.ClassLabel`)."""
    if isinstance(feature, list):
        feature = {"feature": feature[0] if feature else None}
    if value is None or not isinstance(feature, dict):
        return value
    if feature.get("_type") == "ClassLabel":
        names = feature.get("names")
        known = isinstance(names, list) and isinstance(value, int) and 0 <= value < len(names)
        return names[value] if known else None
    inner = feature.get("feature", feature)
    if isinstance(value, list):
        return [_named(part, inner) for part in value]
    if isinstance(value, dict) and isinstance(inner, dict):  # a sequence of records is one of lists
        return {
            key: _named(part, [inner.get(key)] if isinstance(part, list) else inner.get(key))
            for key, part in value.items()
        }
    return value


def read_folder(path: Path) -> Path | Rows:
    """An imagefolder: its metadata file, or rows from one folder of photos per label.

    Raises:
        TableError: it is neither.
    """
    for name in METADATA:
        if (path / name).is_file():
            return path / name
    folders = [f for f in _folders(path) if f.name.casefold() not in _NO_CLASSES]
    if _are_splits(folders):
        tables = [folder for folder in folders for name in METADATA if (folder / name).is_file()]
        if tables:
            raise TableError(
                f"{path} has a table in each of its folders: give one of these, such as "
                f"{tables[0]}."
            )
        folders = [label for split in folders for label in _folders(split)]
    if folders and all(folder.name.casefold() in _NO_CLASSES for folder in folders):
        raise TableError(
            f"{path} has no folder of photos per label, and YOLO's label files are not supported: "
            "export the dataset in COCO format."
        )
    rows = [
        (photo.relative_to(path).as_posix(), (folder.name,), "")
        for folder in folders
        for photo in sorted(folder.rglob("*"))
        if _is_photo_file(photo)
    ]
    if not rows:
        raise TableError(
            f"{path} has neither {METADATA[0]} nor a folder of photos per label: give a table."
        )
    return with_note(gathered(enumerate(rows, 1), COLUMNS, OURS), Labels="names of folders")


def _folders(path: Path) -> list[Path]:
    """The folders in a folder that are not hidden."""
    found = (f for f in path.iterdir() if f.is_dir() and not f.name.startswith((".", "_", "@")))
    return sorted(found)


def _are_splits(folders: list[Path]) -> bool:
    """Whether folders are parts of a dataset. Photos in a lone `train` are of trains."""
    names = {folder.name.casefold().rstrip("0123456789") for folder in folders}
    lone = len(folders) == 1 and any(map(_is_photo_file, folders[0].iterdir()))
    return bool(names) and names <= _SPLITS and not lone


def _is_photo_file(path: Path) -> bool:
    return is_photo(path.name) and path.is_file()


def read_csv_rows(text: str, mark: str, find: Find) -> Rows:
    """Rows of CSV. If its quotes are not well-formed, they are text, and each line is a row.

    Otherwise a single unclosed quote would turn the rest of the table into a caption.

    Raises:
        TableError: the header lacks our columns.
    """
    try:
        rows = _csv_rows(text, mark, find, strict=True)
    except csv.Error:
        rows = _csv_rows(text, mark, find, quoting=csv.QUOTE_NONE)
        rows.repaired["quotes that are not well-formed"] = text.count('"')
    return with_note(rows, separator="tab" if mark == "\t" else mark)


def _csv_rows(text: str, mark: str, find: Find, **dialect: Any) -> Rows:
    """Raises csv.Error."""
    dialect |= {"quotechar": quote(text), "skipinitialspace": True}
    reader = csv.reader(_lines_of(text), delimiter=mark, **dialect)
    header = next((row for row in reader if any(cell.strip() for cell in row)), [])
    while header and not header[-1].strip():
        header.pop()
    plain = dialect.get("quoting") == csv.QUOTE_NONE
    header = [unquote(name) for name in header] if plain else header
    raw = _numbered(reader)
    first = list(islice(raw, 1))
    if first and len(first[0][1]) == len(header) + 1 and first[0][1][0].strip() == "1":
        header = ["", *header]  # R's write.table has no name for its row numbers
    columns = find(header)
    last, name_at, problems = max(columns.places.values()), columns.places["ImageID"], {}

    def lines() -> Iterator[tuple[int, list[str]]]:
        for at, row in chain(first, raw):
            if not any(cell.strip() for cell in row) or _is_ruled(row, mark):
                continue
            row = [unquote(cell) for cell in row] if plain else row
            name = row[name_at if name_at < len(row) else 0].strip()
            if len(row) <= last:
                problems[at] = name, "has too few fields"
            elif any(cell.strip() for cell in row[len(header) :]):
                problems[at] = name, "has too many fields"
            yield at, row

    rows = gathered(lines(), header, columns)
    rows.problems |= problems
    return rows


def _numbered(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """The rows of a `csv.reader`, each with the line of the file where it begins."""
    line = reader.line_num + 1
    for row in reader:
        yield line, row
        line = reader.line_num + 1


def _is_ruled(row: Sequence[str], mark: str) -> bool:
    """Whether it is the line below a Markdown table's header."""
    cells = [cell.strip() for cell in row if cell.strip()]
    return mark == "|" and all(re.fullmatch(":?-{2,}:?", cell) for cell in cells)


def _lines_of(text: str) -> Iterator[str]:
    """The lines of a text, one at a time, which needs less memory than `io.StringIO`."""
    at = 0
    while at < len(text):
        end = text.find("\n", at) + 1 or len(text)
        yield text[at:end]
        at = end
