"""encode, score and batch on a Ray cluster: the results of one machine, whatever is killed."""

import csv
import json
import sys
import time

import numpy as np
import pytest
from support.driver import free_port
from support.labelled import start_encode, write_labelled

from clipdemo.inspection.predictions import read_predictions
from clipdemo.model.backbones import Backbone
from clipdemo.study.encode import encode_table
from clipdemo.study.feature_store import read_store

COUNT, BATCH = 240, 4
BROKEN = range(7, COUNT, 40)


@pytest.fixture(scope="module")
def cluster():
    """Two machines of one core each, from Ray's point of view."""
    cluster_utils = pytest.importorskip("ray.cluster_utils")
    small = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
    found = cluster_utils.Cluster(
        initialize_head=True, head_node_args=small | {"include_dashboard": False}
    )
    yield found, found.add_node(**small)
    found.shutdown()


@pytest.fixture(scope="module")
def backbone(vit_folder):
    return Backbone(f"local-dir:{vit_folder}", "cpu")


def encoded(out) -> dict:
    """The existing parts, and when each was written."""
    return {p.name: p.stat().st_mtime_ns for p in out.glob("parts/image-*.parquet")}


def wait_for(parts: int, out, process) -> None:
    while len(encoded(out)) < parts:
        assert process.is_alive(), "it ended too early"
        time.sleep(0.01)


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """A table of more rows than one part has, and a photo that cannot be read."""
    table, photos = write_labelled(tmp_path_factory.mktemp("labelled"), 90)
    (photos / "70.jpg").write_bytes(b"no photo")
    return table, photos


def test_score_has_the_scores_of_one_machine(
    cluster, clipdemo_cli, labelled, tmp_path, monkeypatch
):
    table, photos = labelled
    found, accounts = {}, {}
    for name, flags in (("single", []), ("cluster", ["--ray", cluster[0].address])):
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


def test_batch_has_the_results_of_one_machine(
    cluster, clipdemo_cli, labelled, tmp_path, monkeypatch
):
    """Also where photos are named relative to a folder that the workers were not started in."""
    table, photos = labelled
    monkeypatch.chdir(photos.parent)
    photos = photos.name
    rows = {}
    for name, flags in (("single", []), ("cluster", ["--ray", cluster[0].address])):
        out = tmp_path / f"{name}.csv"
        code, _, said = clipdemo_cli("batch", photos, "--table", table, "--out", out, *flags)
        assert code == 0, said
        assert "70.jpg" in said
        rows[name] = list(csv.reader(out.open()))
    assert len(rows["single"]) > 90
    assert rows["cluster"] == rows["single"]


def test_after_a_node_and_the_driver_die_the_rows_are_those_of_one_machine(
    cluster, backbone, tmp_path, capfd
):
    """Encoded rows are not encoded again, and photos that cannot be read are listed."""
    nodes, second = cluster
    table, photos = write_labelled(tmp_path, COUNT)
    for i in BROKEN:
        (photos / f"{i}.jpg").write_bytes(b"no photo")
    out, log = tmp_path / "store", tmp_path / "log"
    options = ["--table", table, "--photos", photos, "--backbone", backbone.id, "--batch", BATCH]
    options += ["--ray", nodes.address, "--out", out, "--json"]
    process = start_encode(*options, log=log)
    wait_for(4, out, process)
    nodes.remove_node(second, allow_graceful=False)
    wait_for(len(encoded(out)) + 4, out, process)
    process.kill()
    process.join()
    time.sleep(1)  # a pending batch may still be written
    before = encoded(out)
    assert len(before) < COUNT // BATCH
    process = start_encode(*options, log=log)
    process.join()
    printed = log.read_text()
    assert process.exitcode == 0, printed
    report = json.loads(printed[printed.index("{") :])
    assert [e["ImageID"] for e in report["skipped"]] == [f"{i}.jpg" for i in BROKEN]
    there = sum(1 for _ in before) * BATCH
    left = COUNT - len(BROKEN) - report["encoded"]["photos"]
    assert there - len(BROKEN) <= left <= there
    encode_table(backbone, table, tmp_path / "single", photos)
    found, expected = read_store(out), read_store(tmp_path / "single")
    assert found.index.equals(expected.index)
    assert np.abs(found.image - expected.image).max() < 1e-5
    assert np.abs(found.text - expected.text).max() < 1e-5


def test_without_ray_it_says_what_to_install(
    clipdemo_cli, backbone, tmp_path, is_sentence, monkeypatch
):
    monkeypatch.setitem(sys.modules, "ray", None)  # as if it were not installed
    table, photos = write_labelled(tmp_path, 2)
    options = ["--table", table, "--photos", photos, "--backbone", backbone.id]
    code, _, said = clipdemo_cli("encode", *options, "--out", tmp_path / "s", "--ray", "local")
    assert code == 2
    assert is_sentence(said)
    assert "requirements-ray.txt" in said


def test_an_address_without_a_cluster_is_refused(clipdemo_cli, backbone, tmp_path, is_sentence):
    table, photos = write_labelled(tmp_path, 2)
    options = ["--table", table, "--photos", photos, "--backbone", backbone.id]
    place = f"127.0.0.1:{free_port()}"
    code, _, said = clipdemo_cli("encode", *options, "--out", tmp_path / "s", "--ray", place)
    assert code == 2
    assert is_sentence(said)
    assert f"no Ray cluster at {place}" in said
