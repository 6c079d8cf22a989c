"""Reading a label table, over pandas on the same well-formed file."""

import tempfile
from pathlib import Path

import pandas as pd

from clipdemo.commands.bench.comparison import Comparison, compare, timed
from clipdemo.tables.label_table import read_label_table

ROWS = 1_000_000


def table(rounds: int, rows: int = ROWS) -> Comparison:
    """Ours: `read_label_table`, labels parsed and checked. Plain: `pandas.read_csv`.

    Every caption is quoted, which is what takes longest.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "table.csv")
        with path.open("w") as file:
            file.write("ImageID,Labels,Caption\n")
            file.writelines(f'{i}.jpg,{1 + i % 9} 19,"A dog, number {i}"\n' for i in range(rows))
        return compare(
            lambda: timed(lambda: read_label_table(path)),
            lambda: timed(lambda: pd.read_csv(path)),
            rounds,
        )
