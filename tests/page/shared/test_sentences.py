"""Sentences of the commands are repeated on the page without paths and flags."""

from pathlib import Path

import pytest

from clipdemo.errors import TableError
from clipdemo.page.shared.sentences import on_page
from clipdemo.tables.label_table import read_label_table

SAID = {
    "a,b\n1,2\n": "t.csv has no column of photo names (found: a, b); name it ImageID.",
    "ImageID,tags,classes\nx.jpg,dog,cat\n": (
        "t.csv has several columns that may be Labels (tags or classes): name one of them Labels."
    ),
    "ImageID,labels_x,dog,cat\nx.jpg,a,5,7\ny.jpg,b,8,9\n": (
        "The columns of labels (cat, dog, labels_x) have neither yes nor no: write 1 and 0."
    ),
    "image,animal,night\n1.jpg,dog,TRUE\n2.jpg,cat,FALSE\n3.jpg,dog,TRUE\n": (
        "Either animal or night may be the labels: name the column animal Labels, or remove the "
        "column animal if it has none."
    ),
}


@pytest.mark.parametrize(("text", "said"), SAID.items())
def test_a_table_that_cannot_be_read(tmp_path: Path, text, said):
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(TableError) as refused:
        read_label_table(path, None)
    assert on_page(refused.value, ["", ".", path]) == said
