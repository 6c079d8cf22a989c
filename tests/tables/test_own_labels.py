"""A table's labels: the 18 if it has no others, else its own, in every form."""

import pandas as pd
import pytest

from clipdemo.errors import TableError
from clipdemo.inputs.labels import COCO18
from clipdemo.tables.label_table import read_label_table, write_label_table

HEAD = "ImageID,Labels,Caption\n"


@pytest.fixture
def own(tmp_path):
    """Labels and rows of a table with this content."""

    def read(content: str | bytes):
        path = tmp_path / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        table = read_label_table(path, None)
        rows = list(table.frame.itertuples(index=False, name=None))
        return table.labels, rows, table.account.left_out

    return read


@pytest.mark.parametrize(
    "rows", ["1.jpg,1 19,a\n2.jpg,3,b\n", '1.jpg,1;19,a\n2.jpg,3,"b, "c"\nd"\n', "1,3,a\n"]
)
def test_a_table_of_the_18_has_them_all(own, rows):
    """Also those that no row has, in their fixed order, on which heads rely."""
    assert own(HEAD + rows)[0] is COCO18


def test_one_id_outside_the_18_makes_the_labels_the_tables_own(own):
    labels, rows, _ = own(HEAD + "1.jpg,10 9,a\n2.jpg,100,b\n")
    assert labels.ids == labels.names == ("9", "10", "100")
    assert [ids for _, ids, _ in rows] == [("10", "9"), ("100",)]


def test_names_are_sorted_as_text(own):
    labels, _, refused = own(HEAD + "1.jpg,tree dog,a\n2.jpg,8,b\n3.jpg,10,c\n")
    assert labels.ids == ("10", "8", "dog", "tree")
    assert not refused


@pytest.mark.parametrize("separator", [";", "|", " ; "])
def test_names_may_have_spaces_if_something_else_separates_them(own, separator):
    labels, rows, _ = own(f"{HEAD}1.jpg,traffic light{separator}dog,a\n2.jpg,red bus,b\n")
    assert labels.names == ("dog", "red bus", "traffic light")
    assert [ids for _, ids, _ in rows] == [("traffic light", "dog"), ("red bus",)]


@pytest.mark.parametrize(
    "head", ["label", "Class", "category_name", "LabelName", "tag", "tagName", "keyword", "object",
             "displayName", "species", "target"]
)  # fmt: skip
def test_names_in_a_column_of_one_label_each_may_have_spaces(own, head):
    labels, _, _ = own(f"image,{head}\n1.jpg,golden retriever\n2.jpg,tree\n")
    assert labels.names == ("golden retriever", "tree")


def test_each_row_has_one_label_if_photos_have_several_rows(own):
    rows = "1.jpg,Human face\n1.jpg,Mobile phone\n2.jpg,Coffee cup\n2.jpg,Human hand\n"
    assert own("image,labels\n" + rows)[0].names == (
        "Coffee cup", "Human face", "Human hand", "Mobile phone"
    )  # fmt: skip


@pytest.mark.parametrize(
    "rows",
    [
        "1.jpg,red blue,one\n1.jpg,red blue,two\n1.jpg,red,three\n2.jpg,green,\n2.jpg,green,\n",
        "1.jpg,red blue,\n2.jpg,green,\n3.jpg,green blue,\n3.jpg,red,\n",
    ],
)
def test_several_workers_per_photo_do_not_join_the_words_of_labels(own, rows):
    assert own(HEAD + rows)[0].names == ("blue", "green", "red")


@pytest.mark.parametrize("end", ["\n", "\r\n", ",\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_the_loose_forms_are_read(own, end, mark):
    content = (
        'ImageID,Labels,Caption\n1.jpg,"red bus;dog",a, "big" one\n'
        '2.jpg,bird,"next, and "so"\nit, goes, on"\n3.jpg,dog,c\n'
    )
    labels, rows, refused = own(mark + content.replace("\n", end).encode())
    assert labels.ids == ("bird", "dog", "red bus")
    assert [row[0] for row in rows] == ["1.jpg", "2.jpg", "3.jpg"]
    assert not refused


def test_image_ids_may_be_any_words(own):
    """Neither a photo's extension nor a known label shows where such a row starts."""
    labels, rows, _ = own(
        HEAD + "a 1,dog;cat,one\nb 2,red bus,two\nc 3,bird,three\nfour, five, x\n"
    )
    assert labels.ids == ("bird", "cat", "dog", "red bus")
    assert [row[0] for row in rows] == ["a 1", "b 2", "c 3"]
    assert rows[2][2] == "three\nfour, five, x"


def test_columns_may_come_in_any_order(own):
    labels, rows, _ = own('labels,note,imageid\n"red bus;dog",x,1.jpg\ndog,y,2.jpg\n')
    assert labels.ids == ("dog", "red bus")
    assert [ids for _, ids, _ in rows] == [("red bus", "dog"), ("dog",)]


@pytest.mark.parametrize("ids", [[("red bus",), ("dog",)], [("red bus", "dog"), ("tree",)]])
def test_what_was_written_has_the_same_labels(tmp_path, ids):
    """Even if no row has two, so that no separator is needed between them."""
    path = tmp_path / "table.csv"
    frame = pd.DataFrame({"ImageID": ["1.jpg", "2.jpg"], "Labels": ids, "Caption": ["a", "b"]})
    write_label_table(frame, path)
    table = read_label_table(path, None)
    assert set(table.labels.ids) == {i for row in ids for i in row}
    assert table.frame["Labels"].tolist() == ids


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n", HEAD, HEAD + "1.jpg,,a\n", "\x89PNG\r\n"])
def test_a_table_without_labels_is_refused_in_one_sentence(own, is_sentence, content):
    with pytest.raises(TableError) as caught:
        own(content)
    assert is_sentence(caught.value)


@pytest.mark.parametrize("rows", [
    [("tabby, tabby cat",), ("lynx",)],
    [("red", "wool", "long"), ("blue", "cotton", "short")] * 3,
    [("red mug",), (), ("kettle", "red mug")],
    [("a;b",), ("a|b", "c")],
    [("kettle",), ("mug",)],
])  # fmt: skip
def test_a_written_table_has_the_same_labels(tmp_path, rows):
    names = [f"{i}.jpg" for i in range(len(rows))]
    frame = pd.DataFrame({"ImageID": names, "Labels": rows, "Caption": "a photo"})
    write_label_table(frame, tmp_path / "clean.csv")
    read = read_label_table(tmp_path / "clean.csv", None).frame["Labels"].tolist()
    assert [set(row) for row in read] == [set(row) for row in rows]
