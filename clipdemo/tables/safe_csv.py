"""CSV for spreadsheets, with escaped cells that they would run as formulas.

See OWASP, "CSV Injection". The page's results.js mirrors `defused`.
"""

import csv
from collections.abc import Iterable, Sequence
from typing import TextIO

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def defused(cell: object) -> object:
    """The cell, with an apostrophe before text that looks like a formula; numbers stay numbers."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def write_rows(file: TextIO, rows: Iterable[Sequence[object]]) -> None:
    r"""Write rows to a file opened with `newline=""`; lines end in `\n`."""
    csv.writer(file, lineterminator="\n").writerows(map(defused, row) for row in rows)
