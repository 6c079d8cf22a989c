"""Photos' names in whatever programs wrap them in, and rows that name no photo."""

import json
import unicodedata

import pandas as pd
import pytest
from support.table_forms import workbook

from clipdemo.errors import TableError
from clipdemo.tables.label_table import read_label_table

WRAPPED = {
    "{'bytes': None, 'path': '1.jpg'}": "1.jpg",
    "{'bytes': b'\\xff\\xd8\\xff', 'path': '1.jpg'}": "1.jpg",
    "{'bytes': b'\\xff\\xd8 ...', 'path': '1.jpg', 'h": "1.jpg",
    "['1.jpg']": "1.jpg",
    "[{'id': 'att1', 'filename': '1.jpg', 'url': 'https://x'}]": "1.jpg",
    '{"name": "1.jpg", "id": 1}': "1.jpg",
    '="001"': "001",
    '="1.jpg"': "1.jpg",
    "'001": "001",
    "'1.jpg'": "1.jpg",
    '=HYPERLINK("https://a.org/1.jpg","1.jpg")': "1.jpg",
    '=HYPERLINK("https://a.org/1.jpg";"open")': "https://a.org/1.jpg",
    '=IMAGE("https://a.org/1.jpg")': "https://a.org/1.jpg",
    '<img src="https://a.org/1.jpg" width=40>': "https://a.org/1.jpg",
    "![a dog](https://a.org/1.jpg)": "https://a.org/1.jpg",
    "IMG (1).jpg (https://v5.air.com/a)": "IMG (1).jpg",
    "1.jpg (https://v5.air.com/a)": "1.jpg",
    "/data/local-files/?d=a/b%20c.jpg": "a/b c.jpg",
    "https://a.org/get?d=2021&f=1.jpg": "https://a.org/get?d=2021&f=1.jpg",
    "a, b.jpg": "a, b.jpg",
    "(1).jpg": "(1).jpg",
    "[a].jpg": "[a].jpg",
    "'tis.jpg": "'tis.jpg",
}


@pytest.mark.parametrize("head", ["image", "ImageID"])
@pytest.mark.parametrize(("cell", "name"), WRAPPED.items())
def test_the_name_of_a_photo_is_taken_out_of_its_wrapping(tmp_path, cell, name, head):
    frame = pd.DataFrame({head: [cell, "2.jpg"], "Labels": ["dog", "cat"]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    assert read_label_table(tmp_path / "t.csv").frame["ImageID"].tolist() == [name, "2.jpg"]


@pytest.mark.parametrize("photo", [
    ["1.jpg"], [{"filename": "1.jpg", "url": "https://x"}], {"name": "1.jpg"}, {"path": "1.jpg"}
])  # fmt: skip
def test_a_photo_in_json_may_be_in_a_list_or_a_record(tmp_path, photo):
    (tmp_path / "t.json").write_text(json.dumps([{"image": photo, "labels": ["dog"]}]))
    assert read_label_table(tmp_path / "t.json").frame["ImageID"].tolist() == ["1.jpg"]


NO_NAME = {
    "data:image/jpeg;base64,/9j/4AAQ": "holds a photo",
    "<PIL.JpegImagePlugin.JpegImageFile image mode=RGB size=500x375 at 0x7F1>": "holds a photo",
    "{'bytes': b'\\xff\\xd8\\xff', 'path': None}": "holds a photo",
    "1.23457E+11": "shortened",
    "1,23457E+11": "shortened",
    "1.jpg|3.jpg": "several photos",
    "1.jpg;3.jpg": "several photos",
    "['1.jpg', '3.jpg']": "several photos",
    "1.jpg (https://a.com/x),3.jpg (https://a.com/y)": "several photos",
}


@pytest.mark.parametrize(("cell", "reason"), NO_NAME.items())
def test_a_cell_without_one_name_is_left_out_with_the_reason(tmp_path, cell, reason, is_sentence):
    frame = pd.DataFrame({"image": [cell, "2.jpg"], "labels": ["kettle", "mug"]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    table = read_label_table(tmp_path / "t.csv", None)
    assert table.frame["ImageID"].tolist() == ["2.jpg"]
    assert table.labels.names == ("mug",)
    assert reason in table.account.to_dict()["left_out"][0]["reason"]
    frame[:1].to_csv(tmp_path / "u.csv", index=False)
    with pytest.raises(TableError, match=reason) as refused:
        read_label_table(tmp_path / "u.csv", None)
    assert is_sentence(refused.value)


def test_a_table_of_the_photos_of_each_label_is_refused(tmp_path, is_sentence):
    """Read as one of photos, it would lose labels of those that are named alone, too."""
    (tmp_path / "t.csv").write_text("label,images\ndog,1.jpg;2.jpg\ncat,2.jpg\n")
    with pytest.raises(TableError, match=r"one row for each photo") as refused:
        read_label_table(tmp_path / "t.csv", None)
    assert is_sentence(refused.value)


OTHERS = {
    "units": ["(file name),(comma separated)", "1.jpg,dog", "2.jpg,cat"],
    "qualtrics": ["Photo,What is it?", '"{""ImportId"":""QID1""}",q', "1.jpg,dog", "2.jpg,cat"],
    "total": ["1.jpg,dog", "2.jpg,cat", "Total: 2,"],
    "sum": ["1.jpg,dog", "2.jpg,cat", "Summe,"],
    "groups": ["Kitchen,", "1.jpg,dog", "Room 2,", "2.jpg,cat"],
    "header again": ["1.jpg,dog", "Image,Labels", "2.jpg,cat"],
    "notes": ["1.jpg,dog", "2.jpg,cat", "checked until here,"],
    "page": ["1.jpg,dog", "Page 2,", "2.jpg,cat"],
    "end": ["1.jpg,dog", "2.jpg,cat", "(2 rows),"],
    "ruler": ["1.jpg,dog", "2.jpg,cat", "-----,-----"],
}


@pytest.mark.parametrize("rows", OTHERS.values(), ids=OTHERS)
def test_rows_that_are_no_photos_are_left_out_with_a_reason(tmp_path, rows):
    (tmp_path / "t.csv").write_text("\n".join(["image,labels", *rows]) + "\n")
    table = read_label_table(tmp_path / "t.csv", None)
    assert table.frame["Labels"].tolist() == [("dog",), ("cat",)]
    assert table.labels.names == ("cat", "dog")
    (left,) = table.account.to_dict()["left_out"]
    assert left["reason"] == "names no photo, unlike other rows"
    assert left["count"] == len(rows) - 2


def test_headings_of_groups_in_a_workbook_are_left_out(tmp_path):
    rows = [["image", "labels"], ["Kitchen"], ["1.jpg", "dog"], ["Office"], ["2.jpg", "cat"]]
    workbook(tmp_path / "t.xlsx", rows)
    table = read_label_table(tmp_path / "t.xlsx", None)
    assert table.frame["ImageID"].tolist() == ["1.jpg", "2.jpg"]


@pytest.mark.parametrize("names", [
    ["1.jpg", "IMG_2.CR2"], ["1.jpg", "IMG_2"], ["beach", "forest"], ["beach", "forest", "3.jpg"],
    ["https://a.org/1", "https://a.org/2.jpg"],
])  # fmt: skip
def test_photos_without_a_known_extension_stay(tmp_path, names):
    rows = [f"{name},dog" for name in names]
    (tmp_path / "t.csv").write_text("\n".join(["image,labels", *rows]) + "\n")
    assert read_label_table(tmp_path / "t.csv").frame["ImageID"].tolist() == names


@pytest.mark.parametrize("head", ["ImageID,Labels,Caption", "image,labels,caption"])
@pytest.mark.parametrize("names", [
    ("./a/1.jpg", "a/1.jpg"), ("a/1.jpg", "a\\1.jpg"), ("a//1.jpg", "a/1.jpg"),
    ("a/./1.jpg", "a/1.jpg"), ("Käse.jpg", unicodedata.normalize("NFD", "Käse.jpg")),
])  # fmt: skip
def test_two_spellings_of_a_photo_are_one_row_with_the_labels_of_both(tmp_path, names, head):
    """Else each row would say that the other's labels are not there."""
    rows = [f"{names[0]},1,a", f"{names[1]},18,b", "b/1.jpg,17,c"]
    (tmp_path / "t.csv").write_text("\n".join([head, *rows]) + "\n", "utf-8")
    table = read_label_table(tmp_path / "t.csv")
    assert table.frame["ImageID"].tolist() == [names[0], "b/1.jpg"]
    assert table.frame["Labels"].tolist() == [("1", "18"), ("17",)]
    assert table.lines_of(0) == (2, 3)
