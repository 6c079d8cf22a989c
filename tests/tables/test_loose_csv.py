"""Where rows of the study's form begin, and whether its quotes are well-formed."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipdemo.tables.label_table import read_label_table
from clipdemo.tables.loose_csv import PHOTO_ROW, quotes_are_well_formed

PIECES = ['"', '""', ",", "\n", "\r\n", "a", "1.jpg", "1.jpg,", "é"]
BODIES = st.lists(st.sampled_from(PIECES), min_size=1, max_size=16).map("".join)


@given(BODIES)
def test_bytes_and_text_are_judged_alike(body):
    """Text is checked by the pattern only, bytes by the quick check first."""
    quick = quotes_are_well_formed(memoryview(body.encode()), PHOTO_ROW)
    assert quick == quotes_are_well_formed(body, PHOTO_ROW)


@given(st.lists(st.text("ab ,é", min_size=1).map("x".__add__), min_size=1, max_size=20))
def test_quoted_captions_are_well_formed_in_both(captions):
    body = "".join(f'{i}.jpg,1,"{caption}"\n' for i, caption in enumerate(captions))
    assert quotes_are_well_formed(memoryview(body.encode()), PHOTO_ROW)
    assert not quotes_are_well_formed(memoryview(f'{body}x.jpg,1,a "b" c"'.encode()), PHOTO_ROW)


@pytest.mark.parametrize(
    "row",
    [
        "IMG 2.CR2,dog,A cat in a box",
        "IMG_2.MOV,,An empty street",
        "scan2,,An empty street",
        "https://a.org/2?w=640,dog;,A dog",
        "two.dng,mug;,A mug",
        '"2, old.dng","red mug;mug","A mug"',
    ],
)
def test_a_row_of_any_file_does_not_vanish_in_the_caption_above(tmp_path, row):
    """Most rows name photos, this one another file, and perhaps a label that occurs only here."""
    content = f"ImageID,Labels,Caption\n1.jpg,dog,A dog\n{row}\n3.jpg,dog,x\n"
    (tmp_path / "t.csv").write_text(content)
    table = read_label_table(tmp_path / "t.csv", None)
    (expected,) = csv.reader([row])
    assert len(table.frame) == 3
    image_id, labels, caption = table.frame.iloc[1]
    assert (image_id, caption) == (expected[0], expected[2])
    assert labels == tuple(filter(None, expected[1].split(";")))


def test_a_caption_goes_on_below_a_line_break(tmp_path):
    """Words with points and commas do not make its line a row."""
    ends = ["at 5.30pm, a dog, a cat, and", "e.g. a dog, dog, or two", "with Mr.Smith, dog, cat,"]
    rows = "".join(f"{n}.jpg,dog,A man\n{end}\n" for n, end in enumerate(ends))
    (tmp_path / "t.csv").write_text(f"ImageID,Labels,Caption\n{rows}")
    table = read_label_table(tmp_path / "t.csv", None)
    assert table.frame["Caption"].tolist() == [f"A man\n{end}" for end in ends]


@pytest.mark.parametrize("header", ["ImageID,Labels,Caption", "image,tags,text"])
def test_quotes_may_be_escaped_by_a_backslash(tmp_path, header):
    r"""As Spark and MySQL do; a field may also end in a backslash."""
    (tmp_path / "t.csv").write_text(
        f'{header}\n1.jpg,"[\\"hot dog\\",\\"mug\\"]","A \\"big\\" dog, and more"\n'
        '2.jpg,mug,"a mug, \\"so it says\\""\n'
    )
    table = read_label_table(tmp_path / "t.csv", None)
    assert table.frame["Labels"].tolist() == [("hot dog", "mug"), ("mug",)]
    assert table.frame["Caption"].tolist() == ['A "big" dog, and more', 'a mug, "so it says"']
    (tmp_path / "t.csv").write_text(f'{header}\n1.jpg,dog,"C:\\"\n2.jpg,mug,"a, \\"\n')
    table = read_label_table(tmp_path / "t.csv", None)
    assert table.frame["Caption"].tolist() == ["C:\\", "a, \\"]
