"""Workbooks: every sheet with the same columns is read, and the account names the others."""

import openpyxl
import pytest

from clipdemo.tables.label_table import read_label_table

HEAD = ["image", "labels"]


@pytest.fixture
def read(tmp_path):
    """The labels of each photo in a workbook of these sheets, and how it was read."""

    def read(sheets: dict[str, list], hidden: str = ""):
        book = openpyxl.Workbook()
        book.remove(book.active)
        for name, rows in sheets.items():
            sheet = book.create_sheet(name)
            sheet.sheet_state = "hidden" if name == hidden else "visible"
            for row in rows:
                sheet.append(row)
        book.save(tmp_path / "t.xlsx")
        table = read_label_table(tmp_path / "t.xlsx")
        found = dict(zip(table.frame["ImageID"], table.frame["Labels"], strict=True))
        return found, table.account.to_dict()

    return read


def test_parts_of_a_dataset_in_sheets_of_one_header_are_all_read(read):
    found, account = read({
        "train": [HEAD, ["1.jpg", "dog; person"], [None, "cat"]],
        "test": [["A title"], ["Image", "Labels"], ["2.jpg", "cat"], [None, "dog"]],
        "notes": [["To do", "By"], ["check the dogs", "Ann"]],
        "Sheet4": [],
    })  # fmt: skip
    assert found == {"1.jpg": ("18", "1"), "2.jpg": ("17",)}
    assert account["read_as"]["sheets"] == "train, test"
    assert account["read_as"]["sheets not read"] == "notes"
    assert account["left_out"][0]["examples"] == ["line 3: ", "line 7: "]


def test_a_sheet_of_other_columns_is_not_mixed_in_but_named(read):
    found, account = read({
        "labels": [HEAD, ["1.jpg", "dog"]],
        "legend": [["image", "labels", "meaning"], ["icon.png", "dog", "any dog"]],
    })  # fmt: skip
    assert found == {"1.jpg": ("18",)}
    assert account["read_as"]["sheet"] == "labels"
    assert account["read_as"]["sheets not read"] == "legend"


def test_a_hidden_sheet_is_an_old_copy_unless_it_is_the_only_one(read):
    old, new = [HEAD, ["1.jpg", "cat"]], [HEAD, ["1.jpg", "dog"]]
    found, account = read({"old": old, "new": new}, hidden="old")
    assert found == {"1.jpg": ("18",)}
    assert account["read_as"]["sheets not read"] == "old"
    assert read({"notes": [["a"], ["b"]], "new": new}, hidden="new")[0] == found
