"""Limits on photo files hold by their headers, before anything is decoded."""

import struct
import subprocess
import sys
import zlib

import pytest
from PIL import Image
from support.pictures import FORMATS, assert_same_colours, encode, png, quarters, refusal

from clipdemo.errors import PhotoError
from clipdemo.inputs import photo_files
from clipdemo.inputs.images import read_photo
from clipdemo.inputs.photo_files import MAX_ASPECT, MAX_BYTES, MAX_SCANS


def test_files_over_the_limit_are_refused_before_they_are_read(tmp_path):
    path = tmp_path / "large.png"
    with path.open("wb") as file:
        file.truncate(2**40)  # sparse: reading it would take all memory
    assert refusal(path) == "This photo is larger than 40 MB: make it smaller."
    assert refusal(bytes(MAX_BYTES + 1)) == "This photo is larger than 40 MB: make it smaller."
    good = encode(quarters(), "PNG")
    assert read_photo(good + bytes(MAX_BYTES - len(good))).size == (96, 64)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("size", [(7100, 7100), (10_000, 10_000), (14_000, 14_000), (2**30, 1)])
def test_too_many_pixels_are_refused_from_the_header(size):
    """On both sides of the sizes where Pillow itself warns and refuses."""
    assert "50 million pixels" in refusal(png(*size, b""))


def test_the_limit_on_pixels_holds_for_every_format_and_for_pillow_images(monkeypatch):
    kinds = [kind for kind in FORMATS if kind not in ("HEIF", "JPEG")]
    sources = [encode(quarters(), kind) for kind in kinds] + [quarters()]
    sources.append(encode(quarters(), "JPEG", progressive=True))
    monkeypatch.setattr(photo_files, "MAX_PIXELS", 96 * 64)
    for source in sources:
        assert read_photo(source).size == (96, 64)
    monkeypatch.setattr(photo_files, "MAX_PIXELS", 96 * 64 - 1)
    for source in sources:
        with pytest.raises(PhotoError, match="million pixels"):
            read_photo(source)


def test_a_cropped_heic_is_measured_before_its_crop(monkeypatch):
    """It is decoded at its full size, so the small size it reports would hide a bomb."""
    data = encode(quarters().crop((0, 0, 61, 61)), "HEIF")  # stored as 64 x 64
    assert read_photo(data).size == (61, 61)
    monkeypatch.setattr(photo_files, "MAX_PIXELS", 64 * 64 - 1)
    with pytest.raises(PhotoError, match="million pixels"):
        read_photo(data)


def test_a_bomb_costs_no_memory():
    """500 KB of PNG that would take 500 MB to decode."""
    pack = zlib.compressobj()
    rows = b"".join(pack.compress(bytes(13_000 * 3 + 1)) for _ in range(13_000)) + pack.flush()
    code = (
        "import resource, sys\n"
        "from clipdemo.inputs.images import PhotoError, read_photo\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "data = sys.stdin.buffer.read()\n"
        "before = peak()\n"
        "try: read_photo(data)\n"
        "except PhotoError as error: print(error, file=sys.stderr)\n"
        "print(peak() - before)\n"
    )
    bomb = png(13_000, 13_000, rows)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], input=bomb, capture_output=True, check=True
    )
    assert b"million pixels" in done.stderr
    assert int(done.stdout) * (1 if sys.platform == "darwin" else 1024) < 50 * 2**20


def test_empty_and_extremely_narrow_pictures_are_refused():
    assert "damaged" in refusal(png(0, 5, b""))
    assert "damaged" in refusal(Image.new("RGB", (0, 5)))
    assert read_photo(Image.new("RGB", (MAX_ASPECT, 1))).size == (MAX_ASPECT, 1)
    assert "as long as it is wide" in refusal(Image.new("RGB", (1, MAX_ASPECT + 1)))


def test_a_jpeg_with_too_many_scans_is_refused():
    """Each scan costs the sender some bytes and the server a pass over all pixels."""
    data = encode(quarters(), "JPEG", progressive=True)
    scan = data[data.rindex(b"\xff\xda") : -2]
    assert_same_colours(read_photo(data[:-2] + scan * 3 + data[-2:]), quarters())
    assert "damaged" in refusal(data[:-2] + scan * MAX_SCANS + data[-2:])


def test_a_jpeg_whose_first_scan_lacks_a_component_counts_in_full_size():
    """Its decoder keeps the whole picture until the last scan, whatever size is wanted."""
    data = bytearray(encode(Image.new("RGB", (64, 64)), "JPEG", subsampling=0))
    frame, scan = data.index(b"\xff\xc0"), data.index(b"\xff\xda")
    data[frame + 5 : frame + 9] = (15_800).to_bytes(2) * 2
    assert read_photo(bytes(data[:scan]) + bytes(data[scan:]), 100).size[0] < 15_800
    data[scan : scan + 14] = b"\xff\xda\0\x08\x01\x01\0\0\x3f\0"
    assert "50 million" in refusal(bytes(data), min_side=100)


def test_many_scans_of_a_large_jpeg_are_refused():
    """Each is a pass over all pixels, so that a kilobyte could take a minute."""
    data = bytearray(encode(Image.new("RGB", (64, 64)), "JPEG", progressive=True))
    frame, scan = data.index(b"\xff\xc2"), data.rindex(b"\xff\xda")
    data[frame + 5 : frame + 9] = (7_000).to_bytes(2) * 2
    assert "damaged" in refusal(bytes(data[:-2] + data[scan:-2] * 25 + data[-2:]))


def test_a_tile_larger_than_its_picture_is_refused():
    def tag(number: int, value: int) -> bytes:
        return struct.pack("<HHII", number, 4, 1, value)

    tags = [(256, 100), (257, 100), (258, 8), (259, 1), (262, 1), (277, 1), (322, 16_384),
            (323, 16_384), (324, 200), (325, 100)]  # fmt: skip
    data = struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + b"".join(tag(*t) for t in tags)
    assert "50 million" in refusal(data + bytes(400))
