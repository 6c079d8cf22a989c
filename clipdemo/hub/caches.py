"""Folders that libraries write to: the usual ones, or others where those cannot be written."""

import os
import tempfile
from pathlib import Path

from clipdemo.errors import ClipdemoError


def settle_caches(folder: str = "") -> None:
    """Set HF_HOME (downloads) and GRADIO_TEMP_DIR (uploads) to folders that can be used.

    Each is the first usable of: what the variable says already, a subfolder of `folder` or else
    the library's own default, a new temporary folder. Must be called before huggingface_hub and
    gradio are imported, which read these variables once.

    Args:
        folder: where caches and temporary files go; empty: where they usually go.

    Raises:
        ClipdemoError: nothing can be written to `folder`, or anywhere.
    """
    if folder:
        home = temporary = Path(folder).absolute()
        if not can_write(home):
            raise ClipdemoError(f"Nothing can be written to {folder}: choose another --cache.")
        os.environ["TMPDIR"] = os.environ.get("TMPDIR") or str(home)
    else:
        home = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
        temporary = _temporary()
    _settle("HF_HOME", home / "huggingface")
    _settle("GRADIO_TEMP_DIR", temporary / "gradio")


def data_folder(folder: str = "") -> Path:
    """Where scored tables and findings go: `folder`, else the user's data, else temporary files.

    Call it after `settle_caches(folder)`.
    """
    home = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    places = (Path(folder or home) / "clipdemo", _temporary() / "clipdemo")
    found = next(filter(_can_be_made, places), None)
    return found.expanduser() if found else Path(tempfile.mkdtemp(prefix="clipdemo-"))


def _temporary() -> Path:
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError:
        raise ClipdemoError(
            "No temporary folder can be written: set CLIPDEMO_CACHE to a folder that can."
        ) from None


def _settle(variable: str, default: Path) -> None:
    wanted = [Path(os.environ[variable])] if os.environ.get(variable) else []
    found = next(filter(_usable, [*wanted, default]), None)
    place = found.expanduser() if found else tempfile.mkdtemp(prefix="clipdemo-")
    os.environ[variable] = str(place)


def _usable(place: Path) -> bool:
    # Models that came with a read-only home can be read, and need not be fetched again.
    if _can_be_made(place):
        return True
    return _has_home(place) and any(place.expanduser().glob("hub/models--*"))


def _can_be_made(place: Path) -> bool:
    return _has_home(place) and can_write(place.expanduser())


def _has_home(place: Path) -> bool:
    try:
        place.expanduser()
    except RuntimeError:  # a user without a home
        return False
    return True


def can_write(folder: Path) -> bool:
    """Whether files can be written there; the folder is made if it is missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
