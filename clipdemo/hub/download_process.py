"""The process that `Fetch` starts: `python -m clipdemo.hub.download_process ID`.

It prints progress as lines of JSON: `{"done": bytes, "total": bytes}`, and at the end
`{"ready": true}` or `{"error": sentence}`.
"""

import hashlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from huggingface_hub import constants, hf_hub_download

from clipdemo.errors import BackboneError
from clipdemo.hub.client import RemoteFile, describe, sentence
from clipdemo.hub.repositories import Source, config, repository, text_files, weights


def main(backbone: str) -> None:
    """Download a backbone's files; exits early on a signal or when the parent has exited."""
    # The default chunk of 10 MB would make progress too coarse.
    constants.DOWNLOAD_CHUNK_SIZE = 1 << 16
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(1))  # the client then deletes its partial file
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    try:
        download(backbone, _report)
    except BackboneError as error:
        _report({"error": str(error)})
        sys.exit(2)
    _report({"ready": True})


def download(backbone: str, report: Callable[[dict], None]) -> None:
    """Fetch every file that the backbone is loaded from; intact files in the cache are kept.

    Args:
        backbone: the id of a backbone from the hub.
        report: called with each step.

    Raises:
        BackboneError: it failed; no wrong or truncated file is left in the cache.
    """
    place = repository(backbone)
    try:
        progress, config_file = _Progress(report), None
        if described := config(backbone):
            config_file = _get(_known(backbone, described), progress)
        sources = [weights(backbone), *text_files(backbone, config_file)]
        found = [describe(s) if s.optional else _known(backbone, s) for s in sources]
        files = [file for file in found if file]
        progress.total += sum(file.size for file in files)
        for file in files:
            _get(file, progress)
    except BackboneError:
        raise
    except Exception as error:
        raise BackboneError(sentence(error, backbone, place)) from error


class _Progress:
    """Bytes over all files; the client uses it both as a tqdm class and as its bar."""

    def __init__(self, report: Callable[[dict], None]) -> None:
        self.done = self.total = self._finished = 0
        self._report = report

    def __call__(self, **_: object) -> "_Progress":
        return self

    def __enter__(self) -> "_Progress":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def update(self, size: int) -> None:
        self.done += size
        self._report({"done": self.done, "total": max(self.total, self.done)})

    def finish(self, size: int) -> None:
        """Count a file of this size as done, whether it was downloaded or cached."""
        self._finished += size
        self.update(self._finished - self.done)


def _known(backbone: str, source: Source) -> RemoteFile:
    found = describe(source)
    if found is None:
        raise BackboneError(
            f"{source.repository} on the hub has no {' or '.join(source.names)}, which "
            f"{backbone} needs: choose another backbone."
        )
    return found


def _get(file: RemoteFile, progress: _Progress) -> Path:
    """The path of a file in the cache, downloaded if it is missing or damaged.

    The client itself only checks the sizes of files that it downloads.
    """
    for again in (False, True):
        path = Path(
            hf_hub_download(file.repository, file.name, tqdm_class=progress, force_download=again)
        )
        if _is_right(path, file):
            progress.finish(file.size)
            return path
    path.resolve().unlink()
    path.unlink(missing_ok=True)
    raise BackboneError(
        f"The file {file.name} from {file.repository} is not the one the hub describes (its sha256 "
        "differs), so it was deleted: try again, and do not trust this hub if it happens again."
    )


def _is_right(path: Path, file: RemoteFile) -> bool:
    """Whether the sha256 is the hub's; small files only have a git hash and are not checked."""
    if len(file.etag) != 64:
        return True
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest() == file.etag


def _end_with_parent(parent: int) -> None:
    """Exit when the parent has exited: if it was killed, it could not cancel."""
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


def _report(step: dict) -> None:
    print(json.dumps(step), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
