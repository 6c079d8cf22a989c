"""score and batch on a Ray cluster: the scores of one machine."""

import csv
import json

import numpy as np
import pytest
from support.labelled import write_labelled

from clipdemo.inspection.predictions import read_predictions


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """A table of more rows than one part has, and a photo that cannot be read."""
    table, photos = write_labelled(tmp_path_factory.mktemp("labelled"), 90)
    (photos / "70.jpg").write_bytes(b"no photo")
    return table, photos


@pytest.fixture(scope="module", autouse=True)
def ray():
    pytest.importorskip("ray")


def test_a_table_has_the_scores_of_one_machine(clipdemo_cli, labelled, tmp_path, monkeypatch):
    table, photos = labelled
    found, accounts = {}, {}
    for name, flags in (("single", []), ("cluster", ["--ray", "local"])):
        monkeypatch.setenv("CLIPDEMO_CACHE", str(tmp_path / name))
        out = tmp_path / f"{name}.parquet"
        options = ["--table", table, "--photos", photos, "--backbone", "tiny", "--out", out]
        code, printed, said = clipdemo_cli("score", *options, *flags, "--json")
        assert code == 0, said
        found[name], accounts[name] = read_predictions(out), json.loads(printed)["account"]
    assert accounts["cluster"] == accounts["single"]
    for mode, scores in found["single"].scores.items():
        differences = found["cluster"].scores[mode].astype(float) - scores
        assert np.abs(differences).max() <= 1, "scores are kept in steps of 1/10,000"
    assert found["cluster"].about["skipped"] == found["single"].about["skipped"] == 1


def test_a_batch_has_the_results_of_one_machine(clipdemo_cli, labelled, tmp_path):
    table, photos = labelled
    rows = {}
    for name, flags in (("single", []), ("cluster", ["--ray", "local"])):
        out = tmp_path / f"{name}.csv"
        code, _, said = clipdemo_cli("batch", photos, "--table", table, "--out", out, *flags)
        assert code == 0, said
        assert "70.jpg" in said
        rows[name] = list(csv.reader(out.open()))
    assert len(rows["single"]) > 90
    assert rows["cluster"] == rows["single"]
