"""Getting a backbone's files into the Hugging Face cache: what runs in `hub.Fetch`'s child process.

Each step is told as a small dict: `{"done": bytes, "total": bytes}`, in the end `{"ready": true}`
or `{"error": sentence}`.
"""

import errno
import hashlib
import shutil
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clipdemo.errors import BackboneError, ClipdemoError
from clipdemo.hub import repositories as sources
from clipdemo.hub.repositories import Source

Say = Callable[[dict], None]
_ABANDONED = 600.0
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True)
class Remote:
    """A file as the hub describes it; `etag` is the sha256 of a large one."""

    repository: str
    name: str
    size: int
    etag: str


def describe(source: Source, timeout: float | None = None) -> Remote | None:
    """The hub's answer for the first of the source's names that the repository has.

    Raises what huggingface_hub's client raises, but for a file that is not there.
    """
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import FileMetadataError, RemoteEntryNotFoundError

    timeout = constants.HF_HUB_ETAG_TIMEOUT if timeout is None else timeout
    for name in source.names:
        try:
            found = get_hf_file_metadata(hf_hub_url(source.repository, name), timeout=timeout)
        except RemoteEntryNotFoundError:
            continue
        if not found.commit_hash or not found.etag:
            raise FileMetadataError("not a hub")
        return Remote(source.repository, name, found.size or 0, found.etag)
    return None


def download(backbone: str, files: list[Source], say: Say) -> None:
    """Fetch every file that the backbone is loaded from; what the cache has whole is kept.

    Args:
        backbone: a backbone id.
        files: what `sources.files` says of it.
        say: told of every step.

    Raises:
        BackboneError: one sentence; no file that is wrong or cut off is left in the cache.
    """
    place = files[0].repository
    try:
        _clear_abandoned(place)  # imports the client, which is not to count as the hub's silence
        say({"done": 0, "total": 0})
        progress = _Progress(say)
        described = sources.config(backbone)
        if described:
            found = _known(backbone, described)
            progress.expect(found.size)
            config = _get(found, progress)
            files = files + sources.text_files(backbone, config)
        wanted = []
        for source in files:
            found = describe(source) if source.optional else _known(backbone, source)
            wanted += [found] if found else []
        progress.expect(sum(file.size for file in wanted))
        for file in wanted:
            _get(file, progress)
        progress.tell()
    except ClipdemoError:
        raise
    except Exception as error:
        raise BackboneError(sentence(error, backbone, place)) from error


def _known(backbone: str, source: Source) -> Remote:
    found = describe(source)
    if found is None:
        raise BackboneError(
            f"{source.repository} on the hub holds no {' or '.join(source.names)}, so {backbone} "
            "cannot be had from there: choose another backbone."
        )
    return found


class _Progress:
    """Bytes over all files, told every 0.1 s and every percent; makes the client's bars."""

    def __init__(self, say: Say) -> None:
        self.done = self.total = 0
        self._say = say
        self._told = 0.0
        self._told_done = 0

    def expect(self, size: int) -> None:
        self.total += size

    def add(self, size: int) -> None:
        self.done += size
        percent = 100 * abs(self.done - self._told_done) >= self.total
        if percent or time.monotonic() - self._told > 0.1:
            self.tell()

    def tell(self) -> None:
        self._told, self._told_done = time.monotonic(), self.done
        self._say({"done": self.done, "total": max(self.total, self.done)})

    def bar(self, **_: Any) -> "_Bar":
        """In place of a tqdm class."""
        return _Bar(self)


class _Bar:
    """As much of a tqdm bar as the client uses."""

    def __init__(self, progress: _Progress) -> None:
        self.update = progress.add

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *_: object) -> None:
        pass


def _get(file: Remote, progress: _Progress) -> Path:
    """The path of a file in the cache, downloaded where it is not there or is damaged."""
    from huggingface_hub import hf_hub_download, try_to_load_from_cache

    there = try_to_load_from_cache(file.repository, file.name)
    if isinstance(there, str):
        if _right(Path(there), file, progress):
            progress.add(file.size)
            return Path(there)
        _discard(Path(there))
    folder = Path(_cache())
    free = shutil.disk_usage(next(p for p in (folder, *folder.parents) if p.exists())).free
    if file.size > free:
        raise OSError(errno.ENOSPC, f"{file.size / 1e9:.1f} GB needed, {free / 1e9:.1f} GB free")
    path = Path(hf_hub_download(file.repository, file.name, tqdm_class=progress.bar))
    if not _right(path, file, progress):
        _discard(path)
        raise BackboneError(
            f"The file {file.name} from {file.repository} is not the one the hub describes (its "
            "sha256 differs), so it was deleted: try again, and do not trust this hub if it "
            "stays so."
        )
    return path


def _right(path: Path, file: Remote, progress: _Progress) -> bool:
    """Whether size and, of large files, sha256 are what the hub says."""
    if file.size and path.stat().st_size != file.size:
        return False
    if len(file.etag) != 64:  # git's own hash, of small files
        return sources.complete(path)
    digest = hashlib.sha256()
    with path.open("rb") as content:
        while block := content.read(1 << 24):
            digest.update(block)
            progress.add(0)
    return digest.hexdigest() == file.etag


def _discard(path: Path) -> None:
    """Delete a file of the cache: the name in the snapshot and what it points to."""
    if path.is_symlink():
        (path.parent / path.readlink()).unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def _cache() -> str:
    from huggingface_hub import constants

    return constants.HF_HUB_CACHE


def _clear_abandoned(place: str) -> None:
    """Delete what killed downloads left: the client gives each its own file and never goes on
    with another's."""
    from huggingface_hub.file_download import repo_folder_name

    blobs = Path(_cache(), repo_folder_name(repo_id=place, repo_type="model"), "blobs")
    for part in blobs.glob("*.incomplete"):
        if time.time() - part.stat().st_mtime > _ABANDONED:
            part.unlink(missing_ok=True)


def unreachable(error: Exception) -> bool:
    """Whether an error of the client means that no hub answers."""
    from huggingface_hub.errors import FileMetadataError, LocalEntryNotFoundError

    # Not by class: the client's HTTP library is httpx in one version and httpx2 in the next.
    network = any(c.__name__ == "TransportError" for c in type(error).__mro__)
    kinds = (ConnectionError, FileMetadataError, LocalEntryNotFoundError)  # offline mode is one
    return network or isinstance(error, kinds)


def sentence(error: Exception, backbone: str, place: str) -> str:
    """What happened and what to do, for an error of the client or the disk."""
    from huggingface_hub import constants, errors

    where = f"{constants.ENDPOINT}/{place}"
    if isinstance(error, ImportError) and "socks" in str(error).lower():
        return (
            "The proxy of the environment is a SOCKS proxy, which needs the package socksio: `pip "
            "install socksio`, or unset all_proxy."
        )
    if isinstance(error, errors.OfflineModeIsEnabled):
        return (
            f"{backbone} is not in the cache and HF_HUB_OFFLINE forbids to download it: unset it, "
            "or choose a backbone that is here."
        )
    if isinstance(error, errors.GatedRepoError):
        return f"{where} is open only to those it lets in: ask there, and set HF_TOKEN."
    if isinstance(error, errors.RepositoryNotFoundError):
        return f"There is no {where}, or it is private: check the id, or set HF_TOKEN."
    if isinstance(error, errors.HfHubHTTPError):
        status = error.response.status_code
        return f"The hub answered {where} with error {status}: try again later."
    if unreachable(error):
        return (
            f"The hub at {constants.ENDPOINT} cannot be reached or broke off, so {backbone} was "
            "not downloaded: check the network and try again, or choose a backbone that is here."
        )
    if isinstance(error, OSError) and "Consistency check" in str(error):
        return f"The hub sent a file of {backbone} that is cut off, so it was deleted: try again."
    if isinstance(error, OSError) and error.errno in _FULL:
        return (
            f"The disk of the cache {constants.HF_HUB_CACHE} has no room for {backbone} "
            f"({error.strerror}): free some, or set HF_HOME to a folder elsewhere."
        )
    if isinstance(error, OSError) and error.errno:
        return (
            f"The cache {constants.HF_HUB_CACHE} cannot be written ({error.strerror}): set "
            "HF_HOME to a folder that can."
        )
    reason = textwrap.shorten(f"{type(error).__name__} {error}", 160, placeholder="…")
    return f"{backbone} cannot be downloaded ({reason}): try again, or choose another backbone."
