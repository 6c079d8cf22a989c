"""Photos that a caller of the API names by an address: from public hosts, no larger than allowed.

Gradio keeps callers from inner addresses too, but takes in an answer whole, however large it is.
"""

import asyncio
from ipaddress import ip_address
from pathlib import PurePosixPath

import gradio as gr
import httpx
from gradio import processing_utils
from gradio_client.utils import strip_invalid_filename_characters
from safehttpx import AsyncSecureTransport, async_validate_url

from clipdemo.images import MAX_BYTES

REDIRECTS = 5
PATIENCE = 30.0  # seconds for all of it


def bound_addresses() -> None:
    """Have Gradio fetch with `fetch` from now on."""
    processing_utils.async_ssrf_protected_download = fetch


async def fetch(url: str, cache_dir: str) -> str:
    """Path of a file with what is at the address; Gradio calls it for every address it is given.

    Raises:
        gr.Error: it is not public, gives nothing, or gives too much; one sentence.
    """
    try:
        async with asyncio.timeout(PATIENCE):
            data = await _get(url)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, TimeoutError):
        data = None
    if data is None:
        message = "There is no photo to be had at this address: upload it instead."
        raise gr.Error(message, print_exception=False)
    name = strip_invalid_filename_characters(PurePosixPath(httpx.URL(url).path).name)
    name = name if name.strip(".") else "photo.jpg"
    return processing_utils.save_bytes_to_cache(data, name, cache_dir)


async def _get(url: str) -> bytes | None:
    """What is there, after redirects; each host is looked up once, and that address is used."""
    for _ in range(REDIRECTS):
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
    async for part in answer.aiter_raw():  # as it is: what is packed may unpack to anything
        data += part
        if len(data) > MAX_BYTES:
            return None
    return bytes(data)
