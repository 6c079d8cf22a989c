"""Exports of labels, which other programs can read."""

import json
import shutil
import subprocess
import zipfile
from dataclasses import replace

import pytest
from PIL import Image
from support.paths import SCENES

from clipdemo.errors import ClipdemoError, PhotoError
from clipdemo.inspection.batch import gather, predict_items
from clipdemo.inspection.batch_files import Rule
from clipdemo.inspection.exports import NOTHING, Exports, labels_of, with_keywords


@pytest.fixture
def folder(tmp_path):
    found = tmp_path / "photos"
    (found / "sub").mkdir(parents=True)
    shutil.copy(SCENES / "farm.webp", found / "a.webp")
    Image.open(SCENES / "harbour.webp").convert("RGB").save(found / "sub" / "b.jpg")
    return found


def results_of(tiny, paths):
    sources = {}
    items, *_ = gather(paths, sources=sources)
    return [r for part in predict_items(tiny, items, sources=sources) for r in part], sources


def test_tags_keywords_and_folders_say_what_was_found(tiny, folder, tmp_path):
    results, sources = results_of(tiny, [folder])
    rule = Rule("top-k", k=2)
    wanted = Exports(tmp_path / "tags", tmp_path / "keywords", tmp_path / "sorted")
    assert wanted.write(results, rule, sources) == []
    for result in results:
        labels = labels_of(result, rule)
        assert len(labels) == 2
        name = result.item.name
        tags = (tmp_path / "tags" / name).with_suffix(".txt").read_text()
        assert tags == ", ".join(labels) + "\n"
        for label in labels:
            copy = tmp_path / "sorted" / label / name
            assert copy.read_bytes() == (folder / name).read_bytes()


@pytest.mark.skipif(not shutil.which("exiftool"), reason="exiftool is not installed")
def test_keywords_are_read_back_by_another_program(tmp_path):
    teal = (0, 128, 128)
    for kind in ("jpg", "png", "webp", "tif"):
        path = tmp_path / f"photo.{kind}"
        Image.new("RGB", (40, 30), "teal").save(path)
        changed = with_keywords(with_keywords(path.read_bytes(), ["dog"]), ["traffic light", "dog"])
        path.write_bytes(changed)
        assert Image.open(path).convert("RGB").getpixel((9, 9)) == pytest.approx(teal, abs=4)
        told = subprocess.run(["exiftool", "-json", path], capture_output=True, check=True)
        (found,) = json.loads(told.stdout)
        assert found["Subject"] == ["dog", "traffic light"]


def test_links_lead_to_the_photos_and_zips_are_copied(tiny, folder, tmp_path):
    results, sources = results_of(tiny, [folder])
    never = Rule("fixed", threshold=1.0)
    Exports(folders=tmp_path / "out", link=True).write(results, never, sources)
    assert (tmp_path / "out" / NOTHING / "a.webp").resolve() == folder / "a.webp"
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as packed:
        packed.write(folder / "a.webp", "x\\..\\..\\evil.webp")
    results, sources = results_of(tiny, [tmp_path / "p.zip"])
    Exports(folders=tmp_path / "zip", link=True).write(results, never, sources)
    (copy,) = [path for path in (tmp_path / "zip").rglob("*") if path.is_file()]
    assert copy.read_bytes() == (folder / "a.webp").read_bytes()


def test_a_format_without_keywords_is_one_sentence(is_sentence):
    with pytest.raises(PhotoError) as caught:
        with_keywords(b"no photo", ["dog"])
    assert is_sentence(caught.value)


def test_the_command_writes_them_with_own_labels(clipdemo_cli, folder, tmp_path):
    code, _, error = clipdemo_cli(
        "batch", folder, "--labels", "cow,tractor", "--rule", "top-k", "--k", "1",
        "--tags", tmp_path / "tags", "--folders", tmp_path / "sorted", "--link",
        "--out", tmp_path / "r.csv",
    )  # fmt: skip
    assert code == 0, error
    tags = {path.read_text().strip() for path in (tmp_path / "tags").rglob("*.txt")}
    assert tags <= {"cow", "tractor"}
    assert tags == {path.name for path in (tmp_path / "sorted").iterdir()}


def test_results_of_other_machines_which_have_no_photo_are_exported_too(tiny, folder, tmp_path):
    results, sources = results_of(tiny, [folder])
    results = [replace(result, photo=None) for result in results]
    Exports(tmp_path / "tags", folders=tmp_path / "sorted").write(results, Rule(), sources)
    assert {path.name for path in (tmp_path / "tags").rglob("*.txt")} == {"a.txt", "b.txt"}
    assert len(list((tmp_path / "sorted").rglob("a.webp"))) > 0


def test_photos_that_differ_in_their_extension_get_their_own_labels(tiny, folder, tmp_path):
    shutil.copy(SCENES / "harbour.webp", folder / "a.png")
    results, sources = results_of(tiny, [folder])
    exports = Exports(tmp_path / "tags").telling_apart(result.item for result in results)
    exports.write(results, Rule(), sources)
    found = sorted(str(path.relative_to(tmp_path / "tags")) for path in tmp_path.rglob("*.txt"))
    assert found == ["a.png.txt", "a.webp.txt", "sub/b.txt"]


def test_photos_are_not_overwritten_by_their_copies(folder, is_sentence):
    with pytest.raises(ClipdemoError) as caught:
        Exports(keywords=folder / "sub" / "..").among([folder])
    assert is_sentence(caught.value)


def test_photos_below_the_folder_of_exports_are_no_exports(folder):
    is_export = Exports(folders=folder.parent, keywords=folder / "copies").among([folder])
    assert not is_export(folder / "a.webp")
    assert is_export(folder / "copies" / "a.webp")
