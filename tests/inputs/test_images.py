"""Photos: every supported format becomes an upright RGB picture with correct colours; anything else
gives one sentence at little cost."""

import contextlib
import gzip
import io
import struct
import subprocess
import sys
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageCms, PngImagePlugin

from clipdemo.errors import PhotoError
from clipdemo.inputs import images
from clipdemo.inputs.images import MAX_ASPECT, MAX_BYTES, MAX_PIXELS, MAX_SCANS, read_photo

FORMATS = ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF"]
WHITE, RED, BLUE = (255, 255, 255), (255, 0, 0), (0, 0, 255)


def quarters(mode: str = "RGB") -> Image.Image:
    """96 x 64, with red, green, blue and yellow quarters, so that all its orientations differ."""
    image = Image.new("RGB", (96, 64), "red")
    image.paste("lime", (48, 0, 96, 32))
    image.paste("blue", (0, 32, 48, 64))
    image.paste("yellow", (48, 32, 96, 64))
    return image.convert(mode)


def encode(image: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    lossless = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"lossless": True}}
    image.save(file, kind, **(lossless.get(kind, {}) | options))
    return file.getvalue()


def png(width: int, height: int, rows: bytes, *chunks: tuple[bytes, bytes], kind=(8, 2)) -> bytes:
    """A PNG made by hand, with chunks that Pillow would not write."""
    header = struct.pack(">IIBBBBB", width, height, *kind, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", rows), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts
    )


def assert_same_colours(image: Image.Image, expected: Image.Image, tolerance: int = 12) -> None:
    """Compare centres of the quarters: lossy formats smear the borders between them."""
    assert image.mode == "RGB"
    assert image.size == expected.size
    width, height = expected.size
    for spot in [(x * width // 4, y * height // 4) for x in (1, 3) for y in (1, 3)]:
        got, want = image.getpixel(spot), expected.getpixel(spot)
        assert max(abs(a - b) for a, b in zip(got, want, strict=True)) <= tolerance, spot


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


# Inputs


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_is_read_from_bytes_and_from_a_path(kind, tmp_path):
    data = encode(quarters(), kind)
    path = tmp_path / "photo.dat"
    path.write_bytes(data)
    for source in (data, path, str(path)):
        assert_same_colours(read_photo(source), quarters())


@pytest.mark.parametrize("kind", FORMATS)
def test_the_format_is_detected_by_content_not_by_name(kind, tmp_path):
    path = tmp_path / ("photo.jpg" if kind == "PNG" else "photo.png")
    path.write_bytes(encode(quarters(), kind))
    assert_same_colours(read_photo(path), quarters())


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_exif_orientations_give_the_same_upright_photo(kind, orientation):
    """HEIC and AVIF turn by themselves as well: the photo must not be turned twice."""
    undo = {**images._UPRIGHT, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    stored = quarters().transpose(undo[orientation]) if orientation > 1 else quarters()
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(stored, kind, exif=exif.tobytes())
    for source in (data, Image.open(io.BytesIO(data))):
        photo = read_photo(source)
        assert_same_colours(photo, quarters())
        assert not photo.getexif(), "whoever opens it next would turn it again"


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_damaged_exif_is_ignored():
    for exif in (b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0", b"\xff" * 40):
        assert_same_colours(read_photo(encode(quarters(), "JPEG", exif=exif)), quarters())
    text = PngImagePlugin.PngInfo()
    text.add_text("Raw profile type exif", "no\nhex\nat\nall")
    assert_same_colours(read_photo(encode(quarters(), "PNG", pnginfo=text)), quarters(), 0)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
def test_an_animation_gives_its_first_frame(kind):
    later = [Image.new("RGB", (96, 64), c) for c in ("black", "white", "gray")]
    assert_same_colours(
        read_photo(encode(quarters(), kind, save_all=True, append_images=later)), quarters()
    )


def test_an_animation_is_not_decoded_beyond_its_first_frame(monkeypatch):
    """A GIF of thousands of frames would keep a server busy for minutes."""
    later = [Image.new("L", (96, 64), i) for i in range(50)]
    data = encode(quarters("P"), "GIF", save_all=True, append_images=later)
    plugin = sys.modules["PIL.GifImagePlugin"].GifImageFile
    seeks, seek = [], plugin._seek
    monkeypatch.setattr(plugin, "_seek", lambda s, f, u=True: (seeks.append(f), seek(s, f, u)))
    assert_same_colours(read_photo(data), quarters())
    assert set(seeks) == {0}


# Colours


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF", "HEIF"])
def test_transparent_parts_become_white(kind):
    image = quarters("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 48, 32))
    image.paste((0, 0, 255, 128), (48, 0, 96, 32))
    expected = quarters()
    expected.paste(WHITE, (0, 0, 48, 32))
    expected.paste((127, 127, 255), (48, 0, 96, 32))
    assert_same_colours(read_photo(encode(image, kind)), expected)


def test_transparent_palettes_and_single_colours_become_white():
    indices = Image.new("P", (96, 64), 1)
    indices.paste(0, (0, 0, 48, 64))
    indices.putpalette([255, 0, 0, 0, 0, 255])
    for kind, transparency, left, right in [
        ("GIF", 0, WHITE, BLUE),
        ("PNG", 0, WHITE, BLUE),
        ("PNG", bytes([128, 0]), (255, 127, 127), WHITE),
    ]:
        photo = read_photo(encode(indices, kind, transparency=transparency))
        assert (photo.getpixel((9, 9)), photo.getpixel((90, 9))) == (left, right)
    photo = read_photo(encode(quarters(), "PNG", transparency=RED))
    assert (photo.getpixel((9, 9)), photo.getpixel((9, 60))) == (WHITE, BLUE)


@pytest.mark.parametrize("mode", ["LA", "La", "PA", "RGBA", "RGBa"])
def test_every_mode_with_transparency_becomes_white(mode):
    half = Image.new("LA", (2, 1), (0, 255))
    half.putpixel((1, 0), (0, 0))
    if mode == "La":
        half = half.convert("La")
    elif mode != "LA":
        half = half.convert("RGBA").convert(mode)
    photo = read_photo(half)
    assert (photo.getpixel((0, 0)), photo.getpixel((1, 0))) == ((0, 0, 0), WHITE)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBX", "CMYK", "YCbCr", "HSV", "I", "F"])
def test_every_opaque_mode_keeps_black_grey_and_white(mode):
    image = Image.new("L", (3, 1), 255)
    image.putpixel((0, 0), 0)
    image = image.convert("RGB").convert(mode) if mode in ("HSV", "RGBX") else image.convert(mode)
    assert np.asarray(read_photo(image))[0, [0, 1]].tolist() == [[0] * 3, [255] * 3]


def test_16_bits_are_scaled_and_not_clipped():
    """Pillow alone turns everything above 255 of 65535 into white."""
    ramp = np.tile(np.linspace(0, 65535, 256).astype(np.uint16), (4, 1))
    expected = np.repeat((ramp >> 8)[..., None], 3, axis=2)
    sixteen = Image.fromarray(ramp)
    big_endian = Image.frombytes("I;16B", sixteen.size, ramp.astype(">u2").tobytes())
    for source in (
        encode(sixteen, "PNG"),
        sixteen,
        big_endian,
        Image.fromarray(ramp.astype(np.int32)),
    ):
        assert np.array_equal(np.asarray(read_photo(source)), expected)
    rows = b"".join(b"\0" + np.repeat(row, 3).astype(">u2").tobytes() for row in ramp)
    colour = png(256, 4, zlib.compress(rows), kind=(16, 2))
    assert np.array_equal(np.asarray(read_photo(colour)), expected)


def test_a_transparent_16_bit_grey_becomes_white():
    rows = zlib.compress(b"\0" + struct.pack(">HH", 1000, 1001))
    data = png(2, 1, rows, (b"tRNS", struct.pack(">H", 1000)), kind=(16, 0))
    assert np.asarray(read_photo(data))[0, :, 0].tolist() == [255, 3]


def test_cmyk_jpegs_have_their_colours_and_not_the_inverse():
    """Adobe programs, and Pillow like them, store CMYK inverted."""
    assert_same_colours(read_photo(encode(quarters("CMYK"), "JPEG")), quarters())
    assert_same_colours(read_photo(quarters("CMYK")), quarters())


def test_ycck_jpegs_have_their_colours():
    """The other way Adobe programs store CMYK: its inks as YCbCr, marked by one byte."""
    inks = ImageChops.invert(quarters()).convert("YCbCr").split()
    stored = [ImageChops.invert(ink) for ink in inks] + [Image.new("L", (96, 64), 0)]
    data = bytearray(encode(Image.merge("CMYK", stored), "JPEG"))
    transform = data.index(b"Adobe") + 11
    assert data[transform] == 0
    data[transform] = 2
    assert_same_colours(read_photo(bytes(data)), quarters())


def test_a_colour_profile_is_converted_to_srgb():
    """A profile with red and blue exchanged stands for the wide ones that phones write."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = srgb.replace(b"rXYZ", b"tmp_", 1).replace(b"bXYZ", b"rXYZ", 1)
    swapped = swapped.replace(b"tmp_", b"bXYZ", 1).replace(b"\0s\0R\0G\0B", b"\0t\0e\0s\0t")
    red = Image.new("RGB", (16, 16), RED)
    for kind in ("JPEG", "PNG", "WEBP", "AVIF", "HEIF"):
        got = read_photo(encode(red, kind, icc_profile=swapped)).getpixel((8, 8))
        assert max(abs(a - b) for a, b in zip(got, BLUE, strict=True)) <= 12, kind
    for profile in (srgb, b"not a profile", swapped[:200]):
        assert read_photo(encode(red, "PNG", icc_profile=profile)).getpixel((8, 8)) == RED
    grey = Image.new("L", (16, 16), 77)
    assert read_photo(encode(grey, "PNG", icc_profile=swapped)).getpixel((8, 8)) == (77, 77, 77)


# Pillow images and sizes


def test_the_callers_image_is_left_alone():
    image = quarters()
    image.info["comment"] = "mine"
    photo = read_photo(image)
    photo.paste("black", (0, 0, 96, 64))
    assert ImageChops.difference(image, quarters()).getbbox() is None
    assert image.info == {"comment": "mine"}
    opened = Image.open(io.BytesIO(encode(quarters().resize((960, 640)), "JPEG")))
    assert read_photo(opened, min_side=64).size == opened.size == (960, 640)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_large_jpeg_is_decoded_smaller_but_never_below_twice_the_need(mode, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    large = quarters(mode).resize((1920, 1280), Image.Resampling.NEAREST)
    data = encode(large, "JPEG", exif=exif)
    full = read_photo(data)
    for min_side in (1, 79, 80, 100, 224, 640, 641, 5000):
        photo = read_photo(data, min_side=min_side)
        assert min(photo.size) >= min(2 * min_side, 1280)
        assert photo.width * full.height == photo.height * full.width
        assert_same_colours(photo, full.resize(photo.size))
    assert min(read_photo(data, min_side=80).size) == 160


def test_a_file_of_several_jpegs_gives_its_first():
    """Phones write such files (MPO) under the name .jpg."""
    large = quarters().resize((960, 640), Image.Resampling.NEAREST)
    second = Image.new("RGB", (960, 640), "black")
    data = encode(large, "MPO", save_all=True, append_images=[second])
    photo = read_photo(data, min_side=80)
    assert_same_colours(photo, quarters().resize((240, 160)))


@pytest.mark.parametrize("kind", FORMATS)
def test_a_small_photo_is_never_enlarged(kind):
    assert read_photo(encode(quarters(), kind), min_side=224).size == (96, 64)


def test_drafting_hardly_changes_what_the_backbone_sees():
    noise = np.random.default_rng(0).integers(0, 255, (100, 100, 3), dtype=np.uint8)
    data = encode(Image.fromarray(noise).resize((1500, 1500), Image.Resampling.BICUBIC), "JPEG")
    full, drafted = (
        np.asarray(read_photo(data, s).resize((224, 224), Image.Resampling.BICUBIC)).astype(int)
        for s in (None, 224)
    )
    assert abs(full - drafted).mean() < 2


# Refusals


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
    monkeypatch.setattr(images, "MAX_PIXELS", 96 * 64)
    for source in sources:
        assert read_photo(source).size == (96, 64)
    monkeypatch.setattr(images, "MAX_PIXELS", 96 * 64 - 1)
    for source in sources:
        with pytest.raises(PhotoError, match="million pixels"):
            read_photo(source)


def test_a_cropped_heic_is_measured_before_its_crop(monkeypatch):
    """It is decoded at its full size, so the small size it reports would hide a bomb."""
    data = encode(quarters().crop((0, 0, 61, 61)), "HEIF")  # stored as 64 x 64
    assert read_photo(data).size == (61, 61)
    monkeypatch.setattr(images, "MAX_PIXELS", 64 * 64 - 1)
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
