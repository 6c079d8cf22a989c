"""Files of predictions: what is written is read, and other files are refused in one sentence."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from clipdemo.errors import TableError
from clipdemo.inspection.predictions import read_predictions, write_predictions
from inspection.test_queries import made


@pytest.fixture
def path(tmp_path):
    write_predictions(tmp_path / "p.parquet", made(50))
    return tmp_path / "p.parquet"


def test_what_was_written_is_read(path):
    found, expected = read_predictions(path), made(50)
    assert found.about == expected.about
    assert found.ids.tolist() == expected.ids.tolist()
    assert found.captions.tolist() == expected.captions.tolist()
    assert (found.truth == expected.truth).all()
    assert list(found.scores) == list(expected.scores)
    for mode, steps in expected.scores.items():
        assert (found.scores[mode] == steps).all(), mode


def test_the_columns_are_what_the_documentation_says(path):
    frame = parquet.read_table(path).to_pandas()
    assert frame["Labels"][4].tolist() == made(50).true_of(4)
    assert frame["image/dog"].between(0, 1).all()
    assert np.isnan(frame["concat/cat"][0])


def damaged(path, change):
    table = parquet.read_table(path)
    about = json.loads(table.schema.metadata[b"clipdemo"])
    table, about = change(table, about)
    parquet.write_table(table.replace_schema_metadata({"clipdemo": json.dumps(about)}), path)


@pytest.mark.parametrize(
    "change",
    [
        lambda t, a: (t.drop_columns(["text/cat"]), a),
        lambda t, a: (t.drop_columns(["Labels"]), a),
        lambda t, a: (t, {k: v for k, v in a.items() if k != "labels"}),
        lambda t, a: (t.set_column(3, "image/dog", pa.array([7.0] * len(t))), a),
        lambda t, a: (t.set_column(3, "image/dog", pa.array(["x"] * len(t))), a),
        lambda t, a: (t.set_column(2, "Labels", pa.array([["zebra"]] * len(t))), a),
        lambda t, a: (t, a | {"modes": {}}),
        lambda t, a: (t, a | {"modes": {m: v | {"thresholds": []} for m, v in a["modes"].items()}}),
    ],
    ids=["column", "truth", "no labels", "score of 7", "text", "label", "no mode", "thresholds"],
)
def test_a_damaged_file_is_one_sentence(path, change, is_sentence):
    damaged(path, change)
    with pytest.raises(TableError) as error:
        read_predictions(path)
    assert is_sentence(error.value)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"ImageID,Labels\n1.jpg,1\n"])
def test_another_file_than_parquet_is_one_sentence(tmp_path, content, is_sentence):
    (tmp_path / "x.parquet").write_bytes(content)
    with pytest.raises(TableError) as error:
        read_predictions(tmp_path / "x.parquet")
    assert is_sentence(error.value)


def test_a_failed_write_leaves_the_older_file(path):
    broken = replace(made(50), about=made(50).about | {"backbone": object()})
    with pytest.raises(TypeError):
        write_predictions(path, broken)
    assert len(read_predictions(path).ids) == 50
