"""Plain rows of a table in any form: detects the form and chooses its reader."""

from pathlib import Path

from clipdemo.errors import TableError
from clipdemo.inputs.labels import LabelSet
from clipdemo.tables.columns import Columns
from clipdemo.tables.folders import read_folder
from clipdemo.tables.forms import (
    from_celeba,
    has_row_names,
    read_csv_rows,
    read_excel,
    read_parquet,
)
from clipdemo.tables.json_forms import read_json
from clipdemo.tables.loose_csv import loose_rows
from clipdemo.tables.photo_cells import leave_out_others, tidy_names
from clipdemo.tables.rows import Find, Rows
from clipdemo.tables.text import (
    WIDEST,
    decode,
    doubled_quotes,
    from_header,
    header,
    quote,
    read_bytes,
    separator,
)

_FOREIGN = (
    (("<?xml", "<annotation", "<!DOCTYPE", "<html", "<table"), "XML or HTML"),
    (("--", "CREATE TABLE", "INSERT INTO", "/*!"), "SQL"),
)
UNKNOWN = LabelSet(("\0",), ("\0",))  # no id is known yet


def read_rows(path: Path, find: Find, labels: LabelSet = UNKNOWN) -> Rows:
    """The rows of a table in any form.

    Args:
        path: the file, or the folder of an imagefolder.
        find: finds the columns that are needed.
        labels: their ids distinguish rows from captions if quotes are broken.

    Raises:
        TableError: it cannot be read, or has no rows.
    """
    if path.is_dir():
        found = read_folder(path)
        return found if isinstance(found, Rows) else read_rows(found, find, labels)
    raw = read_bytes(path)
    suffix = path.suffix.lower()
    if suffix in (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar"):
        raise TableError(f"{path} is an archive, not a table: unpack it, and give the table.")
    if raw[:4] == b"\xd0\xcf\x11\xe0":
        raise TableError(
            f"{path} is a workbook in an old format or has a password: save it as .xlsx."
        )
    if raw[:4] in (b"PK\3\4", b"PAR1"):  # whatever its name
        rows = read_parquet(path, find) if raw[:4] == b"PAR1" else read_excel(path, find)
        tidy_names(rows, path)
        leave_out_others(rows)
        return rows
    text, repaired, encoding = decode(raw, path)
    del raw  # may be large
    form = next((form for start, form in _FOREIGN if text.lstrip().startswith(start)), None)
    if form:
        raise TableError(
            f"{path} is {form}, which is not supported: export it as CSV, JSON or in COCO format."
        )
    if suffix in (".json", ".jsonl", ".ndjson") or text.lstrip()[:1] in ("{", "["):
        rows, repaired = read_json(text, path, find), {}
        tidy_names(rows, path)
    else:
        text, escaped = doubled_quotes(text)
        text, above = from_header(from_celeba(text), find)
        repaired |= escaped | above
        mark, text = separator(text, find)
        names = header(text.lstrip("\n")[:WIDEST], mark)
        plain = mark == "," and quote(text) == '"'
        study = plain and _is_study_form(names, find(names))
        if study and not has_row_names(text, find):
            rows = loose_rows(text, labels, path)
        else:
            rows = read_csv_rows(text, mark, find)
        tidy_names(rows, path)
        leave_out_others(rows)
    if rows.frame.empty:
        raise TableError(f"{path} has no rows below its header; add at least one.")
    rows.repaired = repaired | rows.repaired
    if encoding != "utf-8":
        rows.read_as["encoding"] = encoding
    return rows


def _is_study_form(header: list[str], columns: Columns) -> bool:
    places = columns.places.items()
    named = all(header[place].casefold() == ours.casefold() for ours, place in places)
    return named and "Labels" in columns.places and columns.folder is None
