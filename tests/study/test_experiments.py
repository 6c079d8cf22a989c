"""Sweep and baselines: which runs there are, what is kept, and that the tables are right."""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score
from sklearn.multiclass import OneVsRestClassifier
from support.small_store import write_store, write_table

import clipdemo
from clipdemo.model.backbones import Backbone
from clipdemo.study import baselines, captions_alone, experiments, sweep
from clipdemo.study.encode import encode_table
from clipdemo.study.feature_store import read_store
from clipdemo.study.fit import FitSettings
from clipdemo.study.rows import Rows, split_rows
from clipdemo.study.runs import Entry, Journal, Run, carry_out, read_runs, write_tables
from clipdemo.tables.label_table import read_label_table, write_label_table

RULE = "every:4:1"
SMALL = FitSettings(hidden=(16,), epochs=4, batch=16, keep="samples_f1")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, vit_folder):
    return write_store(tmp_path_factory.mktemp("study"), vit_folder)


def entries_of(*runs: Run) -> list[Entry]:
    return [Entry("grid", f"{run.mode} {run.seed}", run) for run in runs]


def outcomes(folder, path, runs, jobs) -> list[dict]:
    journal = Journal(path, {"of": "test"})
    carry_out(entries_of(*runs), partial(sweep.execute, folder, RULE), journal, jobs)
    return [{k: v for k, v in journal.get(run).items() if k != "seconds"} for run in runs]


def test_runs_at_the_same_time_give_the_bits_of_runs_one_by_one(folder, tmp_path):
    runs = [Run(mode, settings=SMALL).seeded(s) for mode in ("image", "concat") for s in range(3)]
    together = outcomes(folder, tmp_path / "a.jsonl", runs, 2)
    assert together == outcomes(folder, tmp_path / "b.jsonl", runs, 1)
    assert len({json.dumps(o["history"]) for o in together}) == len(runs), "seeds differ"


def test_a_killed_sweep_resumes(folder, tmp_path):
    """Complete lines of the journal are kept; the run of an incomplete one is repeated."""
    runs = [Run("image", settings=SMALL).seeded(s) for s in range(3)]
    path = tmp_path / "runs.jsonl"
    outcomes(folder, path, runs, 1)
    lines = [line for line in path.read_text().splitlines() if line]
    path.write_text("\n".join([*lines[:2], lines[2][: len(lines[2]) // 2]]))
    asked = []

    def execute(run):
        asked.append(run.seed)
        return sweep.execute(folder, RULE, run)

    carry_out(entries_of(*runs), execute, Journal(path, {"of": "test"}), 1)
    assert asked == [2]
    carry_out(entries_of(*runs), execute, Journal(path, {"of": "other data"}), 1)
    assert asked == [2, 0, 1, 2], "other data, other runs"


def test_the_sweep_has_the_study_and_nothing_that_a_store_lacks_data_for(
    folder, tmp_path, vit_folder
):
    found = sweep.entries(read_store(folder))
    groups = {e.group for e in found}
    assert groups == {"grid", "warmup", "encoding", "augmentation", "fusion"}
    grid = {(e.run.settings.hidden, e.run.settings.rate) for e in found if e.group == "grid"}
    assert len(grid) == 12
    assert all(
        len({e.run.seed for e in found if (e.group, e.name) == (group, name)}) == 3
        for group, name in {(e.group, e.name) for e in found}
    )
    photos = read_store(write_store(tmp_path / "photos", vit_folder, captions=False))
    assert {e.run.mode for e in sweep.entries(photos)} == {"image"}
    assert {e.run.mode for e in baselines.entries(photos)} == {"image"}
    assert captions_alone.entries(photos) == []


def test_tables_have_the_measured_figures(folder, tmp_path, monkeypatch):
    """Every row and curve of both commands, with scikit-learn's figures.

    Run again, nothing is computed again.
    """
    monkeypatch.setattr(sweep, "FINAL", SMALL)
    monkeypatch.setattr(sweep, "HIDDEN", ((16,),))
    monkeypatch.setattr(captions_alone, "FINAL", SMALL)
    monkeypatch.setattr(captions_alone, "DRAWN", 50)
    monkeypatch.setattr(baselines, "FINAL", SMALL)
    monkeypatch.setattr(baselines, "TREES", 10)
    store, out = read_store(folder), tmp_path / "runs"
    experiments.run_sweep(folder, out, RULE, jobs=1)
    classifier = clipdemo.load(store.backbone, device="cpu")
    told = []

    def progress(*step) -> None:
        told.append(step)

    experiments.run_baselines(folder, out, RULE, classifier, 1, progress)
    assert ("encoding drawn captions", 50, 50) in told
    runs, curves, about = read_runs(out)
    told.clear()
    again = experiments.run_baselines(folder, out, RULE, classifier, 1, progress)
    assert told == [("runs", 0, 0)]
    pd.testing.assert_frame_equal(again, runs)
    assert runs["run"].is_unique
    assert set(runs["group"]) == {
        "grid", "warmup", "encoding", "augmentation", "fusion", "baseline", "captions-alone",
    }  # fmt: skip
    assert pd.read_csv(out / "runs.csv")["run"].tolist() == runs["run"].tolist()
    assert set(curves["run"]) == set(runs.loc[runs["epochs"].notna(), "run"])
    assert (about["n_train"], about["n_check"]) == (45, 15)

    train, check = split_rows(store, "concat", RULE)
    model = OneVsRestClassifier(LogisticRegression(C=10, max_iter=2000))
    scale = train.inputs.shape[1] ** 0.5
    scores = model.fit(train.inputs * scale, train.targets).predict_proba(check.inputs * scale)
    seen = check.targets.any(0)
    row = runs[runs["kind"] == "logistic"].iloc[0]
    expected = average_precision_score(check.targets[:, seen], scores[:, seen], average="macro")
    assert row["map"] == pytest.approx(expected)
    pair = check.targets > 0.5, scores >= 0.5
    fixed = f1_score(*pair, average="samples", zero_division=0)
    assert row["samples_f1_fixed"] == pytest.approx(fixed)


def test_centring_and_noise_do_what_they_say():
    rng = np.random.default_rng(0)
    texts, photos, check = (rng.normal(size=(n, 8)) + 3 for n in (40, 30, 20))
    raw = captions_alone.as_photos(texts, photos, check, "raw")
    assert raw[0] is texts
    assert raw[1] is check
    centred, judged = captions_alone.as_photos(texts, photos, check, "centred")
    expected = texts - texts.mean(0)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(centred, expected, atol=1e-6)
    expected = check - photos.mean(0)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(judged, expected, atol=1e-6)
    noisy, _ = captions_alone.as_photos(texts, photos, check, "centred and noise", seed=1)
    assert len(noisy) == captions_alone.COPIES * len(texts)
    again, _ = captions_alone.as_photos(texts, photos, check, "centred and noise", seed=1)
    np.testing.assert_array_equal(noisy, again)
    other, _ = captions_alone.as_photos(texts, photos, check, "centred and noise", seed=2)
    assert np.abs(noisy - other).max() > 0.01


def test_a_run_names_its_shape_as_the_study_counts_it():
    run = Run("concat", settings=replace(SMALL, hidden=(2048, 1024), warmup=0.0))
    assert run.described() | {"layers": 3, "hidden": "2048-1024", "warmup": 0.0} == run.described()
    assert Run("concat", "knn").described()["layers"] is None


@pytest.mark.parametrize("command", ["sweep", "baselines"])
def test_a_single_label_is_refused_in_one_sentence(
    command, tmp_path, vit_folder, clipdemo_cli, is_sentence
):
    """Every row of a table has a label: with only one label, all rows are equal."""
    table = write_table(tmp_path, 12)
    frame = read_label_table(table).frame
    write_label_table(frame.assign(Labels=[("cup",)] * len(frame), Caption=""), table)
    backbone = Backbone(f"local-dir:{vit_folder}", "cpu")
    encode_table(backbone, table, tmp_path / "store", tmp_path / "photos")
    code, _, error = clipdemo_cli(command, "--store", tmp_path / "store", "--out", tmp_path / "r")
    assert code == 2
    assert "single label" in error
    assert is_sentence(error.splitlines()[-1])


def test_without_runs_there_is_one_sentence(tmp_path, is_sentence):
    with pytest.raises(clipdemo.TableError) as caught:
        read_runs(tmp_path)
    assert is_sentence(caught.value)


def test_runs_of_another_split_do_not_stay_beside_new_ones(tmp_path):
    """Nor does a table that was cut off keep new ones from being written."""
    outcome = dict.fromkeys(("n_train", "n_check", "map", "seconds"), 1) | {"history": []}

    def write(group: str, validation: str) -> set[str]:
        journal = Journal(tmp_path / "runs.jsonl", {"validation": validation})
        entry = Entry(group, "x", Run("image", kind=group))
        journal.put(entry.run, outcome)
        runs = write_tables(tmp_path, [entry], journal, "tiny", {"content": journal.about})
        return set(runs["group"])

    assert write("grid", "one") == {"grid"}
    assert write("baseline", "one") == {"grid", "baseline"}
    assert write("grid", "two") == {"grid"}
    (tmp_path / "runs.parquet").write_bytes(b"PAR1")
    assert write("baseline", "two") == {"baseline"}


def test_a_label_of_every_training_row_is_certain_for_the_neighbours():
    rng = np.random.default_rng(0)
    inputs = rng.standard_normal((60, 4)).astype(np.float32)
    targets = np.stack([np.ones(60), inputs[:, 0] > 0, np.zeros(60)], axis=1)
    rows = Rows(inputs, targets, [""] * 60)
    for kind in ("knn", "forest"):
        scores = baselines.METHODS[kind](rows, rows, 0)
        assert scores[:, 0].min() == 1
        assert scores[:, 2].max() == 0
        assert average_precision_score(targets[:, 1], scores[:, 1]) > 0.8
