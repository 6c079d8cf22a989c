"""Validation of requests: every value is checked here before anything reads it.

All of them pass through here: the queue, direct calls, private events by number, and MCP.
"""

from __future__ import annotations

import inspect
import logging
import re
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn
from weakref import WeakKeyDictionary

import gradio as gr
from gradio.processing_utils import save_bytes_to_cache

from clipdemo.errors import ClipdemoError
from clipdemo.page.server.addresses import fetch, unpack
from clipdemo.page.server.uploads import Uploads

SCENES = Path(__file__).resolve().parents[3] / "assets" / "scenes"
SESSIONS = 200
"""Number of latest visitors that Gradio remembers; 0.2 MB each, besides their inputs."""
LONGEST = 20_000  # characters of a text; far more than captions and labels need
SHAPES = (
    'uploaded files ({"path": …} as /gradio_api/upload answers), addresses ({"url": '
    '"https://…"}) and data URLs ({"url": "data:image/…"})'
)
FILES = 1000  # in one value; no component of the page takes more
NO_ROOM = "The server has no room for files now: try again later."
_TEXT, _SWITCH = (str, "text"), (bool, "true or false")
_KINDS = {gr.Textbox: _TEXT, gr.Dropdown: _TEXT, gr.Checkbox: _SWITCH}
_log = logging.getLogger("clipdemo")


class Page(gr.Blocks):
    """Gradio's page, with checked requests.

    Args:
        uploads: the files that requests may name.
    """

    def __init__(self, uploads: Uploads, **options: Any) -> None:
        super().__init__(**options)
        self._uploads = uploads
        self._given: WeakKeyDictionary[object, dict[int, list[Path]]] = WeakKeyDictionary()

    async def process_api(self, block_fn, *args, event_data=None, **options):
        """As Gradio's, but errors are sentences for the caller; unexpected ones are logged."""
        if event_data is not None:
            event_data._data = _plain(event_data._data)
        try:
            return await super().process_api(block_fn, *args, event_data=event_data, **options)
        except gr.Error as error:
            error.print_exception = False
            raise
        except ClipdemoError as error:
            refuse(str(error))
        except Exception as error:
            log_unexpected(error)
            refuse("This request could not be answered: reload the page, or see its API.")

    async def preprocess_data(self, block_fn, inputs, state, explicit_call=False):
        """As Gradio's, with checked values: files are paths in the folder of uploads."""
        names = parameters(block_fn.fn)
        blocks = block_fn.inputs
        if not isinstance(inputs, list) or len(inputs) < len(blocks):
            refuse(f"There are too few values: {', '.join(names) or 'none'} are needed.")
        admitted = []
        for block, name, value in zip(blocks, names, inputs, strict=False):
            admitted.append(await self._admit(block, name, value))
            if block_fn.api_visibility == "private" and state is not None and not block.stateful:
                files = admitted[-1] if isinstance(block, gr.File) else [admitted[-1]]
                paths = [Path(file["path"]) for file in files or () if isinstance(file, dict)]
                self._given.setdefault(state, {})[block._id] = paths
        return await super().preprocess_data(block_fn, admitted, state, explicit_call)

    def shown(self, sessions: set[str]) -> set[Path]:
        """The files shown on the pages of these sessions: the latest of each component."""
        states = [self.state_holder.session_data.get(session) for session in sessions]
        given = [self._given.get(state, {}) for state in states if state is not None]
        return {path for files in given for paths in [*files.values()] for path in paths}

    async def _admit(self, block: gr.components.Component, name: str, value: object) -> object:
        """The value in the form that Gradio's own checks accept.

        Raises:
            gr.Error: it is not valid for this parameter; one sentence.
        """
        if block.stateful or value is None:
            return value  # Gradio takes state from the session, not from the request
        if isinstance(block, gr.Image):
            return file_data(await self._file(name, value))
        if isinstance(block, gr.File):
            if not isinstance(value, list) or len(value) > FILES:
                refuse(f"{name} takes {SHAPES}, and nothing else.")
            return [file_data(await self._file(name, file)) for file in value]
        kind, told = _KINDS[type(block)]
        if not isinstance(value, kind):
            refuse(f"{name} takes {told}, and nothing else.")
        return well_formed(value[:LONGEST]) if isinstance(value, str) else value

    async def _file(self, name: str, value: object) -> Path:
        """The path of a file that a request names, contains or links to."""
        if isinstance(value, dict):
            value = value.get("path") or value.get("url")
        if isinstance(value, str) and value.startswith("data:"):
            return self._keep(unpack(value, name), "photo")
        if isinstance(value, str) and value.startswith(("http://", "https://")):
            return self._keep(*await fetch(value, name))
        found = self._uploads.find(value) if isinstance(value, str) and value else None
        if found is None:
            found = self._example(value)
        if found is None:
            refuse(f"{name} takes {SHAPES}, and nothing else.")
        return found

    def _example(self, value: object) -> Path | None:
        """A copy of one of the app's own scenes, if it is named."""
        own = next((path for path in SCENES.glob("*.webp") if str(path) == value), None)
        return own and self._keep(own.read_bytes(), own.name)

    def _keep(self, data: bytes, name: str) -> Path:
        if not self._uploads.has_room():
            refuse(NO_ROOM)
        return Path(save_bytes_to_cache(data, name, str(self._uploads.folder)))


def parameters(function: object) -> list[str]:
    """Names of the values that a function takes from a request, in order."""
    found = inspect.signature(function).parameters.values() if callable(function) else ()
    return [p.name for p in found if not re.search("Request|EventData", str(p.annotation))]


def event_value(event: gr.EventData, name: str) -> Any:
    """A value in a private event's data, of any JSON type; None if it is missing."""
    return event._data.get(name)


def _plain(said: object) -> dict:
    """An event's data without files and anything else that no event of this page has."""
    said = said if isinstance(said, dict) else {}
    plain = (str, int, float, bool)
    return {
        key: well_formed(value) if isinstance(value, str) else value
        for key, value in said.items()
        if key != "path" and isinstance(value, plain)
    }


def well_formed(text: str) -> str:
    """The text with a question mark for each half of a surrogate pair, which has no UTF-8."""
    return text.encode("utf-8", "replace").decode()


def file_data(path: Path) -> dict:
    """A file in the form that Gradio's own checks take."""
    return {"path": str(path), "orig_name": path.name, "meta": {"_type": "gradio.FileData"}}


def endpoint(
    function: Callable, inputs: list[gr.components.Component], answer: str, about: str, **options
) -> None:
    """Add a public endpoint to the page, named after the function.

    Args:
        function: what it calls; its docstring describes the parameters.
        inputs: components of the parameters.
        answer: the name of its result.
        about: what it is for, and what it returns.
    """
    gr.Button(visible=False).click(
        function,
        inputs,
        gr.JSON(label=answer, visible=False),
        api_name=function.__name__,
        api_description=about,
        **options,
    )


def refuse(sentence: str) -> NoReturn:
    """Raises gr.Error with one sentence for the caller; nothing is logged."""
    raise gr.Error(sentence, print_exception=False)


def log_unexpected(error: BaseException) -> None:
    """Log an unexpected error in one line: what, and where."""
    place = traceback.extract_tb(error.__traceback__)[-1:]
    where = "".join(f" at {Path(frame.filename).name}:{frame.lineno}" for frame in place)
    _log.warning("Unexpected: %s%s", " ".join(repr(error).split())[:300], where)
