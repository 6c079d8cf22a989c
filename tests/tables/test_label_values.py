"""Cells of labels in the notations of people and programs."""

import json

import pytest

from clipdemo.errors import TableError
from clipdemo.inputs.labels import COCO18
from clipdemo.tables.label_names import LabelReader
from clipdemo.tables.label_table import read_label_table
from clipdemo.tables.label_values import is_true, parts


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("['cat' 'hot dog'\n 'bus']", ["cat", "hot dog", "bus"]),
        ("array(['cat', 'dog'], dtype=object)", ["cat", "dog"]),
        ("[np.int64(1), np.int64(18)]", ["1", "18"]),
        ("[1. 18.]", ["1.", "18."]),
        ("set()", []),
        ("frozenset({'dog'})", ["dog"]),
        ('{dog,"hot dog"}', ["dog", "hot dog"]),
        ('"dog", "hot dog"', ["dog", "hot dog"]),
        ("dog (small), cat", ["dog (small)", "cat"]),
        (["salt, pepper", "a/b"], ["salt, pepper", "a/b"]),
        ({"id": 3, "supercategory": "animal", "name": "dog"}, ["dog"]),
        ({"bbox": [], "categories": []}, []),
        ({"dog": True, "cat": None, "bus": False}, ["dog"]),
        ({"dog": 0.93, "cat": 0.07}, ["dog"]),
        ({"label": "dog", "score": 0.07}, []),
        ({"object": "hot dog"}, ["hot dog"]),
        ("dog:0.98; cat=0.02", ["dog"]),
        ("dog: 98%; cat: 2%", ["dog"]),
        ("dog:1; cat:0", ["dog"]),
        ("floor:1; floor:2", ["floor:1", "floor:2"]),
        ("ratio 1:1", ["ratio 1:1"]),
        ([["dog", 0.98], ["cat", 0.02]], ["dog"]),
        ("OrderedDict([('dog', 2), ('cat', 0)])", ["dog"]),
        ("dog:0,98;cat:0,02", ["dog"]),
        ({"dog": 98.5, "cat": 2.5}, ["dog"]),
        ({"name": "dog", "value": 0.98}, ["dog"]),
        ({"Name": "Dog", "Confidence": 3.25}, []),
        ({"label": "dog", "conf": "0.01"}, []),
        ({"label": "dog", "present": False}, []),
        ({"name": "Bob", "label": "dog"}, ["dog"]),
        ({"tagId": "c5", "tagName": "dog", "created": "2020-01-01"}, ["dog"]),
        ('c("hot dog", "cat")', ["hot dog", "cat"]),
        ('String["hot dog", "cat"]', ["hot dog", "cat"]),
        ("tensor([18, 1])", ["18", "1"]),
        ("Index(['hot dog'], dtype='object')", ["hot dog"]),
        ("array(['hot dog'], dtype='<U7')", ["hot dog"]),
        ("- hot dog\n- cat", ["hot dog", "cat"]),
        ("1. hot dog\n2. cat", ["hot dog", "cat"]),
        ("1. Mild", ["1. Mild"]),
        (";#hot dog;#cat;#", ["hot dog", "cat"]),
        ("hot dog<br>cat", ["hot dog", "cat"]),
        ("hot dog • cat", ["hot dog", "cat"]),
        ("salt &amp; pepper", ["salt & pepper"]),
        ("hot\u00a0dog", ["hot dog"]),
        ("NA", []),
        ("No label", []),
        ("\\N", []),
    ],
)
def test_lists_and_records_of_every_kind(cell, found):
    assert parts(cell) == found


@pytest.mark.parametrize("depth", [1, 19, 100, 600, 5_000])
@pytest.mark.parametrize("pair", [("[", "]"), ('{"labels":', "}")])
def test_nested_lists_are_read_to_any_realistic_depth(depth, pair):
    found = parts(pair[0] * depth + '"dog"' + pair[1] * depth)
    assert found == ["dog"] if depth < 20 else len(found) == 1
    assert len(parts('{"x":' + "[" * depth + "]" * depth + "}")) == 1


@pytest.mark.parametrize(
    ("part", "found"),
    [
        ("Stop-Sign", "13"), ("StopSign", "13"), ("#stopsign", "13"), ("stop_sign", "13"),
        ("018", "18"), ("-1", None), ("1.8", None), ("1-8", None), ("c++", None),
    ],
)  # fmt: skip
def test_a_name_is_known_however_its_words_are_joined_and_a_number_is_not_guessed(part, found):
    assert LabelReader(COCO18).id_of(part) == found


@pytest.mark.parametrize(
    ("cell", "said"),
    [(-1, False), ("-1.0", False), ("1,0", True), (" VRAI", True), ("Nein", False), ("0.5", None),
     ("3", None), ("female", None), ("inf", None), ("", False), (float("nan"), False)],
)  # fmt: skip
def test_yes_and_no_in_several_languages_and_as_numbers(cell, said):
    assert is_true(cell) is said


def test_counts_of_objects_are_a_yes_if_the_column_is_known_to_be_a_label(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("image,dog,cat\n1.jpg,3,0\n2.jpg,0,1\n")
    assert read_label_table(path).frame["Labels"].tolist() == [("18",), ("17",)]


def test_other_columns_are_not_labels_and_the_account_lists_them(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(
        "Path,Sex,Age,Confidence,Edema,Fracture\n1.jpg,Male,71,1,1.0,-1.0\n2.jpg,Female,68,0,,1.0\n"
    )
    table = read_label_table(path, None)
    assert table.frame["Labels"].tolist() == [("Edema",), ("Fracture",)]
    account = table.account.to_dict()
    assert account["read_as"]["no labels"] == "Age, Sex"
    assert account["repaired"]["-1 read as no"] == 1


def test_numbered_columns_of_zeros_and_ones_are_one_label_each(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("image,label_0,label_1\n1.jpg,0,1\n2.jpg,1,0\n")
    assert read_label_table(path, None).frame["Labels"].tolist() == [("label_1",), ("label_0",)]


@pytest.mark.parametrize("labels", [COCO18, None])
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("[0 0 1]", "[1 0 0]"),
        ("0 1", "1 0"),
        ("[True False]", "[True True]"),
        ("0.9|0.1", "0.2|0.7"),
    ],
)
def test_values_per_label_without_names_are_refused(tmp_path, labels, one, other, is_sentence):
    """They are not ids, although 1 is that of a person."""
    path = tmp_path / "t.csv"
    path.write_text(f"ImageID,Labels,Caption\n1.jpg,{one},a\n2.jpg,{other},b\n3.jpg,,c\n")
    with pytest.raises(TableError, match="zeros and ones") as caught:
        read_label_table(path, labels)
    assert is_sentence(caught.value)


@pytest.mark.parametrize(
    "cell",
    [
        "WrappedArray(hot dog, cat)", 'Counter({"dog": 2})', '[Label(name="hot dog")]',
        "<hot dog><cat>", '{"dog"=>1}', '["hot dog", "ca', r"[\"dog\"]", "dog (small", "0.7",
        "hot dog, ...", '{"task": "T0", "values": [{}]}', "https://a.org/dog", "[:dog]",
    ],
)  # fmt: skip
def test_a_notation_that_is_not_read_is_refused_and_not_a_label(tmp_path, cell, is_sentence):
    path = tmp_path / "t.json"
    path.write_text(json.dumps([{"image": f"{n}.jpg", "labels": cell} for n in (1, 2)]))
    with pytest.raises(TableError, match="cannot be read") as caught:
        read_label_table(path, None)
    assert is_sentence(caught.value)


@pytest.mark.parametrize("name", ["hot dog (large)", 'screen 12"', "c++", "it's", "cat [adult]"])
def test_a_name_may_have_marks(tmp_path, name):
    path = tmp_path / "t.json"
    path.write_text(json.dumps([{"image": f"{n}.jpg", "labels": [name]} for n in (1, 2)]))
    assert read_label_table(path, None).labels.names == (name,)


@pytest.mark.parametrize(
    ("first", "second"), [("dog and kettle", "kettle"), ("#dog #kettle", "#kettle")]
)
def test_words_between_labels_and_hashes_are_no_labels(tmp_path, first, second):
    path = tmp_path / "t.csv"
    path.write_text(f"image,labels\n1.jpg,{first}\n2.jpg,{second}\n")
    assert read_label_table(path, None).labels.names == ("dog", "kettle")
