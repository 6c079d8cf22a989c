"""Export a classifier as ONNX, to run it without torch: in a browser, on a phone, anywhere."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from string import punctuation
from typing import TYPE_CHECKING

import numpy as np
import torch
from tokenizers import Regex, Tokenizer
from tokenizers.normalizers import Lowercase, Replace, Sequence, Strip
from torch import nn
from torch.nn import functional as F
from transformers import PreTrainedTokenizerFast

from clipdemo.errors import ClipdemoError

if TYPE_CHECKING:
    from open_clip.tokenizer import HFTokenizer

    from clipdemo.model.classifier import Classifier

TOLERANCE = 1e-4
MISSING = "ONNX is not installed: run `pip install -r requirements-onnx.txt`."


class _Encoder(nn.Module):
    """One of a model's encoders, with L2-normalised embeddings [N, D]."""

    def __init__(self, model: nn.Module, encode: str) -> None:
        super().__init__()
        self.model, self.encode = model, encode

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return F.normalize(getattr(self.model, self.encode)(inputs), dim=-1)


class _Scores(nn.Module):
    """A head with calibrated scores [N, L]."""

    def __init__(self, head: nn.Module, temperature: float) -> None:
        super().__init__()
        self.head, self.temperature = head, temperature

    def forward(self, embeddings: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.head(embeddings) / self.temperature)


def export_onnx(
    classifier: Classifier, out: Path, watch: Callable[[str], object] = lambda name: None
) -> dict:
    """Write a classifier to a folder, and check each file against torch.

    `photo.onnx`: prepared photos [N, 3, S, S] to embeddings [N, D]; `caption.onnx`: token ids
    [N, T] to embeddings; `image.onnx`, `text.onnx`, `concat.onnx`, for each mode with a head: one
    embedding, or both concatenated, to scores [N, L]. `model.json` says how to prepare photos and
    captions, and has labels and thresholds; `tokenizer.json` is the tokenizer, unless it is CLIP's.

    Args:
        classifier: in float32, on a CPU.
        out: the folder.
        watch: called with the name of each file before it is written.

    Returns:
        The largest difference from torch, by file.

    Raises:
        ClipdemoError: ONNX is not installed, or a file's results differ from torch's.
    """
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError:
        raise ClipdemoError(MISSING) from None
    out.mkdir(parents=True, exist_ok=True)
    backbone, side = classifier.backbone, classifier.backbone.image_size
    tokens = backbone.tokenizer(["a dog on a bench", "two red buses"])
    rng = torch.Generator().manual_seed(0)
    parts = {
        "photo": (_Encoder(backbone.model, "encode_image"), torch.rand(2, 3, side, side)),
        "caption": (_Encoder(backbone.model, "encode_text"), tokens),
    }
    for mode, head in classifier.heads.items():
        width = backbone.width * (1 if mode in ("image", "text") else 2)
        temperature = classifier.card.modes[mode]["temperature"]
        inputs = torch.randn(2, width, generator=rng) / width**0.5
        parts[mode] = (_Scores(head, temperature), inputs)
    found = {}
    for name, (module, inputs) in parts.items():
        watch(f"{name}.onnx")
        found[f"{name}.onnx"] = _write(module.eval(), inputs, out / f"{name}.onnx")
    _write_about(classifier, tokens.shape[1], out)
    return found


def _write(module: nn.Module, inputs: torch.Tensor, path: Path) -> float:
    """Write a module; return the largest difference from it, measured with another batch size."""
    import onnxruntime

    torch.onnx.export(
        module, (inputs,), path, input_names=["input"], output_names=["output"], dynamo=True,
        dynamic_shapes=({0: torch.export.Dim("rows")},), external_data=False, verbose=False,
    )  # fmt: skip
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    rows = torch.cat([inputs, inputs[:1]])
    (said,) = session.run(None, {"input": rows.numpy()})
    with torch.inference_mode():
        difference = float(np.abs(said - module(rows).numpy()).max())
    if not difference <= TOLERANCE:
        raise ClipdemoError(
            f"{path.name} differs from torch by {difference:.1e}: it cannot be used; update onnx."
        )
    return difference


def with_cleaning(tokenizer: HFTokenizer) -> Tokenizer:
    """A copy of a tokenizer that first does open_clip's cleaning of captions, which is Python."""
    copy = Tokenizer.from_str(tokenizer.tokenizer.backend_tokenizer.to_str())
    steps = [Replace(Regex(r"\s+"), " "), Strip()]
    if tokenizer.clean_fn("A.") == "a":  # SigLIP's
        marks = Regex(f"[{re.escape(punctuation)}]")
        steps = [Replace("_", " "), Replace(marks, ""), Lowercase(), *steps]
    after = [copy.normalizer] if copy.normalizer else []
    copy.normalizer = Sequence([*steps, *after])
    return copy


def _write_about(classifier: Classifier, length: int, out: Path) -> None:
    backbone, card = classifier.backbone, classifier.card
    prepared = backbone.model.visual.preprocess_cfg
    tokenizer = getattr(backbone.tokenizer, "tokenizer", None)
    own = isinstance(tokenizer, PreTrainedTokenizerFast)
    if own:
        with_cleaning(backbone.tokenizer).save(str(out / "tokenizer.json"))
    about = {
        "backbone": backbone.id,
        "summary": card.content.get("summary", ""),
        "licences": card.content.get("licences", ""),
        "photo": {"size": backbone.image_size}
        | {name: prepared[name] for name in ("mean", "std", "interpolation", "resize_mode")},
        "caption": {"tokenizer": "tokenizer.json" if own else "CLIP's", "length": length},
        "labels": list(card.labels.names),
        "thresholds": {mode: entry["thresholds"] for mode, entry in card.modes.items()},
    }
    (out / "model.json").write_text(json.dumps(about, indent=1) + "\n", "utf-8")
