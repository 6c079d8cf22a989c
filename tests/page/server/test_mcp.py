"""The page as an MCP server, used through the client of the official package."""

import ast
import base64
from contextlib import asynccontextmanager

import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client
from support.loopback import run_async
from support.paths import SCENES

PHOTO = "data:image/webp;base64," + base64.b64encode((SCENES / "farm.webp").read_bytes()).decode()


@pytest.fixture
def address(app):
    return f"{app[0]}gradio_api/mcp/"


@asynccontextmanager
async def session(address: str):
    async with streamablehttp_client(address) as (read, write, _), ClientSession(read, write) as on:
        await on.initialize()
        yield on


def call(address: str, tool: str, **arguments: object) -> tuple[bool, str]:
    """Whether it failed, and the text of the answer."""

    async def ask() -> tuple[bool, str]:
        async with session(address) as on:
            given = await on.call_tool(tool, arguments)
            return given.isError, given.content[0].text

    return run_async(ask())


def test_its_tools_are_the_public_endpoints_and_each_argument_is_described(address):
    async def tools() -> dict:
        async with session(address) as on:
            return {tool.name: tool for tool in (await on.list_tools()).tools}

    found = run_async(tools())
    assert set(found) == {"predict", "caption", "words", "regions"}
    for tool in found.values():
        assert len(tool.description) > 40
        for name, argument in tool.inputSchema["properties"].items():
            assert argument["type"] == "string"
            assert argument["description"], (tool.name, name)
    assert found["caption"].inputSchema["required"] == ["photo"]


@pytest.mark.parametrize("photo", [None, PHOTO], ids=["caption", "both"])
def test_predict_gives_the_classifiers_scores(address, classifier, photo):
    wrong, text = call(address, "predict", caption="a horse", **({"photo": photo} if photo else {}))
    assert not wrong
    given = ast.literal_eval(text)
    expected = classifier.predict(photo and SCENES / "farm.webp", "a horse")
    assert set(given["scores"]) == set(expected.scores)
    for mode, scores in given["scores"].items():
        assert scores == pytest.approx(expected.scores[mode], abs=1e-4)


def test_no_internal_address_and_no_file_of_the_server_is_read(address, elsewhere):
    """Gradio's own client in the server would upload any file whose path it is given."""
    told = {call(address, "predict", photo=str(path)) for path in elsewhere[:6]}
    assert {wrong for wrong, _ in told} == {True}
    assert len(told) == 1, "nobody learns which files there are"
    for photo in (
        "http://127.0.0.1:1/photo.jpg", "http://169.254.169.254/latest", "file:///etc/passwd",
        "data:text/plain;base64,aGVsbG8=", [str(elsewhere[0])],
        {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}},
    ):  # fmt: skip
        wrong, text = call(address, "predict", photo=photo)
        assert wrong
        assert not any(word in text for word in ("root:", "Traceback", "scores"))
