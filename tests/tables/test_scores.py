"""Columns that say whether a row's label is true."""

import json

import pytest

from clipdemo.tables.label_table import read_label_table
from clipdemo.tables.scores import likely

HEAD = "image,label,"
SURE = {
    "confidence": ("0.98", "0.02", "0.9"),
    "confidence ": ("98.1", "2.4", "90.2"),
    "probability": ("98 %", "2 %", "90 %"),
    "Confidence": ('"0,98"', '"0,02"', '"0,9"'),
    "prob": ("0.98", "0.01", "0.9"),
    "conf": ("0.98", "0.01", "0.9"),
    "label_score": ("0.98", "0.01", "0.9"),
    "labelConfidence": ("1", "0", "1"),
    "relevant": ("TRUE", "FALSE", "TRUE"),
    "is_correct": ("True", "False", "True"),
    "answer": ("accept", "reject", "accept"),
    "count": ("1", "0", "3"),
    "value": ("1", "0", "1"),
    "score,confidence": ("0.98,0.98", "0.01,0.01", "0.9,0.9"),
}


@pytest.mark.parametrize(("head", "cells"), SURE.items(), ids=SURE)
def test_a_label_counts_only_if_its_column_of_scores_says_so(tmp_path, head, cells):
    rows = zip(("1.jpg,dog", "1.jpg,cat", "2.jpg,cat"), cells, strict=True)
    lines = [f"image,label,{head}", *(f"{row},{cell}" for row, cell in rows)]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    table = read_label_table(tmp_path / "t.csv", None)
    assert table.frame["Labels"].tolist() == [("dog",), ("cat",)]
    assert any("labels not used because of" in what for what in table.account.repaired)


@pytest.mark.parametrize("content", [
    "image,label_1,score_1,label_2,score_2\n1.jpg,dog,0.9,cat,0.05\n2.jpg,cat,0.7,dog,0.2\n",
    "image,tag1,tag2,conf1,conf2\n1.jpg,dog,cat,90.5,5.1\n2.jpg,cat,dog,70.2,20\n",
    "image,labels,scores\n1.jpg,\"['dog', 'cat']\",\"[0.98, 0.02]\"\n2.jpg,\"['cat']\",[0.9]\n",
    "image,labels,confidence\n1.jpg,dog;cat,0.98;0.02\n2.jpg,cat,0.9\n",
])  # fmt: skip
def test_each_of_several_labels_has_its_own_score(tmp_path, content):
    (tmp_path / "t.csv").write_text(content)
    found = read_label_table(tmp_path / "t.csv", None).frame["Labels"].tolist()
    assert found == [("dog",), ("cat",)]


def test_lists_of_scores_in_json_are_of_the_labels_in_their_order(tmp_path):
    rows = [{"image": "1.jpg", "label": ["dog", "cat"], "label_confidence": [1.0, 0.0]}]
    (tmp_path / "t.json").write_text(json.dumps(rows))
    assert read_label_table(tmp_path / "t.json", None).frame["Labels"].tolist() == [("dog",)]


def test_a_column_of_values_has_no_percentages(tmp_path):
    (tmp_path / "t.csv").write_text("image,label,value\n1.jpg,dog,80\n2.jpg,cat,12\n")
    found = read_label_table(tmp_path / "t.csv", None).frame["Labels"].tolist()
    assert found == [("dog",), ("cat",)]


@pytest.mark.parametrize("scores", [("7.5", "5.1"), ("-3.2", "4.1"), ("512", "3")])
def test_numbers_that_are_neither_fractions_nor_percentages_take_no_label_away(tmp_path, scores):
    (tmp_path / "t.csv").write_text(
        f"image,label,score\n1.jpg,dog,{scores[0]}\n2.jpg,cat,{scores[1]}\n"
    )
    table = read_label_table(tmp_path / "t.csv", None)
    assert table.frame["Labels"].tolist() == [("dog",), ("cat",)]
    assert "score" in table.account.read_as.values()


def test_confidences_are_percentages_even_if_none_is_high_but_not_if_they_are_ratings():
    assert not likely(["42.0", "3.1"], "confidence")("42.0")
    assert likely(["4", "2"], "confidence") is None
    assert likely(["42.0", "3.1"], "score") is None


def test_an_empty_cell_says_nothing():
    yes = likely(["", "0.2"])
    assert yes("")
    assert not yes("0.2")
