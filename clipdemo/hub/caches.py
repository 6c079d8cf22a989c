"""Folders that libraries write to: their defaults, or others if those are not writable."""

import os
import tempfile
from pathlib import Path

from clipdemo.errors import ClipdemoError


def settle_caches(folder: str = "") -> None:
    """Set HF_HOME (downloads) and GRADIO_TEMP_DIR (uploads) to usable folders.

    Each is the first usable one of: the variable's value, a subfolder of `folder` or else the
    library's default, a new temporary folder. Must be called before huggingface_hub and gradio are
    imported, which read these variables once.

    Args:
        folder: for caches and temporary files; empty: the defaults.

    Raises:
        ClipdemoError: `folder`, or everything, is read-only.
    """
    if folder:
        home = temporary = Path(folder).absolute()
        if not _can_write(home):
            raise ClipdemoError(f"Nothing can be written to {folder}: choose another --cache.")
        os.environ["TMPDIR"] = os.environ.get("TMPDIR") or str(home)
    else:
        home = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
        temporary = _temporary()
    for variable, default in (("HF_HOME", home / "huggingface"),
                              ("GRADIO_TEMP_DIR", temporary / "gradio")):  # fmt: skip
        wanted = [Path(place) for place in (os.environ.get(variable), default) if place]
        os.environ[variable] = str(_first_usable(wanted))


def data_folder(folder: str = "") -> Path:
    """The folder for scored tables and findings: in `folder` or CLIPDEMO_CACHE, else in the user's
    data folder, else in a temporary one.

    Call it after `settle_caches(folder)`.
    """
    set_by_user = folder or os.environ.get("CLIPDEMO_CACHE") or os.environ.get("XDG_DATA_HOME")
    home = Path(set_by_user or "~/.local/share")
    return _first_usable([home / "clipdemo", _temporary() / "clipdemo"])


def _first_usable(places: list[Path]) -> Path:
    """The first that is writable or already holds models, else a new temporary folder."""
    for place in places:
        try:
            place = place.expanduser()
        except RuntimeError:  # a user without a home
            continue
        # Models in a read-only home can be read and need not be downloaded again.
        if _can_write(place) or any(place.glob("hub/models--*")):
            return place
    return Path(tempfile.mkdtemp(prefix="clipdemo-"))


def _temporary() -> Path:
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError:
        raise ClipdemoError(
            "No temporary folder can be written: set CLIPDEMO_CACHE to a folder that can."
        ) from None


def _can_write(folder: Path) -> bool:
    """Whether files can be written there; the folder is created if missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
