"""Heads from the hub: `hf:org/repo`, or `hf:org/repo@revision` for the ones of that revision.

Only a card and the safetensors files that it names are fetched; nothing of it is run.
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
    """The folder of such heads in the cache, after a download where it is necessary.

    Raises:
        CheckpointError: it is not written like one, or it cannot be downloaded.
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
        # All of one commit, though the branch may move on meanwhile.
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
            f"{place} holds no heads of clipdemo: its card must name safetensors files alone."
        )
    return files
