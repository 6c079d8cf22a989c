"""Settings of the app: flags first, then variables of the environment, then defaults."""

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import NoReturn

# What other Gradio apps and hosts set, looked at behind CLIPDEMO_*.
ALSO = {
    "host": ("GRADIO_SERVER_NAME",),
    "port": ("GRADIO_SERVER_PORT", "PORT"),
    "root_path": ("GRADIO_ROOT_PATH",),
}


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
    root_path: str = ""
    public: bool = False
    private: bool = False
    offer: tuple[str, ...] = ()
    auth: str = ""
    cache: str = ""
    mcp: bool = False

    @classmethod
    def read(cls, flags: Sequence[str] = ()) -> "Settings":
        """Settings from `--name value` flags and the environment; an empty variable counts as none.

        On a Space (SPACE_ID is set) the page is public, and the default host is all interfaces.
        """
        parser = _Parser(prog="app.py", description="The clipdemo page.")
        for field in fields(cls):
            # argparse reads a default that is text like a flag, unless there is the flag.
            kind = {"default": _variable(field.name) or field.default, "type": field.type}
            if field.type is bool:
                kind |= {"type": _switch, "nargs": "?", "const": True}
            elif field.name == "offer":
                kind |= {"type": str, "action": "append", "default": None, "metavar": "ID"}
            parser.add_argument(_flag(field.name), help=HELP[field.name], **kind)
        found = parser.parse_args(flags)
        if "SPACE_ID" in os.environ:
            found.public = found.public or not found.private
            if found.host == cls.host and not _asked(flags, "host"):
                found.host = "0.0.0.0"
        return cls(**vars(found) | _checked(found, parser))


def _checked(found: argparse.Namespace, parser: _Parser) -> dict:
    """Settings in their final form; exits when they cannot be, or contradict each other."""
    if not 0 < found.port <= 65535:
        parser.error(f"--port must be between 1 and 65535, not {found.port}")
    if found.public and found.private:
        parser.error("a page is --public or --private, not both")
    if found.auth and not all(found.auth.partition(":")):
        parser.error("--auth takes USER:PASSWORD")
    if found.auth and found.mcp:
        parser.error("--mcp has no way to log in, so it does not go with --auth")
    root = found.root_path.rstrip("/")
    if root and not root.startswith(("/", "http://", "https://")):
        root = f"/{root}"
    offer = found.offer or _variable("offer").replace(",", " ").split()
    return {"root_path": root, "host": found.host.strip("[]"), "offer": tuple(offer)}


def _variable(name: str) -> str:
    """What the environment says of a setting; empty where it says nothing."""
    variables = (f"CLIPDEMO_{name.upper()}", *ALSO.get(name, ()))
    return next(filter(None, (os.environ.get(v, "").strip() for v in variables)), "")


def _asked(flags: Sequence[str], name: str) -> bool:
    """Whether somebody asked for this value, although it is the default."""
    flag = _flag(name)
    return bool(_variable(name)) or any(f == flag or f.startswith(f"{flag}=") for f in flags)


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


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
    "root_path": "path, or whole address, under which a proxy serves the page, such as /clip",
    "public": "everybody is a visitor, whoever they seem to be: for a page behind a proxy",
    "private": "everybody who reaches the page is its owner; without either, only who opens it on "
    "this machine is",
    "offer": "a backbone that visitors may have downloaded, too; may be given several times",
    "auth": "USER:PASSWORD that people log in with",
    "cache": "folder for downloads, uploads and scored tables; by default the usual ones",
    "mcp": "also be an MCP server, whose tools are the page's public endpoints",
}
