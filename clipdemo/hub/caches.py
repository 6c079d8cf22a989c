"""Folders that libraries write to: the usual ones, or others if those cannot be written."""

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
    """Where scored tables and findings go: `folder`, else the user's data, else temporary files.

    Call it after `settle_caches(folder)`.
    """
    home = folder or os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return _first_usable([Path(home) / "clipdemo", _temporary() / "clipdemo"])


def _first_usable(places: list[Path]) -> Path:
    """The first that can be written or already holds models, else a new temporary folder."""
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
    """Whether files can be written there; the folder is made if it is missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
