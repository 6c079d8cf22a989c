"""The one way a photo comes in: whatever it was, it becomes an upright RGB picture.

A photo may come from anybody, so its size is checked before it is decoded and its kind is
decided by its content. Training and serving both read photos here.
"""

import re
import struct
from io import BytesIO
from os import PathLike
from pathlib import Path

import numpy as np
import pillow_heif
from PIL import Image, ImageCms, UnidentifiedImageError

from clipdemo.errors import PhotoError

MAX_BYTES = 20 * 2**20
MAX_PIXELS = 50_000_000
# Resizing the short side to 336 pixels makes 22 million of a strip of 200:1.
MAX_ASPECT = 200
# A progressive JPEG has about 10 scans. Each is a pass over all pixels and takes only some 60
# bytes, so a file within the limits could ask for an hour of work.
MAX_SCANS = 100

# Pillow offers the bytes to these only, in this order. AVIF and HEIF share the brand "mif1", and
# AVIF is the one that notices when such a file is not its own.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF", "HEIF")
_JPEG = ("JPEG", "MPO")  # some cameras put several JPEGs into one file, which Pillow calls MPO

_SCAN = re.compile(rb"\xff\xda\0[\x08\x0a\x0c\x0e]")  # start marker and possible lengths
_HEIC_SIZE = re.compile(rb"ispe\0{4}(.{8})", re.DOTALL)

_DAMAGED = "This photo is damaged and cannot be read: save or download it again."
_TOO_LARGE = f"This photo is larger than {MAX_BYTES // 2**20} MB: make it smaller."
_TOO_MANY = f"This photo has more than {MAX_PIXELS // 10**6} million pixels: make it smaller."

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

# Thumbnails, depth maps and the like are never used, so they are not parsed either.
pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)


def read_photo(
    source: str | PathLike | bytes | Image.Image, min_side: int | None = None
) -> Image.Image:
    """Read a photo as an upright RGB picture without metadata.

    JPEG, PNG, WebP, GIF, BMP, AVIF and HEIC are read, of an animation the first frame.
    Transparent parts become white, and an embedded colour profile is converted to sRGB.

    Args:
        source: a path, the bytes of a file, or a Pillow image, which is not changed.
        min_side: pixels needed on the short side. A large JPEG is then decoded at a half, a
            quarter or an eighth of its size, which is much faster. At least twice ``min_side``
            is kept, and nothing is ever enlarged.

    Raises:
        PhotoError: the photo is missing, not a photo, damaged or too large. The message is one
            sentence for the user.
    """
    if not isinstance(source, bytes | Image.Image):
        source = photo_bytes(Path(source))
    try:
        image = _open(source) if isinstance(source, bytes) else source
        _check_size(*image.size)
        if isinstance(source, bytes) and min_side and image.format in _JPEG:
            # The decoder shrinks by plain averaging. With twice the pixels left, the resize
            # that follows does the visible filtering.
            image.draft(None, (2 * min_side, 2 * min_side))
        return _upright_rgb(image)
    except PhotoError:
        raise
    except Exception as error:  # decoders raise nearly anything when the bytes are damaged
        raise PhotoError(_DAMAGED) from error


def photo_bytes(path: Path) -> bytes:
    """The bytes of a photo file, refused before reading when it is too large.

    Raises:
        PhotoError: there is no such file, it may not be read or it is too large.
    """
    try:
        if not path.is_file():
            raise PhotoError("There is no photo at this path: check how it is spelled.")
        if path.stat().st_size > MAX_BYTES:
            raise PhotoError(_TOO_LARGE)
        return path.read_bytes()
    except OSError as error:
        raise PhotoError("This photo cannot be opened: check that you may read it.") from error


def _open(data: bytes) -> Image.Image:
    """Parse the header only."""
    if not data:
        raise PhotoError("This file is empty: choose another photo.")
    if len(data) > MAX_BYTES:
        raise PhotoError(_TOO_LARGE)
    try:
        image = Image.open(BytesIO(data), formats=_FORMATS)
    except UnidentifiedImageError:
        raise PhotoError(
            "This file is damaged or not a photo this app can read: "
            "use JPEG, PNG, WebP, GIF, BMP, AVIF or HEIC."
        ) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PhotoError(_TOO_MANY) from None
    if image.format == "HEIF":
        # A HEIC reports its size after cropping but is decoded before.
        for size in _HEIC_SIZE.findall(data):
            _check_size(*struct.unpack(">II", size))
    if image.format in _JPEG and len(_SCAN.findall(data)) > MAX_SCANS:
        raise PhotoError(_DAMAGED)
    return image


def _check_size(width: int, height: int) -> None:
    if not width * height:
        raise PhotoError(_DAMAGED)
    if width * height > MAX_PIXELS:
        raise PhotoError(_TOO_MANY)
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise PhotoError(f"This photo is over {MAX_ASPECT} times as long as it is wide: crop it.")


def _upright_rgb(image: Image.Image) -> Image.Image:
    image.load()
    method = _UPRIGHT.get(_orientation(image))
    profile = image.info.get("icc_profile")
    image = _to_srgb(_flatten(image), profile)
    image.info = {}  # or the next reader would rotate it again
    return image.transpose(method) if method is not None else image


def _orientation(image: Image.Image) -> int | None:
    try:
        return int(image.getexif().get(0x0112, 1))
    except Exception:  # damaged EXIF says nothing about the pixels
        return None


def _flatten(image: Image.Image) -> Image.Image:
    """Bring any mode to L, CMYK or RGB, on white where it is transparent."""
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
    return image if image.mode in ("L", "CMYK") else image.convert("RGB")


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    try:
        if profile and "sRGB" not in ImageCms.getProfileDescription(BytesIO(profile)):
            srgb = ImageCms.createProfile("sRGB")
            return ImageCms.profileToProfile(image, BytesIO(profile), srgb, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        pass  # the profile is broken or meant for another mode
    return image.convert("RGB")
