"""The command batch: its files, what it refuses, and runs that are interrupted or killed."""

import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest
from support.pictures import write_three_and_a_damaged
from support.processes import App, run_clipdemo

from clipdemo.inspection.batch import gather
from clipdemo.inspection.unfinished import Unfinished


@pytest.fixture(scope="module")
def folder(tmp_path_factory, photos) -> Path:
    return write_three_and_a_damaged(tmp_path_factory.mktemp("photos"), photos)


def test_the_command_writes_a_file_and_names_what_is_bad(clipdemo_cli, folder, tmp_path):
    code, out, err = clipdemo_cli("batch", folder, "--out", tmp_path / "r.json", "--rule", "mcut")
    assert code == 0
    assert "4 of 4" in out
    assert "bad.png: " in err
    written = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert written["rule"] == "mcut"
    assert ["problem" in entry for entry in written["photos"]] == [False, False, False, True]


def test_the_interrupted_command_keeps_its_results(clipdemo_cli, folder, tmp_path, monkeypatch):
    """By Ctrl-C in the middle of the second chunk."""
    monkeypatch.setattr("clipdemo.inspection.batch.CHUNK", 2)
    from clipdemo.inspection import batch

    read = batch.read_photo

    def interrupted(data, size):
        if data == (folder / "2.png").read_bytes():
            raise KeyboardInterrupt
        return read(data, size)

    monkeypatch.setattr(batch, "read_photo", interrupted)
    code, out, _ = clipdemo_cli("batch", folder, "--out", tmp_path / "r.json")
    assert code == 130
    assert "2 of 4" in out
    written = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert [entry["photo"] for entry in written["photos"]] == ["0.png", "1.png"]


def test_the_csv_is_short_unless_scores_are_wanted_and_excel_reads_its_accents(
    clipdemo_cli, folder, tmp_path
):
    (tmp_path / "t.csv").write_text("ImageID,Caption\n0.png,a café\n", "utf-8")
    path = tmp_path / "r.csv"
    for options, width in (([], 8), (["--scores"], 8 + 2 * 3 * 18)):
        clipdemo_cli("batch", folder, "--table", tmp_path / "t.csv", "--out", path, *options)
        assert path.read_bytes().startswith("\ufeffphoto,caption,".encode())
        frame = pd.read_csv(path)
        assert frame.shape == (1, width)
        assert frame["caption"][0] == "a café"


def test_a_killed_run_resumes_and_gives_the_same_as_an_undisturbed_one(folder, tmp_path):
    """Killed at once, as by a power failure; a photo that changed meanwhile is scored again."""
    many = tmp_path / "many"
    many.mkdir()
    for number in range(120):
        shutil.copy(folder / f"{number % 3}.png", many / f"{number}.png")
    whole, path = tmp_path / "whole.csv", tmp_path / "r.csv"
    assert run_clipdemo("batch", many, "--out", whole).returncode == 0
    run = App(["-m", "clipdemo", "batch", many, "--out", path], os.environ, tmp_path / "log")
    while not kept(tmp_path / "r.csv.unfinished"):
        assert run.poll() is None
    run.kill()
    run.wait()
    before = kept(tmp_path / "r.csv.unfinished")
    assert not path.exists()
    os.utime(many / "0.png", (1, 1))
    again = run_clipdemo("batch", many, "--out", path)
    assert f"120 of 120 written to {path}, {before - 1} of them before" in again.stdout
    assert path.read_bytes() == whole.read_bytes()
    assert not (tmp_path / "r.csv.unfinished").exists()


def kept(path: Path) -> int:
    """The number of results that an unfinished run has kept."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            return database.execute("SELECT count(*) FROM found").fetchone()[0]
    except sqlite3.Error:
        return 0


def test_results_with_other_options_are_not_reused(clipdemo_cli, folder, tmp_path):
    with Unfinished(tmp_path / "r.json", "other options") as unfinished:
        unfinished.add([(item, {"photo": "wrong"}) for item in gather([folder])[0]])
    code, out, _ = clipdemo_cli("batch", folder, "--out", tmp_path / "r.json")
    assert code == 0
    assert "before" not in out
    photos = json.loads((tmp_path / "r.json").read_text("utf-8"))["photos"]
    assert {found["photo"] for found in photos} == {"0.png", "1.png", "2.png", "bad.png"}


def test_a_file_of_that_name_that_is_no_unfinished_run_is_left_alone(
    clipdemo_cli, folder, tmp_path, is_sentence
):
    theirs = tmp_path / "r.json.unfinished"
    theirs.write_bytes(b"somebody's notes" * 100)
    code, _, err = clipdemo_cli("batch", folder, "--out", tmp_path / "r.json")
    assert code == 2
    assert is_sentence(err)
    assert theirs.read_bytes() == b"somebody's notes" * 100


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["nowhere.zip"],
        ["--rule", "best"],
        ["--out", "r.txt"],
        ["--rule", "recall", "--recall", 2],
    ],
)
def test_the_command_refuses_in_one_sentence(
    clipdemo_cli, folder, is_sentence, tmp_path, monkeypatch, options
):
    monkeypatch.chdir(tmp_path)
    photos = [folder] if options[:1] and options[0].startswith("--") else []
    code, _, err = clipdemo_cli("batch", *photos, *options)
    assert code == 2
    assert is_sentence(err)
    assert list(tmp_path.iterdir()) == []


def test_its_own_results_are_not_its_input(clipdemo_cli, folder, tmp_path):
    """Results and exports lie among the photos, a photo is added, and all is run again."""
    photos = Path(shutil.copytree(folder, tmp_path / "photos"))
    out = photos / "results.csv"
    command = "batch", photos, "--out", out, "--tags", photos, "--folders", photos / "sorted"
    clipdemo_cli(*command)
    before = pd.read_csv(out)
    shutil.copy(photos / "0.png", photos / "9.png")
    (photos / "results.csv.unfinished").touch()
    clipdemo_cli(*command)
    after = pd.read_csv(out)
    assert before["photo"].tolist() == ["0.png", "1.png", "2.png", "bad.png"]
    assert after["photo"].tolist() == ["0.png", "1.png", "2.png", "9.png", "bad.png"]
