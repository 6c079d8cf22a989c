"""A name in a table refers to one file or none; it never guesses between two."""

import unicodedata

import pytest

from clipdemo.errors import PhotoError
from clipdemo.inputs.photo_names import PhotoNames, is_photo, is_side_file

FILES = (
    "val/000000000139.jpg", "val/Käse.JPG", "val/my photo.jpeg", "a/x.png", "b/x.png", "top.jpg",
    "a/top.jpg", "v1.2/IMG_0007.HEIC",
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "file", "took"),
    [
        ("val/000000000139.jpg", "val/000000000139.jpg", ""),
        ("000000000139.jpg", "val/000000000139.jpg", "folder"),
        ("./val/000000000139.jpg", "val/000000000139.jpg", "path"),
        ("C:\\data\\val\\000000000139.jpg", "val/000000000139.jpg", "folder"),
        ("file:///home/me/val/000000000139.jpg", "val/000000000139.jpg", "folder"),
        ("/old/place/val/my%20photo.jpeg", "val/my photo.jpeg", "folder"),
        ("139.jpg", "val/000000000139.jpg", "leading zeros"),
        ("139", "val/000000000139.jpg", "leading zeros and extension"),
        ("000000000139", "val/000000000139.jpg", "extension"),
        (unicodedata.normalize("NFD", "Käse.JPG"), "val/Käse.JPG", "Unicode form"),
        ("KÄSE.jpg", "val/Käse.JPG", "case"),
        ("img_7.heic", "v1.2/IMG_0007.HEIC", "leading zeros"),
        ("IMG_0007", "v1.2/IMG_0007.HEIC", "extension"),
        ("https://a.org/val/my%20photo.jpeg?w=80&h=9#top", "val/my photo.jpeg", "folder"),
        ("b/x.png", "b/x.png", ""),
        ("D:\\b\\x.png", "b/x.png", "path"),
        ("old/b/x.png", "b/x.png", "folder"),
        ("top.jpg", "top.jpg", ""),
        ("/data/upload/3/5f2b8d4a-top.jpg", "top.jpg", "prefix of an upload"),
    ],
)
def test_a_name_finds_its_only_file_and_says_what_it_took(name, file, took):
    assert PhotoNames(FILES).find(name) == (file, took)


@pytest.mark.parametrize("name", ["x.png", "c/x.png", "X.PNG", "x"])
def test_two_that_fit_are_refused_and_both_are_named(name, is_sentence):
    with pytest.raises(PhotoError) as caught:
        PhotoNames(FILES).find(name)
    assert "a/x.png" in str(caught.value)
    assert "b/x.png" in str(caught.value)
    assert is_sentence(caught.value)


class Counted(str):
    """A file's path, which counts how often it is taken apart."""

    times = 0

    def split(self, *given):
        Counted.times += 1
        return super().split(*given)


def test_many_rows_and_many_files_of_one_name_are_not_all_compared():
    """A zip of 16 MB and a small table would otherwise take minutes."""
    files = PhotoNames(Counted(f"{number}/photos/x.png") for number in range(1000))
    for number in range(0, 1000, 10):
        assert files.find(f"old/{number}/photos/x.png") == (f"{number}/photos/x.png", "folder")
    with pytest.raises(PhotoError, match="may be"):
        files.find("none/photos/x.png")
    assert Counted.times <= 1000


@pytest.mark.parametrize(
    "name", ["", "/", "..", "x.jpg", "140.jpg", "139.png", "none.png", "a/", "val"]
)
def test_no_other_name_finds_anything(name, is_sentence):
    with pytest.raises(PhotoError) as caught:
        PhotoNames(FILES).find(name)
    assert is_sentence(caught.value)


@pytest.mark.parametrize(
    "file",
    ["__MACOSX/DCIM/._a.jpg", "@eaDir/a.jpg/SYNOPHOTO_THUMB_S.jpg", "x/Thumbs.db", ".DS_Store",
     "._a.jpg", ".trash/a.jpg", "desktop.ini"],
)  # fmt: skip
def test_side_files_of_systems_are_not_photos(file):
    assert is_side_file(file)
    assert not is_photo(file)
    assert is_photo("a/b.JPEG")
    assert not is_photo("a/notes.txt")
