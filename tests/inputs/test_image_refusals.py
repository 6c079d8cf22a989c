"""Files that are no photos, damaged, odd or too large: read, or refused in one sentence at little
cost."""

import contextlib
import gzip
import io
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
from support.pictures import FORMATS, RED, assert_same_colours, encode, png, quarters, refusal

from clipdemo.errors import PhotoError
from clipdemo.inputs import images
from clipdemo.inputs.images import read_photo
from clipdemo.inputs.photo_files import MAX_PIXELS


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
