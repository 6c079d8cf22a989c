"""Files that are no photos, damaged, odd or too large: read, or refused in one sentence at little
cost."""

import contextlib
import gzip
import io
import struct
import subprocess
import sys
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from support.pictures import FORMATS, RED, assert_same_colours, encode, png, quarters

from clipdemo.errors import PhotoError
from clipdemo.inputs import images, photo_files
from clipdemo.inputs.images import read_photo
from clipdemo.inputs.photo_files import MAX_ASPECT, MAX_BYTES, MAX_PIXELS, MAX_SCANS


def refusal(source, **options) -> str:
    """The sentence a photo is refused with; a good photo must still be read afterwards."""
    with pytest.raises(PhotoError) as caught:
        read_photo(source, **options)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert sentence.count(".") == 1
    assert "\n" not in sentence
    assert_same_colours(read_photo(encode(quarters(), "PNG")), quarters(), 0)
    return sentence


def test_other_files_are_refused_whatever_their_name(tmp_path):
    """No other decoder of Pillow may see the bytes: some of them start programs."""
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"/>'
    others = [b"dog", b"<html>", b"%PDF-1.7", b"%!PS-Adobe-3.0 EPSF", b"P6 1 1 255 abc", svg]
    others += [gzip.compress(svg), b"MZ" + bytes(99), bytes(99)]
    others += [encode(quarters(), kind) for kind in ("PPM", "ICNS", "PDF", "EPS", "TGA")]
    for data in others:
        path = tmp_path / "photo.png"
        path.write_bytes(data)
        for source in (data, path):
            assert refusal(source).startswith(
                "This file is damaged or not a photo this app can read: use"
            )


def test_missing_empty_and_unreadable_files_are_refused(tmp_path):
    empty = tmp_path / "empty.png"
    empty.touch()
    assert "empty" in refusal(empty)
    assert "empty" in refusal(b"")
    for path in (tmp_path / "none.png", str(tmp_path), "", "a\0b"):
        assert "no photo at this path" in refusal(path)
    assert "cannot be opened" in refusal("x" * 5000)
    assert "no photo" in refusal("/dev/zero")


@pytest.mark.parametrize("kind", FORMATS)
def test_truncated_photos_are_refused_or_read_but_never_crash(kind):
    data = encode(quarters(), kind)
    for keep in range(1, len(data), max(1, len(data) // 40)):
        try:
            assert read_photo(data[:keep]).mode == "RGB"
        except PhotoError:
            refusal(data[:keep])


def test_a_photo_cut_in_the_middle_is_refused_as_damaged():
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    for kind in ("JPEG", "PNG", "WEBP", "BMP", "AVIF", "HEIF"):
        data = encode(Image.fromarray(noise), kind)
        assert "damaged" in refusal(data[: len(data) * 2 // 3]), kind


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


def test_metadata_of_a_png_neither_hinders_nor_costs():
    """Megabytes of text, as image generators write; a profile that decompresses to even more."""
    rows = zlib.compress(b"\0" + bytes(3))
    packed = zlib.compress(bytes(20 * 2**20))
    for chunk in [
        (b"tEXt", b"a\0" + b"made " * 600_000),
        (b"zTXt", b"a\0\0" + packed),
        (b"iTXt", b"a\0\1\0\0\0" + packed),
        (b"iCCP", b"a\0\0" + packed),
        (b"iCCP", b"a\0\0no zlib"),
    ]:
        assert read_photo(png(1, 1, rows, chunk)).size == (1, 1)


def test_a_large_colour_profile_of_a_png_counts():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = profile.replace(b"rXYZ", b"tmp ").replace(b"bXYZ", b"rXYZ").replace(b"tmp ", b"bXYZ")
    swapped = swapped.replace(b"s\0R\0G\0B", b"o\0t\0h\0e").replace(b"sRGB", b"othr")
    large = swapped + bytes(2**21)
    large = len(large).to_bytes(4) + large[4:]
    plain = encode(Image.new("RGB", (4, 4), RED), "PNG", icc_profile=swapped)
    found = read_photo(encode(Image.new("RGB", (4, 4), RED), "PNG", icc_profile=large))
    assert found.getpixel((0, 0)) == read_photo(plain).getpixel((0, 0)) != RED


@pytest.mark.parametrize(
    ("lacks", "progressive"), [(1, False), (2, False), (40, False), (1, True), (2, True)]
)
def test_a_jpeg_without_its_last_bytes_is_read_and_says_so(lacks, progressive):
    data = encode(quarters(), "JPEG", progressive=progressive)
    found = read_photo(data[:-lacks])
    assert found.info["notice"] == images.CUT_OFF
    assert_same_colours(found.crop((0, 0, 96, 32)), quarters().crop((0, 0, 96, 32)))
    assert "notice" not in read_photo(data).info


def test_a_phone_photo_of_108_megapixels_is_read_smaller():
    small = encode(quarters(), "JPEG")
    size = b"\0\x40\0\x60"  # 64 x 96
    assert small.count(size) == 1
    huge = Image.new("RGB", (12_000, 9_000), RED)
    assert read_photo(encode(huge, "JPEG", quality=30)).size == (6_000, 4_500)
    for options in ({"progressive": True}, {}):
        wide = small.replace(size, b"\xff\xff\xff\xff") if not options else b""
        with pytest.raises(PhotoError, match="million pixels"):
            read_photo(wide or encode(huge, "JPEG", quality=30, **options))


def test_a_tiff_gives_its_first_page():
    pages = io.BytesIO()
    quarters().save(pages, "TIFF", save_all=True, append_images=[Image.new("RGB", (9, 9))])
    assert_same_colours(read_photo(pages.getvalue()), quarters())


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


def test_no_global_state_is_changed():
    """Other code in the process finds Pillow unchanged."""
    refusal(b"x")
    assert Image.MAX_IMAGE_PIXELS == 89_478_485 > MAX_PIXELS
    assert not sys.modules["PIL.ImageFile"].LOAD_TRUNCATED_IMAGES


def test_photos_can_be_read_in_parallel_threads():
    sources = [encode(quarters(), kind) for kind in FORMATS] * 4 + [b"x"] * 4
    results = [None] * len(sources)

    def read(index: int) -> None:
        try:
            results[index] = read_photo(sources[index])
        except PhotoError as error:
            results[index] = error

    threads = [threading.Thread(target=read, args=(i,)) for i in range(len(sources))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results[:-4]:
        assert_same_colours(result, quarters())
    assert all(isinstance(error, PhotoError) for error in results[-4:])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts /proc/self/fd")
def test_no_file_stays_open(tmp_path):
    good, bad = tmp_path / "a.gif", tmp_path / "b.png"
    good.write_bytes(encode(quarters(), "GIF"))
    bad.write_bytes(encode(quarters(), "PNG")[:90])
    count = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        read_photo(good)
        refusal(bad)
    assert len(list(Path("/proc/self/fd").iterdir())) == count


# Arbitrary bytes

WHOLE = {kind: encode(quarters(), kind) for kind in FORMATS}


def read_or_refuse(data: bytes) -> None:
    with contextlib.suppress(PhotoError):
        assert read_photo(data, min_side=16).mode == "RGB"


@settings(deadline=None)
@given(st.sampled_from(FORMATS), st.integers(0, 40), st.binary(max_size=200))
def test_random_bytes_give_a_photo_or_a_sentence(kind, keep, data):
    read_or_refuse(WHOLE[kind][:keep] + data)


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(FORMATS),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=8),
    st.floats(0.2, 1),
)
def test_damaged_files_give_a_photo_or_a_sentence(kind, damage, keep):
    data = bytearray(WHOLE[kind])
    for place, byte in damage:
        data[int(place * (len(data) - 1))] = byte
    read_or_refuse(bytes(data[: int(keep * len(data)) + 1]))


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


def test_only_so_many_pixels_are_decoded_at_the_same_time(monkeypatch):
    """Many visitors with large photos, none of them too large, must not fill the memory."""
    data = encode(Image.new("RGB", (2_000, 2_000)), "PNG")
    monkeypatch.setattr(images, "_room", images._Room(9_000_000))
    decoding, most, lock, real = 0, 0, threading.Lock(), images._upright_rgb

    def watched(image: Image.Image) -> Image.Image:
        nonlocal decoding, most
        with lock:
            decoding += 1
            most = max(most, decoding)
        try:
            return real(image)
        finally:
            with lock:
                decoding -= 1

    monkeypatch.setattr(images, "_upright_rgb", watched)
    with ThreadPoolExecutor(8) as pool:
        assert {photo.size for photo in pool.map(read_photo, [data] * 16)} == {(2_000, 2_000)}
    assert most <= 2
