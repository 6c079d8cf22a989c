"""The bundled backbone as an open_clip model, and the joint loss it is trained with."""

import json
from pathlib import Path

import open_clip
import torch
import torch.nn.functional as F
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from torch import nn
from torch.func import functional_call

from clipdemo.tiny.crops import MEAN, STD
from clipdemo.tiny.photo_pack import FEATURES

WIDTH = 256
CONTEXT = 40
PAD, UNKNOWN, START, END = "[PAD]", "[UNK]", "[BOS]", "[EOS]"


def train_tokenizer(captions: list[str], size: int) -> Tokenizer:
    """A lower-casing WordPiece tokenizer learned from captions; ids 0 to 3 are special."""
    tokenizer = Tokenizer(models.WordPiece(unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(
        vocab_size=size, special_tokens=[PAD, UNKNOWN, START, END], show_progress=False
    )
    tokenizer.train_from_iterator(captions, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {END}", special_tokens=[(START, 2), (END, 3)]
    )
    return tokenizer


def write_model_files(
    folder: Path, tokenizer: Tokenizer, width: int, layers: tuple[int, ...], image_size: int
) -> None:
    """Everything open_clip's `local-dir:` loads except the weights.

    The image tower is CLIP's own ResNet with `layers` blocks per stage, `width` channels in the
    first; the text tower CLIP's transformer, two layers deep.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"pad_token": PAD, "unk_token": UNKNOWN, "bos_token": START, "eos_token": END}
    names |= {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": CONTEXT}
    (folder / "tokenizer_config.json").write_text(json.dumps(names, indent=2) + "\n")
    config = {
        "model_cfg": {
            "embed_dim": WIDTH,
            "custom_text": True,
            "vision_cfg": {
                "layers": layers,
                "width": width,
                "head_width": 64,
                "image_size": image_size,
            },
            "text_cfg": {
                "context_length": CONTEXT,
                "vocab_size": tokenizer.get_vocab_size(),
                "hf_tokenizer_name": "tiny",
                "width": 192,
                "heads": 3,
                "layers": 2,
                "pool_type": "eos",
                "eos_id": 3,
            },
        },
        "preprocess_cfg": {
            "mean": MEAN,
            "std": STD,
            "interpolation": "bilinear",  # as crops are resized in training
            "resize_mode": "squash",
        },
    }
    (folder / "open_clip_config.json").write_text(json.dumps(config, indent=2) + "\n")


def new_model(folder: Path) -> nn.Module:
    """The open_clip model of the folder, random weights where it has none."""
    return open_clip.create_model(f"local-dir:{folder}", require_pretrained=False)


def head(inputs: int, labels: int) -> nn.Module:
    """Training's own head on L2-normalised embeddings; the shipped heads are fitted afterwards."""
    return nn.Sequential(nn.Linear(inputs, 256), nn.GELU(), nn.Dropout(0.2), nn.Linear(256, labels))


def positions(embedding: torch.Tensor, cells: int) -> torch.Tensor:
    """The pool's position embeddings [1 + G * G, D] for a map of cells x cells."""
    side = round((len(embedding) - 1) ** 0.5)
    if side == cells:
        return embedding
    grid = embedding[1:].T.reshape(1, -1, side, side)
    grid = F.interpolate(grid, (cells, cells), mode="bilinear", align_corners=False)
    return torch.cat([embedding[:1], grid.flatten(2)[0].T])


class Joint(nn.Module):
    """Backbone, auxiliary heads and the sum of their losses.

    The auxiliary heads (dense, features, image, text, concat) only teach the backbone; none of
    them is shipped.
    """

    def __init__(self, model: nn.Module, labels: int) -> None:
        super().__init__()
        self.model = model
        width = model.visual.layer4[-1].bn3.num_features
        self.dense = nn.ModuleList(nn.Conv2d(w, labels, 1) for w in (width // 2, width))
        self.features = nn.Linear(WIDTH, FEATURES)
        self.image_head = head(WIDTH, labels)
        self.text_head = head(WIDTH, labels)
        self.concat_head = head(2 * WIDTH, labels)
        for module in self.dense:
            nn.init.constant_(module.bias, -4.0)

    def image(self, images: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Raw image embeddings [N, WIDTH] and the feature maps at strides 16 and 32."""
        tower = self.model.visual
        middle = tower.layer3(tower.layer2(tower.layer1(tower.stem(images))))
        last = tower.layer4(middle)
        pool, cells = tower.attnpool, last.shape[-1]
        position = {"positional_embedding": positions(pool.positional_embedding, cells)}
        return functional_call(pool, position, last), [middle, last]

    def text(self, tokens: torch.Tensor) -> torch.Tensor:
        """Text embeddings [N, WIDTH], L2-normalised, of token ids [N, T] with T up to CONTEXT.

        The same as open_clip's own forward, which wants all CONTEXT positions: the attention is
        causal, so the padding behind a caption changes nothing and need not be computed.
        """
        tower, length = self.model.text, tokens.shape[1]
        x = tower.token_embedding(tokens) + tower.positional_embedding[:length]
        # Not the tower's own mask: averaging the weights averages that buffer too, and its
        # infinities become nan.
        causal = torch.full((length, length), -torch.inf).triu(1)
        x = tower.ln_final(tower.transformer(x, attn_mask=causal))
        last = (tokens == tower.eos_id).int().argmax(1)
        return F.normalize(x[torch.arange(len(x)), last] @ tower.text_projection, dim=-1)

    def forward(self, batch: dict[str, torch.Tensor], weights: dict[str, float]) -> dict:
        """The weighted losses of one batch and their sum `total`.

        batch: images [N, 3, S, S], targets [N, L], grid [N, L, G, G] boxes etc. already cut,
        features [N, FEATURES] with row weight `seen` [N]; where there are captions, tokens [M, T]
        and their text_targets [M, L] with row weight text_weight [M].
        """
        raw, maps = self.image(batch["images"])
        losses = {}
        dense = 0.0
        for conv, feature_map, target in zip(self.dense, maps, batch["grids"], strict=True):
            dense = dense + F.binary_cross_entropy_with_logits(conv(feature_map), target)
        losses["dense"] = dense * batch["targets"].shape[1]
        seen = batch["seen"]
        error = F.smooth_l1_loss(self.features(raw), batch["features"], reduction="none").mean(1)
        losses["features"] = (error * seen).sum() / seen.sum().clamp(min=1)

        image = F.normalize(raw, dim=-1)
        scale = WIDTH**0.5
        bce = F.binary_cross_entropy_with_logits
        losses["image"] = bce(self.image_head(image * scale), batch["targets"]) * 18
        if "tokens" in batch:
            losses |= self.text_losses(image, batch)
        total = sum(weights[name] * value for name, value in losses.items())
        return losses | {"total": total}

    def text_losses(self, image: torch.Tensor, batch: dict[str, torch.Tensor]) -> dict:
        """Losses of the captions [M], of which the first P belong to the images `pair` [P]."""
        scale = WIDTH**0.5
        bce = F.binary_cross_entropy_with_logits
        text = self.text(batch["tokens"])
        losses = {}
        per_text = bce(self.text_head(text * scale), batch["text_targets"], reduction="none").sum(1)
        text_weight = batch["text_weight"]
        losses["text"] = (per_text * text_weight).sum() / text_weight.sum().clamp(min=1)

        pair = batch["pair"]
        both = torch.cat([image[pair], text[: len(pair)]], 1) * scale
        losses["concat"] = bce(self.concat_head(both), batch["targets"][pair]) * 18
        logits = self.model.logit_scale.exp().clamp(max=100) * image[pair] @ text[: len(pair)].T
        same = torch.arange(len(pair))
        losses["contrast"] = (F.cross_entropy(logits, same) + F.cross_entropy(logits.T, same)) / 2
        return losses
