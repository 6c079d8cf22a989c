"""Photos are found in a zip that does not say how its names are encoded."""

import pickle
import unicodedata
import zipfile

import pytest

from clipdemo.inputs.photo_source import PhotoSource


class _Raw(zipfile.ZipInfo):
    """A member whose name is these bytes, without the flag of UTF-8."""

    def _encodeFilenameFlags(self):
        return self.raw, self.flag_bits & ~0x800


@pytest.fixture
def packed(tmp_path):
    """A zip with these names as bytes; each file has its number as its content."""

    def packed(*names: bytes) -> PhotoSource:
        with zipfile.ZipFile(tmp_path / "photos.zip", "w") as file:
            for number, name in enumerate(names):
                info = _Raw(f"{number}.jpg")
                info.raw = name
                file.writestr(info, str(number))
        return PhotoSource(tmp_path / "photos.zip")

    return packed


def test_the_finders_names_are_utf_8(packed):
    """Without saying so, and with accents as letters of their own."""
    source = packed(unicodedata.normalize("NFD", "Fotos/Käse.jpg").encode(), b"Fotos/1.jpg")
    assert source.read("Käse.jpg") == b"0"
    assert source.read("1.jpg") == b"1"
    assert packed("犬.jpg".encode()).names == ["犬.jpg"]


@pytest.mark.parametrize(("encoding", "names"), [
    ("cp932", ["写真/犬.jpg", "写真/表.jpg", "1.jpg"]),
    ("gbk", ["照片/狗.jpg", "1.jpg"]),
    ("big5", ["照片/貓.jpg", "1.jpg"]),
    ("cp949", ["사진/개.jpg", "1.jpg"]),
    ("cp866", ["фото/Собака.jpg", "1.jpg"]),
    ("cp850", ["Köter.jpg", "ÀÉ.jpg", "1.jpg"]),
    ("cp1252", ["Köter.jpg", "1.jpg"]),
])  # fmt: skip
@pytest.mark.parametrize("extension", [".jpg", ""])
def test_the_names_of_a_table_tell_how_the_zip_is_encoded(packed, encoding, names, extension):
    source = packed(*(name.encode(encoding) for name in names))
    asked = [name.removesuffix(".jpg") + extension for name in names]
    source.match(asked)
    source = pickle.loads(pickle.dumps(source))
    assert [source.read(name) for name in asked] == [str(i).encode() for i in range(len(names))]


@pytest.mark.parametrize(("encoding", "names"), [
    ("cp932", ["犬と猫.jpg", "写真.jpg"]),
    ("gbk", ["狗.jpg", "微信图片_2021.jpg"]),
])  # fmt: skip
def test_names_that_read_well_need_no_table(packed, encoding, names):
    """As in the Batch tab, where the zip is opened first."""
    assert set(packed(*(name.encode(encoding) for name in names)).names) == set(names)


@pytest.mark.parametrize("name", ["Köter", "Ärger", "pää", "garçon", "ñandú", "château", "Straße"])
def test_western_names_of_dos_stay_as_they_are(packed, name):
    """Two bytes of them may look like an East Asian letter."""
    assert packed(f"{name}.jpg".encode("cp437")).names == [f"{name}.jpg"]
