"""The bundled backbone as an open_clip model, and the joint loss of its training."""

import json
import shutil
from pathlib import Path

import numpy as np
import open_clip
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, trainers
from tokenizers.decoders import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing
from torch import nn

from clipdemo.tiny.crops import MEAN, STD
from clipdemo.tiny.photo_pack import FEATURES

WIDTH = 256
SCALE = WIDTH**0.5  # scales the entries of a normalised embedding to about 1
CONTEXT = 40
CONFIG, WEIGHTS = "open_clip_config.json", "open_clip_model.safetensors"
PAD, UNKNOWN, START, END = "[PAD]", "[UNK]", "[BOS]", "[EOS]"


def train_tokenizer(captions: list[str], size: int) -> Tokenizer:
    """A lower-casing WordPiece tokenizer learned from captions; ids 0 to 3 are special."""
    tokenizer = Tokenizer(models.WordPiece(unk_token=UNKNOWN))
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.decoder = WordPiece()
    trainer = trainers.WordPieceTrainer(
        vocab_size=size, special_tokens=[PAD, UNKNOWN, START, END], show_progress=False
    )
    tokenizer.train_from_iterator(captions, trainer)
    tokenizer.post_processor = TemplateProcessing(
        single=f"{START} $A {END}", special_tokens=[(START, 2), (END, 3)]
    )
    return tokenizer


def save_tokenizer(folder: Path, tokenizer: Tokenizer, length: int) -> None:
    """Write it as transformers loads it, for captions of up to `length` tokens."""
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"pad_token": PAD, "unk_token": UNKNOWN, "bos_token": START, "eos_token": END}
    names |= {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": length}
    (folder / "tokenizer_config.json").write_text(json.dumps(names, indent=2) + "\n")


def write_model_files(
    folder: Path, tokenizer: Tokenizer, width: int, layers: tuple[int, ...], image_size: int
) -> None:
    """Write everything that open_clip's `local-dir:` loads, except the weights.

    The image tower is CLIP's ResNet with `layers` blocks per stage and `width` channels in the
    first; the text tower is CLIP's transformer with two layers.
    """
    folder.mkdir(parents=True, exist_ok=True)
    save_tokenizer(folder, tokenizer, CONTEXT)
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
    (folder / CONFIG).write_text(json.dumps(config, indent=2) + "\n")


def new_model(folder: Path) -> nn.Module:
    """The open_clip model of the folder, with random weights if it has none."""
    return open_clip.create_model(f"local-dir:{folder}", require_pretrained=False)


def export(model: nn.Module, files: Path, out: Path, image_size: int) -> None:
    """Write a copy of the model for photos of `image_size` pixels as open_clip loads it.

    Args:
        model: the open_clip model.
        files: folder of its configuration and tokenizer.
        out: folder to write to; the pool's position embeddings are interpolated.
    """
    out.mkdir(parents=True, exist_ok=True)
    for name in (CONFIG, "tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(files / name, out / name)
    config = json.loads((out / CONFIG).read_text())
    config["model_cfg"]["vision_cfg"]["image_size"] = image_size
    (out / CONFIG).write_text(json.dumps(config, indent=2) + "\n")
    weights = model.state_dict()
    pool = "visual.attnpool.positional_embedding"
    weights[pool] = positions(weights[pool], image_size // 32)
    save_weights(weights, out)


def save_weights(weights: dict[str, torch.Tensor], out: Path) -> None:
    """An open_clip model's weights, in half precision."""
    halved = {name: value.half().contiguous() for name, value in weights.items()}
    save_file(halved, out / WEIGHTS)


def pad(tokens: list[torch.Tensor]) -> torch.Tensor:
    """[N, T] token ids, zero padded to the longest."""
    return nn.utils.rnn.pad_sequence(tokens, batch_first=True)


def head(inputs: int, labels: int) -> nn.Module:
    """An auxiliary head on L2-normalised embeddings; the shipped heads are fitted afterwards."""
    return nn.Sequential(nn.Linear(inputs, 256), nn.GELU(), nn.Dropout(0.2), nn.Linear(256, labels))


def positions(embedding: torch.Tensor, cells: int) -> torch.Tensor:
    """The pool's position embeddings [1 + G * G, D] for a map of cells x cells."""
    side = round((len(embedding) - 1) ** 0.5)
    if side == cells:
        return embedding
    grid = embedding[1:].T.reshape(1, -1, side, side)
    grid = F.interpolate(grid, (cells, cells), mode="bilinear", align_corners=False)
    return torch.cat([embedding[:1], grid.flatten(2)[0].T])


def pooled(pool: nn.Module, cells: torch.Tensor) -> torch.Tensor:
    """CLIP's attention pool on a feature map [N, C, G, G]: [N, WIDTH].

    The original computes a query for every cell and keeps one output; with a single query, a
    training step takes two thirds of the time.
    """
    x = cells.flatten(2).transpose(1, 2)
    x = torch.cat([x.mean(1, keepdim=True), x], 1)
    x = x + positions(pool.positional_embedding, cells.shape[-1]).to(x.dtype)
    query, key, value = (
        layer(part).unflatten(-1, (pool.num_heads, -1)).transpose(1, 2)
        for layer, part in ((pool.q_proj, x[:, :1]), (pool.k_proj, x), (pool.v_proj, x))
    )
    weights = (query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5).softmax(-1)
    return pool.c_proj((weights @ value).transpose(1, 2).flatten(1))


class Joint(nn.Module):
    """Backbone, auxiliary heads and the sum of their losses.

    The auxiliary heads (dense, features, image, text, concat) only train the backbone; none of them
    is shipped.
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
        """Unnormalised image embeddings [N, WIDTH], and the feature maps at strides 16 and 32."""
        tower = self.model.visual
        middle = tower.layer3(tower.layer2(tower.layer1(tower.stem(images))))
        last = tower.layer4(middle)
        return pooled(tower.attnpool, last), [middle, last]

    def text(self, tokens: torch.Tensor) -> torch.Tensor:
        """Text embeddings [N, WIDTH], L2-normalised, of token ids [N, T] with T up to CONTEXT.

        Equals open_clip's own forward, which needs all CONTEXT positions: attention is causal, so
        the padding after a caption changes nothing and can be left out.
        """
        tower, length = self.model.text, tokens.shape[1]
        x = tower.token_embedding(tokens) + tower.positional_embedding[:length]
        x = tower.ln_final(tower.transformer(x, attn_mask=tower.attn_mask[:length, :length]))
        last = (tokens == tower.eos_id).int().argmax(1)
        return F.normalize(x[torch.arange(len(x)), last] @ tower.text_projection, dim=-1)

    def texts(self, tokens: list[torch.Tensor]) -> torch.Tensor:
        """Embeddings [N, WIDTH] of captions, batched by length to save padding."""
        order = np.argsort([len(t) for t in tokens], kind="stable")
        parts = np.array_split(order, -(-len(order) // 48))
        found = torch.cat([self.text(pad([tokens[i] for i in part])) for part in parts])
        return found[torch.from_numpy(np.argsort(order))]

    def forward(self, batch: dict[str, torch.Tensor], weights: dict[str, float]) -> dict:
        """The losses of one batch and their weighted sum `total`.

        batch: images [N, 3, S, S], targets [N, L], grids [N, L, G, G] at strides 16 and 32,
        features [N, FEATURES] with row weight `seen` [N]; where there are captions, tokens [M, T]
        of which the first P belong to the images `pair` [P], and their text_targets [M, L] with
        row weight text_weight [M].
        """
        raw, maps = self.image(batch["images"])
        image = F.normalize(raw, dim=-1)
        error = F.smooth_l1_loss(self.features(raw), batch["features"], reduction="none").mean(1)
        losses = {
            "image": label_loss(self.image_head(image * SCALE), batch["targets"]),
            "dense": sum(
                F.binary_cross_entropy_with_logits(conv(feature_map), target) * target.shape[1]
                for conv, feature_map, target in zip(self.dense, maps, batch["grids"], strict=True)
            ),
            "features": (error * batch["seen"]).sum() / batch["seen"].sum().clamp(min=1),
        }
        if "tokens" in batch:
            pair = batch["pair"]
            text = self.text(batch["tokens"])
            both = torch.cat([image[pair], text[: len(pair)]], 1) * SCALE
            losses |= {
                "text": label_loss(
                    self.text_head(text * SCALE), batch["text_targets"], batch["text_weight"]
                ),
                "concat": label_loss(self.concat_head(both), batch["targets"][pair]),
                "contrast": self.contrast(image[pair], text[: len(pair)]),
            }
        total = sum(weights[name] * loss for name, loss in losses.items())
        return losses | {"total": total}

    def contrast(self, image: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
        """CLIP's contrastive loss of paired embeddings [P, WIDTH]."""
        return open_clip.ClipLoss()(image, text, self.model.logit_scale.exp().clamp(max=100))


def label_loss(
    logits: torch.Tensor, targets: torch.Tensor, weight: torch.Tensor | None = None
) -> torch.Tensor:
    """Binary cross-entropy [N, L], summed over labels, and averaged over rows with weights [N]."""
    rows = F.binary_cross_entropy_with_logits(logits, targets, reduction="none").sum(1)
    weight = torch.ones_like(rows) if weight is None else weight
    return (rows * weight).sum() / weight.sum().clamp(min=1)
