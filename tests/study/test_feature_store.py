"""Feature stores: missing data stay missing, and a damaged store gives one sentence."""

import numpy as np
import pytest
from support.labelled import noise

from clipdemo.errors import TableError
from clipdemo.inputs.labels import COCO18
from clipdemo.model.backbones import Backbone
from clipdemo.study.encode import encode_table
from clipdemo.study.feature_store import read_store


@pytest.fixture(scope="module")
def backbone(vit_folder):
    return Backbone(f"local-dir:{vit_folder}", "cpu")


@pytest.fixture
def store(backbone, tmp_path):
    """The store of a table with these rows, with four photos or without."""

    def make(rows: str, with_photos: bool = True):
        (tmp_path / "table.csv").write_text("ImageID,Labels,Caption\n" + rows)
        (tmp_path / "photos").mkdir()
        for i in range(4):
            (tmp_path / "photos" / f"{i}.jpg").write_bytes(noise(i))
        photos = tmp_path / "photos" if with_photos else None
        encode_table(backbone, tmp_path / "table.csv", tmp_path / "store", photos)
        return read_store(tmp_path / "store")

    return make


def test_a_row_without_a_caption_is_nan_in_text(store):
    found = store("0.jpg,1,a dog\n1.jpg,18,\n2.jpg,1 19,\u200b \n3.jpg,3,a  cat\n")
    assert found.index["Caption"].tolist() == ["a dog", "", "", "a cat"]
    assert np.isnan(found.text[[1, 2]]).all()
    assert np.allclose(np.linalg.norm(found.text[[0, 3]], axis=1), 1)
    assert np.allclose(np.linalg.norm(found.image, axis=1), 1)
    assert found.image.shape == found.text.shape == (4, found.width)
    assert found.image.dtype == found.text.dtype == np.float32
    assert (found.index["caption_sha256"] == "").tolist() == [False, True, True, False]


def test_targets_are_those_of_the_tables_labels(store):
    found = store("0.jpg,1,a dog\n1.jpg,18 19,b\n")
    assert found.labels == COCO18
    assert [np.flatnonzero(row).tolist() for row in found.targets] == [[0], [16, 17]]
    assert found.targets.dtype == np.float32


def test_a_table_with_its_own_labels(store):
    found = store("0.jpg,red bus;dog,a\n1.jpg,tree,b\n2.jpg,dog,c\n")
    assert found.labels.names == found.labels.ids == ("dog", "red bus", "tree")
    assert found.targets.tolist() == [[1, 1, 0], [0, 0, 1], [1, 0, 0]]
    assert found.index["Labels"].tolist() == [("red bus", "dog"), ("tree",), ("dog",)]


def test_without_captions_there_is_no_text(store, tmp_path):
    found = store("0.jpg,1,\n1.jpg,18,\n")
    assert found.text is None
    assert len(found.image) == 2
    assert not (tmp_path / "store" / "text.npy").exists()


def test_without_photos_there_are_only_rows_with_captions(store, tmp_path):
    found = store("0.jpg,1,a dog\n1.jpg,18,\nelsewhere.jpg,3,a car\n", with_photos=False)
    assert found.image is None
    assert found.index["ImageID"].tolist() == ["0.jpg", "elsewhere.jpg"]
    assert (found.index["photo_sha256"] == "").all()
    assert len(found.text) == 2
    assert not (tmp_path / "store" / "image.npy").exists()


def test_a_store_that_loses_its_captions_or_photos_loses_the_files(backbone, store, tmp_path):
    store("0.jpg,1,a dog\n1.jpg,18,\n")
    table, out = tmp_path / "table.csv", tmp_path / "store"
    table.write_text("ImageID,Labels\n0.jpg,1\n1.jpg,18\n")
    encode_table(backbone, table, out, tmp_path / "photos")
    assert read_store(out).text is None
    assert not (out / "text.npy").exists()
    table.write_text("ImageID,Labels,Caption\n0.jpg,1,a dog\n")
    encode_table(backbone, table, out)
    assert read_store(out).image is None
    assert not (out / "image.npy").exists()


def cut(name: str, keep: int):
    def damage(out):
        (out / name).write_bytes((out / name).read_bytes()[:keep])

    return damage


def other_rows(out):
    np.save(out / "image.npy", np.zeros((2, 32), np.float32))


DAMAGES = {
    "no folder": lambda out: out.rename(out.with_name("elsewhere")),
    "no index": lambda out: (out / "index.parquet").unlink(),
    "no photos": lambda out: (out / "image.npy").unlink(),
    "photos cut off": cut("image.npy", 200),
    "captions empty": cut("text.npy", 0),
    "index cut off": cut("index.parquet", 500),
    "other rows": other_rows,
    "being replaced": lambda out: (out / "ready").mkdir(),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_an_incomplete_store_is_refused_and_can_be_made_again(
    backbone, store, tmp_path, is_sentence, damage
):
    whole = store("0.jpg,1,a dog\n1.jpg,18,b\n2.jpg,3,c\n")
    image, out = np.array(whole.image), tmp_path / "store"
    damage(out)
    with pytest.raises(TableError) as caught:
        read_store(out)
    assert is_sentence(caught.value), caught.value
    assert str(out) in str(caught.value)
    encode_table(backbone, tmp_path / "table.csv", out, tmp_path / "photos")
    assert (read_store(out).image == image).all()
