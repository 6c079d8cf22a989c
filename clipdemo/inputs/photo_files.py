"""Opening a photo's file: known formats only, and limits that hold before anything is decoded.

Photos may come from anybody. Their format is detected from their content.
"""

import re
import struct
from io import BytesIO
from pathlib import Path

import pillow_heif
from PIL import Image, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile

from clipdemo.errors import PhotoError
from clipdemo.inputs.photo_metadata import DAMAGED, slim, tags_fit

MAX_BYTES = 40 * 2**20
MAX_PIXELS = 50_000_000  # of a decoded picture
MAX_JPEG_PIXELS = 250_000_000  # of a JPEG that can be decoded at half its size or less
# With 200:1, resizing the short side to 336 pixels makes 22 million pixels.
MAX_ASPECT = 200
# A progressive JPEG usually has about 10 scans. Each is a pass over all pixels, but can be as short
# as 60 bytes, so a file within the limits could take an hour to decode.
MAX_SCANS = 100
MAX_SCANNED = 20 * MAX_PIXELS  # pixels times scans

# Pillow tries only these, in this order. AVIF and HEIF share the brand "mif1", and only AVIF's
# decoder detects that such a file is of the other format.
_FORMATS = ("PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")

SCAN = re.compile(rb"\xff\xda\0[\x08\x0a\x0c\x0e]")  # start marker and possible lengths
_TILE_WIDTH, _TILE_LENGTH = 322, 323  # of TIFF
_HEIC_SIZE = re.compile(rb"ispe\0{4}(.{8})", re.DOTALL)

_TOO_LARGE = f"This photo is larger than {MAX_BYTES // 2**20} MB: make it smaller."

# Thumbnails, depth maps and the like are not used, so they are not parsed.
pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)


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


def open_photo(data: bytes) -> Image.Image:
    """A photo's file with its header parsed, not decoded yet.

    Raises:
        PhotoError: it is not a photo, or too large; a sentence for the user.
    """
    if not data:
        raise PhotoError("This file is empty: choose another photo.")
    if len(data) > MAX_BYTES:
        raise PhotoError(_TOO_LARGE)
    data, profile = slim(data)
    try:
        if is_jpeg(data):  # separately, as Pillow warns of sizes that are reduced here
            image = JpegImageFile(BytesIO(data))
        else:
            image = Image.open(BytesIO(data), formats=_FORMATS)
            image.info |= {"icc_profile": profile} if profile else {}
            if not tags_fit(image.info.get("exif") or b""):
                del image.info["exif"]
    except UnidentifiedImageError:
        raise PhotoError(
            "This file is damaged or not a photo this app can read: "
            "use JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC."
        ) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PhotoError(_too_many(MAX_PIXELS)) from None
    if isinstance(image, JpegImageFile):
        check_size(*image.size, MAX_JPEG_PIXELS if can_be_reduced(image) else MAX_PIXELS)
        scans = len(SCAN.findall(data))
        if scans > MAX_SCANS or (scans > 2 and scans * image.width * image.height > MAX_SCANNED):
            raise PhotoError(DAMAGED)
        return image
    check_size(*image.size)
    if image.format == "TIFF":  # of tiles, one may be larger than the picture
        tile = image.tag_v2.get(_TILE_WIDTH, 0) * image.tag_v2.get(_TILE_LENGTH, 0)
        if tile > MAX_PIXELS:
            raise PhotoError(_too_many(MAX_PIXELS))
    if image.format == "HEIF":
        # A HEIC reports its size after cropping, but is decoded before.
        for size in _HEIC_SIZE.findall(data):
            check_size(*struct.unpack(">II", size))
    return image


def can_be_reduced(image: JpegImageFile) -> bool:
    """Whether a JPEG, whose header was read, is not buffered in full size while it is decoded.

    libjpeg does so with a progressive one, and if its first scan lacks a component.
    """
    end = image.fp.tell()  # of the first scan's header: 8 bytes, and 2 for each component
    image.fp.seek(max(0, end - 16))
    before = image.fp.read(min(end, 16))
    whole = 8 + 2 * image.layers
    return not image.info.get("progressive") and before[-whole:][:2] == b"\xff\xda"


def is_jpeg(data: bytes) -> bool:
    """Whether a file begins as JPEGs do."""
    return data.startswith(b"\xff\xd8\xff")


def check_size(width: int, height: int, most: int | None = None) -> None:
    """Raises PhotoError if a picture has too many pixels (by default `MAX_PIXELS`), or none."""
    most = MAX_PIXELS if most is None else most
    if not width * height:
        raise PhotoError(DAMAGED)
    if width * height > most:
        raise PhotoError(_too_many(most))
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise PhotoError(f"This photo is over {MAX_ASPECT} times as long as it is wide: crop it.")


def _too_many(most: int) -> str:
    return f"This photo has more than {most // 10**6} million pixels: make it smaller."
