"""Which files in a folder are scored, used as a table, or skipped."""

import shutil
from pathlib import Path

import pytest
from support.pictures import write_three_and_a_damaged

from clipdemo.errors import TableError
from clipdemo.inspection.batch import gather


@pytest.fixture(scope="module")
def folder(tmp_path_factory, photos) -> Path:
    return write_three_and_a_damaged(tmp_path_factory.mktemp("photos"), photos)


def test_files_that_are_no_photos_by_their_name_are_passed_over(folder, tmp_path):
    """Unless the user chose one by hand, or a row names it."""
    place = tmp_path / "mixed"
    place.mkdir()
    shutil.copy(folder / "0.png", place)
    shutil.copy(folder / "1.png", place / "1")
    (place / "readme.txt").write_text("about these photos")
    (place / "about.xml").write_text("<about/>")
    items, notices, _ = gather([place])
    assert [item.name for item in items] == ["0.png"]
    assert notices == ["3 other files were skipped, such as 1."]
    (tmp_path / "t.csv").write_text("ImageID,Caption\n0.png,a dog\n1,a cat\n")
    items, notices, account = gather([place], tmp_path / "t.csv")
    assert [(item.member, item.problem) for item in items] == [("0.png", None), ("1", None)]
    assert notices == ["2 other files were skipped, such as about.xml."]
    assert account.photos_without_row == 0
    (place / "1").unlink()
    (place / "about.xml").unlink()
    assert gather([place])[1] == ["1 other file was skipped: readme.txt."]
    assert len(gather([place, place / "readme.txt"])[0]) == 2
    (place / "a.csv").write_text("ImageID,Caption\n0.png,a dog\n")
    (place / "about.json").write_text("{}")
    items, notices, _ = gather([place], limit=9)
    assert items[0].caption == "a dog"
    assert notices == ["1 other file was skipped: readme.txt."]
    (place / "a.csv").write_text("name it so\n")
    with pytest.raises(TableError, match=r"^a\.csv has no column"):
        gather([place], limit=9)
    items, notices, _ = gather([place])
    assert items[0].caption == ""
    assert notices == ["3 other files were skipped, such as a.csv."]
