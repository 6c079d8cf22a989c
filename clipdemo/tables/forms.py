"""The forms in which people have tables: CSV, Excel, Parquet and Hugging Face's imagefolder.

Each is read into the same plain rows. JSON is read by `json_forms`, and the study's own CSV, whose
quotes may be broken, by `loose_csv`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from clipdemo.errors import TableError
from clipdemo.inputs.photo_names import is_photo
from clipdemo.tables.columns import COLUMNS, Columns
from clipdemo.tables.rows import CHUNK, OURS, Find, Rows, cell_text, gathered, with_note
from clipdemo.tables.text import ABOVE, quote, unquote

METADATA = ("metadata.csv", "metadata.jsonl", "metadata.parquet")  # of an imagefolder


def read_excel(path: Path, find: Find) -> Rows:
    """The first sheet that has our columns.

    Raises:
        TableError: it is not a workbook, or no sheet has them.
    """
    try:
        # Cells that are merged are not known of a workbook that is only read.
        with pd.ExcelFile(path, "openpyxl", engine_kwargs={"read_only": False}) as book:
            sheets = book.parse(None, header=None, dtype=object)
            for name, sheet in sheets.items():
                _fill_merged(sheet, book.book[name])
    except Exception as error:  # zip, XML and openpyxl have errors of their own
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
    """Say what cells merged from top to bottom hold in each of their rows."""
    for cells in source.merged_cells.ranges:
        top, bottom, column = cells.min_row - 1, cells.max_row, cells.min_col - 1
        if top < len(sheet) and column < sheet.shape[1]:
            sheet.iloc[top + 1 : bottom, column] = sheet.iat[top, column]


def _header(sheet: pd.DataFrame, find: Find) -> tuple[int, list[str], Columns]:
    """How many rows there are to below the header, the header and its columns.

    There may be a title above it, and it may have two rows: what names of labels have in common,
    and the names.

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
        places = (*columns.places.values(), *columns.own, *columns.several)
        used = [header[place] for place in places]

        def lines() -> Iterator[tuple[int, Sequence]]:
            line = 1
            for batch in file.iter_batches(CHUNK, columns=used):
                found = {name: batch.column(name).to_pylist() for name in used}
                none = [None] * len(batch)
                for row in zip(*(found.get(name, none) for name in header), strict=True):
                    line += 1
                    yield line, row

        return gathered(lines(), header, columns)
    except (OSError, pa.ArrowException) as error:
        raise TableError(
            f"{path} is not a Parquet file that can be read ({str(error)[:120]}): write it again."
        ) from error


def read_folder(path: Path) -> Path | Rows:
    """An imagefolder: its metadata file, or rows made of one folder of photos per label.

    Raises:
        TableError: it is neither.
    """
    for name in METADATA:
        if (path / name).is_file():
            return path / name
    rows = [
        (f"{folder.name}/{photo.relative_to(folder).as_posix()}", (folder.name,), "")
        for folder in sorted(path.iterdir())
        if folder.is_dir() and not folder.name.startswith((".", "_", "@"))
        for photo in sorted(folder.rglob("*"))
        if is_photo(photo.name) and photo.is_file()
    ]
    if not rows:
        raise TableError(
            f"{path} holds neither {METADATA[0]} nor a folder of photos per label: give a table."
        )
    return with_note(gathered(enumerate(rows, 1), COLUMNS, OURS), Labels="names of folders")


def read_csv_rows(text: str, mark: str, find: Find) -> Rows:
    """Rows of CSV. Where its quotes are not well-formed they are text, and each line is a row.

    Otherwise one quote that is never closed would make the rest of the table a caption.

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
    columns = find(header)
    last, name_at, problems = max(columns.places.values()), columns.places["ImageID"], {}

    def lines() -> Iterator[tuple[int, list[str]]]:
        line = reader.line_num + 1
        for row in reader:
            at, line = line, reader.line_num + 1
            if not any(cell.strip() for cell in row):
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


def _lines_of(text: str) -> Iterator[str]:
    """The lines of a text, one at a time: a file-like copy of a large one would be larger still."""
    at = 0
    while at < len(text):
        end = text.find("\n", at) + 1 or len(text)
        yield text[at:end]
        at = end
