"""All names of a table are matched together, so that no two of them get one photo by mistake."""

import pytest

from clipdemo.errors import PhotoError
from clipdemo.inputs.photo_source import PhotoSource


def refusal(source: PhotoSource, name: str) -> str:
    with pytest.raises(PhotoError) as caught:
        source.read(name)
    return str(caught.value)


@pytest.fixture
def val(tmp_path):
    """A folder with one of the two that a table's names lie in."""
    (tmp_path / "val").mkdir()
    (tmp_path / "val" / "1.jpg").write_bytes(b"of val")
    return tmp_path / "val"


def test_a_photo_of_the_same_name_in_another_folder_is_not_taken_for_it(val, is_sentence):
    source = PhotoSource(val)
    source.match(["train/1.jpg", "val/1.jpg"])
    assert source.read("val/1.jpg") == b"of val"
    assert is_sentence(refusal(source, "train/1.jpg"))


def test_of_two_folders_that_are_both_elsewhere_neither_is_taken(val, is_sentence):
    source = PhotoSource(val)
    source.match(["cats/1.jpg", "dogs/1.jpg"])
    for name in ("cats/1.jpg", "dogs/1.jpg"):
        assert is_sentence(refusal(source, name))


def test_longer_and_shorter_names_of_the_same_place_are_one_photo(val):
    names = ["1.jpg", "data/1.jpg", r"C:\home\data\1.jpg", "https://x.org/home/Data/1.JPG"]
    source = PhotoSource(val)
    source.match(names)
    assert {source.read(name) for name in names} == {b"of val"}


def test_a_link_to_a_missing_file_does_not_stop_the_others(val):
    (val / "2.jpg").symlink_to(val / "nowhere.jpg")
    source = PhotoSource(val)
    before = source.stamp(["1.jpg", "2.jpg"])
    (val / "nowhere.jpg").write_bytes(b"now here")
    assert source.stamp(["1.jpg", "2.jpg"]) != before


@pytest.mark.parametrize("guessed", ["1", "001.jpg", "0001", "8a7b6c5d-1.jpg"])
def test_a_name_that_only_resembles_a_photos_does_not_take_that_of_another_row(
    val, guessed, is_sentence
):
    source = PhotoSource(val)
    source.match([guessed, "data/1.jpg"])
    assert source.read("data/1.jpg") == b"of val"
    assert is_sentence(refusal(source, guessed))
    alone = PhotoSource(val)
    alone.match([guessed])
    assert alone.read(guessed) == b"of val"
