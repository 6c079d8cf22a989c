"""Which photos are held out: the same ones each time, and never a photo on both sides."""

import numpy as np
import pandas as pd
import pytest

from clipdemo.errors import TableError
from clipdemo.study.splits import held_out


def index(*names: str) -> pd.DataFrame:
    return pd.DataFrame({"ImageID": pd.Series(names, dtype="str")})


NUMBERED = index(*(f"{n}.jpg" for n in range(100)))
SCATTERED = index(*(f"{n}.jpg" for n in np.random.default_rng(0).permutation(3000)))


def names(frame: pd.DataFrame, rule: str) -> list[str]:
    return frame["ImageID"][held_out(frame, rule)].tolist()


def test_last_holds_out_the_last_photos_of_the_table():
    assert names(NUMBERED, "last:3") == ["97.jpg", "98.jpg", "99.jpg"]
    assert len(names(SCATTERED, "last:2000")) == 2000


def test_every_goes_by_the_number_in_the_name():
    assert names(NUMBERED, "every:6:1") == [f"{n}.jpg" for n in range(100) if n % 6 == 1]
    found = names(index("a_07.jpg", "2008_000012.png", "3_000007b.jpg", "a7"), "every:6:1")
    assert found == ["a_07.jpg", "3_000007b.jpg", "a7"], "the last number, not the year"


def test_share_holds_out_about_that_share():
    for share in (0.05, 0.15, 0.5):
        assert abs(held_out(SCATTERED, f"share:{share}").mean() - share) < 0.03


def test_share_goes_by_the_name_alone():
    """Added or reordered rows move no photo to the other side."""
    chosen = set(names(SCATTERED, "share:0.15"))
    fewer = SCATTERED.iloc[::-3]
    assert set(names(fewer, "share:0.15")) == chosen & set(fewer["ImageID"])
    assert set(names(SCATTERED, "share:0.3")) > chosen


def test_stratified_holds_out_that_share_of_every_label_however_rare():
    rng = np.random.default_rng(0)
    rates = np.array([0.5, 0.2, 0.05, 0.02, 0.01])
    true = rng.random((2000, 5)) < rates
    frame = index(*(f"{n}.jpg" for n in range(2000)))
    frame["Labels"] = [tuple(str(i) for i in np.flatnonzero(row)) for row in true]
    held = held_out(frame, "stratified:0.15")
    assert held.mean() == pytest.approx(0.15, abs=0.005)
    assert np.abs(true[held].sum(0) - 0.15 * true.sum(0)).max() <= 1
    turned = frame.iloc[::-1].reset_index(drop=True)
    assert (held_out(turned, "stratified:0.15") == held[::-1]).all()
    twice = pd.concat([frame, frame.iloc[::3]], ignore_index=True)
    assert set(names(twice, "stratified:0.15")) == set(names(frame, "stratified:0.15"))


def test_a_label_table_holds_out_its_photos(tmp_path):
    table = tmp_path / "check.csv"
    table.write_text("ImageID,Labels\n5.jpg,tea pot;cup\n7.jpg,cup\nelsewhere.jpg,cup\n")
    assert names(NUMBERED, str(table)) == ["5.jpg", "7.jpg"]


@pytest.mark.parametrize("rule", ["last:20", "every:3:2", "share:0.4"])
def test_all_rows_of_a_photo_fall_on_the_same_side(rule):
    """A photo whose generated caption is used for training must not be used for validation."""
    twice = pd.concat([NUMBERED, NUMBERED.iloc[::2], NUMBERED.iloc[::5]], ignore_index=True)
    sides = pd.Series(held_out(twice, rule)).groupby(twice["ImageID"]).nunique()
    assert (sides == 1).all()
    assert set(names(twice, rule)) == set(names(NUMBERED, rule))


@pytest.mark.parametrize(
    "rule",
    ["", "last", "last:", "last:x", "last:-5", "every:6", "every:0:1", "every:6:x", "share:2",
     "share:-0.1", "share:x", "some:3", "nowhere.csv"],
)  # fmt: skip
def test_an_invalid_rule_is_refused_with_a_list_of_valid_ones(rule, is_sentence):
    with pytest.raises(TableError, match="every:6:1") as refused:
        held_out(NUMBERED, rule)
    assert is_sentence(refused.value)


@pytest.mark.parametrize(
    ("rule", "side"),
    [("last:0", "validation"), ("last:100", "training"), ("last:500", "training"),
     ("every:6:8", "validation"), ("every:1:0", "training")],
)  # fmt: skip
def test_a_rule_that_leaves_one_side_empty_is_refused(rule, side, is_sentence):
    with pytest.raises(TableError, match=side) as refused:
        held_out(NUMBERED, rule)
    assert is_sentence(refused.value)
