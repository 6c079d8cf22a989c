"""Where a backbone's files come from, and which of them are in the Hugging Face cache.

The offered backbones need no torch here. A typed `name/pretrained` is looked up in open_clip's
table, which imports it.
"""

import difflib
import json
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from clipdemo.errors import BackboneError
from clipdemo.hub import catalog

CONFIG = "open_clip_config.json"
WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
HUB, LOCAL = "hf-hub:", "local-dir:"
_VOCABULARY = ("tokenizer.json", "spiece.model", "sentencepiece.bpe.model", "vocab.txt",
               "vocab.json")  # fmt: skip
_BESIDE = ("tokenizer_config.json", "special_tokens_map.json", "merges.txt", "config.json")


@dataclass(frozen=True)
class Source:
    """One file a backbone is loaded from: the first of `names` that the repository has."""

    repository: str
    names: tuple[str, ...]
    optional: bool = False


def repository(backbone: str) -> str | None:
    """The hub repository `org/repo` of a backbone; None for the bundled one and for folders.

    Raises:
        BackboneError: open_clip knows no such model or weights, or they do not fit each other.
    """
    if backbone == "tiny" or backbone.startswith(LOCAL):
        return None
    return weights(backbone).repository


def weights(backbone: str) -> Source:
    """The weights of a backbone that comes from the hub; safetensors where there are any.

    Raises:
        BackboneError: see `repository`.
    """
    if backbone.startswith(HUB):
        return Source(_checked(backbone), WEIGHTS)
    offer = catalog.offer(backbone)
    if offer:
        return Source(offer.repository, WEIGHTS)
    place, _, name = _table_entry(backbone).rpartition("/")
    if not name:
        return Source(place, WEIGHTS)
    safe = [Path(name).with_suffix(".safetensors").name] if name.endswith((".bin", ".pth")) else []
    return Source(place, (*safe, name))


def files(backbone: str) -> list[Source]:
    """All sources that can be told before a config from the hub is read, the weights first.

    Raises:
        BackboneError: see `repository`.
    """
    found = [weights(backbone)]
    return found if backbone.startswith(HUB) else found + text_files(backbone, None)


def _checked(backbone: str) -> str:
    """`org/repo` of `hf-hub:org/repo`."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    place = backbone.removeprefix(HUB)
    try:
        validate_repo_id(place)
    except HFValidationError:
        raise BackboneError(
            f"{backbone!r} names no repository of the hub: write hf-hub:org/repo."
        ) from None
    return place


@lru_cache
def _table_entry(backbone: str) -> str:
    """open_clip's hub entry, `org/repo/` or `org/repo/file`, of a `name/pretrained`."""
    from open_clip import pretrained

    name, _, tag = backbone.partition("/")
    found = pretrained.get_pretrained_cfg(name, tag)
    if not found or not found.get("hf_hub"):
        known = ["/".join(pair) for pair in pretrained.list_pretrained() if _fits(*pair)]
        raise BackboneError(f"There is no backbone {backbone!r}: {_near(backbone, known)}")
    if not _fits(name, tag):
        raise BackboneError(
            f"{backbone} puts weights into a model with another activation than they were "
            f"trained with: write {name}-quickgelu/{tag}."
        )
    return found["hf_hub"]


def _fits(name: str, tag: str) -> bool:
    """False for weights trained with QuickGELU in a model without; open_clip only warns of it,
    and the model then answers, but badly."""
    from open_clip import get_model_config, pretrained

    quick = pretrained.get_pretrained_cfg(name, tag).get("quick_gelu", False)
    return not quick or get_model_config(name).get("quick_gelu", False)


def _near(backbone: str, known: list[str]) -> str:
    """The end of a sentence that names what might have been meant."""
    by_small = {name.lower(): name for name in known}
    near = difflib.get_close_matches(backbone.lower(), by_small, n=3)
    if near:
        return f"did you mean {' or '.join(by_small[n] for n in near)}?"
    return "write open_clip's name/pretrained, hf-hub:org/repo, local-dir:/path or tiny."


def config(backbone: str) -> Source | None:
    """The config that `hf-hub:` ids are built from; other ids have theirs in open_clip."""
    return Source(_checked(backbone), (CONFIG,)) if backbone.startswith(HUB) else None


def text_files(backbone: str, config_file: Path | None) -> list[Source]:
    """Tokenizer and text encoder's config, of backbones that have them from another repository.

    Raises:
        BackboneError: the config cannot be read.
    """
    if catalog.offer(backbone):
        return []
    if config_file is None:
        from open_clip import get_model_config

        found = get_model_config(backbone.partition("/")[0])
    else:
        try:
            found = json.loads(config_file.read_text("utf-8"))["model_cfg"]
        except (OSError, ValueError, KeyError, TypeError):
            raise BackboneError(
                f"The {CONFIG} of {backbone} is not one that open_clip can read: choose another."
            ) from None
    text = found.get("text_cfg", {})
    sources = []
    if text.get("hf_tokenizer_name"):
        place = text["hf_tokenizer_name"]
        sources += [Source(place, _VOCABULARY), *(Source(place, (n,), True) for n in _BESIDE)]
    if text.get("hf_model_name"):
        sources.append(Source(text["hf_model_name"], ("config.json",)))
    return sources


def in_cache(source: Source) -> Path | None:
    """The file of a source in the cache, whole; the cache is where HF_HOME says."""
    from huggingface_hub import try_to_load_from_cache

    for name in source.names:
        path = try_to_load_from_cache(source.repository, name)
        if isinstance(path, str) and complete(Path(path)):
            return Path(path)
    return None


def cached(backbone: str) -> Path | None:
    """The weights in the cache, when everything the backbone needs is there and whole.

    Raises:
        BackboneError: see `repository`.
    """
    if repository(backbone) is None:
        return None
    found = in_cache(weights(backbone))
    described = config(backbone)
    described_by = in_cache(described) if described else None
    if found is None or (described and described_by is None):
        return None
    try:
        needed = [s for s in text_files(backbone, described_by) if not s.optional]
    except BackboneError:
        return None
    return found if all(in_cache(source) for source in needed) else None


def complete(path: Path) -> bool:
    """Whether a file ends where it says it does, as far as its format tells; not whether it is
    the right one."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        if path.suffix == ".safetensors":
            length = int.from_bytes(start, "little")
            if len(start) < 8 or length > size - 8:
                return False
            try:
                entries = json.loads(file.read(length))
                entries.pop("__metadata__", None)
                ends = [entry["data_offsets"][1] for entry in entries.values()]
            except (ValueError, KeyError, TypeError, IndexError, AttributeError):
                return False
            return size == 8 + length + max(ends, default=0)
    # torch writes zips; older files have no end that could be looked for.
    return size > 0 and (start[:2] != b"PK" or zipfile.is_zipfile(path))
