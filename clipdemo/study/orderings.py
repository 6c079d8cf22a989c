"""The study's claims about what works better, and whether our runs confirm them."""

import numpy as np
import pandas as pd

from clipdemo.inputs.labels import MODES

METRIC = "samples_f1"
RATE = 7e-4
RISE = 0.01  # relative rise of the validation loss above its minimum that counts as overfitting
WITHIN, OPEN = "within the spread", "not measured"


def orderings(runs: pd.DataFrame, curves: pd.DataFrame) -> list[dict]:
    """The study's claims, each with our figures for both sides and the outcome, JSON-ready.

    A claim `holds` (True) if every seed of its side is above every seed of the other, and does not
    (False) if every seed is below; otherwise it is `within the spread`, or `not measured` if runs
    of a side are missing. A side has the mean, lowest and highest samples-F1 over the seeds, and
    the mean mAP; several runs of a seed, such as all those of a learning rate, count by their mean.
    """

    def pick(**wanted: object) -> pd.DataFrame:
        return runs[np.logical_and.reduce([runs[name] == value for name, value in wanted.items()])]

    image, text, concat = (pick(group="encoding", mode=mode) for mode in MODES)
    mlp = next((rows for rows in (concat, text, image) if len(rows)), runs[:0])
    warmup, grid = pick(group="warmup"), pick(group="grid")
    with_warmup, without = warmup[warmup["warmup"] > 0], warmup[warmup["warmup"] == 0]
    deep, shallow = grid[grid["layers"] == 3], grid[grid["layers"] == 2]
    knn, forest, mutan = (pick(kind=kind) for kind in ("knn", "forest", "mutan"))
    claims = [
        ("concat above image", "concat best", ("concat", concat), ("image", image)),
        ("concat above text", "concat best", ("concat", concat), ("text", text)),
        ("image above text", "image more informative", ("image", image), ("text", text)),
        ("warm-up helps", "smoother start", ("with", with_warmup), ("without", without)),
        ("3 layers above 2", "3 better", ("3 layers", deep), ("2 layers", shallow)),
        ("rate 7e-4 best", "best of 5e-4, 7e-4, 9e-4", *_rates(grid)),
        ("MLP above KNN", "KNN worse", ("MLP", mlp), ("KNN", knn)),
        ("MLP above random forest", "forest worse", ("MLP", mlp), ("random forest", forest)),
        ("MLP above MUTAN", "MUTAN worse", ("MLP", mlp), ("MUTAN", mutan)),
    ]
    for mode in ("concat", "text"):
        original, both = (
            pick(group="augmentation", mode=mode, captions=captions)
            for captions in ("original", "both")
        )
        claim = f"generated captions help {mode}"
        claims.append((claim, "used as augmentation", ("with", both), ("without", original)))
    return [*(_compare(*claim) for claim in claims), overfits(grid, curves)]


def by_seed(runs: pd.DataFrame) -> pd.Series:
    """Samples-F1 of each seed, the mean of its runs; a run without a seed counts as seed 0."""
    return runs.groupby(runs["seed"].fillna(0))[METRIC].mean()


def rate_name(rate: float) -> str:
    """A learning rate as people write it: 7e-4."""
    return f"{rate:.0e}".replace("e-0", "e-")


def _rates(grid: pd.DataFrame) -> tuple[tuple[str, pd.DataFrame], tuple[str, pd.DataFrame]]:
    """The runs with the study's learning rate, and those with the best of the other rates."""
    rates = grid["rate"].astype(float)
    others = {rate_name(r): grid[rates == r] for r in rates.unique() if not np.isclose(r, RATE)}
    best = max(others, key=lambda name: by_seed(others[name]).mean(), default="another")
    return (rate_name(RATE), grid[np.isclose(rates, RATE)]), (best, others.get(best, grid[:0]))


def _compare(
    claim: str, study: str, better: tuple[str, pd.DataFrame], other: tuple[str, pd.DataFrame]
) -> dict:
    sides = [
        _side(name, by_seed(runs)) | {"map": float(runs["map"].mean()) if len(runs) else None}
        for name, runs in (better, other)
    ]
    found = {"claim": claim, "study": study, "metric": METRIC, "ours": sides}
    return found | {"holds": _outcome(*sides)}


def _side(name: str, values: pd.Series) -> dict:
    if values.empty:
        return {"name": name, "seeds": 0, "mean": None, "low": None, "high": None}
    figures = {"mean": values.mean(), "low": values.min(), "high": values.max()}
    return {"name": name, "seeds": len(values)} | {k: float(v) for k, v in figures.items()}


def _outcome(better: dict, other: dict) -> bool | str:
    if not better["seeds"] or not other["seeds"]:
        return OPEN
    if better["low"] > other["high"]:
        return True
    return False if better["high"] < other["low"] else WITHIN


def overfits(grid: pd.DataFrame, curves: pd.DataFrame) -> dict:
    """Whether width 2048 overfits at the study's rate, with width 1024 for comparison.

    The claim holds if the loss ends more than `RISE` above its minimum for every seed, and does not
    if it does so for none. A side has the epoch of the lowest validation loss (mean, lowest and
    highest over the seeds), and as means the last epoch and the rise of the loss until then.
    """
    at_rate = grid[np.isclose(grid["rate"].astype(float), RATE)]
    wide, narrow = (_turns(at_rate[at_rate["hidden"] == h], curves) for h in ("2048", "1024"))
    turned = wide["rise"] > RISE
    holds = True if turned.all() else WITHIN if turned.any() else False
    sides = [
        _side(f"hidden {hidden}", turns["epoch"])
        | {key: None if turns.empty else float(turns[key].mean()) for key in ("last", "rise")}
        for hidden, turns in (("2048", wide), ("1024", narrow))
    ]
    found = {"claim": "width 2048 overfits", "study": "after epoch 4", "metric": "epoch"}
    return found | {"ours": sides, "holds": OPEN if wide.empty else holds}


def _turns(runs: pd.DataFrame, curves: pd.DataFrame) -> pd.DataFrame:
    """Per run: `epoch` of the lowest validation loss, `last` epoch and the `rise` in between."""
    rows = []
    for _, curve in curves[curves["run"].isin(runs["run"])].groupby("run"):
        loss = curve.set_index("epoch")["check_loss"].sort_index()
        rows.append((loss.idxmin(), loss.index[-1], loss.iloc[-1] / loss.min() - 1))
    return pd.DataFrame(rows, columns=("epoch", "last", "rise"), dtype=float)
