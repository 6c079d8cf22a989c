"""A backbone's fingerprint, which distinguishes its embeddings from those of other weights."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from clipdemo.hub.caches import data_folder
from clipdemo.hub.locate import cached
from clipdemo.hub.repositories import LOCAL
from clipdemo.inputs.atomic import atomic_write
from clipdemo.model.backbones import Backbone, open_clip_name

KEPT = "fingerprints.json"
MOST = 100  # kept at most


def fingerprint(backbone: Backbone) -> str:
    """sha256 of the weights in fp32 and of the preprocessing of a photo and a caption.

    It is cached for as long as sizes and modification times of the files stay the same.
    """
    kept = data_folder() / KEPT
    facts = [(str(p.resolve()), (s := p.stat()).st_size, s.st_mtime_ns) for p in _files(backbone)]
    made = b"".join(_made(backbone))
    key = hashlib.sha256(repr(facts).encode() + made).hexdigest()
    try:
        known = json.loads(kept.read_text("utf-8"))
    except (OSError, ValueError):
        known = {}
    if not facts or key not in known:
        known = dict([*known.items()][1 - MOST :]) | {key: _of_weights(backbone, made)}
        if facts:
            kept.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(kept) as partial:
                partial.write_text(json.dumps(known), "utf-8")
    return known[key]


def _of_weights(backbone: Backbone, made: bytes) -> str:
    if backbone.precision != "fp32":
        backbone = Backbone(backbone.id, "cpu", "fp32")
    digest = hashlib.sha256()
    for name, weights in backbone.model.state_dict().items():
        digest.update(name.encode())
        digest.update(weights.cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    digest.update(made)
    return digest.hexdigest()


def _made(backbone: Backbone) -> Iterator[bytes]:
    steps = (np.arange(61 * 97 * 3) * 7919 % 251).astype(np.uint8).reshape(61, 97, 3)
    yield backbone.prepare(Image.fromarray(steps)).numpy().tobytes()
    yield backbone.tokenizer(["Two dogs, 3 red buses & a café."]).numpy().tobytes()


def _files(backbone: Backbone) -> list[Path]:
    """The files that open_clip loads, and those beside them; empty if they are not known."""
    name, _ = open_clip_name(backbone.id)
    if name.startswith(LOCAL):
        folder = Path(name.removeprefix(LOCAL))
    else:
        weights = cached(backbone.id)
        if weights is None:
            return []
        folder = weights.parent
    return sorted(path for path in folder.iterdir() if path.is_file())
