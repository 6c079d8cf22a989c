"""Rows of a store as a mode's head reads them, for training and validation."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clipdemo.errors import TableError
from clipdemo.inputs.labels import LabelSet
from clipdemo.study.feature_store import About, Store
from clipdemo.study.rows import split_rows
from clipdemo.tables.label_table import target_matrix

PHOTOS, WIDTH = 12, 3
LABELS = LabelSet(("cup", "tea pot"), ("cup", "tea pot"))
RULE = "every:4:1"
HELD = [1, 5, 9]
ABOUT = About("tiny", "", WIDTH, LABELS.names, LABELS.ids, "T.csv", "photos")


def store(photos: bool = True, captions: bool = True, labels=("cup", "tea pot")) -> Store:
    """12 photos with a caption each except the last two, and 6 generated captions.

    An embedding contains its row's number, to show where an input comes from.
    """
    own = [(f"{n}.jpg", "table", f"own {n}" if captions and n < 10 else "") for n in range(PHOTOS)]
    generated = [(f"{n}.jpg", "generated", f"said {n}") for n in range(6)] if captions else []
    index = pd.DataFrame([*own, *generated], columns=["ImageID", "source", "Caption"])
    index["Labels"] = [(labels[n % len(labels)],) for n in range(len(index))]
    rows = np.repeat(np.arange(len(index), dtype=np.float32)[:, None], WIDTH, axis=1)
    text = np.where((index["Caption"] != "").to_numpy()[:, None], 100 + rows, np.nan)
    targets = target_matrix(index, LABELS)
    return Store(
        Path("store"), index, rows if photos else None,
        text.astype(np.float32) if captions else None, ABOUT, targets,
    )  # fmt: skip


def numbers(rows) -> list[int]:
    """The rows of the store that the inputs come from."""
    return (rows.inputs[:, 0].astype(int) % 100).tolist()


def test_image_takes_each_photo_once_with_or_without_a_caption():
    train, check = split_rows(store(), "image", RULE, "both")
    assert numbers(check) == HELD
    assert numbers(train) == [n for n in range(PHOTOS) if n not in HELD]
    assert train.inputs.shape == (9, WIDTH)


@pytest.mark.parametrize("mode", ["text", "concat", "mutan"])
def test_rows_without_a_caption_are_left_out_where_captions_are_read(mode):
    train, check = split_rows(store(), mode, RULE)
    assert numbers(check) == HELD
    assert numbers(train) == [0, 2, 3, 4, 6, 7, 8]
    assert np.isfinite(train.inputs).all()
    assert train.captions == [f"own {n}" for n in numbers(train)]


@pytest.mark.parametrize("mode", ["concat", "mutan"])
def test_both_are_side_by_side_the_photo_first(mode):
    train, _ = split_rows(store(), mode, RULE)
    row = numbers(train)[1]
    assert train.inputs[1].tolist() == [row] * WIDTH + [100 + row] * WIDTH


@pytest.mark.parametrize(
    ("captions", "expected"),
    [
        ("original", [0, 2, 3, 4, 6, 7, 8]),
        ("generated", [12, 14, 15, 16]),
        ("both", [0, 2, 3, 4, 6, 7, 8, 12, 14, 15, 16]),
    ],
)
def test_generated_captions_are_for_training_only(captions, expected):
    """Rows 12 to 17 are generated, 13 and 17 of photos that are held out."""
    train, check = split_rows(store(), "text", RULE, captions)
    assert numbers(train) == expected
    assert numbers(check) == HELD


def test_targets_are_those_of_the_rows():
    all_rows = store()
    for side in split_rows(all_rows, "text", RULE, "both"):
        assert np.array_equal(side.targets, all_rows.targets[numbers(side)])


@pytest.mark.parametrize(
    ("has", "mode"),
    [({"photos": False}, "image"), ({"photos": False}, "concat"), ({"captions": False}, "text"),
     ({"captions": False}, "mutan")],
)  # fmt: skip
def test_a_mode_that_the_store_has_nothing_for_is_refused(has, mode, is_sentence):
    with pytest.raises(TableError, match=mode) as refused:
        split_rows(store(**has), mode, RULE)
    assert is_sentence(refused.value)


def test_no_row_or_no_label_on_one_side_is_refused(is_sentence):
    plain = store()
    none_generated = Store(**vars(plain) | {"index": plain.index.assign(source="table")})
    unlabelled = Store(
        **vars(plain) | {"targets": plain.targets * (np.arange(18) % 4 != 1)[:, None]}
    )
    for wrong, captions in ((none_generated, "generated"), (unlabelled, "original")):
        with pytest.raises(TableError) as refused:
            split_rows(wrong, "text", RULE, captions)
        assert is_sentence(refused.value)


def test_unknown_captions_are_refused(is_sentence):
    with pytest.raises(TableError, match="generated") as refused:
        split_rows(store(), "text", RULE, "none")
    assert is_sentence(refused.value)
