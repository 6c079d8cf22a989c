"""File metadata from the hub, and its client's errors as one sentence."""

import textwrap
from dataclasses import dataclass

from clipdemo.hub.repositories import Source


@dataclass(frozen=True)
class RemoteFile:
    """The hub's metadata of a file; `etag` is the sha256 for large ones."""

    repository: str
    name: str
    size: int
    etag: str


def describe(source: Source) -> RemoteFile | None:
    """The first of the source's files that the repository has, or None.

    Raises any error of huggingface_hub's client, except for a missing file.
    """
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import FileMetadataError, RemoteEntryNotFoundError

    for name in source.names:
        url = hf_hub_url(source.repository, name)
        try:
            found = get_hf_file_metadata(url, timeout=constants.HF_HUB_ETAG_TIMEOUT)
        except RemoteEntryNotFoundError:
            continue
        if not found.commit_hash or not found.etag:
            raise FileMetadataError("not a hub")  # but a captive portal's login page, for example
        return RemoteFile(source.repository, name, found.size or 0, found.etag)
    return None


def unreachable(error: Exception) -> bool:
    """Whether an error of the client means that the hub cannot be reached."""
    from huggingface_hub.errors import FileMetadataError, LocalEntryNotFoundError

    # By name: the client's HTTP library is httpx in one version and httpx2 in the next.
    network = any(c.__name__ == "TransportError" for c in type(error).__mro__)
    kinds = (ConnectionError, FileMetadataError, LocalEntryNotFoundError)  # includes offline mode
    return network or isinstance(error, kinds)


def sentence(error: Exception, backbone: str, repository: str) -> str:
    """What happened and what to do, for an error of the client or the disk."""
    from huggingface_hub import constants, errors

    url = f"{constants.ENDPOINT}/{repository}"
    if isinstance(error, errors.OfflineModeIsEnabled):
        return (
            f"{backbone} is not in the cache and HF_HUB_OFFLINE forbids downloading it: unset it, "
            "or choose a backbone that is on this machine."
        )
    if isinstance(error, errors.GatedRepoError):
        return f"Access to {url} is restricted: request it there, and set HF_TOKEN."
    if isinstance(error, errors.RepositoryNotFoundError):
        return f"{url} does not exist or is private: check the id, or set HF_TOKEN."
    if isinstance(error, errors.HfHubHTTPError):
        status = error.response.status_code
        return f"The hub answered {url} with error {status}: try again later."
    if unreachable(error):
        return (
            f"The hub at {constants.ENDPOINT} cannot be reached or the connection was lost, so "
            f"{backbone} was not downloaded: check the network and try again, or choose a backbone "
            "that is on this machine."
        )
    if isinstance(error, OSError) and error.errno:
        return (
            f"The cache {constants.HF_HUB_CACHE} cannot be written ({error.strerror}): free some "
            "space, or set HF_HOME to another folder."
        )
    reason = textwrap.shorten(f"{type(error).__name__} {error}", 160, placeholder="…")
    return f"{backbone} cannot be downloaded ({reason}): try again, or choose another backbone."
