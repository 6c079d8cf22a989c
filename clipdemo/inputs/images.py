"""Reading of photos, for training and serving: any format becomes an upright RGB picture.

Photos may come from anybody, so their size is checked before they are decoded, and their format is
detected from their content.
"""

import contextlib
import re
import struct
import threading
import zlib
from collections.abc import Iterator
from io import BytesIO
from os import PathLike
from pathlib import Path

import numpy as np
import pillow_heif
from PIL import Image, ImageCms, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile

from clipdemo.errors import PhotoError
from clipdemo.inputs.allocator import give_back_soon

MAX_BYTES = 40 * 2**20
MAX_PIXELS = 50_000_000  # of a decoded picture
MAX_JPEG_PIXELS = 250_000_000  # of a JPEG that can be decoded at half its size or less
# With 200:1, resizing the short side to 336 pixels makes 22 million pixels.
MAX_ASPECT = 200
# A progressive JPEG usually has about 10 scans. Each is a pass over all pixels, but can be as short
# as 60 bytes, so a file within the limits could take an hour to decode.
MAX_SCANS = 100
MAX_SCANNED = 20 * MAX_PIXELS  # pixels times scans
# Pixels decoded at the same time in all threads. Each takes up to 11 bytes.
AT_ONCE = 2 * MAX_PIXELS

# Pillow tries only these, in this order. AVIF and HEIF share the brand "mif1", and only AVIF's
# decoder detects that such a file is of the other format.
_FORMATS = ("PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")
CUT_OFF = "The file of this photo is cut off at its end: only the part that is there was read."
_MISSING = 0.25  # share of rows; with more missing, a photo counts as damaged
_ROUGH = 5  # scans of a progressive JPEG, of about 10, that show the whole photo roughly
_END = b"\xff\xd9"
_PROFILE = 2**23  # bytes
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")  # of a PNG

_SCAN = re.compile(rb"\xff\xda\0[\x08\x0a\x0c\x0e]")  # start marker and possible lengths
_TILE_WIDTH, _TILE_LENGTH = 322, 323  # of TIFF
_HEIC_SIZE = re.compile(rb"ispe\0{4}(.{8})", re.DOTALL)

_DAMAGED = "This photo is damaged and cannot be read: save or download it again."
_TOO_LARGE = f"This photo is larger than {MAX_BYTES // 2**20} MB: make it smaller."

# Undoes each EXIF orientation.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Thumbnails, depth maps and the like are not used, so they are not parsed.
pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)


def read_photo(
    source: str | PathLike | bytes | Image.Image, min_side: int | None = None
) -> Image.Image:
    """Read a photo as an upright RGB picture without metadata.

    It reads JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF and HEIC, and the first picture of a file that
    has several. Transparent parts become white, and colours are converted from an embedded profile
    to sRGB. A truncated JPEG is read as far as possible, with a sentence in `info["notice"]`.

    Args:
        source: a path, the bytes of a file, or a Pillow image, which is not changed.
        min_side: pixels needed on the short side. A large JPEG is then decoded at a half, a
            quarter or an eighth of its size, which is much faster. The result has at least twice
            ``min_side``, and is never enlarged.

    Raises:
        PhotoError: the photo is missing, not a photo, damaged or too large. The message is one
            sentence for the user.
    """
    if not isinstance(source, bytes | Image.Image):
        source = photo_bytes(Path(source))
    try:
        if not isinstance(source, bytes):
            _check_size(*source.size)
            return _upright_rgb(source)
        with _room.of(_pixels(_open(source), min_side)):
            try:
                return _upright_rgb(_decoded(source, min_side))
            except OSError:
                if not _is_jpeg(source):
                    raise
                return _upright_rgb(_cut_off(source, min_side))
    except PhotoError:
        raise
    except Exception as error:  # decoders raise nearly anything when the bytes are damaged
        raise PhotoError(_DAMAGED) from error
    finally:
        give_back_soon()  # up to 200 MB


class _Room:
    """Room for pixels that several threads decode at the same time."""

    def __init__(self, pixels: int) -> None:
        self._left, self._changed = pixels, threading.Condition()

    @contextlib.contextmanager
    def of(self, pixels: int) -> Iterator[None]:
        """Wait until there is room for as many, and take it."""
        with self._changed:
            self._changed.wait_for(lambda: self._left >= pixels)
            self._left -= pixels
        try:
            yield
        finally:
            with self._changed:
                self._left += pixels
                self._changed.notify_all()


_room = _Room(AT_ONCE)


def _pixels(image: Image.Image, min_side: int | None) -> int:
    """The number of pixels that decoding this picture takes."""
    if isinstance(image, JpegImageFile) and _can_be_reduced(image):
        _reduce(image, min_side)
    return image.width * image.height


def _decoded(data: bytes, min_side: int | None) -> Image.Image:
    """Open and decode; a JPEG no larger than necessary."""
    image = _open(data)
    if isinstance(image, JpegImageFile):
        _reduce(image, min_side)
    image.load()
    return image


def _reduce(image: JpegImageFile, min_side: int | None) -> None:
    """Have a JPEG decoded no larger than necessary."""
    width, height = image.size
    halved = 1 + (width * height > MAX_PIXELS) + 2 * (width * height > 4 * MAX_PIXELS)
    # The decoder shrinks by plain averaging. It leaves twice the needed pixels, so that the
    # following resize does the visible filtering.
    least = 2 * min_side if min_side else max(image.size)
    image.draft(None, (min(least, width // halved), min(least, height // halved)))


def _cut_off(data: bytes, min_side: int | None) -> Image.Image:
    """A truncated JPEG, with a notice.

    Raises:
        PhotoError: more than its end is missing.
    """
    data = data.rstrip(b"\xff")
    image = _decoded(data + _END, min_side)
    if image.info.get("progressive"):
        complete = len(_SCAN.findall(data)) >= _ROUGH
    else:  # the missing rows are those that depend on the bytes appended
        other = _decoded(data + b"\x55" * 2**16 + _END, min_side)
        missing = (np.asarray(image) != np.asarray(other)).reshape(image.height, -1).any(1)
        complete = not missing.any() or np.argmax(missing) >= (1 - _MISSING) * image.height
    if not complete:
        raise PhotoError(_DAMAGED)
    image.info["notice"] = CUT_OFF
    return image


def photo_bytes(path: Path) -> bytes:
    """The bytes of a photo file, refused before reading when it is too large.

    Raises:
        PhotoError: there is no such file, or it is not readable or too large.
    """
    try:
        if not path.is_file():
            raise PhotoError("There is no photo at this path: check its spelling.")
        if path.stat().st_size > MAX_BYTES:
            raise PhotoError(_TOO_LARGE)
        return path.read_bytes()
    except OSError as error:
        raise PhotoError("This photo cannot be opened: check its permissions.") from error


def _open(data: bytes) -> Image.Image:
    """Parse the header only."""
    if not data:
        raise PhotoError("This file is empty: choose another photo.")
    if len(data) > MAX_BYTES:
        raise PhotoError(_TOO_LARGE)
    try:
        if _is_jpeg(data):  # separately, as Pillow warns of sizes that are reduced here
            image = JpegImageFile(BytesIO(data))
        else:
            data, profile = _slim_png(data)
            image = Image.open(BytesIO(data), formats=_FORMATS)
            image.info |= {"icc_profile": profile} if profile else {}
    except UnidentifiedImageError:
        raise PhotoError(
            "This file is damaged or not a photo this app can read: "
            "use JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC."
        ) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PhotoError(_too_many(MAX_PIXELS)) from None
    if isinstance(image, JpegImageFile):
        _check_size(*image.size, MAX_JPEG_PIXELS if _can_be_reduced(image) else MAX_PIXELS)
        scans = len(_SCAN.findall(data))
        if scans > MAX_SCANS or (scans > 2 and scans * image.width * image.height > MAX_SCANNED):
            raise PhotoError(_DAMAGED)
        return image
    _check_size(*image.size)
    if image.format == "TIFF":  # of tiles, one may be larger than the picture
        tile = image.tag_v2.get(_TILE_WIDTH, 0) * image.tag_v2.get(_TILE_LENGTH, 0)
        if tile > MAX_PIXELS:
            raise PhotoError(_too_many(MAX_PIXELS))
    if image.format == "HEIF":
        # A HEIC reports its size after cropping, but is decoded before.
        for size in _HEIC_SIZE.findall(data):
            _check_size(*struct.unpack(">II", size))
    return image


def _can_be_reduced(image: JpegImageFile) -> bool:
    """Whether a JPEG, whose header was read, is not buffered in full size while it is decoded.

    libjpeg does so with a progressive one, and if its first scan lacks a component.
    """
    end = image.fp.tell()  # of the first scan's header: 8 bytes, and 2 for each component
    image.fp.seek(max(0, end - 16))
    before = image.fp.read(min(end, 16))
    whole = 8 + 2 * image.layers
    return not image.info.get("progressive") and before[-whole:][:2] == b"\xff\xda"


def _is_jpeg(data: bytes) -> bool:
    return data.startswith(b"\xff\xd8\xff")


def _slim_png(data: bytes) -> tuple[bytes, bytes | None]:
    """A PNG without its texts and profile, of which Pillow reads only a megabyte; and the profile.

    Other formats are returned unchanged.
    """
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data, None
    kept, at, profile = [data[:8]], 8, None
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : end - 4]
        if kind == b"iCCP":
            packed = zlib.decompressobj()
            with contextlib.suppress(zlib.error):
                profile = packed.decompress(body[body.find(b"\0") + 2 :], _PROFILE)
            profile = None if packed.unconsumed_tail else profile
        elif kind not in _TEXTS:
            kept.append(data[at:end])
        at = end
    return b"".join([*kept, data[at:]]), profile


def _check_size(width: int, height: int, most: int | None = None) -> None:
    most = MAX_PIXELS if most is None else most
    if not width * height:
        raise PhotoError(_DAMAGED)
    if width * height > most:
        raise PhotoError(_too_many(most))
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise PhotoError(f"This photo is over {MAX_ASPECT} times as long as it is wide: crop it.")


def _too_many(most: int) -> str:
    return f"This photo has more than {most // 10**6} million pixels: make it smaller."


def _upright_rgb(image: Image.Image) -> Image.Image:
    image.load()
    method = _UPRIGHT.get(_orientation(image))
    profile = image.info.get("icc_profile")
    notice = image.info.get("notice")
    image = _to_srgb(_flatten(image), profile)
    # Without the EXIF orientation, or the next reader would turn it again.
    image.info = {"notice": notice} if notice else {}
    return image.transpose(method) if method is not None else image


def _orientation(image: Image.Image) -> int | None:
    try:
        return int(image.getexif().get(0x0112, 1))
    except Exception:  # damaged EXIF says nothing about the pixels
        return None


def _flatten(image: Image.Image) -> Image.Image:
    """Convert any mode to L, CMYK or RGB, with transparent parts on white."""
    if image.mode.startswith("I;16") or (image.mode == "I" and image.getextrema()[1] > 255):
        # Pillow would clip 16 bits at 255 instead of scaling them down.
        grey = np.asarray(image).clip(0, 65535)
        grey = np.where(grey == image.info.get("transparency", -1), 65535, grey)
        return Image.fromarray((grey >> 8).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("LA") if image.mode == "La" else image
        image = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=image)
        return white
    return image if image.mode in ("L", "CMYK", "RGB") else image.convert("RGB")


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    try:
        if profile and "sRGB" not in ImageCms.getProfileDescription(BytesIO(profile)):
            srgb = ImageCms.createProfile("sRGB")
            return ImageCms.profileToProfile(image, BytesIO(profile), srgb, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        pass  # the profile is broken or for another mode
    return image.convert("RGB")  # a copy without the file's metadata
