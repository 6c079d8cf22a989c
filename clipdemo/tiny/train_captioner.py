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
    """Batches of embeddings with captions, sampled from the sets in the recipe's shares."""

    def __init__(self, sources: Sources, recipe: CaptionRecipe) -> None:
        self.sources, self.recipe = sources, recipe
        sets, which, counts = np.unique(sources.sets, return_inverse=True, return_counts=True)
        shares = np.array([dict(recipe.shares).get(name, 0.0) for name in sets])
        self.chance = (shares / counts)[which] / shares.sum()

    def __getitem__(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """L2-normalised embeddings [N, D] and tokens [N, T], zero padded, of a step."""
        sources, recipe = self.sources, self.recipe
        rng = np.random.default_rng((recipe.seed, step))
        chosen = rng.choice(len(sources.tokens), recipe.batch, p=self.chance)
        images = sources.image[rng.integers(2, size=recipe.batch), sources.row[chosen]]
        noise = rng.standard_normal(images.shape, np.float32)
        images = images + np.where(
            sources.sets[chosen, None] == "alone",
            recipe.residual * noise @ sources.residual.T,
            np.float32(recipe.noise * images.shape[1] ** -0.5) * noise,
        )
        tokens = pad([torch.tensor(sources.tokens[i]) for i in chosen])
        return F.normalize(torch.from_numpy(images), dim=-1), tokens


def token_loss(decoder: Decoder, embeddings: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy per token of the captions [N, T], without padding."""
    there = tokens != PAD
    logits = decoder.logits(decoder(embeddings, tokens)[there])
    return F.cross_entropy(logits.float(), tokens[there])


@torch.no_grad()
def start_as(decoder: Decoder, tower: torch.nn.Module) -> None:
    """Copy the weights that fit from a text tower, a causal transformer with the same blocks.

    It already knows the words, which saves most of the decoder's training.
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
    """Train a decoder that starts from the weights of the backbone's text tower.

    Args:
        version: sha256 of the backbone's weights; if it changes, training starts again.

    Returns:
        The decoder with averaged weights, in evaluation mode.
    """
    shape = Shape(
        tower.vocab_size, sources.image.shape[2], recipe.width, recipe.layers, recipe.heads,
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
        work: has the run's embeddings, state and log; a later call resumes from there.
        out: folder of the backbone and of its heads.
        recipe: the settings.
        every: seconds between two saved states.

    Returns:
        The metrics written to the card.
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
            "photos": len(np.unique(sources.row[sources.sets != "alone"])),
            "captions_of_photos": int((sources.sets != "alone").sum()),
            "captions_alone": int((sources.sets == "alone").sum()),
            "validation": "comp5329 and coco photos with number % 6 == 1",
        },
        "metrics": {},
    }
    write_decoder(out, decoder, content)
    return measure_captions(data, out)
