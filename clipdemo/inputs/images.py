"""Reading of photos, for training and serving: any format becomes an upright RGB picture.

What is decoded at all is decided in `photo_files`, by the header alone.
"""

import contextlib
import threading
from collections.abc import Iterator
from io import BytesIO
from os import PathLike
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms
from PIL.JpegImagePlugin import JpegImageFile

from clipdemo.errors import PhotoError
from clipdemo.inputs.allocator import give_back_soon
from clipdemo.inputs.photo_files import (
    DAMAGED,
    MAX_PIXELS,
    SCAN,
    can_be_reduced,
    check_size,
    is_jpeg,
    open_photo,
    photo_bytes,
)  # fmt: skip

# Pixels decoded at the same time in all threads. Each takes up to 11 bytes.
AT_ONCE = 2 * MAX_PIXELS

CUT_OFF = "The file of this photo is cut off at its end: only the part that is there was read."
_MISSING = 0.25  # share of rows; with more missing, a photo counts as damaged
_ROUGH = 5  # scans of a progressive JPEG, of about 10, that show the whole photo roughly
_END = b"\xff\xd9"

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
            check_size(*source.size)
            return _upright_rgb(source)
        with _room.of(_pixels(open_photo(source), min_side)):
            try:
                return _upright_rgb(_decoded(source, min_side))
            except OSError:
                if not is_jpeg(source):
                    raise
                return _upright_rgb(_cut_off(source, min_side))
    except PhotoError:
        raise
    except Exception as error:  # decoders raise nearly anything when the bytes are damaged
        raise PhotoError(DAMAGED) from error
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
    if isinstance(image, JpegImageFile) and can_be_reduced(image):
        _reduce(image, min_side)
    return image.width * image.height


def _decoded(data: bytes, min_side: int | None) -> Image.Image:
    """Open and decode; a JPEG no larger than necessary."""
    image = open_photo(data)
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
        complete = len(SCAN.findall(data)) >= _ROUGH
    else:  # the missing rows are those that depend on the bytes appended
        other = _decoded(data + b"\x55" * 2**16 + _END, min_side)
        missing = (np.asarray(image) != np.asarray(other)).reshape(image.height, -1).any(1)
        complete = not missing.any() or np.argmax(missing) >= (1 - _MISSING) * image.height
    if not complete:
        raise PhotoError(DAMAGED)
    image.info["notice"] = CUT_OFF
    return image


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
