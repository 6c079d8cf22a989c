"""Photo sources: a folder, its zip and its tars give the same bytes; a bad one a sentence."""

import io
import multiprocessing
import pickle
import shutil
import struct
import tarfile
import tracemalloc
import zipfile

import numpy as np
import pytest

from clipdemo.errors import PhotoError, TableError
from clipdemo.inputs.photo_files import MAX_BYTES
from clipdemo.inputs.photo_source import PhotoSource, photo_source

FILES = {
    "1.jpg": b"first",
    "a/2.jpg": b"second",
    "a/b/c/3.jpg": b"third" * 100,
    "a/1.jpg": b"not the nearest",
    "ünï code/köter 4.png": b"fourth",
}


@pytest.fixture
def folder(tmp_path):
    for name, data in FILES.items():
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path / "photos"


@pytest.fixture(params=["folder", "zip", "stored zip", "tar", "shards"])
def source(request, folder, tmp_path):
    if request.param == "folder":
        return PhotoSource(folder)
    if request.param in ("zip", "tar"):
        return PhotoSource(shutil.make_archive(tmp_path / "packed", request.param, folder))
    if request.param == "shards":
        (tmp_path / "shards").mkdir()
        for number, name in enumerate(FILES):
            with tarfile.open(tmp_path / "shards" / f"{number % 2}.tar", "a") as file:
                file.add(folder / name, name)
        return PhotoSource(tmp_path / "shards")
    with zipfile.ZipFile(tmp_path / "stored.zip", "w") as file:
        for name, data in FILES.items():
            file.writestr(name, data)
    return PhotoSource(tmp_path / "stored.zip")


@pytest.fixture
def refused(is_sentence):
    def read(source: PhotoSource, name: str) -> str:
        with pytest.raises(PhotoError) as caught:
            source.read(name)
        assert is_sentence(caught.value), caught.value
        assert name in str(caught.value) or "photo" in str(caught.value)
        return str(caught.value)

    return read


def test_photos_are_found_by_path_and_by_name_at_any_depth(source):
    by_name = {"2.jpg": b"second", "3.jpg": b"third" * 100, "köter 4.png": b"fourth"}
    for name, data in (FILES | by_name).items():
        assert name in source
        assert source.read(name) == data
    assert source.read("1.jpg") == b"first", "of two photos the one nearest to the top counts"


def test_other_processes_read_the_same_at_the_same_time(tmp_path):
    """Forked processes inherit an open file, and would move each other's position in it."""
    noise = np.random.default_rng(0)
    files = {f"{i}.jpg": noise.bytes(20_000) for i in range(100)}
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as file:
        for name, data in files.items():
            file.writestr(name, data)
    source = PhotoSource(tmp_path / "many.zip")
    assert source.read("0.jpg") == files["0.jpg"]
    with multiprocessing.get_context("fork").Pool(2, _inherit, (source,)) as pool:
        found = [pool.apply_async(_read_inherited, (list(files),)) for _ in range(8)]
        assert all(result.get() == list(files.values()) for result in found)


def _inherit(source: PhotoSource) -> None:
    global _inherited
    _inherited = source


def _read_inherited(names: list[str]) -> list[bytes]:
    return [_inherited.read(name) for name in names]


def test_a_source_can_be_sent_to_another_process(source):
    sent = pickle.loads(pickle.dumps(source))
    for name, data in FILES.items():
        assert sent.read(name) == source.read(name) == data


@pytest.mark.parametrize("name", ["9.jpg", "", "..", "../secret.jpg", "/etc/passwd", "1.JPG.jpg"])
def test_a_missing_photo_is_refused(source, refused, tmp_path, name):
    (tmp_path / "secret.jpg").write_bytes(b"not in the source")
    assert name not in source
    assert name in refused(source, name)


def test_a_photo_in_a_folder_that_is_too_large_is_refused(folder, refused):
    with (folder / "huge.jpg").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    assert "larger" in refused(PhotoSource(folder), "huge.jpg")


def test_a_large_member_is_refused(tmp_path, refused):
    """Zeros compress a thousand to one: a small zip must not fill the memory."""
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("bomb.jpg", bytes(MAX_BYTES + 1))
        file.writestr("good.jpg", b"good")
    source = PhotoSource(tmp_path / "bomb.zip")
    assert (tmp_path / "bomb.zip").stat().st_size < 100_000
    assert "larger" in refused(source, "bomb.jpg")
    assert source.read("good.jpg") == b"good"


def header_fields(data: bytearray, flags: int = 0, method: int = 8, size: int = 10240) -> None:
    """Set fields of a zip's only member, in its own header and in the list at the end."""
    for start, shift in ((0, 0), (data.index(b"PK\1\2"), 2)):
        struct.pack_into("<HH", data, start + shift + 6, flags, method)
        struct.pack_into("<L", data, start + shift + 22, size)


@pytest.mark.parametrize(
    ("fields", "words"),
    [({"size": 2**31}, "larger"), ({"size": 100}, "unpacked"), ({"flags": 1}, "encrypted"),
     ({"method": 97}, "unusual"), ({"method": zipfile.ZIP_LZMA}, "unusual"),
     ({"method": zipfile.ZIP_BZIP2}, "unusual")],
)  # fmt: skip
def test_a_member_of_unlimited_size_is_refused(tmp_path, refused, fields, words):
    """A kilobyte of bzip2 would become a gigabyte before its size could be checked."""
    path = tmp_path / "odd.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("1.jpg", bytes(range(256)) * 40)
    data = bytearray(path.read_bytes())
    header_fields(data, **fields)
    path.write_bytes(data)
    assert words in refused(PhotoSource(path), "1.jpg")


def test_a_member_that_is_larger_than_it_says_is_not_unpacked(tmp_path, refused):
    """Python's own reader unpacks all of it before it checks the size."""
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("1.jpg", bytes(200 * 2**20))
    data = bytearray(path.read_bytes())
    header_fields(data, size=1000)
    path.write_bytes(data)
    tracemalloc.start()
    refused(PhotoSource(path), "1.jpg")
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_a_damaged_member_is_refused_and_leaves_the_others_readable(tmp_path, refused):
    """Wherever it is damaged."""
    noise = np.random.default_rng(0).bytes(3000) + b"dog" * 500
    path = tmp_path / "damaged.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("1.jpg", noise)
        size = file.getinfo("1.jpg").compress_size
        file.writestr("2.jpg", b"second")
    whole = path.read_bytes()
    start = 30 + len("1.jpg")
    for place in (*range(start, start + 16), start + size // 2, start + size - 1):
        data = bytearray(whole)
        data[place] ^= 0xFF
        path.write_bytes(data)
        source = PhotoSource(path)
        try:
            assert source.read("1.jpg") == noise
        except PhotoError:
            refused(source, "1.jpg")
        assert source.read("2.jpg") == b"second"
    path.write_bytes(whole[:start] + bytes(size) + whole[start + size :])
    refused(PhotoSource(path), "1.jpg")


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK\x03\x04 hardly"])
def test_what_is_neither_folder_nor_zip_nor_tar_is_refused(tmp_path, is_sentence, data):
    path, tar = tmp_path / "photos.zip", tmp_path / "photos.tar"
    path.write_bytes(data)
    tar.write_bytes(data)
    for wrong in (path, tar, tmp_path / "nowhere", tmp_path / "nowhere.tar"):
        with pytest.raises(TableError) as caught:
            PhotoSource(wrong)
        assert is_sentence(caught.value)
        assert str(wrong) in str(caught.value)


@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_a_zip_whose_list_of_members_is_damaged_is_refused(tmp_path, is_sentence, keep):
    """Its end looks like a zip's, so that only reading the list shows it."""
    path = tmp_path / "photos.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("1.jpg", b"first" * 100)
    data = path.read_bytes()
    end = data.index(b"PK\x05\x06")
    start = data.index(b"PK\x01\x02")
    broken = start + int((end - start) * keep)
    path.write_bytes(data[:start] + b"\xff" * (broken - start) + data[broken:])
    with pytest.raises(TableError) as caught:
        PhotoSource(path)
    assert is_sentence(caught.value)


def write_tar(path, files: dict[str, bytes], mode: str = "w"):
    with tarfile.open(path, mode) as file:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    return path


def test_photos_beside_tar_shards_are_found(tmp_path):
    write_tar(tmp_path / "0.tar", {"1.jpg": b"packed", "a/2.jpg": b"deeper"})
    (tmp_path / "3.jpg").write_bytes(b"loose")
    source = PhotoSource(tmp_path)
    found = [source.read(name) for name in ("1.jpg", "2.jpg", "3.jpg")]
    assert found == [b"packed", b"deeper", b"loose"]


def test_of_two_members_of_one_name_the_later_counts(tmp_path):
    """That is how a tar is updated."""
    path = write_tar(tmp_path / "twice.tar", {"./1.jpg": b"old"})
    write_tar(path, {"1.jpg": b"new"}, "a")
    assert PhotoSource(path).read("1.jpg") == b"new"


def test_only_files_of_a_tar_are_photos(tmp_path, refused):
    with tarfile.open(tmp_path / "links.tar", "w") as file:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE):
            info = tarfile.TarInfo(f"{kind.decode()}.jpg")
            info.type, info.linkname = kind, "/etc/passwd"
            file.addfile(info)
    source = PhotoSource(tmp_path / "links.tar")
    for kind in "1256":
        refused(source, f"{kind}.jpg")


def test_a_member_of_a_tar_that_is_too_large_or_cut_off_is_refused(tmp_path, refused):
    path = write_tar(tmp_path / "photos.tar", {"1.jpg": b"good", "2.jpg": bytes(MAX_BYTES + 1)})
    source = PhotoSource(path)
    assert "larger" in refused(source, "2.jpg")
    write_tar(path, {"1.jpg": b"good", "2.jpg": bytes(5000)})
    source = PhotoSource(path)
    path.write_bytes(path.read_bytes()[:3000])
    assert "truncated" in refused(source, "2.jpg")
    assert source.read("1.jpg") == b"good"
    path.unlink()
    refused(source, "1.jpg")


def test_a_compressed_tar_is_refused(tmp_path, is_sentence):
    """It cannot be read from the middle."""
    path = write_tar(tmp_path / "photos.tar", {"1.jpg": b"good"}, "w:gz")
    with pytest.raises(TableError) as caught:
        PhotoSource(path)
    assert is_sentence(caught.value)


def test_a_tar_with_a_negative_size_is_refused(tmp_path, is_sentence):
    """It points back to its own start, so reading it would never end."""
    with tarfile.open(tmp_path / "t.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo("1.jpg"))
        tar.addfile(tarfile.TarInfo("2.jpg"))
    data = bytearray((tmp_path / "t.tar").read_bytes())
    second = data[512:1024]
    second[124:136] = (-512).to_bytes(12, "big", signed=True)
    second[148:156] = b" " * 8
    second[148:156] = b"%06o\0 " % sum(second)
    data[512:1024] = second
    (tmp_path / "t.tar").write_bytes(data)
    with pytest.raises(TableError) as error:
        PhotoSource(tmp_path / "t.tar")
    assert is_sentence(error.value)


@pytest.fixture
def remote():
    """An address in memory with two photos, another one in a shard, and another kind of file."""
    import fsspec

    system = fsspec.filesystem("memory")
    shard = io.BytesIO()
    with tarfile.open(fileobj=shard, mode="w") as tar:
        member = tarfile.TarInfo("packed.jpg")
        member.size = len(b"in the shard")
        tar.addfile(member, io.BytesIO(b"in the shard"))
    system.pipe("/bucket/photos/one.jpg", b"first")
    system.pipe("/bucket/photos/deep/000002.jpg", b"second")
    system.pipe("/bucket/photos/shard-0.tar", shard.getvalue())
    system.pipe("/bucket/photos/.DS_Store", b"")
    yield "memory://bucket/photos"
    system.rm("/bucket", recursive=True)


def test_photos_at_an_address_are_read_like_those_of_a_folder(remote, is_sentence):
    """By name, in tar shards as well; a missing or deleted photo gives a sentence."""
    import fsspec

    source = pickle.loads(pickle.dumps(photo_source(remote)))
    assert [source.read(name) for name in ("one.jpg", "2.jpg", "packed.jpg")] == [
        b"first", b"second", b"in the shard",
    ]  # fmt: skip
    assert source.matched == {"leading zeros": 1}
    assert ".DS_Store" not in source
    fsspec.filesystem("memory").rm("/bucket/photos/one.jpg")
    for name in ("one.jpg", "three.jpg"):
        with pytest.raises(PhotoError) as caught:
            source.read(name)
        assert is_sentence(caught.value)
    for address in ("memory://nowhere", "nonsense://bucket"):
        with pytest.raises(TableError) as caught:
            photo_source(address)
        assert is_sentence(caught.value), caught.value
