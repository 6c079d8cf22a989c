"""Metadata of photos' files: what Pillow would spend gigabytes or hours on is refused or left out.

Nothing here is decoded; each function reads only the lengths of a file's parts.
"""

import contextlib
import struct
import zlib

from clipdemo.errors import PhotoError

DAMAGED = "This photo is damaged and cannot be read: save or download it again."
# Parts before the picture, and stray bytes. Large depth maps in JPEGs take 600.
_MOST = 20_000
_PROFILE = 2**23  # bytes
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")  # of a PNG
_PREFIX = b"Exif\0\0"
_TIFF = (b"II*\0", b"MM\0*", b"II\0*", b"MM*\0", b"II+\0", b"MM\0+")  # as Pillow reads them
_TYPES = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8)  # bytes of TIFF's types


def slim(data: bytes) -> tuple[bytes, bytes | None]:
    """A photo's file without dangerous metadata, and the colour profile of a PNG.

    Raises:
        PhotoError: it has more parts than photos have.
    """
    if data.startswith(b"\xff\xd8\xff"):
        return _without_tags(data, _jpeg_head(data)), None
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _slim_png(data)
    if data.startswith((b"GIF87a", b"GIF89a")):
        return _slim_gif(data), None
    if data[4:8] == b"ftyp":  # AVIF or HEIF, whose EXIF may be anywhere
        return _without_tags(data, len(data)), None
    return _without_tags(data, 4), None


def tags_fit(data: bytes, at: int = 0) -> bool:
    """Whether the tags of a TIFF structure, as EXIF has too, take no more bytes than the file.

    Many tags may claim the same bytes, and Pillow copies them for each. It also removes each of
    several prefixes by a copy.
    """
    at += 6 if data.startswith(_PREFIX, at) else 0
    if data.startswith(_PREFIX, at):
        return False
    order = "<" if data[at : at + 1] == b"I" else ">"
    big = data[at + 2 : at + 3] == b"+"
    try:
        (start,) = struct.unpack_from(order + ("Q" if big else "L"), data, at + (8 if big else 4))
        (count,) = struct.unpack_from(order + ("Q" if big else "H"), data, at + start)
    except (struct.error, OverflowError):
        return True  # Pillow fails as well
    start += at + (8 if big else 2)
    size = 20 if big else 12
    table = memoryview(data)[start : start + size * min(count, len(data))]
    tags = struct.iter_unpack(
        order + ("HHQ8x" if big else "HHL4x"), table[: len(table) // size * size]
    )
    sizes = (_TYPES[kind] * n for _, kind, n in tags if kind < len(_TYPES))
    return sum(n for n in sizes if n <= len(data)) <= len(data) + 2**16


def _without_tags(data: bytes, end: int) -> bytes:
    """The file without the EXIF whose tags do not fit, which begins before `end`."""
    for mark in (*_TIFF, 2 * _PREFIX):
        at = data.find(mark, 0, end)
        while at >= 0:
            if not tags_fit(data, at):
                data = data[:at] + bytes(len(mark)) + data[at + len(mark) :]
            at = data.find(mark, at + 1, end)
    return data


def _jpeg_head(data: bytes) -> int:
    """Where a JPEG's first scan begins."""
    at = 2
    for _ in range(_MOST):
        mark = data[at + 1 : at + 2]
        if not mark or (data[at] == 0xFF and mark == b"\xda"):
            return at
        stray = data[at] != 0xFF or mark[0] in (0, 1, 0xFF) or 0xD0 <= mark[0] <= 0xD8
        at += 1 if stray else 2 + int.from_bytes(data[at + 2 : at + 4])
    raise PhotoError(DAMAGED)


def _slim_gif(data: bytes) -> bytes:
    """A GIF without its comments, to which Pillow adds part by part."""
    flags = data[10] if len(data) > 10 else 0
    at = 13 + (6 << (flags & 7) if flags & 0x80 else 0)
    kept, parts = [data[:at]], 0
    while data[at : at + 1] == b"!":
        end = at + 2
        while end < len(data) and data[end]:
            end, parts = end + data[end] + 1, parts + 1
            if parts > _MOST:
                raise PhotoError(DAMAGED)
        if data[at + 1 : at + 2] != b"\xfe":
            kept.append(data[at : end + 1])
        at, parts = end + 1, parts + 1
    return b"".join([*kept, data[at:]])


def _slim_png(data: bytes) -> tuple[bytes, bytes | None]:
    """A PNG without its texts and profile, of which Pillow reads little, and the profile."""
    kept, at, kind, profile, left = [data[:8]], 8, b"", None, _MOST + len(data) // 1024
    while at + 12 <= len(data) and kind != b"IEND":  # what follows would take seconds
        end = at + 12 + int.from_bytes(data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : end - 4]
        if kind == b"iCCP":
            packed = zlib.decompressobj()
            with contextlib.suppress(zlib.error):
                profile = packed.decompress(body[body.find(b"\0") + 2 :], _PROFILE)
            profile = None if packed.unconsumed_tail else profile
        elif kind not in _TEXTS and (kind != b"eXIf" or tags_fit(body)):
            kept.append(data[at:end])
        at, left = end, left - 1
        if not left:
            raise PhotoError(DAMAGED)
    return b"".join([*kept, data[at:]]), profile
