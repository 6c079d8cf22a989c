"""encode: the store holds the backbone's embeddings, each encoded once, in the table's order."""

import json
import shutil
import tarfile

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from support.labelled import files_of, noise, write_labelled

from clipdemo.errors import BackboneError, TableError
from clipdemo.inputs.images import read_photo
from clipdemo.inputs.photo_source import PhotoSource
from clipdemo.model.backbones import Backbone
from clipdemo.study.encode import encode_table
from clipdemo.study.feature_store import read_store

COUNT, BATCH = 30, 8


@pytest.fixture(scope="module")
def backbone(vit_folder):
    return Backbone(f"local-dir:{vit_folder}", "cpu")


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A table and its photos; not to be changed."""
    return write_labelled(tmp_path_factory.mktemp("labelled") / "shared", COUNT)


@pytest.fixture(scope="module")
def finished(backbone, shared, tmp_path_factory):
    """A store of these; not to be changed."""
    out = tmp_path_factory.mktemp("finished") / "store"
    encode_table(backbone, shared[0], out, shared[1], batch=BATCH)
    return out


@pytest.fixture
def own(backbone, shared, finished, tmp_path):
    """A test's own table, photos and store."""
    table = shutil.copy(shared[0], tmp_path / "table.csv")
    photos = shutil.copytree(shared[1], tmp_path / "photos")
    return table, photos, shutil.copytree(finished, tmp_path / "store")


def rows_of(store, *names):
    return [store.index["ImageID"].tolist().index(name) for name in names]


def test_rows_are_the_backbones_embeddings_in_the_tables_order(backbone, shared, finished):
    store, source = read_store(finished), PhotoSource(shared[1])
    assert store.index["ImageID"].tolist() == [f"{i}.jpg" for i in range(COUNT)]
    photos = [read_photo(source.read(name), 32) for name in store.index["ImageID"]]
    assert np.abs(store.image - backbone.encode_photos(photos)).max() < 1e-5
    captions = store.index["Caption"].tolist()
    assert captions[:2] == ["photo number 0", "photo number 1"]
    assert np.abs(store.text - backbone.encode_captions(captions)).max() < 1e-5
    assert (store.index["source"] == "table").all()
    assert store.backbone == backbone.id


def test_cut_photos_are_encoded_as_prepared_ones(backbone, photos):
    """In worker processes a photo stays bytes, which must make no difference."""
    cut = np.stack([np.asarray(backbone.cut(photo)) for photo in photos])
    assert cut.shape == (4, 32, 32, 3)
    assert cut.dtype == np.uint8
    assert (backbone.encode_cut(torch.from_numpy(cut)) == backbone.encode_photos(photos)).all()


def test_a_second_run_encodes_and_changes_nothing(backbone, own):
    table, photos, out = own
    before = files_of(out)
    report = encode_table(backbone, table, out, photos, batch=BATCH)
    assert report["encoded"] == {"photos": 0, "captions": 0}
    assert report["photos_per_second"] is None
    assert files_of(out) == before


def test_a_photo_that_was_replaced_is_encoded_again_and_no_other(backbone, own):
    table, photos, out = own
    before = np.array(read_store(out).image)
    (photos / "7.jpg").write_bytes(noise(1000))
    report = encode_table(backbone, table, out, photos, batch=BATCH)
    assert report["encoded"] == {"photos": 1, "captions": 0}
    after = read_store(out)
    expected = backbone.encode_photos([read_photo(noise(1000))])[0]
    assert np.abs(after.image[7] - expected).max() < 1e-5
    others = np.arange(COUNT) != 7
    assert (after.image[others] == before[others]).all()
    assert after.index["photo_sha256"].is_unique


def test_a_caption_that_was_changed_is_encoded_again_and_no_other(backbone, own):
    table, photos, out = own
    table.write_text(table.read_text().replace("photo number 3\n", "something else\n"))
    report = encode_table(backbone, table, out, photos, batch=BATCH)
    assert report["encoded"] == {"photos": 0, "captions": 1}
    expected = backbone.encode_captions(["something else"])[0]
    assert np.abs(read_store(out).text[3] - expected).max() < 1e-5


def test_broken_photos_are_listed_and_the_others_encoded(backbone, own, finished, is_sentence):
    table, photos, out = own
    shutil.rmtree(out)
    damage = [b"", b"no photo", noise(0)[:400], b"\x89PNG\r\n\x1a\n but no more", None]
    broken = [f"{i}.jpg" for i in range(0, 20, 2)]
    for i, name in enumerate(broken):
        (photos / name).unlink()
        if damage[i % 5] is not None:
            (photos / name).write_bytes(damage[i % 5])
    report = encode_table(backbone, table, out, photos, batch=BATCH)
    assert [entry["ImageID"] for entry in report["skipped"]] == broken
    assert all(is_sentence(entry["reason"]) for entry in report["skipped"])
    assert report["rows"] == report["photos"] == report["encoded"]["photos"] == COUNT - 10
    store, whole = read_store(out), read_store(finished)
    rows = rows_of(whole, *store.index["ImageID"])
    assert not set(store.index["ImageID"]) & set(broken)
    assert np.abs(store.image - whole.image[rows]).max() < 1e-5
    assert np.abs(store.text - whole.text[rows]).max() < 1e-5
    listed = (out / "skipped.csv").read_text().splitlines()
    assert listed[0] == "ImageID,reason"
    assert [line.split(",")[0] for line in listed[1:]] == broken


@pytest.mark.parametrize("kind", ["zip", "tar", "shards"])
def test_a_zip_and_tars_give_the_same_store_as_the_folder(
    backbone, shared, finished, tmp_path, kind
):
    table, photos = shared
    if kind == "shards":
        packed = tmp_path / "shards"
        packed.mkdir()
        for i in range(COUNT):
            with tarfile.open(packed / f"{i % 3}.tar", "a") as file:
                file.add(photos / f"{i}.jpg", f"{i}.jpg")
    else:
        packed = tmp_path / shutil.make_archive(tmp_path / "photos", kind, photos)
    encode_table(backbone, table, tmp_path / "store", packed, batch=BATCH)
    found, expected = files_of(tmp_path / "store"), files_of(finished)
    for name in ("image.npy", "text.npy", "skipped.csv"):
        assert found[name] == expected[name]
    assert read_store(tmp_path / "store").index.equals(read_store(finished).index)


def test_repeated_photos_and_captions_are_encoded_once(backbone, own, calls):
    table, photos, out = own
    shutil.rmtree(out)
    for copy in (5, 6, 29):
        shutil.copy(photos / "1.jpg", photos / f"{copy}.jpg")
    text = table.read_text()
    table.write_text(text.replace("number 8\n", "number 2\n").replace("number 9\n", "number 2\n"))
    images, texts = calls(backbone.model.visual), calls(backbone.model.transformer)
    report = encode_table(backbone, table, out, photos, batch=BATCH)
    assert report["encoded"] == {"photos": COUNT - 3, "captions": COUNT - 2}
    assert sum(texts) == COUNT - 2
    assert sum(images) == COUNT - 3
    store = read_store(out)
    assert len(store.index) == COUNT
    assert (store.image[[5, 6, 29]] == store.image[1]).all()
    assert (store.text[[8, 9]] == store.text[2]).all()


def test_generated_captions_become_rows_after_the_tables(backbone, own):
    """Only for photos of the table, with its labels; empty ones are ignored."""
    table, photos, out = own
    generated = table.with_name("generated.csv")
    generated.write_text(
        "ImageID,Labels,Caption\n3.jpg,5,a model says\n1.jpg,19,photo number 1\n2.jpg,19,\n"
        "elsewhere.jpg,1,not of the table\n"
    )
    report = encode_table(backbone, table, out, photos, generated, BATCH)
    assert report["encoded"] == {"photos": 0, "captions": 1}
    assert (report["rows"], report["photos"]) == (COUNT + 2, COUNT)
    store = read_store(out)
    more = store.index.iloc[COUNT:]
    assert (store.index["source"] == ["table"] * COUNT + ["generated"] * 2).all()
    assert more["ImageID"].tolist() == ["3.jpg", "1.jpg"]
    assert more["Labels"].tolist() == [("4", "19"), ("2", "19")]
    assert (store.image[COUNT:] == store.image[[3, 1]]).all()
    assert (store.text[COUNT + 1] == store.text[1]).all()
    expected = backbone.encode_captions(["a model says"])[0]
    assert np.abs(store.text[COUNT] - expected).max() < 1e-5


def test_a_store_of_another_backbone_is_refused(own, resnet_folder, is_sentence):
    table, photos, out = own
    before = files_of(out)
    other = Backbone(f"local-dir:{resnet_folder}", "cpu")
    with pytest.raises(BackboneError) as caught:
        encode_table(other, table, out, photos)
    assert is_sentence(caught.value)
    assert other.id in str(caught.value)
    assert files_of(out) == before


def test_other_weights_of_the_same_backbone_encode_everything_again(shared, vit_folder, tmp_path):
    """As after further training in a folder; the precision does not count as other weights."""
    folder, out = shutil.copytree(vit_folder, tmp_path / "clip"), tmp_path / "store"
    encode_table(Backbone(f"local-dir:{folder}", "cpu"), shared[0], out, shared[1])
    before = np.array(read_store(out).image)
    half = Backbone(f"local-dir:{folder}", "cpu", "bf16")
    assert encode_table(half, shared[0], out, shared[1])["encoded"]["photos"] == 0
    weights = load_file(folder / "open_clip_model.safetensors")
    weights["visual.proj"] *= -1
    save_file(weights, folder / "open_clip_model.safetensors")
    changed = Backbone(f"local-dir:{folder}", "cpu")
    assert encode_table(changed, shared[0], out, shared[1])["encoded"]["photos"] == COUNT
    assert np.abs(read_store(out).image + before).max() < 1e-5


def test_a_table_without_any_row_left_is_refused(backbone, shared, tmp_path, is_sentence):
    table, _ = shared
    with pytest.raises(TableError) as caught:
        encode_table(backbone, table, tmp_path / "store", tmp_path)
    assert is_sentence(caught.value)
    assert "photo" in str(caught.value)


def test_the_command_prints_pure_json(clipdemo_cli, backbone, own):
    table, photos, out = own
    shutil.rmtree(out)
    (photos / "4.jpg").unlink()
    args = ["encode", "--table", table, "--photos", photos, "--backbone", backbone.id]
    code, printed, _ = clipdemo_cli(*args, "--out", out, "--device", "cpu", "--json")
    assert code == 0
    report = json.loads(printed)
    assert (report["rows"], report["photos"], report["captions"]) == (29, 29, 29)
    assert report["encoded"] == {"photos": 29, "captions": 29}
    assert [entry["ImageID"] for entry in report["skipped"]] == ["4.jpg"]
    assert (report["backbone"], report["store"]) == (backbone.id, str(out))
    assert report["seconds"] > 0
    assert report["photos_per_second"] > 0
    code, printed, _ = clipdemo_cli(*args, "--out", out, "--device", "cpu")
    assert code == 0
    assert "29 rows" in printed
    assert "left out: 1, its photo is missing" in printed


@pytest.mark.parametrize("wrong", ["--table", "--photos", "--backbone"])
def test_what_cannot_be_encoded_is_one_sentence(
    clipdemo_cli, backbone, shared, tmp_path, is_sentence, wrong
):
    options = {"--table": shared[0], "--photos": shared[1], "--backbone": backbone.id}
    options[wrong] = "local-dir:/nowhere" if wrong == "--backbone" else tmp_path / "nowhere"
    args = [word for pair in options.items() for word in pair]
    code, printed, err = clipdemo_cli("encode", *args, "--out", tmp_path / "store")
    assert code == 2
    assert printed == ""
    assert is_sentence(err), err
