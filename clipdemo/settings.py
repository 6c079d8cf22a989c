"""Settings of the app: flags first, then CLIPDEMO_* variables, then defaults."""

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import NoReturn


class _Parser(argparse.ArgumentParser):
    """Refuses in one sentence, without the lines of usage that argparse puts before it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"The settings cannot be used ({message}): `{self.prog} --help` lists them.\n")


@dataclass(frozen=True)
class Settings:
    """What the app can be told; each field is a flag and a CLIPDEMO_ variable."""

    backbone: str = "auto"
    checkpoint: str = ""
    device: str = "auto"
    precision: str = "auto"
    captioner: str = "auto"
    table: str = ""
    photos: str = ""
    host: str = "127.0.0.1"
    port: int = 7860
    cache: str = ""
    mcp: bool = False

    @classmethod
    def read(cls, flags: Sequence[str] = ()) -> "Settings":
        """Settings from `--name value` flags and the environment.

        On a Space (SPACE_ID is set) the default host is all interfaces, as Spaces need it.
        """
        parser = _Parser(prog="app.py", description="The clipdemo page.")
        for field in fields(cls):
            default = os.environ.get(f"CLIPDEMO_{field.name.upper()}", field.default)
            if field.name == "host" and "SPACE_ID" in os.environ:
                default = os.environ.get("CLIPDEMO_HOST", "0.0.0.0")
            kind = {"type": field.type}
            if field.type is bool:
                kind = {"type": _switch, "nargs": "?", "const": True}
            parser.add_argument(f"--{field.name}", default=default, help=HELP[field.name], **kind)
        found = parser.parse_args(flags)
        if not 0 < found.port <= 65535:
            parser.error(f"--port must be between 1 and 65535, not {found.port}")
        return cls(**vars(found))


def _switch(text: str) -> bool:
    """Raises ArgumentTypeError when it is neither on nor off."""
    known = {"1": True, "true": True, "on": True, "": False, "0": False, "false": False,
             "off": False}  # fmt: skip
    if text.lower() not in known:
        raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")
    return known[text.lower()]


HELP = {
    "backbone": "a backbone id, or auto: the checkpoint's own, else the best that is here",
    "checkpoint": "folder of trained heads; by default those that come with the backbone",
    "device": "auto, cpu, cuda or mps",
    "precision": "auto (fp16 on CUDA, else fp32), fp32, bf16 or fp16",
    "captioner": "what writes captions: auto, bundled, a model of the hub that is cached, a folder",
    "table": "labelled table to inspect (CSV, or predictions that were kept); drawn scenes without",
    "photos": "folder, zip or tar with the photos of the table",
    "host": "address to listen on",
    "port": "port to listen on",
    "cache": "folder for downloads, uploads and scored tables; by default the usual ones",
    "mcp": "also be an MCP server, whose tools are the page's public endpoints",
}
