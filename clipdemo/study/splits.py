"""Which rows are held out for validation."""

import hashlib
import re
from pathlib import Path

import numpy as np
import pandas as pd

from clipdemo.errors import TableError
from clipdemo.tables.label_table import read_label_table

DEFAULT = "share:0.15"
FORMS = "last:2000, every:6:1, share:0.15, stratified:0.15 or the path of a label table"


def held_out(index: pd.DataFrame, rule: str = DEFAULT) -> np.ndarray:
    """[N] bool: the rows for validation; all rows of one `ImageID` fall on the same side.

    Args:
        index: columns `ImageID` and, for `stratified`, `Labels` (tuples of ids).
        rule: `last:2000`: the last photos, as in the study. `every:6:1`: those whose number
            leaves 1 when divided by 6. `share:0.15`: by a hash of the `ImageID`, so that rows
            added later do not move others. `stratified:0.15`: about that share of each label,
            however rare (iterative stratification, Sechidis et al. 2011); it depends on the whole
            table. Anything else: path of a label table with the photos.

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
    elif kind == "stratified" and re.fullmatch(r"0?\.\d+", values):
        chosen = names.isin(_stratified(index, float(values)))
    elif Path(rule).is_file():
        chosen = names.isin(read_label_table(rule, None).frame["ImageID"])
    else:
        raise TableError(f"{rule!r} is not a rule for choosing validation rows: use {FORMS}.")
    chosen = chosen.to_numpy(bool)
    if chosen.all() or not chosen.any():
        side = "training" if chosen.all() else "validation"
        raise TableError(f"The rule {rule!r} leaves no row for {side}: choose another.")
    return chosen


def _stratified(index: pd.DataFrame, share: float) -> pd.Series:
    """The names of the photos held out; the order of the rows does not matter."""
    from iterstrat.ml_stratifiers import MultilabelStratifiedShuffleSplit
    from sklearn.preprocessing import MultiLabelBinarizer

    photos = index.drop_duplicates("ImageID").sort_values("ImageID")
    labels = MultiLabelBinarizer().fit_transform(photos["Labels"])
    # Rows without labels form a class of their own: there may be no others to stratify by.
    labels = np.column_stack([labels, ~labels.any(1)]).astype(int)
    split = MultilabelStratifiedShuffleSplit(n_splits=1, test_size=share, random_state=0)
    _, held = next(split.split(labels, labels))
    return photos["ImageID"].iloc[held]


def _fraction(name: str) -> float:
    """A number in [0, 1) derived from the name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6]) / 2**48
