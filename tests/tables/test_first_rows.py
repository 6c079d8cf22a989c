"""What only the rows show: which column has the photos, their folders, and the labels' names."""

import json

import pandas as pd
import pytest

from clipdemo.errors import TableError
from clipdemo.tables.captions_csv import read_captions
from clipdemo.tables.label_table import read_label_table

NAMED = {
    "yolov5": "image,xmin,ymin,confidence,class,name\n1.jpg,1,2,0.9,16,dog\n2.jpg,1,2,0.8,15,cat\n",
    "setfit": "image,label,label_text\n1.jpg,1,dog\n2.jpg,0,cat\n",
    "dutch": "image,label,label_str\n1.jpg,1,dog\n2.jpg,0,cat\n",
    "described": "image,label,label_desc\n1.jpg,1,dog\n2.jpg,0,cat\n",
    "species": "image,class,species\n1.jpg,3,dog\n2.jpg,4,cat\n",
    "breed": "image,class,breed\n1.jpg,3,dog\n2.jpg,4,cat\n",
    "text": "image,category,category_text\n1.jpg,3,dog\n2.jpg,4,cat\n",
    "floats": "image,category,category_str\n1.jpg,3.0,dog\n2.jpg,4.0,cat\n",
    "display": "image,tag,display name\n1.jpg,3,dog\n2.jpg,4,cat\n",
    "class name": "image,class,class_name\n1.jpg,3,dog\n2.jpg,4,cat\n",
}


@pytest.mark.parametrize("content", NAMED.values(), ids=NAMED)
def test_names_are_used_instead_of_the_numbers_of_classes(tmp_path, content):
    (tmp_path / "t.csv").write_text(content)
    table = read_label_table(tmp_path / "t.csv", None)
    assert table.frame["Labels"].tolist() == [("dog",), ("cat",)]


@pytest.mark.parametrize("rows", [
    ["1.jpg,1,Ann", "2.jpg,1,Bob", "3.jpg,2,Ann"],
    ["1.jpg,1,Ann", "2.jpg,2,"],
    ["1.jpg,1,1.jpg", "2.jpg,2,2.jpg"],
    ["1.jpg,dog,Ann", "2.jpg,cat,Bob"],
])  # fmt: skip
def test_a_column_of_other_names_is_not_taken_for_that_of_labels(tmp_path, rows):
    (tmp_path / "t.csv").write_text("\n".join(["image,label,name", *rows]) + "\n")
    table = read_label_table(tmp_path / "t.csv", None)
    assert table.account.read_as["Labels"] == "label"


def test_the_names_of_numbers_are_found_in_parquet(tmp_path):
    frame = pd.DataFrame({"image": ["1.jpg", "2.jpg"], "label": [1, 0], "label_text": ["a", "b"]})
    frame.to_parquet(tmp_path / "t.parquet")
    table = read_label_table(tmp_path / "t.parquet", None)
    assert table.frame["Labels"].tolist() == [("a",), ("b",)]
    assert table.account.read_as["numbers of labels, not used"] == "label"


def test_further_columns_that_sound_like_labels_are_in_the_account(tmp_path):
    (tmp_path / "t.csv").write_text("image,label,second_label,label_id\n1.jpg,dog,cat,3\n")
    said = read_label_table(tmp_path / "t.csv", None).account.read_as
    assert said["not used, in spite of their names"] == "second_label"


FOLDERS = {
    "exiftool": "SourceFile,FileName,Directory,Keywords\na/1.jpg,1.jpg,a,dog\n"
                "b/1.jpg,1.jpg,b,cat\n",
    "timelapse": "File,RelativePath,Folder,Category\n1.jpg,a,x,dog\n1.jpg,b,x,cat\n",
    "windows": "filename,folder,labels\n1.jpg,a\\,dog\n1.jpg,b\\,cat\n",
    "directory": "file,directory,tags\n1.jpg,a,dog\n1.jpg,b,cat\n",
    "dir": "dir,image,label\na,1.jpg,dog\nb,1.jpg,cat\n",
    "path": "path,filename,label\na,1.jpg,dog\nb,1.jpg,cat\n",
    "karpathy": "filepath,filename,label\na,1.jpg,dog\nb,1.jpg,cat\n",
    "study": "ImageID,Labels,Caption,folder\n1.jpg,dog,,a\n1.jpg,cat,,b\n",
    "already": "folder,filename,label\na,a/1.jpg,dog\nb,b/1.jpg,cat\n",
    "semicolons": "folder name;file name;label\na;1.jpg;dog\nb;1.jpg;cat\n",
}  # fmt: skip


@pytest.mark.parametrize("content", FOLDERS.values(), ids=FOLDERS)
def test_photos_of_the_same_name_in_two_folders_stay_two(tmp_path, content):
    (tmp_path / "t.csv").write_text(content)
    found = read_label_table(tmp_path / "t.csv", None).frame
    assert found["ImageID"].tolist() == ["a/1.jpg", "b/1.jpg"]
    assert found["Labels"].tolist() == [("dog",), ("cat",)]


PHOTOS = {
    "inaturalist": (["url", "image_url"], ["https://a.org/o/1", "https://a.org/p/1.jpg"], 1),
    "query": (["url", "image_url"], ["https://a.org/o/1", "https://a.org/p/1.jpg?w=9"], 1),
    "path": (["url", "image_path"], ["https://a.org/o/1", "im/1.jpg"], 1),
    "page": (["image_path", "url"], ["im/1.jpg", "https://a.org/1.jpg"], 0),
    "blip": (["image", "image_id"], ["val/1.jpg", "coco_1"], 0),
    "coco": (["image_id", "file_name"], ["101", "1.jpg"], 1),
    "karpathy": (["filename", "imgid"], ["1.jpg", "0"], 0),
    "numbers": (["image", "filename"], ["101", "1.jpg"], 1),
    "photo id": (["photo_id", "image_url"], ["p1", "https://a.org/1.png"], 1),
    "own file": (["image_id", "image_url"], ["101", "https://a.org/z.jpg"], 0),
    "ids only": (["image", "photo_id"], ["101", "p101"], 0),
}


@pytest.mark.parametrize(("head", "cells", "right"), PHOTOS.values(), ids=PHOTOS)
def test_the_column_whose_cells_look_like_photos_names_is_taken(tmp_path, head, cells, right):
    row = dict(zip(head, cells, strict=True)) | {"caption": "A dog", "labels": "dog"}
    pd.DataFrame([row]).to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "t.json").write_text(json.dumps([row]))
    for name in ("t.csv", "t.json"):
        assert read_label_table(tmp_path / name).frame["ImageID"].tolist() == [cells[right]]
        assert read_captions(tmp_path / name)[0] == [(cells[right], "A dog")]


@pytest.mark.parametrize("head", ["path,filename", "url,image_url", "image_id,file_name"])
@pytest.mark.parametrize("cells", ["a/1.jpg,1.jpg", "https://a.org/1,https://b.org/1"])
def test_of_two_columns_that_look_alike_neither_is_taken(tmp_path, head, cells, is_sentence):
    (tmp_path / "t.csv").write_text(f"{head},tags\n{cells},dog\n")
    with pytest.raises(TableError, match=f"--columns ImageID={head.partition(',')[0]}") as refused:
        read_label_table(tmp_path / "t.csv")
    assert is_sentence(refused.value)


def test_a_photo_that_is_the_key_of_its_record_is_not_doubted(tmp_path):
    rows = {"1.jpg": {"path": "x/1.jpg", "filename": "1.jpg", "labels": ["dog"]}}
    (tmp_path / "t.json").write_text(json.dumps(rows))
    assert read_label_table(tmp_path / "t.json").frame["ImageID"].tolist() == ["1.jpg"]
