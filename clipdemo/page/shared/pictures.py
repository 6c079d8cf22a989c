"""Small pictures for the page."""

import base64
import io

from PIL import Image


def shrunk(photo: Image.Image, side: int, kind: str = "jpeg", quality: int = 85) -> bytes:
    """A photo as a file of that kind, its long side at most `side` pixels."""
    small = photo.copy()
    small.thumbnail((side, side))
    file = io.BytesIO()
    small.save(file, kind, quality=quality)
    return file.getvalue()


def data_url(picture: bytes, kind: str) -> str:
    """A picture file as a data: URL."""
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"
