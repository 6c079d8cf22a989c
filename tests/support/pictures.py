"""Pictures whose colours are known, and files made of them."""

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from clipdemo.errors import PhotoError
from clipdemo.inputs.images import read_photo

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


def write_three_and_a_damaged(folder: Path, photos: list[Image.Image]) -> Path:
    """Write 0.png, 1.png, 2.png and bad.png, which is no photo, and return the folder."""
    for i, photo in enumerate(photos[:3]):
        photo.save(folder / f"{i}.png")
    (folder / "bad.png").write_bytes(b"\x89PNG but no photo")
    return folder
