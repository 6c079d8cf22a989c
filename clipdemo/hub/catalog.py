"""The backbones on offer. Nothing here imports torch or asks the hub."""

import os
from dataclasses import dataclass
from pathlib import Path

TINY = "tiny"
CHECKPOINTS = Path(__file__).resolve().parents[2] / "checkpoints"  # shipped with the project


@dataclass(frozen=True)
class Offer:
    """A backbone in the list to choose from; any other id can be typed in.

    Attributes:
        id: the backbone id.
        width: D, the embedding's width.
        parameters: number of parameters of both encoders; in float32, of 4 bytes each.
        photo_ms: milliseconds per encoded photo, all measured on two cores of the same CPU by
            `python -m clipdemo backbones --time`.
        note: a description in a few words.
        licence: of the weights.
        repository: of its files on the hub; empty for the bundled one.
        own_tokenizer: whether the tokenizer is from there, too; open_clip has only CLIP's.
        research_only: whether the licence allows no other use.
    """

    id: str
    width: int
    parameters: int
    photo_ms: int
    note: str
    licence: str
    repository: str = ""
    own_tokenizer: bool = False
    research_only: bool = False


OFFERS = (
    Offer(
        "tiny", 256, 4_929_077, 14, "bundled, trained by this project; makes mistakes often", "MIT",
    ),
    Offer(
        "ViT-B-32-quickgelu/openai", 512, 151_277_313, 116, "OpenAI's CLIP, small", "MIT",
        "timm/vit_base_patch32_clip_224.openai",
    ),
    Offer(
        "ViT-L-14-quickgelu/openai", 768, 427_616_513, 1213, "OpenAI's CLIP, large; the study's",
        "MIT", "timm/vit_large_patch14_clip_224.openai",
    ),
    Offer(
        "RN50-quickgelu/openai", 1024, 102_007_137, 92, "OpenAI's CLIP with a ResNet", "MIT",
        "timm/resnet50_clip.openai",
    ),
    Offer(
        "ViT-B-32-256/datacomp_s34b_b86k", 512, 151_288_833, 133, "DataComp's, small", "MIT",
        "laion/CLIP-ViT-B-32-256x256-DataComp-s34B-b86K",
    ),
    Offer(
        "ViT-L-14/datacomp_xl_s13b_b90k", 768, 427_616_513, 1193, "DataComp's, large", "MIT",
        "laion/CLIP-ViT-L-14-DataComp.XL-s13B-b90K",
    ),
    Offer(
        "ViT-B-32-SigLIP2-256/webli", 768, 376_856_066, 120, "Google's SigLIP 2, small",
        "Apache 2.0", "timm/ViT-B-32-SigLIP2-256", own_tokenizer=True,
    ),
    Offer(
        "ViT-B-16-SigLIP2-256/webli", 768, 375_234_050, 309, "Google's SigLIP 2, finer patches",
        "Apache 2.0", "timm/ViT-B-16-SigLIP2-256", own_tokenizer=True,
    ),
    Offer(
        "MobileCLIP2-S0/dfndr2b", 512, 74_835_073, 50, "Apple's MobileCLIP2, made for phones",
        "Apple AMLR (research only)", "timm/MobileCLIP2-S0-OpenCLIP", research_only=True,
    ),
    Offer(
        "MobileCLIP2-S2/dfndr2b", 512, 99_243_329, 136, "Apple's MobileCLIP2, larger",
        "Apple AMLR (research only)", "timm/MobileCLIP2-S2-OpenCLIP", research_only=True,
    ),
    Offer(
        "PE-Core-S-16-384/meta", 512, 87_188_225, 208, "Meta's Perception Encoder, small",
        "Apache 2.0", "timm/PE-Core-S-16-384",
    ),
    Offer(
        "PE-Core-B-16/meta", 1024, 447_660_545, 253, "Meta's Perception Encoder", "Apache 2.0",
        "timm/PE-Core-B-16",
    ),
)  # fmt: skip

# Best first, by the zero-shot accuracy on ImageNet that their authors published.
BEST_FIRST = (
    "ViT-L-14/datacomp_xl_s13b_b90k",
    "ViT-B-16-SigLIP2-256/webli",
    "PE-Core-B-16/meta",
    "MobileCLIP2-S2/dfndr2b",
    "ViT-L-14-quickgelu/openai",
    "ViT-B-32-SigLIP2-256/webli",
    "ViT-B-32-256/datacomp_s34b_b86k",
    "PE-Core-S-16-384/meta",
    "MobileCLIP2-S0/dfndr2b",
    "ViT-B-32-quickgelu/openai",
    "RN50-quickgelu/openai",
)
SLOW = 500  # milliseconds for a photo


def offer(backbone: str) -> Offer | None:
    """The offer with that id, if it is in the list."""
    return next((o for o in OFFERS if o.id == backbone), None)


def is_slow(backbone: str) -> bool:
    """Whether a photo takes too long without a GPU."""
    known = offer(backbone)
    return known is not None and known.photo_ms > SLOW


def has_cuda() -> bool:
    """Whether there is an NVIDIA GPU, or one from ZeroGPU; checked without torch."""
    return Path("/dev/nvidiactl").exists() or "SPACES_ZERO_GPU" in os.environ
