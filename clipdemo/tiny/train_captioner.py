"""`clipdemo train-captioner`: a small decoder on the embeddings of the frozen backbone."""

from dataclasses import asdict
from datetime import date
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F
from torch.utils.data import Dataset

from clipdemo.model import checkpoints
from clipdemo.model.captioners.decoder import BACKBONE, PAD, Decoder, Shape, write_decoder
from clipdemo.model.loading import load
from clipdemo.tiny.caption_data import CaptionRecipe, Sources, load_sources
from clipdemo.tiny.joint_model import pad
from clipdemo.tiny.measure_captions import measure_captions
from clipdemo.tiny.training import train

SUMMARY = (
    "A small captioner trained by this project for its bundled backbone: its captions are simple "
    "and often wrong."
)
LICENCES = (
    "Weights: MIT, as the rest of the project; research use advised, because they were trained on "
    "COCO photos (Flickr, each under its own licence) and captions (CC BY 4.0) and Flickr8k "
    "(research and education), on embeddings of the bundled backbone, whose card says what that "
    "was trained on."
)
DECODING = {"samples": 24, "temperature": 0.6, "share": 0.9, "similarity": 0.5, "unlike": 0.3}


class CaptionBatches(Dataset):
    """Batches of embeddings with captions, shared out between the sets as the recipe says."""

    def __init__(self, sources: Sources, recipe: CaptionRecipe) -> None:
        self.sources, self.recipe = sources, recipe
        ends = np.flatnonzero(np.diff(sources.photo)) + 1
        self.looks = np.split(np.arange(len(sources.photo)), ends)
        some = np.array([bool(c) for c in sources.captions])
        pools = {name: np.flatnonzero(some & (sources.sets == name)) for name, _ in recipe.shares}
        pools["alone"] = np.arange(len(sources.alone))
        self.pools = {name: rows for name, rows in pools.items() if len(rows)}
        shares = np.array([dict(recipe.shares).get(name, 0.0) for name in self.pools])
        self.shares = shares / shares.sum()

    def __getitem__(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """L2-normalised embeddings [N, D] and tokens [N, T], zero padded, of a step."""
        rng = np.random.default_rng((self.recipe.seed, step))
        counts = rng.multinomial(self.recipe.batch, self.shares)
        embeddings, tokens = [], []
        for (name, rows), count in zip(self.pools.items(), counts, strict=True):
            draw = self._alone if name == "alone" else self._photos
            found, captions = draw(rng.choice(rows, count), rng)
            embeddings.append(found)
            tokens += captions
        rows = torch.from_numpy(np.concatenate(embeddings))
        return F.normalize(rows, dim=-1), pad([torch.tensor(t) for t in tokens])

    def _photos(self, chosen: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, list]:
        sources = self.sources
        rows = sources.image[[rng.choice(self.looks[i]) for i in chosen]]
        noise = rng.standard_normal(rows.shape, np.float32) * rows.shape[1] ** -0.5
        captions = [sources.captions[i] for i in chosen]
        return rows + self.recipe.noise * noise, [c[rng.integers(len(c))] for c in captions]

    def _alone(self, chosen: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, list]:
        sources = self.sources
        rows = sources.alone[chosen]
        noise = rng.standard_normal(rows.shape, np.float32) @ sources.residual.T
        return rows + self.recipe.residual * noise, [sources.alone_tokens[i] for i in chosen]


def token_loss(decoder: Decoder, embeddings: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of a token of the captions [N, T], padding left out."""
    there = tokens != PAD
    logits = decoder.logits(decoder(embeddings, tokens)[there])
    return F.cross_entropy(logits.float(), tokens[there])


@torch.no_grad()
def start_as(decoder: Decoder, tower: torch.nn.Module) -> None:
    """Copy what fits of a text tower, which is a causal transformer of the same blocks.

    It already knows the words, which saves the decoder most of its training.
    """
    own, theirs = decoder.state_dict(), tower.state_dict()
    names = {"token.weight": "token_embedding.weight"}
    names |= {f"norm.{part}": f"ln_final.{part}" for part in ("weight", "bias")}
    for mine, other in (
        ("norm1.", "ln_1."), ("norm2.", "ln_2."), ("qkv.", "attn.in_proj_"),
        ("out.", "attn.out_proj."), ("mlp.0.", "mlp.c_fc."), ("mlp.2.", "mlp.c_proj."),
    ):  # fmt: skip
        for layer in range(len(decoder.blocks)):
            for part in ("weight", "bias"):
                where = f"transformer.resblocks.{layer}.{other}{part}"
                names[f"blocks.{layer}.{mine}{part}"] = where
    for mine, other in names.items():
        if other in theirs and theirs[other].shape == own[mine].shape:
            own[mine].copy_(theirs[other])
    captions = decoder.position[decoder.shape.prefix :]
    if tower.positional_embedding.shape[1] == captions.shape[1]:
        captions.copy_(tower.positional_embedding[: len(captions)])


def train_decoder(
    sources: Sources,
    tower: torch.nn.Module,
    recipe: CaptionRecipe,
    work: Path,
    version: str,
    every: float = 60.0,
) -> Decoder:
    """Train a decoder that starts as a copy of the backbone's text tower.

    Args:
        version: sha256 of the backbone's weights; another backbone is another run.

    Returns:
        The decoder with averaged weights, in evaluation mode.
    """
    shape = Shape(
        tower.vocab_size, sources.image.shape[1], recipe.width, recipe.layers, recipe.heads,
        recipe.prefix, recipe.length,
    )  # fmt: skip
    torch.manual_seed(recipe.seed)
    decoder = Decoder(shape, recipe.dropout)
    start_as(decoder, tower)
    check_image = torch.from_numpy(sources.check_image)
    check_tokens = pad([torch.tensor(t) for t in sources.check_tokens])
    return train(
        decoder,
        CaptionBatches(sources, recipe),
        lambda decoder, batch: {"total": token_loss(decoder, *batch)},
        lambda decoder, step: {"check": float(token_loss(decoder, check_image, check_tokens))},
        recipe,
        work,
        "captioner",
        every,
        version,
    )


def train_captioner(
    data: Path, work: Path, out: Path, recipe: CaptionRecipe, every: float = 60.0
) -> dict:
    """Train a captioner for the backbone in `out`, write it there and measure it.

    Args:
        data: photos, captions and teacher files (see `photo_pack`).
        work: where the run keeps embeddings, state and log; a later call resumes from there.
        out: folder of the backbone and of its heads.
        recipe: the settings.
        every: seconds between two saved states.

    Returns:
        The figures that the card now has.
    """
    precision = "bf16" if recipe.bfloat16 else "fp32"
    backbone = load(checkpoint=out, device="cpu", precision=precision).backbone
    work.mkdir(parents=True, exist_ok=True)
    version = checkpoints.sha256(out / BACKBONE)
    sources = load_sources(data, work, backbone, out, recipe)
    decoder = train_decoder(sources, backbone.model.text, recipe, work, version, every)
    content = {
        "summary": SUMMARY,
        "licences": LICENCES,
        "trained": date.today().isoformat(),
        "backbone": backbone.id,
        "decoding": DECODING,
        "training": {
            "recipe": asdict(recipe),
            "photos": len(sources.captions),
            "captions_of_photos": sum(map(len, sources.captions)),
            "captions_alone": len(sources.alone_tokens),
            "validation": "comp5329 and coco photos with number % 6 == 1",
        },
        "metrics": {},
    }
    write_decoder(out, decoder, content)
    return measure_captions(data, out)
