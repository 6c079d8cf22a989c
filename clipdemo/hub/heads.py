"""Heads from the hub: `hf:org/repo`, or `hf:org/repo@revision`.

Only the card and the safetensors files that it names are downloaded, and no code is run.
"""

import json
import re
from pathlib import Path

from clipdemo.errors import CheckpointError
from clipdemo.hub.client import sentence

PREFIX = "hf:"
_PLACE = re.compile(r"hf:([\w.-]+/[\w.-]+)(?:@([\w./-]+))?")
_FILE = re.compile(r"[\w-][\w.-]*\.safetensors")


def fetch_heads(place: str) -> Path:
    """The folder of such heads in the cache, downloaded if necessary.

    Raises:
        CheckpointError: `place` has another form, or cannot be downloaded.
    """
    from huggingface_hub import hf_hub_download

    found = _PLACE.fullmatch(place)
    if not found:
        raise CheckpointError(
            f"{place!r} names no heads on the hub: write hf:org/repo, or hf:org/repo@revision."
        )
    repository, revision = found.groups()
    try:
        card = Path(hf_hub_download(repository, "card.json", revision=revision))
        # All files from one commit, even if the branch moves meanwhile.
        commit = card.parent.name
        for name in _files(card, place):
            hf_hub_download(repository, name, revision=commit)
    except CheckpointError:
        raise
    except Exception as error:
        raise CheckpointError(sentence(error, place, repository)) from error
    return card.parent


def _files(card: Path, place: str) -> list[str]:
    try:
        files = list(json.loads(card.read_text("utf-8"))["files"])
    except (OSError, ValueError, KeyError, TypeError):
        files = []
    if not files or not all(_FILE.fullmatch(name) for name in files):
        raise CheckpointError(
            f"{place} has no heads for clipdemo: its card must name safetensors files only."
        )
    return files
