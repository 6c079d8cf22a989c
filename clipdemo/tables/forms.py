"""The forms in which people have tables: CSV, Excel and Parquet.

Each is read into the same plain rows. JSON is read by `json_forms`, folders by `folders`, and the
study's own CSV, whose quotes may be broken, by `loose_csv`.
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
from clipdemo.tables.columns import Columns
from clipdemo.tables.gathered import CHUNK, gathered
from clipdemo.tables.rows import Find, Rows, cell_text, with_note
from clipdemo.tables.text import ABOVE, quote, unquote
from clipdemo.tables.tool_records import NOT_ANNOTATED, labelbox_label

_FIRST = 20  # rows that tell whether all begin with names


def read_excel(path: Path, find: Find) -> Rows:
    """The rows of the first sheet that has our columns, and of the others with the same header.

    Lines are counted on from one sheet to the next. Hidden sheets are read only if no other has our
    columns.

    Raises:
        TableError: it is not a workbook, or no sheet has them.
    """
    try:
        # Merged cells are not known in openpyxl's read-only mode.
        with pd.ExcelFile(path, "openpyxl", engine_kwargs={"read_only": False}) as book:
            sheets = book.parse(None, header=None, dtype=object)
            for name, sheet in sheets.items():
                _fill_merged(sheet, book.book[name])
            hidden = {name for name in sheets if book.book[name].sheet_state != "visible"}
    except Exception as error:  # zip, XML and openpyxl have their own errors
        raise TableError(
            f"{path} cannot be opened as a workbook ({str(error)[:120]}): save it again as .xlsx."
        ) from error
    problem = TableError(f"{path} has no sheet with rows: fill one.")
    header, columns, lines, read, unread, end = None, None, [], [], [], 0
    for name in sorted(sheets, key=hidden.__contains__):
        sheet = sheets[name].dropna(how="all")
        if len(sheet) < 2:
            continue
        try:
            below, names, found = _header(sheet, find)
        except TableError as error:
            problem = error
            unread.append(name)
            continue
        header, columns = header or names, columns or found
        if read and (name in hidden or _plain(names) != _plain(header)):
            unread.append(name)
            continue
        read.append(name)
        numbers = sheet.index[below:] + end + 1
        lines.append(zip(numbers, sheet.iloc[below:].itertuples(index=False), strict=True))
        end += int(sheet.index[-1]) + 1
    if not read:
        raise problem
    rows = gathered(chain.from_iterable(lines), header, columns)
    if len(sheets) > 1:
        rows.read_as["sheet" if len(read) == 1 else "sheets"] = ", ".join(read)
    if unread:
        rows.read_as["sheets not read"] = ", ".join(unread)[:200]
    return rows


def _plain(header: list[str]) -> list[str]:
    """A header without case and without the empty columns at its end."""
    names = [name.casefold() for name in header]
    while names and not names[-1]:
        names.pop()
    return names


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
                found |= {
                    n: with_class_names(found[n], [features[n]]) for n in used if n in features
                }
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


def with_class_names(value: Any, feature: Any) -> Any:
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
        return [with_class_names(part, inner) for part in value]
    if isinstance(value, dict) and isinstance(inner, dict):  # a sequence of records is one of lists
        return {
            key: with_class_names(
                part, [inner.get(key)] if isinstance(part, list) else inner.get(key)
            )
            for key, part in value.items()
        }
    return value


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
    first = list(islice(raw, _FIRST))
    rows = [row for _, row in first if row]
    if _have_names(rows, header, find) or (_are_longer(rows, header) and rows[0][0].strip() == "1"):
        header = ["", *header]
    columns = find(header)
    label = header.index("Label") if {"Label", "Labeled Data"} <= set(header) else None
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
            elif label is not None:  # Labelbox's
                row[label] = labelbox_label(row[label])
                if row[label] is None:
                    problems[at] = name, NOT_ANNOTATED
            yield at, row

    rows = gathered(lines(), header, columns)
    rows.problems |= problems
    return rows


def has_row_names(text: str, find: Find) -> bool:
    """Whether rows begin with names for which R's `write.table` writes no column."""
    reader = csv.reader(_lines_of(text), skipinitialspace=True)
    header, *rows = [row for row in islice(reader, _FIRST) if row] or [[]]
    return _have_names(rows, header, find)


def _have_names(rows: list[list[str]], header: list[str], find: Find) -> bool:
    """Whether the photos are one cell further right than in the header."""
    if not _are_longer(rows, header):
        return False
    at = find(header).places["ImageID"]
    return all(is_photo(row[at + 1].strip()) > is_photo(row[at].strip()) for row in rows)


def _are_longer(rows: list[list[str]], header: list[str]) -> bool:
    return bool(rows) and all(len(row) == len(header) + 1 for row in rows)


def from_celeba(text: str) -> str:
    """CelebA's list of attributes, below a count of photos, as CSV; other text unchanged."""
    head = [line.split() for line in text.split("\n", 3)[:3]]
    if len(head) < 3 or not "".join(head[0]).isdecimal() or len(head[2]) != len(head[1]) + 1:
        return text
    if not is_photo(head[2][0]):
        return text
    _, names, *rows = (",".join(line.split()) for line in text.split("\n"))
    return "\n".join(["", f"ImageID,{names}", *rows])


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
