"""Which rows are held out for validation."""

import hashlib
import re
from pathlib import Path

import numpy as np
import pandas as pd

from clipdemo.errors import TableError
from clipdemo.tables.label_table import read_label_table

DEFAULT = "share:0.15"
FORMS = "last:2000, every:6:1, share:0.15 or the path of a label table"


def held_out(index: pd.DataFrame, rule: str = DEFAULT) -> np.ndarray:
    """[N] bool: the rows for validation; all rows of one `ImageID` fall on the same side.

    Args:
        index: a column `ImageID`.
        rule: `last:2000`: the last photos, as in the study. `every:6:1`: those whose number
            leaves 1 when divided by 6. `share:0.15`: by a hash of the `ImageID`, so that rows
            added later move none. Anything else: a label table of the photos.

    Raises:
        TableError: the rule cannot be read, or leaves nothing on one side.
    """
    names = index["ImageID"]
    kind, _, values = rule.partition(":")
    if re.fullmatch(r"last:\d+", rule):
        distinct = names.drop_duplicates()
        chosen = names.isin(distinct.iloc[max(len(distinct) - int(values), 0) :])
    elif re.fullmatch(r"every:[1-9]\d*:\d+", rule):
        step, rest = map(int, values.split(":"))
        numbers = names.str.extract(r"(\d+)\D*$")[0].astype("Int64")
        chosen = (numbers % step == rest).fillna(False)
    elif kind == "share" and re.fullmatch(r"0?\.\d+", values):
        hashed = {name: _fraction(name) for name in names.unique()}
        chosen = names.map(hashed) < float(values)
    elif Path(rule).is_file():
        chosen = names.isin(read_label_table(rule, None).frame["ImageID"])
    else:
        raise TableError(f"{rule!r} is no rule for the validation rows: use {FORMS}.")
    chosen = chosen.to_numpy(bool)
    if chosen.all() or not chosen.any():
        side = "training" if chosen.all() else "validation"
        raise TableError(f"The rule {rule!r} leaves no row for {side}: choose another.")
    return chosen


def _fraction(name: str) -> float:
    """A number in [0, 1) that belongs to the name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6]) / 2**48
