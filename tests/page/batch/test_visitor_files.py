"""What a visitor's files may be, and how large."""

import zipfile

import pytest
from support.paths import SCENES

from clipdemo.errors import ClipdemoError
from clipdemo.inputs.photo_source import most_members
from clipdemo.page.batch.visitor_files import MEMBERS, gather_files


def test_no_more_than_the_limit_is_taken(tmp_path):
    (tmp_path / "t.csv").write_text("ImageID,Caption\n" + "a.jpg,a dog\n" * 400)
    items, told = gather_files([tmp_path / "t.csv"], {}, 300)
    assert len(items) == 300
    assert "300" in told[0]
    assert "python -m clipdemo batch" in told[0]


def test_tables_of_every_small_kind_are_read_and_workbooks_refused_whatever_their_name(
    tmp_path, is_sentence
):
    """A workbook of a few kB may unpack to gigabytes."""
    rows = "ImageID,Caption\nbeach.webp,a dog\n"
    content = {"a.TXT": rows, "a.json": '[{"image": "beach.webp", "caption": "a dog"}]'}
    for name, text in content.items():
        (tmp_path / name).write_text(text)
        items, _ = gather_files([SCENES / "beach.webp", tmp_path / name], {}, 300)
        assert [(item.name, item.caption) for item in items] == [("beach.webp", "a dog")]
    for name, start in (("a.xlsx", b"PK\3\4"), ("a.parquet", b"PAR1"), ("b.csv", b"PK\3\4")):
        (tmp_path / name).write_bytes(start + bytes(99))
        with pytest.raises(ClipdemoError, match="save it as CSV") as refused:
            gather_files([SCENES / "beach.webp", tmp_path / name], {}, 300)
        assert is_sentence(refused.value)


def test_a_zip_of_very_many_names_is_refused_before_they_are_read(tmp_path, is_sentence):
    """Whatever number it states: reading them would take seconds for each visitor."""
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.png", b"")
    data = path.read_bytes()
    start, end = data.index(b"PK\1\2"), data.index(b"PK\5\6")
    names, tail = data[start:end] * (MEMBERS + 1), bytearray(data[end:])
    tail[12:16] = len(names).to_bytes(4, "little")
    path.write_bytes(data[:start] + names + tail)
    with pytest.raises(ClipdemoError) as refused:
        gather_files([path], {}, 300)
    assert is_sentence(refused.value)
    assert "python -m clipdemo batch" in str(refused.value)


def test_so_is_a_tar_of_the_oldest_form_whose_headers_have_no_signature(tmp_path, is_sentence):
    header = b"a.jpg".ljust(124, b"\0") + b"00000001000\0" + bytes(376) + bytes(512)
    (tmp_path / "few.tar").write_bytes(header * 3)
    assert most_members(tmp_path / "few.tar") == 3
    (tmp_path / "many.tar").write_bytes(header * (MEMBERS + 1))
    with pytest.raises(ClipdemoError) as refused:
        gather_files([tmp_path / "many.tar"], {}, 300)
    assert is_sentence(refused.value)
    assert f"{MEMBERS:,} files" in str(refused.value)
