"""Captioners of transformers: VisionEncoderDecoderModel and BLIP, from the hub's cache or a folder.

Importing this module loads no torch; loading a captioner does.
"""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from clipdemo.errors import CaptionerError
from clipdemo.inputs.images import read_photo
from clipdemo.model.captioners.choice import BUNDLED, different

if TYPE_CHECKING:
    from clipdemo.model.captioners.choice import Photo

SIDE = 384  # pixels of a photo's short side that the largest of these models still makes use of

# What either kind may consist of; of the weights, the first that is there.
_FILES = (
    "config.json", "generation_config.json", "preprocessor_config.json", "processor_config.json",
    "tokenizer_config.json", "tokenizer.json", "special_tokens_map.json", "added_tokens.json",
    "vocab.json", "merges.txt", "vocab.txt",
)  # fmt: skip
_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
# Parts that captioning never uses, or that are computed and not read from the file.
_UNUSED = re.compile(r"pooler\.|position_ids$|\.attn\.(masked_)?bias$")


def hub_folder(name: str, download: bool) -> Path:
    """Where the hub's cache holds a model."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return _download(name) if download else Path(snapshot_download(name, local_files_only=True))
    except HFValidationError:
        raise CaptionerError(
            f"There is no captioner {name!r}: choose {BUNDLED}, a model on the Hugging Face hub "
            "such as Salesforce/blip-image-captioning-base, or a local directory."
        ) from None
    except Exception as error:  # the network, the hub, the disk
        if isinstance(error, LocalEntryNotFoundError) and not download:
            raise CaptionerError(
                f"The captioner {name} is not in the cache of the Hugging Face hub: download it "
                f"with `hf download {name}`, or choose {BUNDLED}."
            ) from None
        raise CaptionerError(_failed(name, error)) from error


def _download(name: str) -> Path:
    """Fetch what the cache lacks of a model; the folder it then is in."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import RemoteEntryNotFoundError

    def fetch(file: str) -> bool:
        try:
            hf_hub_download(name, file)
        except RemoteEntryNotFoundError:
            return False
        return True

    folder = Path(hf_hub_download(name, "config.json")).parent
    for file in _FILES:
        fetch(file)
    any(fetch(file) for file in _WEIGHTS)
    return folder


def _failed(name: str, error: Exception) -> str:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    reason = textwrap.shorten(reason, 200, placeholder="…")
    return f"The captioner {name} cannot be loaded: {reason}"


class HubCaptioner:
    """A VisionEncoderDecoderModel or BLIP model of transformers, from a local folder."""

    def __init__(self, name: str, folder: Path, device: str = "auto") -> None:
        """Load it; nothing is fetched, and no code of the folder runs.

        Raises:
            CaptionerError: a file is missing or damaged, or it is a model of another kind.
        """
        from clipdemo.model.backbones import pick_device

        self.name = name
        self.device = pick_device(device)
        kind = _model_type(name, folder)
        try:
            model, missing, self._pixels, self._tokenizer = _load_parts(folder, kind)
            self._model = model.eval().requires_grad_(False).to(self.device)
        except Exception as error:  # each of the parsers has errors of its own
            raise CaptionerError(_failed(name, error)) from error
        text = getattr(model.config, "decoder", None) or model.config.text_config
        _check_complete(name, missing, len(self._tokenizer), text.vocab_size)

    def suggest(self, photo: Photo, count: int = 3) -> list[str]:
        """See `Captioner`; a beam search, the likeliest first."""
        import torch

        image = read_photo(photo, SIDE)
        pixels = self._pixels(images=image, return_tensors="pt")["pixel_values"].to(self.device)
        options = {"pixel_values": pixels, "max_new_tokens": 30, "num_return_sequences": 2 * count}
        found = self._read(**options, num_beams=2 * count, do_sample=False)
        if len(found) < count:  # beams that differ in what cannot be read
            devices = [self.device] if torch.device(self.device).type == "cuda" else []
            with torch.random.fork_rng(devices):
                torch.manual_seed(0)
                found = different([*found, *self._read(**options, num_beams=1, do_sample=True)])
        return found[:count]

    def _read(self, **options) -> list[str]:
        import torch

        with torch.inference_mode():
            tokens = self._model.generate(**options)
        return different(self._tokenizer.batch_decode(tokens, skip_special_tokens=True))


def _model_type(name: str, folder: Path) -> str:
    """`vision-encoder-decoder` or `blip`."""
    try:
        kind = json.loads((folder / "config.json").read_text("utf-8")).get("model_type")
    except FileNotFoundError:
        raise CaptionerError(
            f"{folder} holds no config.json: point to the complete directory of a captioner."
        ) from None
    except (OSError, ValueError, AttributeError) as error:
        raise CaptionerError(_failed(name, error)) from error
    if kind not in ("vision-encoder-decoder", "blip"):
        raise CaptionerError(
            f"{name} is a model of type {kind}, not a captioner this app can run: choose a "
            "VisionEncoderDecoderModel or a BLIP model."
        )
    return kind


def _check_complete(name: str, missing: list[str], tokens: int, vocabulary: int) -> None:
    """Refuse what transformers only warns of: it fills weights with random numbers and makes an
    empty tokenizer where their files lack something.
    """
    missing = sorted(key for key in missing if not _UNUSED.search(key))
    if missing:
        raise CaptionerError(
            f"The weights of the captioner {name} are incomplete ({len(missing)} parts are "
            f"missing, such as {missing[0]}): download it once more."
        )
    if tokens < vocabulary // 2:
        raise CaptionerError(
            f"The tokenizer of the captioner {name} knows {tokens} of the model's {vocabulary} "
            "tokens: download it once more."
        )


def _load_parts(folder: Path, kind: str) -> tuple:
    """Model, names of weights it lacks, image processor, tokenizer."""
    from transformers import (
        AutoImageProcessor,
        AutoTokenizer,
        BlipForConditionalGeneration,
        VisionEncoderDecoderModel,
    )

    model_class = BlipForConditionalGeneration if kind == "blip" else VisionEncoderDecoderModel
    local = {"local_files_only": True, "trust_remote_code": False}
    pixels = AutoImageProcessor.from_pretrained(folder, **local)
    tokenizer = AutoTokenizer.from_pretrained(folder, **local)
    # Of pickled weights torch reads tensors only.
    model, info = model_class.from_pretrained(
        folder, local_files_only=True, weights_only=True, output_loading_info=True
    )
    return model, info["missing_keys"], pixels, tokenizer
