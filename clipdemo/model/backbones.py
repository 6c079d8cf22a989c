"""Backbones: open_clip's CLIP models, and the embeddings they compute."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import fuse_conv_bn_eval
from torch.overrides import TorchFunctionMode

from clipdemo.errors import BackboneError, reason
from clipdemo.hub.catalog import CHECKPOINTS, TINY
from clipdemo.hub.fetch import Fetch, ensure_local
from clipdemo.hub.locate import cache_only
from clipdemo.model.without_compiler import without_compiler

with without_compiler():
    import open_clip
    from open_clip.modified_resnet import ModifiedResNet
    from timm.utils import reparameterize_model
    from torchvision.transforms import Compose

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

_RANDOM = {
    "uniform_", "normal_", "trunc_normal_", "erfinv_",
    "xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_",
}  # fmt: skip


def pick_device(device: str = "auto") -> str:
    """`auto`: the first available of cuda, mps and cpu; any other name is returned as it is.

    Raises:
        BackboneError: torch has no such device, or it is not on this machine.
    """
    if device != "auto":
        try:
            torch.empty(0, device=device)
        except (RuntimeError, AssertionError) as error:
            raise BackboneError(
                f"The device {device!r} cannot be used ({reason(error)}): choose auto, cpu, cuda "
                "or mps."
            ) from error
        return device
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def pick_precision(device: str, precision: str = "auto") -> str:
    """`auto`: fp16 on CUDA, fp32 elsewhere; any name in `PRECISIONS` is returned as it is.

    On a CPU with AVX512-BF16 but without AMX, encoding photos in bf16 took 3.5 times as long as in
    fp32 with ViT-B/32 and 0.7 times as long with `tiny`'s ResNet, which took 19 times as long in
    fp16. On CUDA the choice was not measured: fp16 has three more bits of precision than bf16, and
    inference does not need the larger range.

    Raises:
        BackboneError: there is no such precision.
    """
    if precision not in ("auto", *PRECISIONS):
        choices = ", ".join(PRECISIONS)
        raise BackboneError(f"There is no precision {precision!r}: choose auto, {choices}.")
    if precision != "auto":
        return precision
    return "fp16" if device.startswith("cuda") else "fp32"


def open_clip_name(backbone: str) -> tuple[str, str | None]:
    """open_clip's model name and pretrained tag of a backbone id."""
    if backbone == TINY:
        return f"local-dir:{CHECKPOINTS / TINY}", None
    if backbone.startswith(("local-dir:", "hf-hub:")):
        return backbone, None
    name, _, pretrained = backbone.partition("/")
    if not pretrained:
        raise BackboneError(
            f"{backbone!r} names no weights: write open_clip's name/pretrained, such as "
            "ViT-B-32-quickgelu/openai, or hf-hub:org/repo, local-dir:/path or tiny."
        )
    return name, pretrained


class Backbone:
    """A frozen CLIP: photos and captions to L2-normalised embeddings.

    Attributes:
        id: the backbone id.
        width: D, the embedding's width.
        logit_scale: the factor of cosine similarities in its contrastive loss.
        logit_bias: what is added to them if that is a sigmoid loss; None for a softmax loss.
        image_size: S, side of its input in pixels.
        cut: resizes and crops an RGB photo to [S, S]; picklable.
        precision: of the encoders' weights and arithmetic: fp32, bf16 or fp16.
    """

    def __init__(
        self,
        backbone: str,
        device: str = "auto",
        precision: str = "auto",
        watch: Callable[[Fetch], object] = lambda fetch: None,
    ) -> None:
        """Load it, downloading it first if necessary; `watch` is called with the download.

        Raises:
            BackboneError: it does not exist, cannot be downloaded or is damaged.
        """
        name, pretrained = open_clip_name(backbone)
        ensure_local(backbone, watch)
        self.id = backbone
        self.device = pick_device(device)
        self.precision = pick_precision(self.device, precision)
        try:
            with cache_only(), _Uninitialised():
                model, _, self.preprocess = open_clip.create_model_and_transforms(
                    name, pretrained=pretrained, precision=self.precision, device=self.device,
                    require_pretrained=True,
                )  # fmt: skip
                self.tokenizer = open_clip.get_tokenizer(name)
        except Exception as error:
            raise BackboneError(
                f"The backbone {backbone} cannot be loaded: {reason(error)}"
            ) from error
        # Merges branches that only training needs into one convolution (Ding et al. 2021,
        # "RepVGG"), which saves MobileCLIP2 a quarter to a third of its time.
        model.visual = reparameterize_model(model.visual, inplace=True)
        *cutting, _, self._normalise = self.preprocess.transforms
        self.cut = Compose(cutting)
        self.model = model.eval().requires_grad_(False)
        convolutional = isinstance(model.visual, ModifiedResNet)
        if convolutional and self.precision == "fp32":
            _fold_batch_norms(model.visual)
        # A ResNet's convolutions are a third faster with channels last.
        self._layout = torch.channels_last if convolutional else torch.contiguous_format
        model.visual.to(memory_format=self._layout)
        side = model.visual.image_size
        self.image_size = side if isinstance(side, int) else side[0]
        with torch.inference_mode():
            self.width = self.model.encode_text(self.tokenizer([""]).to(self.device)).shape[1]
            # CLIP's training clips the scale at 100; training with a sigmoid loss does not.
            scale, bias = float(self.model.logit_scale.exp()), self.model.logit_bias
            self.logit_scale = min(scale, 100.0) if bias is None else scale
            self.logit_bias = None if bias is None else float(bias)

    def prepare(self, photo: Image.Image) -> torch.Tensor:
        """The model's input [3, S, S] for an RGB photo."""
        return self.preprocess(photo)

    def encode_photos(self, photos: Sequence[Image.Image]) -> np.ndarray:
        """Embeddings [N, D] float32 of RGB photos."""
        return self.encode_pixels(torch.stack([self.prepare(photo) for photo in photos]))

    def encode_captions(self, captions: Sequence[str]) -> np.ndarray:
        """Embeddings [N, D] float32 of cleaned captions."""
        return self.encode_tokens(self.tokenizer(list(captions)))

    def encode_pixels(self, pixels: torch.Tensor) -> np.ndarray:
        """Embeddings [N, D] float32 of prepared photos [N, 3, S, S]."""
        pixels = pixels.to(self.device, PRECISIONS[self.precision], memory_format=self._layout)
        return self._rows(self.model.encode_image, pixels)

    def encode_cut(self, photos: torch.Tensor) -> np.ndarray:
        """Embeddings [N, D] float32 of cut photos [N, S, S, 3] uint8.

        The same as from `prepare`'s pixels, which take four times as many bytes.
        """
        pixels = photos.to(self.device).permute(0, 3, 1, 2).contiguous(memory_format=self._layout)
        return self.encode_pixels(self._normalise(pixels.float() / 255))

    def encode_tokens(self, tokens: torch.Tensor) -> np.ndarray:
        """Embeddings [N, D] float32 of token ids [N, T]."""
        return self._rows(self.model.encode_text, tokens.to(self.device))

    def readable(self, caption: str) -> str | None:
        """The last words that the text encoder reads; None if it reads the whole caption."""
        read = self.tokenizer([caption])
        room = read.shape[1] + len(caption.encode())
        if torch.equal(read, self.tokenizer([caption], context_length=room)[:, : read.shape[1]]):
            return None
        words, last = caption.split(), self.words_read(caption)
        return " ".join(words[max(last - 4, 0) : last])

    def words_read(self, caption: str) -> int:
        """How many words of a cleaned caption the text encoder reads, the last perhaps in part."""
        words, read = caption.split(), self.tokenizer([caption])

        def all_is_read(count: int) -> bool:
            return torch.equal(self.tokenizer([" ".join(words[:count])]), read)

        return 1 + bisect_left(range(1, len(words)), True, key=all_is_read)

    def knows(self, word: str) -> bool:
        """Whether the tokenizer has a word as a single token."""
        tokens, empty, unknown = self.tokenizer([word]), self.tokenizer([""]), self.tokenizer(["☃"])
        longer = (tokens != empty).sum() > (self.tokenizer(["a"]) != empty).sum()
        return not longer and not torch.equal(tokens, unknown)

    def seen(self, size: tuple[int, int]) -> tuple[float, float, float, float]:
        """The part of a photo of this size that `cut` keeps: left, top, right, bottom as fractions.

        Values beyond 0 to 1 mean that it adds a border.
        """
        mode = self.model.visual.preprocess_cfg.get("resize_mode", "shortest")
        if mode == "squash":
            return 0, 0, 1, 1
        side = min(size) if mode == "shortest" else max(size)
        x, y = (side / (2 * length) for length in size)
        return 0.5 - x, 0.5 - y, 0.5 + x, 0.5 + y

    def overlooked(self, size: tuple[int, int]) -> str | None:
        """A sentence about what it does not see well in a photo longer than 2:1, or None."""
        ratio = max(size) / min(size)
        if ratio <= 2:
            return None
        wide = size[0] > size[1]
        left, top, *_ = self.seen(size)
        if max(left, top) > 0:
            side = "width" if wide else "height"
            return (
                f"{self.id} sees only the middle {100 / ratio:.0f} % of this photo's {side}: "
                "crop it to what matters."
            )
        sides = "wide as it is high" if wide else "high as it is wide"
        return (
            f"This photo is {ratio:.1f} times as {sides}; {self.id} shrinks it to a square and may "
            "miss small objects: crop it to what matters."
        )

    def _rows(self, encode: Callable, inputs: torch.Tensor) -> np.ndarray:
        try:
            with torch.inference_mode():
                return F.normalize(encode(inputs).float(), dim=-1).cpu().numpy()
        except torch.OutOfMemoryError:
            if len(inputs) == 1:
                raise
        torch.cuda.empty_cache()
        return np.concatenate([self._rows(encode, half) for half in inputs.chunk(2)])


def _fold_batch_norms(resnet: ModifiedResNet) -> None:
    """Merge every batch norm into the convolution before it.

    `tiny` encodes a photo in 0.9 and 16 photos in 0.75 of the time. In half precision the merged
    weights would be rounded once more.
    """
    for block in list(resnet.modules()):
        for (name, conv), (next_name, norm) in pairwise(block.named_children()):
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(block, name, fuse_conv_bn_eval(conv, norm))
                setattr(block, next_name, nn.Identity())


class _Uninitialised(TorchFunctionMode):
    """Skips random initialisation: a file's weights replace it all, or loading fails.

    For ViT-B/32 it took two thirds of the loading time.
    """

    def __torch_function__(self, function: Callable, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if getattr(function, "__name__", "") in _RANDOM:
            return args[0] if args else kwargs["tensor"]
        return function(*args, **kwargs)
