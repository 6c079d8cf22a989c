"""The backbones on offer. Nothing here imports torch or asks the hub."""

import os
from dataclasses import dataclass
from pathlib import Path

CHECKPOINTS = Path(__file__).resolve().parents[2] / "checkpoints"  # shipped with the project


@dataclass(frozen=True)
class Offer:
    """A backbone in the list that people choose from; any other id can be typed in.

    Attributes:
        id: the backbone id.
        width: D, the embedding's width.
        parameters: of both encoders together; in float32 the weights have 4 bytes each.
        note: what it is, in a few words.
        repository: where its files are on the hub; empty for the bundled one.
    """

    id: str
    width: int
    parameters: int
    note: str
    repository: str = ""


OFFERS = (
    Offer("tiny", 256, 4_929_077, "bundled, trained by this project; makes mistakes often"),
    Offer(
        "ViT-B-32-quickgelu/openai", 512, 151_277_313, "OpenAI's CLIP, small, MIT",
        "timm/vit_base_patch32_clip_224.openai",
    ),
    Offer(
        "ViT-L-14-quickgelu/openai", 768, 427_616_513, "OpenAI's CLIP, large, MIT; the study's",
        "timm/vit_large_patch14_clip_224.openai",
    ),
    Offer(
        "RN50-quickgelu/openai", 1024, 102_007_137, "OpenAI's CLIP with a ResNet, MIT",
        "timm/resnet50_clip.openai",
    ),
    Offer(
        "ViT-B-32-256/datacomp_s34b_b86k", 512, 151_288_833, "DataComp's, small, newer, MIT",
        "laion/CLIP-ViT-B-32-256x256-DataComp-s34B-b86K",
    ),
    Offer(
        "ViT-L-14/datacomp_xl_s13b_b90k", 768, 427_616_513, "DataComp's, large, newer, MIT",
        "laion/CLIP-ViT-L-14-DataComp.XL-s13B-b90K",
    ),
)  # fmt: skip

# Best first among the large and among the small ones, by the accuracy their authors published.
BEST_FIRST = (
    "ViT-L-14/datacomp_xl_s13b_b90k",
    "ViT-L-14-quickgelu/openai",
    "ViT-B-32-256/datacomp_s34b_b86k",
    "ViT-B-32-quickgelu/openai",
    "RN50-quickgelu/openai",
)
LARGE = 300_000_000  # parameters


def offer(backbone: str) -> Offer | None:
    """The offer with that id, if it is in the list."""
    return next((o for o in OFFERS if o.id == backbone), None)


def has_cuda() -> bool:
    """Whether there is an NVIDIA GPU, or ZeroGPU lends one; checked without torch."""
    return Path("/dev/nvidiactl").exists() or "SPACES_ZERO_GPU" in os.environ
