"""Reading a large label table, and filtering its predictions, compared with pandas."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from clipdemo.commands.bench.comparison import Comparison, compare, timed
from clipdemo.inputs.labels import COCO18, MODES
from clipdemo.inspection.predictions import STEPS, Predictions, in_steps
from clipdemo.inspection.queries import Inspection, Query
from clipdemo.tables.label_table import read_label_table

CUT = 0.35
WORDS = ("a", "dog", "on", "the", "red", "bench", "near", "water")


def reading(rounds: int, rows: int) -> Comparison:
    """Ours: `read_label_table`, labels parsed and checked. Plain: `pandas.read_csv`.

    Every caption is quoted, which is the slowest case.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "table.csv")
        with path.open("w") as file:
            file.write("ImageID,Labels,Caption\n")
            file.writelines(f'{i}.jpg,{1 + i % 9} 19,"A dog, number {i}"\n' for i in range(rows))
        return compare(
            lambda: timed(read_label_table, path), lambda: timed(pd.read_csv, path), rounds
        )


def filtering(rounds: int, rows: int) -> Comparison:
    """Ours: a query of the Inspect tab, for rows with an error in any label and some words in the
    caption, worst first. Plain: the same from a table with a line per row and label.
    """
    ours, plain = both_ways(random_predictions(rows))
    return compare(lambda: timed(ours), lambda: timed(plain), rounds)


def random_predictions(rows: int) -> Predictions:
    """Predictions for the 18 labels in the three modes, with captions of seven words."""
    rng = np.random.default_rng(0)
    truth = rng.random((rows, len(COCO18))) < 0.12
    scores = {
        mode: in_steps(np.clip(truth * 0.5 + rng.random(truth.shape) * 0.5, 0, 1)) for mode in MODES
    }
    captions = [" ".join(words) for words in rng.choice(WORDS, (rows, 7))]
    about = {"backbone": "none", "head": "trained", "labels": list(COCO18.names), "modes": {}}
    ids = pd.Series([f"{row}.jpg" for row in range(rows)])
    return Predictions(ids, pd.Series(captions), truth, scores, about)


def both_ways(found: Predictions) -> tuple[Callable[[], set], Callable[[], set]]:
    """Our filter and the plain one; both return the numbers of the rows that pass."""
    inspection = Inspection(found)
    cuts = {mode: np.full(len(COCO18), CUT) for mode in MODES}
    query = Query("concat", cuts, outcome="error", text="red dog")
    lines = pd.DataFrame({
        "row": np.repeat(np.arange(len(found.ids)), len(COCO18)),
        "true": found.truth.ravel(),
        "score": found.scores["concat"].ravel() / STEPS,
        "caption": found.captions.repeat(len(COCO18)).to_numpy(),
    })  # fmt: skip

    def plain() -> set:
        wrong = lines[lines["true"] != (lines["score"] >= CUT)]
        wrong = wrong[wrong["caption"].str.contains("red dog", case=False, regex=False)]
        past = (wrong["score"] - CUT).abs()
        return set(past.groupby(wrong["row"]).max().sort_values(ascending=False).index)

    return lambda: set(inspection.select(query).tolist()), plain
