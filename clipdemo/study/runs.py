"""The runs of a study: their settings, their outcomes, and the tables of both."""

import hashlib
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import joblib
import pandas as pd

from clipdemo.errors import TableError
from clipdemo.inputs.atomic import atomic_write
from clipdemo.study.fit import FitSettings

SEEDS = (0, 1, 2)
ABOUT = "about.json"
CURVES = ("epoch", "loss", "check_loss", "rate", "map", "samples_f1")
COLUMNS = (
    "run", "group", "name", "mode", "kind", "layers", "hidden", "rate", "warmup", "captions",
    "seed", "epochs", "best_epoch", "n_train", "n_check", "samples_f1", "samples_f1_fixed",
    "samples_precision", "samples_recall", "micro_f1", "macro_f1", "map", "seconds", "backbone",
)  # fmt: skip


@dataclass(frozen=True)
class Run:
    """One training with one seed.

    Attributes:
        mode: of its head.
        kind: `mlp`, `mutan`, or the name of a baseline.
        settings: of a head's training; None for a baseline.
        captions: those to train on: `original`, `generated` or `both`.
    """

    mode: str
    kind: str = "mlp"
    settings: FitSettings | None = None
    captions: str = "original"
    seed: int = 0

    def described(self) -> dict:
        """Its columns of the table."""
        settings = self.settings
        hidden = settings.hidden if settings and self.kind == "mlp" else None
        return {
            "mode": self.mode,
            "kind": self.kind,
            "layers": None if hidden is None else len(hidden) + 1,
            "hidden": None if hidden is None else "-".join(map(str, hidden)),
            "rate": settings.rate if settings else None,
            "warmup": settings.warmup if settings else None,
            "captions": self.captions,
            "seed": self.seed,
        }

    def seeded(self, seed: int) -> "Run":
        """The same with another seed."""
        settings = replace(self.settings, seed=seed) if self.settings else None
        return replace(self, seed=seed, settings=settings)


@dataclass(frozen=True)
class Entry:
    """A run's place in the study: the same run may appear in several comparisons."""

    group: str
    name: str
    run: Run


class Journal:
    """Outcomes by run, each appended to a file as soon as it is known."""

    def __init__(self, path: Path, about: dict) -> None:
        """`about`: whatever else the outcomes depend on; runs with another `about` are ignored."""
        self._path, self.about = path, about
        self._known: dict[str, dict] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        for line in path.read_text("utf-8").splitlines() if path.is_file() else ():
            try:
                found = json.loads(line)
                self._known[found["key"]] = found["outcome"]
            except (ValueError, TypeError, KeyError):
                continue  # a killed run left half a line

    def key(self, run: Run) -> str:
        """Identifies the run and what its outcome depends on."""
        content = json.dumps([asdict(run), self.about], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    def get(self, run: Run) -> dict | None:
        """The run's outcome, if it is known."""
        return self._known.get(self.key(run))

    def put(self, run: Run, outcome: dict) -> None:
        """Keep an outcome."""
        self._known[self.key(run)] = outcome
        with self._path.open("a", encoding="utf-8") as file:
            file.write("\n" + json.dumps({"key": self.key(run), "outcome": outcome}))


def carry_out(
    entries: Iterable[Entry],
    execute: Callable[[Run], dict],
    journal: Journal,
    jobs: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Execute every run that is not in the journal yet, `jobs` at a time.

    `execute` returns a run's metrics, `history`, `n_train` and `n_check`; `seconds` is added. Each
    process uses one thread.
    """
    missing = list(dict.fromkeys(e.run for e in entries if journal.get(e.run) is None))
    progress(0, len(missing))
    work = (joblib.delayed(_execute)(execute, run) for run in missing)
    parallel = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")
    for done, (run, outcome) in enumerate(parallel(work), 1):
        journal.put(run, outcome)
        progress(done, len(missing))


def _execute(execute: Callable[[Run], dict], run: Run) -> tuple[Run, dict]:
    import torch

    before, start = torch.get_num_threads(), time.perf_counter()
    torch.set_num_threads(1)  # the same order of additions, whatever `jobs` is
    try:
        outcome = execute(run)
        return run, outcome | {"seconds": round(time.perf_counter() - start, 2)}
    finally:
        torch.set_num_threads(before)


def write_tables(
    folder: Path, entries: list[Entry], journal: Journal, backbone: str, about: dict
) -> pd.DataFrame:
    """Write `runs.parquet`, `runs.csv`, `curves.parquet` and `about.json`.

    Existing rows of groups not in `entries` are kept, so that sweep and baselines share one table,
    if they are of the same store and split.
    """
    rows, curves = [], []
    for entry in entries:
        outcome = journal.get(entry.run)
        row = {"run": f"{entry.group}/{entry.name}/{entry.run.seed}", "backbone": backbone}
        row |= {"group": entry.group, "name": entry.name} | entry.run.described() | outcome
        history = row.pop("history")
        best = max(history, key=lambda h: h["samples_f1"], default=None)
        row |= {"epochs": len(history) or None, "best_epoch": best and best["epoch"]}
        rows.append(row)
        curves += [{"run": row["run"]} | h for h in history]
    runs = pd.DataFrame(rows, columns=COLUMNS)
    curves = pd.DataFrame(curves, columns=("run", *CURVES))
    try:
        old_runs, old_curves, old = read_runs(folder)
    except TableError:
        old = {}
    if old.get("content") == about["content"]:
        runs, curves = _joined(old_runs, runs), _joined(old_curves, curves)
    runs = runs.astype(dict.fromkeys(("layers", "epochs", "best_epoch"), "Int64"))
    for name, write in (
        ("runs.csv", lambda path: runs.to_csv(path, index=False)),
        ("runs.parquet", lambda path: runs.to_parquet(path, index=False)),
        ("curves.parquet", lambda path: curves.to_parquet(path, index=False)),
        (ABOUT, lambda path: path.write_text(json.dumps(about, indent=1) + "\n", "utf-8")),
    ):
        with atomic_write(folder / name) as partial:
            write(partial)
    return runs


def _joined(before: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """The table, preceded by those rows of the one before whose group is not in it."""
    groups = set(table["run"].str.split("/").str[0])
    before = before[~before["run"].str.split("/").str[0].isin(groups)]
    return pd.concat([before, table], ignore_index=True) if len(before) else table


def read_runs(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame, dict]:
    """Runs, curves and about of a folder.

    Raises:
        TableError: there are none.
    """
    try:
        about = json.loads((folder / ABOUT).read_text("utf-8"))
        return (
            pd.read_parquet(folder / "runs.parquet"),
            pd.read_parquet(folder / "curves.parquet"),
            about,
        )
    except (OSError, ValueError) as error:
        raise TableError(
            f"{folder} holds no runs ({error}): make them with `python -m clipdemo sweep`."
        ) from None
