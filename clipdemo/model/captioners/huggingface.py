"""Transformers models as captioners, from the hub's cache or a local directory:
VisionEncoderDecoderModel, such as the study's `nlpconnect/vit-gpt2-image-captioning`, and BLIP (Li
et al. 2022, arXiv:2201.12086).
"""

import re
from pathlib import Path

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import (
    HFValidationError,
    IncompleteSnapshotError,
    LocalEntryNotFoundError,
)

from clipdemo.errors import CaptionerError, reason
from clipdemo.inputs.images import read_photo
from clipdemo.model.backbones import pick_device
from clipdemo.model.captioners.captioner import BUNDLED, distinct
from clipdemo.model.embeddings import Photo

SIDE = 384  # pixels of a photo's short side; the largest of these models uses no more

# Weights that captioning never uses, or that are computed instead of loaded.
_UNUSED = re.compile(r"pooler\.|position_ids$|\.attn\.(masked_)?bias$")


class HubCaptioner:
    """A VisionEncoderDecoderModel or BLIP model."""

    def __init__(self, name: str, device: str = "auto") -> None:
        """Load a model from the hub's cache or a local directory; code in its folder never runs.

        Raises:
            CaptionerError: it is not here, a file is missing or damaged, or it is another kind of
                model.
        """
        self.name = name
        self.device = pick_device(device)
        folder = _folder(name)
        try:
            model, missing, self._pixels, self._tokenizer = _load_parts(name, folder)
        except CaptionerError:
            raise
        except Exception as error:  # each parser raises its own kinds
            raise CaptionerError(
                f"The captioner {name} cannot be loaded: {reason(error)}"
            ) from error
        self._model = model.eval().requires_grad_(False).to(self.device)
        text = getattr(model.config, "decoder", None) or model.config.text_config
        _check_complete(name, missing, len(self._tokenizer), text.vocab_size)

    def suggest(self, photo: Photo, count: int = 3) -> list[str]:
        """See `Captioner`; from a beam search, the likeliest first."""
        image = read_photo(photo, SIDE)
        pixels = self._pixels(images=image, return_tensors="pt")["pixel_values"].to(self.device)
        options = {"pixel_values": pixels, "max_new_tokens": 30, "num_return_sequences": 2 * count}
        found = self._generate(**options, num_beams=2 * count, do_sample=False)
        if len(found) < count:  # beams that differ only in special tokens
            devices = [self.device] if torch.device(self.device).type == "cuda" else []
            with torch.random.fork_rng(devices):
                torch.manual_seed(0)
                more = self._generate(**options, num_beams=1, do_sample=True)
            found = distinct([*found, *more])
        return found[:count]

    @torch.inference_mode()
    def _generate(self, **options) -> list[str]:
        tokens = self._model.generate(**options)
        return distinct(self._tokenizer.batch_decode(tokens, skip_special_tokens=True))


def _folder(name: str) -> Path:
    """The folder of a captioner's files: a local directory, or a snapshot in the hub's cache."""
    if name and Path(name).is_dir():
        return Path(name)
    try:
        return Path(snapshot_download(name, local_files_only=True))
    except IncompleteSnapshotError as error:  # perhaps without files that are not needed
        return Path(error.snapshot_path)
    except HFValidationError:
        raise CaptionerError(
            f"There is no captioner {name!r}: choose {BUNDLED}, a model on the Hugging Face hub "
            "such as Salesforce/blip-image-captioning-base, or a local directory."
        ) from None
    except LocalEntryNotFoundError:
        raise CaptionerError(
            f"The captioner {name} is not in the cache of the Hugging Face hub: download it "
            f"with `hf download {name}`, or choose {BUNDLED}."
        ) from None


def _load_parts(name: str, folder: Path) -> tuple:
    """Model, names of its missing weights, image processor, tokenizer."""
    from transformers import (
        AutoConfig,
        AutoImageProcessor,
        AutoTokenizer,
        BlipForConditionalGeneration,
        VisionEncoderDecoderModel,
    )

    local = {"local_files_only": True, "trust_remote_code": False}
    kind = AutoConfig.from_pretrained(folder, **local).model_type
    models = {
        "blip": BlipForConditionalGeneration,
        "vision-encoder-decoder": VisionEncoderDecoderModel,
    }
    if kind not in models:
        raise CaptionerError(
            f"{name} is a model of type {kind}, not a captioner this app can run: choose a "
            "VisionEncoderDecoderModel or a BLIP model."
        )
    pixels = AutoImageProcessor.from_pretrained(folder, **local)
    tokenizer = AutoTokenizer.from_pretrained(folder, **local)
    # From pickled weights, torch loads tensors only.
    model, info = models[kind].from_pretrained(
        folder, local_files_only=True, weights_only=True, output_loading_info=True
    )
    return model, info["missing_keys"], pixels, tokenizer


def _check_complete(name: str, missing: list[str], tokens: int, vocabulary: int) -> None:
    """Refuse what transformers only warns about: if files are incomplete, it substitutes random
    weights and an empty tokenizer.
    """
    missing = sorted(key for key in missing if not _UNUSED.search(key))
    if missing:
        raise CaptionerError(
            f"The weights of the captioner {name} are incomplete ({len(missing)} parts are "
            f"missing, such as {missing[0]}): download it again."
        )
    if tokens < vocabulary // 2:
        raise CaptionerError(
            f"The tokenizer of the captioner {name} knows {tokens} of the model's {vocabulary} "
            "tokens: download it again."
        )
