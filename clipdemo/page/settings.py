"""Settings of the app: flags first, then environment variables, then defaults."""

import argparse
import os
from collections.abc import Sequence
from configparser import ConfigParser
from dataclasses import dataclass, field, fields
from typing import Any, NoReturn

# Variables of Gradio and of hosting services, used if there is no CLIPDEMO_ variable.
ALSO = {
    "host": ("GRADIO_SERVER_NAME",),
    "port": ("GRADIO_SERVER_PORT", "PORT"),
    "root_path": ("GRADIO_ROOT_PATH",),
}


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one sentence, without argparse's usage lines."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"The settings cannot be used ({message}): `{self.prog} --help` lists them.\n")


def _setting(default: Any, about: str) -> Any:
    return field(default=default, metadata={"help": about})


@dataclass(frozen=True)
class Settings:
    """The settings; each field is a flag and a CLIPDEMO_ variable."""

    backbone: str = _setting(
        "auto",
        "a backbone id, or auto: the checkpoint's, else the one with the best trained heads",
    )
    checkpoint: str = _setting(
        "", "folder of trained heads, or hf:org/repo; by default those that come with the backbone"
    )
    device: str = _setting("auto", "auto, cpu, cuda or mps")
    precision: str = _setting("auto", "auto (fp16 on CUDA, else fp32), fp32, bf16 or fp16")
    captioner: str = _setting(
        "auto", "the captioner: auto, bundled, a cached model from the hub, or a folder"
    )
    table: str = _setting(
        "", "labelled table to inspect (CSV, or stored predictions); by default drawn scenes"
    )
    photos: str = _setting("", "folder, zip or tar with the photos of the table")
    start: str = _setting(
        "crossing", "the example scene that the page opens with, or empty for none"
    )
    max_photos: int = _setting(500, "maximum number of photos in a run of the Batch tab")
    max_upload: int = _setting(40, "maximum size of an upload, in MB; a photo can be 40 MB at most")
    host: str = _setting("127.0.0.1", "address to listen on")
    port: int = _setting(7860, "port to listen on")
    root_path: str = _setting(
        "", "path, or whole address, under which a proxy serves the page, such as /clip"
    )
    public: bool = _setting(False, "treat everybody as a visitor: for a page behind a proxy")
    private: bool = _setting(
        False,
        "treat everybody as the owner; without --public and --private, only those who open the "
        "page on this machine are",
    )
    offer: tuple[str, ...] = _setting(
        (), "another backbone that visitors may download; can be given several times"
    )
    auth: str = _setting("", "USER:PASSWORD to log in with")
    cache: str = _setting(
        "", "folder for downloads, uploads and scored tables; by default the usual ones"
    )
    mcp: bool = _setting(
        False, "also run an MCP server, whose tools are the page's public endpoints"
    )

    @classmethod
    def read(cls, flags: Sequence[str] = ()) -> "Settings":
        """Settings from `--name value` flags and the environment; empty variables do not count.

        On a Space (SPACE_ID is set) the page is public, and the default host is all interfaces.
        """
        on_space = "SPACE_ID" in os.environ
        defaults = {"host": "0.0.0.0"} if on_space else {}
        parser = _Parser(prog="app.py", description="The clipdemo page.")
        for setting in fields(cls):
            name = setting.name
            # argparse converts a default that is text like a flag, unless the flag is given.
            kind = {"default": _variable(name) or defaults.get(name, setting.default)}
            if setting.type is bool:
                kind |= {"type": _switch, "nargs": "?", "const": True}
            elif name == "offer":
                kind |= {"action": "append", "default": None, "metavar": "ID"}
            else:
                kind["type"] = setting.type
            parser.add_argument("--" + name.replace("_", "-"), **setting.metadata, **kind)
        found = parser.parse_args(flags)
        found.public = found.public or (on_space and not found.private)
        return cls(**vars(found) | _checked(found, parser))


def _checked(found: argparse.Namespace, parser: _Parser) -> dict:
    """Normalised settings; exits if one is invalid or two contradict each other."""
    if not 0 < found.port <= 65535:
        parser.error(f"--port must be between 1 and 65535, not {found.port}")
    for name in ("max_photos", "max_upload"):
        if getattr(found, name) < 1:
            parser.error(f"--{name.replace('_', '-')} must be at least 1")
    if found.public and found.private:
        parser.error("a page is --public or --private, not both")
    if found.auth and not all(found.auth.partition(":")):
        parser.error("--auth takes USER:PASSWORD")
    if found.auth and found.mcp:
        parser.error("--mcp has no login, so it cannot be combined with --auth")
    root = found.root_path.rstrip("/")
    if root and not root.startswith(("/", "http://", "https://")):
        root = f"/{root}"
    offer = found.offer or _variable("offer").replace(",", " ").split()
    return {"root_path": root, "host": found.host.strip("[]"), "offer": tuple(offer)}


def _variable(name: str) -> str:
    """A setting's value in the environment; empty if unset."""
    variables = (f"CLIPDEMO_{name.upper()}", *ALSO.get(name, ()))
    return next(filter(None, (os.environ.get(v, "").strip() for v in variables)), "")


def _switch(text: str) -> bool:
    """Raises ArgumentTypeError for a text that is neither on nor off."""
    try:
        return ConfigParser.BOOLEAN_STATES[text.lower()]
    except KeyError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false") from None
