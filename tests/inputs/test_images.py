"""Photos: every supported format becomes an upright RGB picture with correct colours."""

import io
import struct
import sys
import zlib

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageCms, PngImagePlugin
from support.pictures import BLUE, FORMATS, RED, WHITE, assert_same_colours, encode, png, quarters

from clipdemo.inputs import images
from clipdemo.inputs.images import read_photo

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
