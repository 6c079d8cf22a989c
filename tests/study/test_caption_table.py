"""Captions for a whole table: every photo once, and results are never lost."""

import json

import pandas as pd
import pytest

from clipdemo.inputs.photo_source import PhotoSource
from clipdemo.model.captioners.choice import load_captioner
from clipdemo.scenes import random_scene
from clipdemo.tables.label_table import read_label_table, write_label_table

NAMES = [f"{i}.jpg" for i in range(8)]


@pytest.fixture
def table(tmp_path):
    """A table of eight drawn photos with captions, and the folder of photos."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for seed, name in enumerate(NAMES):
        random_scene(seed).image.save(folder / name)
    rows = {"ImageID": NAMES, "Labels": [("1",), ("17", "18")] * 4, "Caption": ["by hand"] * 8}
    write_label_table(pd.DataFrame(rows), tmp_path / "T.csv")
    return tmp_path / "T.csv", folder


def test_every_photo_gets_its_own_caption_and_keeps_its_labels(table, tmp_path, clipdemo_cli):
    path, folder = table
    out = tmp_path / "captions.csv"
    code, printed, _ = clipdemo_cli(
        "caption", "--table", path, "--photos", folder, "--out", out, "--captioner", "bundled",
        "--json",
    )  # fmt: skip
    assert code == 0
    report = json.loads(printed)
    account = report.pop("account")
    assert report == {"captions": 8, "captioner": "bundled", "skipped": []}
    assert account["used"] == account["rows"] == 8
    found, given = read_label_table(out).frame, read_label_table(path).frame
    assert found[["ImageID", "Labels"]].equals(given[["ImageID", "Labels"]])
    assert all(found["Caption"] != "by hand")
    assert found["Caption"].nunique() > 3, "captions that are all alike are not of the photos"


def test_a_photo_that_cannot_be_read_is_listed_and_has_no_row(table, tmp_path, clipdemo_cli):
    path, folder = table
    (folder / "3.jpg").write_bytes(b"no photo")
    (folder / "5.jpg").unlink()
    out = tmp_path / "captions.csv"
    code, printed, _ = clipdemo_cli(
        "caption", "--table", path, "--photos", folder, "--out", out, "--captioner", "bundled",
        "--json",
    )  # fmt: skip
    assert code == 0
    assert [s["ImageID"] for s in json.loads(printed)["skipped"]] == ["3.jpg", "5.jpg"]
    kept = [name for name in NAMES if name not in ("3.jpg", "5.jpg")]
    assert list(read_label_table(out).frame["ImageID"]) == kept


def test_a_killed_run_resumes(table, tmp_path, calls):
    """Nothing is captioned twice, even after an incomplete line, except a changed photo."""
    path, folder = table
    frame = read_label_table(path).frame
    captioner, out = load_captioner("bundled"), tmp_path / "captions.csv"
    from clipdemo.study.caption_table import caption_table

    whole, _ = caption_table(captioner, frame, PhotoSource(folder), out)
    journal = tmp_path / "captions.csv.jsonl"
    lines = [line for line in journal.read_bytes().splitlines() if line]
    assert len(lines) == 8
    journal.write_bytes(b"\n".join([*lines[:5], lines[5][:20]]))
    out.unlink()

    encoded = calls(captioner.backbone.model.visual)
    again, _ = caption_table(captioner, frame, PhotoSource(folder), out)
    assert sum(encoded) == 3
    assert list(again["Caption"][:5]) == list(whole["Caption"][:5])
    random_scene(99).image.save(folder / "0.jpg")
    caption_table(captioner, frame, PhotoSource(folder), out)
    assert sum(encoded) == 4


def test_captions_of_another_captioner_are_not_reused(table, tmp_path, calls):
    path, folder = table
    from clipdemo.study.caption_table import caption_table

    frame, out = read_label_table(path).frame, tmp_path / "captions.csv"
    caption_table(load_captioner("bundled"), frame, PhotoSource(folder), out)
    other = load_captioner("bundled")
    other.name = "another"
    encoded = calls(other.backbone.model.visual)
    caption_table(other, frame, PhotoSource(folder), out)
    assert sum(encoded) == 8
