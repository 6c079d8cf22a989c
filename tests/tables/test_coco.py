"""COCO from a loopback server: its zips become a label table that agrees with its annotations."""

import json
import os
import signal
import subprocess
import sys
import time
import zipfile

import pytest
from support.coco_server import NUMBERS, CocoServer, DrawnCoco
from support.paths import ROOT

from clipdemo.errors import DownloadError, LabelError, TableError
from clipdemo.inputs.captions import clean_caption
from clipdemo.inputs.images import read_photo
from clipdemo.inputs.labels import COCO18
from clipdemo.inputs.photo_source import PhotoSource
from clipdemo.tables import http_download
from clipdemo.tables.coco import coco, read_annotations
from clipdemo.tables.label_table import read_label_table

ZIP = "/val2017.zip"  # not the end of annotations_trainval2017.zip


@pytest.fixture(scope="module")
def drawn():
    """A small COCO; not to be changed."""
    return DrawnCoco()


@pytest.fixture
def server(drawn):
    with CocoServer(drawn.files) as server:
        yield server


@pytest.fixture
def make(server, tmp_path, monkeypatch):
    """Makes the table; gives its rows by photo (ids and caption), its labels and the report."""

    monkeypatch.setattr(http_download, "PAUSE", 0.01)

    def make(labels: str = "18"):
        report = coco(tmp_path / "coco", "val", labels, server.url)
        found = read_label_table(report["table"], None).labels
        table = read_label_table(report["table"], found)
        assert not table.account.left_out
        assert not table.account.to_dict()["repaired"]
        rows = zip(table.frame["Labels"], table.frame["Caption"], strict=True)
        return dict(zip(table.frame["ImageID"], rows, strict=True)), found, report

    return make


def test_the_18_are_coco_ids(make, drawn):
    """A photo's row has those of the 18 that are annotated, crowds too, and its first caption."""
    rows, labels, report = make()
    assert labels == COCO18
    names = dict(zip(COCO18.ids, COCO18.names, strict=True))
    expected = {n: found & set(COCO18.names) for n, found in drawn.labels.items()}
    expected = {name: found for name, found in expected.items() if found}
    assert {name: {names[i] for i in ids} for name, (ids, _) in rows.items()} == expected
    assert {n: c for n, (_, c) in rows.items()} == {
        n: clean_caption(drawn.captions[n]) for n in expected
    }
    assert list(rows) == sorted(rows)
    assert report["rows"] == len(rows)
    assert report["left_out"] == len(drawn.labels) - len(rows) > 0
    assert report["labels"]["dog"] == sum("dog" in found for found in expected.values()) > 0
    assert list(report["labels"]) == list(COCO18.names)


def test_the_80_are_names(make, drawn):
    """Names of several words stay whole, and photos with other categories have rows too."""
    rows, labels, report = make("80")
    assert {n: set(ids) for n, (ids, _) in rows.items()} == {
        name: found for name, found in drawn.labels.items() if found
    }
    assert set(labels.names) == set().union(*drawn.labels.values())
    assert len(report["labels"]) == 80
    assert any({"teddy bear", "traffic light"} & set(ids) for ids, _ in rows.values())


@pytest.mark.parametrize("labels", [" Traffic light,pizza", "traffic light", "dog,cat"])
def test_named_categories(make, drawn, labels):
    """In any case and spacing; a single name of two words is one label, too."""
    rows, found, _ = make(labels)
    wanted = {name.strip().casefold() for name in labels.split(",")}
    expected = {name: shown & wanted for name, shown in drawn.labels.items()}
    assert {n: set(ids) for n, (ids, _) in rows.items()} == {n: s for n, s in expected.items() if s}
    assert set(found.names) == wanted


def test_every_photo_of_the_table_is_read_from_the_zip(make, tmp_path):
    """Nothing has to be unpacked."""
    rows, _, report = make()
    source = PhotoSource(report["photos"])
    assert {read_photo(source.read(name)).size for name in rows} == {(192, 144)}


def test_a_second_call_sends_no_requests(make, server, tmp_path):
    """Also for other labels; the files are the same and are not written again."""
    first, *_ = make()
    server.asked.clear()
    before = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "coco").glob("*.zip")}
    assert make()[0] == first
    make("dog")
    assert not server.asked
    assert before == {p.name: p.stat().st_mtime_ns for p in (tmp_path / "coco").glob("*.zip")}


@pytest.mark.parametrize(
    ("labels", "says"), [("doog", "such as dog"), ("dog,zzz", "'zzz'"), (" , ", "no label")]
)
def test_a_missing_category_is_one_sentence(make, server, labels, says, is_sentence):
    """With the most similar ones, and before the photos are downloaded."""
    with pytest.raises(LabelError, match=says) as failed:
        make(labels)
    assert is_sentence(failed.value)
    assert not any(path.endswith(ZIP) for _, path, _ in server.asked)


@pytest.mark.parametrize("fault", ["cut", "damaged"])
@pytest.mark.parametrize("zip_name", [ZIP, "annotations_trainval2017.zip"])
def test_a_download_that_fails_is_a_sentence_and_makes_no_table(
    make, server, fault, zip_name, tmp_path, is_sentence
):
    """The next call, to a working server, succeeds."""
    server.faults = {zip_name: fault}
    with pytest.raises(DownloadError) as failed:
        make()
    assert is_sentence(failed.value)
    assert not (tmp_path / "coco" / "coco-val2017.csv").exists()
    server.faults = {}
    assert make()[0]


@pytest.mark.parametrize("content", ["{", "[]", '{"annotations": []}', None])
def test_other_annotations_are_refused(tmp_path, content, is_sentence):
    """Any other zip than COCO's gives one sentence."""
    path = tmp_path / "annotations.zip"
    with zipfile.ZipFile(path, "w") as archive:
        if content is not None:
            for kind in ("instances", "captions"):
                archive.writestr(f"annotations/{kind}_val2017.json", content)
    with pytest.raises(TableError, match="does not have COCO") as failed:
        read_annotations(path, "val", "18")
    assert is_sentence(failed.value)


def test_categories_are_those_of_the_file(tmp_path):
    """Not fixed in this program: a file with a single, different category."""
    instances = {
        "images": [{"id": 7, "file_name": "7.jpg"}, {"id": 8, "file_name": "8.jpg"}],
        "annotations": [{"image_id": 7, "category_id": 5, "segmentation": {"counts": []}}],
        "categories": [{"id": 5, "name": "red bus"}, {"id": 6, "name": "tram"}],
    }
    path = tmp_path / "annotations.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("annotations/instances_val2017.json", json.dumps(instances))
        archive.writestr("annotations/captions_val2017.json", '{"annotations": []}')
    frame, report = read_annotations(path, "val", "80")
    assert frame.values.tolist() == [["7.jpg", ("red bus",), ""]]
    assert report["labels"] == {"red bus": 1, "tram": 0}
    assert report["without_caption"] == 1
    with pytest.raises(LabelError, match="'person'"):
        read_annotations(path, "val", "18")


def test_the_command(clipdemo_cli, server, tmp_path, is_sentence):
    """JSON for programs, a table for people, and a sentence for an error."""
    asked = ("data", "coco", "--out", tmp_path, "--base-url", server.url)
    code, output, _ = clipdemo_cli(*asked, "--json")
    assert code == 0
    assert json.loads(output)["rows"] > 0
    code, output, _ = clipdemo_cli(*asked, "--labels", "dog,teddy bear")
    assert code == 0
    assert "teddy bear" in output
    for wrong in (("--photos", "test"), ("--labels", "unicorn")):
        code, output, error = clipdemo_cli(*asked, *wrong)
        assert code == 2
        assert is_sentence(error)
        assert not output


def test_ctrl_c_says_that_it_can_be_resumed(server, tmp_path):
    """One line, no traceback; the next call fetches only the rest."""
    server.faults = {ZIP: "hang"}
    command = [sys.executable, "-m", "clipdemo", "data", "coco", "--out", str(tmp_path)]
    command += ["--base-url", server.url]
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    part = tmp_path / "val2017.zip.part"
    while not (part.is_file() and part.stat().st_size):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    output, error = process.communicate()
    assert process.returncode == 130
    assert error.strip() == "Stopped: run the same command again to resume."
    assert not output
    kept, server.faults = part.stat().st_size, {}
    coco(tmp_path, "val", "18", server.url)
    assert server.asked[-1] == ("GET", f"/zips{ZIP}", f"bytes={kept}-")


def test_the_drawn_coco_has_what_the_real_one_has(drawn):
    """Otherwise these tests would be weak: crowds, a photo without objects, several captions."""
    assert NUMBERS["toothbrush"] == 90
    assert not all(drawn.labels.values())
