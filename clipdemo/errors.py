"""Errors shown to users. Each message is one sentence: what happened and what to do."""

import textwrap


class ClipdemoError(Exception):
    """Base of every error whose message may be shown to a user unchanged."""


class PhotoError(ClipdemoError):
    """A photo that cannot be read, or is refused."""


class LabelError(ClipdemoError):
    """Labels that cannot be classified."""


class TableError(ClipdemoError):
    """A label table that cannot be read."""


class CheckpointError(ClipdemoError):
    """A checkpoint that is damaged or does not fit its backbone."""


class BackboneError(ClipdemoError):
    """A backbone that cannot be found, loaded or run."""


class CaptionerError(ClipdemoError):
    """A captioner that cannot be found, loaded or run."""


class DownloadError(ClipdemoError):
    """A file that cannot be downloaded completely."""


def reason(error: Exception) -> str:
    """The first line of an error's message, or its type; at most 200 characters."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return textwrap.shorten(lines[0], 200, placeholder="…")
