"""Metadata that would take gigabytes or hours is refused or left out, and the picture is read."""

import struct
import tracemalloc
import zlib
from io import BytesIO

import pytest
from PIL import Image

from clipdemo.errors import PhotoError
from clipdemo.inputs.images import read_photo
from clipdemo.inputs.photo_files import open_photo

SIZE = 1_000_000  # bytes that each of many tags claims


def encoded(kind: str, **options: object) -> bytes:
    file = BytesIO()
    Image.new("P" if kind == "GIF" else "RGB", (64, 48)).save(file, kind, **options)
    return file.getvalue()


def many_tags(count: int = 60, claim: int = SIZE, before: list[tuple] = ()) -> bytes:
    """A TIFF structure whose tags all claim the same bytes."""
    at = 14 + 12 * (len(before) + count)
    tags = [*before, *((1000 + i, 1, claim, at) for i in range(count))]
    table = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + table + bytes(4) + bytes(claim)


def chunk(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def segments(kind: bytes, body: bytes, start: bytes) -> bytes:
    parts = (body[i : i + 65_000] for i in range(0, len(body), 65_000))
    return b"".join(kind + struct.pack(">H", 2 + len(start + p)) + start + p for p in parts)


def tiff() -> bytes:
    picture = {256: 10, 257: 10, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 10, 279: 100}
    return many_tags(before=[(tag, 4, 1, value) for tag, value in picture.items()])


def png() -> bytes:
    plain = encoded("PNG")
    return plain[:33] + chunk(b"eXIf", many_tags()) + plain[33:]


def jpeg() -> bytes:
    plain = encoded("JPEG")
    return plain[:2] + segments(b"\xff\xe1", many_tags(), b"Exif\0\0") + plain[20:]


BOMBS = {
    "TIFF": tiff,
    "PNG": png,
    "JPEG": jpeg,
    "WebP": lambda: encoded("WEBP", exif=many_tags()),
    "AVIF": lambda: encoded("AVIF", exif=many_tags()),
    "HEIC": lambda: encoded("HEIF", exif=b"Exif\0\0" + many_tags()),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_tags_that_share_their_bytes_take_no_memory(kind):
    """A small file with thousands of them took gigabytes."""
    data = BOMBS[kind]()
    tracemalloc.start()
    try:
        if kind in ("TIFF", "AVIF"):  # Pillow reads none without its tags
            with pytest.raises(PhotoError):
                read_photo(data)
        else:
            assert read_photo(data).size == (64, 48)
        assert tracemalloc.get_traced_memory()[1] < 20 * SIZE
    finally:
        tracemalloc.stop()


def test_many_prefixes_of_exif_are_not_removed_one_by_one():
    data = encoded("WEBP", exif=b"Exif\0\0" * 1000)
    assert read_photo(data).size == (64, 48)
    assert "exif" not in open_photo(data).info


def gif_with(extension: bytes) -> bytes:
    plain = encoded("GIF")
    at = 13 + (6 << (plain[10] & 7))
    return plain[:at] + extension + plain[at:]


def test_the_comments_of_a_gif_are_not_read():
    """Pillow adds part by part, in time that grows with the square of their size."""
    data = gif_with(b"!\xfe" + (b"\xff" + b"a" * 255) * 8000 + b"\0")
    assert "comment" not in open_photo(data).info
    assert read_photo(data).size == (64, 48)


MANY = 2_000_000
PARTS = {
    "GIF, one comment": lambda: gif_with(b"!\xfe" + b"\x01a" * MANY + b"\0"),
    "GIF, many comments": lambda: gif_with(b"!\xfe\x01a\0" * MANY),
    "GIF, extensions": lambda: gif_with(b"!\xff\x0bNETSCAPE2.0\0" * MANY),
    "JPEG, comments": lambda: encoded("JPEG")[:2] + b"\xff\xfe\0\2" * MANY + encoded("JPEG")[2:],
    "JPEG, padding": lambda: encoded("JPEG")[:20] + b"\xff" * 4 * MANY + encoded("JPEG")[20:],
    "PNG, chunks": lambda: encoded("PNG")[:33] + chunk(b"aaAa") * MANY + encoded("PNG")[33:],
    "PNG, texts": lambda: encoded("PNG")[:33] + chunk(b"tEXt") * MANY + encoded("PNG")[33:],
}


@pytest.mark.parametrize("kind", PARTS)
def test_more_parts_than_photos_have_are_refused(kind, is_sentence):
    """Each takes some microseconds, and 40 MB have millions: up to an hour for one photo."""
    with pytest.raises(PhotoError) as refused:
        read_photo(PARTS[kind]())
    assert is_sentence(refused.value)


def test_ordinary_metadata_stays():
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a street" * 5000
    large = segments(b"\xff\xe1", bytes(12_000_000), b"http://ns.adobe.com/xmp/extension/\0")
    plain = encoded("JPEG", exif=exif)
    assert read_photo(plain[:2] + large + plain[2:]).size == (48, 64)
    stray = encoded("JPEG")
    assert read_photo(stray[:20] + bytes(500) + stray[20:]).size == (64, 48)
