"""Photos that callers of the API give as a URL or data URL, with a limit on their size.

A URL's host must be public. Gradio blocks internal addresses, too, but reads a response of any
size.
"""

import asyncio
from ipaddress import ip_address
from pathlib import PurePosixPath
from urllib.request import DataHandler, Request

import gradio as gr
import httpx
from gradio_client.utils import strip_invalid_filename_characters
from safehttpx import AsyncSecureTransport, async_validate_url

from clipdemo.inputs.photo_files import MAX_BYTES

REDIRECTS = 5
PATIENCE = 30.0  # seconds for the whole download


def unpack(url: str, name: str = "photo") -> bytes:
    """The bytes in a data URL (RFC 2397), base64 or percent-encoded.

    Args:
        url: the data URL.
        name: the parameter that it is for.

    Raises:
        gr.Error: it is damaged or too large; one sentence.
    """
    try:
        data = DataHandler().data_open(Request(url)).read()
    except ValueError:
        message = f"{name} is a damaged data URL: write data:image/jpeg;base64, and the bytes."
        raise gr.Error(message, print_exception=False) from None
    if len(data) > MAX_BYTES:
        message = f"{name} is larger than {MAX_BYTES // 2**20} MB: make it smaller."
        raise gr.Error(message, print_exception=False)
    return data


async def fetch(url: str, name: str = "photo") -> tuple[bytes, str]:
    """The photo at a URL, and a file name for it.

    Args:
        url: the URL.
        name: the parameter that it is for.

    Raises:
        gr.Error: it is not public, cannot be fetched or is too large; one sentence.
    """
    try:
        async with asyncio.timeout(PATIENCE):
            data = await _get(url)
        named = strip_invalid_filename_characters(PurePosixPath(httpx.URL(url).path).name)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError, OverflowError, ExceptionGroup):
        data = None
    if data is None:
        message = f"Nothing could be fetched from this address ({name}): upload a file instead."
        raise gr.Error(message, print_exception=False)
    return data, named if named.strip(".") else "photo.jpg"


async def _get(url: str) -> bytes | None:
    """The body after redirects; each host is looked up once, and that address is used."""
    for _ in range(REDIRECTS):
        if httpx.URL(url).scheme not in ("http", "https"):
            return None
        found = await async_validate_url(httpx.URL(url).host)
        if not ip_address(found).is_global:
            return None
        async with (
            httpx.AsyncClient(transport=AsyncSecureTransport(found)) as client,
            client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as answer,
        ):
            if not answer.has_redirect_location:
                return await _body(answer) if answer.status_code == 200 else None
            url = str(httpx.URL(url).join(answer.headers["Location"]))
    return None


async def _body(answer: httpx.Response) -> bytes | None:
    data = bytearray()
    async for part in answer.aiter_raw():  # not decompressed, which could yield any size
        data += part
        if len(data) > MAX_BYTES:
            return None
    return bytes(data)
