"""Names of folders are labels only if that is clear; else it is said what to give."""

import pytest

from clipdemo.errors import TableError
from clipdemo.tables.folders import read_folder
from clipdemo.tables.label_table import read_label_table

TABLE = "image,labels\n1.jpg,dog\n"
XML = "<annotation><filename>1.jpg</filename></annotation>"


@pytest.fixture
def put(tmp_path):
    """Makes a folder of these files; photos are empty, and other files have a content."""

    def put(*places: str, content: str = TABLE):
        for place in places:
            (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / place).write_text("" if place.lower().endswith("jpg") else content)
        return tmp_path

    return put


def labels_of(path) -> tuple[dict, dict]:
    table = read_label_table(path, None)
    names = dict(zip(table.labels.ids, table.labels.names, strict=True))
    found = zip(table.frame["ImageID"], table.frame["Labels"], strict=True)
    return {n: [names[i] for i in ids] for n, ids in found}, table.account.read_as


READ = {
    "lone folder": ["mydata/dog/1.jpg", "mydata/cat/2.jpg"],
    "two lone folders": ["mydata/v2/dog/1.jpg", "mydata/v2/cat/2.jpg"],
    "parts": ["train/dog/1.jpg", "test/cat/2.jpg"],
    "parts with a text": ["train/dog/1.jpg", "valid/cat/2.jpg", "README.dataset.txt"],
    "parts by other names": ["Train_Set/dog/1.jpg", "val2017/cat/2.jpg"],
    "of images": ["images_001/dog/1.jpg", "images_002/cat/2.jpg"],
    "images within": ["dog/images/1.jpg", "cat/images/2.jpg"],
    "folds": ["fold_1/dog/1.jpg", "fold_2/cat/2.jpg"],
    "dates above": ["2021/dog/1.jpg", "2022/cat/2.jpg"],
    "numbers for order": ["10_dog/1.jpg", "5_cat/2.jpg"],
    "numbers of classes": ["001.dog/1.jpg", "002.cat/2.jpg"],
    "captions next to photos": ["dog/1.jpg", "dog/1.txt", "cat/2.jpg"],
    "classes in a file": ["dog/1.jpg", "cat/2.jpg", "classes.txt", "class_indices.json"],
}


@pytest.mark.parametrize("name", READ)
def test_the_folder_of_each_label_is_found(put, name):
    found, _ = labels_of(put(*READ[name], content='{"0": "dog"}'))
    assert {photo.rpartition("/")[2]: labels for photo, labels in found.items()} == {
        "1.jpg": ["dog"], "2.jpg": ["cat"]
    }  # fmt: skip


@pytest.mark.parametrize("names", [
    ("train", "bus"), ("photo", "drawing"), ("valid", "invalid"), ("mask", "no_mask"),
    ("2021", "older"), ("raw", "cooked"), ("new", "old"), ("640x480", "other"),
    ("0", "1"), ("10000001", "10000002"), ("1_star", "2_star"), ("07 bond", "spy"),
])  # fmt: skip
def test_names_that_parts_and_dates_have_too_are_labels_among_others(put, names):
    found, _ = labels_of(put(*(f"{name}/1.jpg" for name in names)))
    assert found == {f"{name}/1.jpg": [name] for name in names}


def test_photos_that_have_no_label_are_in_the_account(put):
    path = put(
        "dog/1.jpg", "cat/2.jpg", "thumbnails/1.jpg", "test/3.jpg", "_new/4.jpg", "cover.jpg"
    )
    found, read_as = labels_of(path)
    assert found == {"dog/1.jpg": ["dog"], "cat/2.jpg": ["cat"]}
    assert read_as["photos not read, in"] == "_new, test, the folder itself, thumbnails"


def test_the_folder_that_the_command_batch_writes_for_no_label_is_none(put):
    found, _ = labels_of(put("dog/1.jpg", "no label/2.jpg"))
    assert found == {"dog/1.jpg": ["dog"], "no label/2.jpg": []}


def test_a_link_to_nowhere_does_no_harm(put):
    path = put("dog/1.jpg", "cat/2.jpg")
    (path / "labels.csv").symlink_to(path / "nowhere.csv")
    assert len(labels_of(path)[0]) == 2


REFUSED = {
    "voc": (["JPEGImages/1.jpg", "Annotations/1.xml"], XML, "for each photo.*COCO"),
    "labelme": (["dog/1.jpg", "dog/1.json", "cat/2.jpg"], '{"imagePath": "1.jpg"}', "COCO"),
    "takeout": (
        ["Photos from 2021/1.jpg", "Photos from 2021/1.jpg.json"], '{"title": "1.jpg"}', "each"
    ),
    "supervisely": (
        ["ds0/img/1.jpg", "ds0/ann/1.jpg.json", "ds1/img/2.jpg"], '{"objects": []}', "each photo"
    ),
    "roboflow": (["train/_annotations.coco.json", "train/1.jpg"], TABLE, "give train/_ann"),
    "roboflow parts": (
        ["train/_classes.csv", "train/1.jpg", "valid/_classes.csv", "valid/2.jpg"], TABLE,
        "give one, such as train/_classes.csv",
    ),
    "table next to classes": (["labels.csv", "dog/1.jpg", "cat/2.jpg"], TABLE, "give labels.csv"),
    "list of photos": (["list.txt", "dog/1.jpg", "cat/2.jpg"], "1.jpg dog\n2.jpg cat", "list.txt"),
    "fiftyone": (["data/1.jpg", "labels.json"], '{"labels": {"1": 0}}', "such as labels.json"),
    "kaggle": (["train_images/1.jpg", "test_images/2.jpg", "train.csv"], "id,x\n1,2", "train.csv"),
    "yolo": (["dog/1.jpg", "dog/1.txt", "cat/2.jpg"], "0 0.5 0.5 0.1 1e-3\n", "COCO"),
    "camera": (["DCIM/100APPLE/1.jpg", "DCIM/101APPLE/2.jpg"], "", "give a table"),
    "dates": (["2021/1.jpg", "2022/2.jpg"], "", "give a table"),
    "sizes": (["64x64/1.jpg", "originals/1.jpg"], "", "give a table"),
    "batches": (["batch_1/1.jpg", "batch_2/2.jpg"], "", "give a table"),
    "phone": (["Camera Roll/1.jpg", "Screenshots/2.jpg"], "", "give a table"),
    "masks": (["img/1.jpg", "masks/1.jpg"], "", "give a table"),
    "one label": (["dog/1.jpg", "dog/2.jpg"], "", "one label only"),
    "one label and previews": (["dog/1.jpg", "thumbs/1.jpg"], "", "one label only"),
    "nested": (["animal/dog/1.jpg", "animal/cat/2.jpg", "thing/car/3.jpg"], "", "such as animal/"),
    "by person": (["dog/ann/1.jpg", "dog/bob/2.jpg", "cat/ann/3.jpg"], "", "not clear"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_folder_whose_labels_are_not_clear_is_refused_with_what_to_give(put, name, is_sentence):
    places, content, words = REFUSED[name]
    with pytest.raises(TableError, match=words) as refused:
        read_folder(put(*places, content=content))
    assert is_sentence(refused.value)
