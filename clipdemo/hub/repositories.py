"""Map a backbone to its repository on the hub and the files needed from there.

For the backbones of the catalog, torch is not imported. Any other `name/pretrained` is looked up in
open_clip's table, which imports torch.
"""

import difflib
import json
from dataclasses import dataclass
from pathlib import Path

from clipdemo.errors import BackboneError
from clipdemo.hub import catalog

CONFIG = "open_clip_config.json"
WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
HUB, LOCAL = "hf-hub:", "local-dir:"
_VOCABULARY = ("tokenizer.json", "spiece.model", "sentencepiece.bpe.model", "vocab.txt",
               "vocab.json")  # fmt: skip
_OPTIONAL = ("tokenizer_config.json", "special_tokens_map.json", "merges.txt", "config.json")


@dataclass(frozen=True)
class Source:
    """One file of a backbone: the first of `names` that the repository has."""

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
    """The weights of a backbone from the hub; safetensors if there are any.

    Raises:
        BackboneError: see `repository`.
    """
    if backbone.startswith(HUB):
        return Source(_hub_repository(backbone), WEIGHTS)
    offer = catalog.offer(backbone)
    if offer:
        return Source(offer.repository, WEIGHTS)
    place, _, name = _table_entry(backbone).rpartition("/")
    if not name:
        return Source(place, WEIGHTS)
    safe = [Path(name).with_suffix(".safetensors").name] if name.endswith((".bin", ".pth")) else []
    return Source(place, (*safe, name))


def _hub_repository(backbone: str) -> str:
    """`org/repo` of `hf-hub:org/repo`."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    place = backbone.removeprefix(HUB)
    try:
        validate_repo_id(place)
    except HFValidationError:
        raise BackboneError(
            f"{backbone!r} is not a repository on the hub: write hf-hub:org/repo."
        ) from None
    return place


def _table_entry(backbone: str) -> str:
    """open_clip's hub entry, `org/repo/` or `org/repo/file`, of a `name/pretrained`."""
    from open_clip import pretrained

    name, _, tag = backbone.partition("/")
    found = pretrained.get_pretrained_cfg(name, tag)
    if not found or not found.get("hf_hub"):
        known = ["/".join(pair) for pair in pretrained.list_pretrained() if _fits(*pair)]
        raise BackboneError(f"There is no backbone {backbone!r}: {_suggestion(backbone, known)}")
    if not _fits(name, tag):
        raise BackboneError(
            f"{backbone} puts weights into a model whose activation is not the one they were "
            f"trained with: write {name}-quickgelu/{tag}."
        )
    return found["hf_hub"]


def _fits(name: str, tag: str) -> bool:
    """False for weights trained with QuickGELU in a model without it.

    open_clip only warns about it, and the model's answers are then poor.
    """
    from open_clip import get_model_config, pretrained

    quick = pretrained.get_pretrained_cfg(name, tag).get("quick_gelu", False)
    return not quick or get_model_config(name).get("quick_gelu", False)


def _suggestion(backbone: str, known: list[str]) -> str:
    """The end of an error message: similar names, or the valid forms."""
    lowercase = {name.lower(): name for name in known}
    near = difflib.get_close_matches(backbone.lower(), lowercase, n=3)
    if near:
        return f"did you mean {' or '.join(lowercase[n] for n in near)}?"
    return "write open_clip's name/pretrained, hf-hub:org/repo, local-dir:/path or tiny."


def config(backbone: str) -> Source | None:
    """The config of an `hf-hub:` id; for other ids open_clip has it."""
    return Source(_hub_repository(backbone), (CONFIG,)) if backbone.startswith(HUB) else None


def text_files(backbone: str, config_file: Path | None) -> list[Source]:
    """Tokenizer and text encoder's config, for backbones that need them from a repository.

    Raises:
        BackboneError: the config cannot be read.
    """
    offer = catalog.offer(backbone)
    if offer:
        return _tokenizer(offer.repository) if offer.own_tokenizer else []
    if config_file is None:
        from open_clip import get_model_config

        found = get_model_config(backbone.partition("/")[0])
    else:
        try:
            found = json.loads(config_file.read_text("utf-8"))["model_cfg"]
        except (OSError, ValueError, KeyError, TypeError):
            raise BackboneError(
                f"The {CONFIG} of {backbone} cannot be read by open_clip: choose another."
            ) from None
    text = found.get("text_cfg", {})
    sources = []
    if text.get("hf_tokenizer_name"):
        sources += _tokenizer(text["hf_tokenizer_name"])
    if text.get("hf_model_name"):
        sources.append(Source(text["hf_model_name"], ("config.json",)))
    return sources


def _tokenizer(place: str) -> list[Source]:
    return [Source(place, _VOCABULARY), *(Source(place, (n,), True) for n in _OPTIONAL)]
