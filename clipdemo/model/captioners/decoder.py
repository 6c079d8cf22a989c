"""The bundled captioner's model: a small transformer that writes a caption from an embedding.

The embedding becomes a few prefix positions in front of the caption, as in ClipCap (Mokady et al.
2021, arXiv:2111.09734).
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F

from clipdemo.errors import CaptionerError, reason
from clipdemo.inputs.atomic import atomic_write
from clipdemo.model.checkpoints import sha256

CARD, WEIGHTS, BACKBONE = "captioner.json", "captioner.safetensors", "open_clip_model.safetensors"
PAD, UNKNOWN, START, END = range(4)  # the special ids of tiny's tokenizer
Cache = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class Shape:
    """The decoder's architecture, as its card records it."""

    vocabulary: int
    embedding: int = 256  # D, the width of the embedding it reads
    width: int = 256
    layers: int = 2
    heads: int = 4
    prefix: int = 4  # positions that represent the embedding
    length: int = 24  # the most tokens of a caption, its end included


class Block(nn.Module):
    """Causal attention and an MLP, each after a norm and with a residual connection."""

    def __init__(self, shape: Shape, dropout: float) -> None:
        super().__init__()
        width = shape.width
        self.heads = shape.heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )
        self.drop = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor, past: Cache | None = None) -> tuple[torch.Tensor, Cache]:
        """[N, T, W] -> [N, T, W], and the keys and values of all positions so far.

        With `past`, T must be 1: the position that follows it.
        """
        q, k, v = self.qkv(self.norm1(x)).chunk(3, -1)
        q, k, v = (t.unflatten(-1, (self.heads, -1)).transpose(1, 2) for t in (q, k, v))
        if past is not None:
            k, v = torch.cat([past[0], k], 2), torch.cat([past[1], v], 2)
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=past is None)
        x = x + self.drop(self.out(seen.transpose(1, 2).flatten(2)))
        return x + self.drop(self.mlp(self.norm2(x))), (k, v)


class Decoder(nn.Module):
    """Embedding -> the tokens of a caption, one by one."""

    def __init__(self, shape: Shape, dropout: float = 0.0) -> None:
        super().__init__()
        self.shape = shape
        self.prefix = nn.Linear(shape.embedding, shape.prefix * shape.width)
        self.token = nn.Embedding(shape.vocabulary, shape.width)
        self.position = nn.Parameter(torch.zeros(shape.prefix + shape.length, shape.width))
        self.blocks = nn.ModuleList(Block(shape, dropout) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(shape.width)
        self.drop = nn.Dropout(dropout)
        for parameter in (self.token.weight, self.position):
            nn.init.normal_(parameter, std=0.02)

    def start(self, embeddings: torch.Tensor) -> torch.Tensor:
        """Prefix positions [N, P, W] for L2-normalised embeddings [N, D]."""
        shape = self.shape
        scaled = embeddings * shape.embedding**0.5
        return self.prefix(scaled).unflatten(-1, (shape.prefix, shape.width))

    def forward(self, embeddings: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """States [N, T, W] from which `logits` predicts each of the tokens [N, T].

        A state depends on the embedding and the preceding tokens.
        """
        x = torch.cat([self.start(embeddings), self.token(tokens[:, :-1])], 1)
        x = self.drop(x + self.position[: x.shape[1]])
        for block in self.blocks:
            x, _ = block(x)
        return x[:, self.shape.prefix - 1 :]

    def logits(self, x: torch.Tensor) -> torch.Tensor:
        """[..., W] -> [..., V]; input and output embeddings are tied."""
        return self.norm(x) @ self.token.weight.T

    def step(self, x: torch.Tensor, caches: list | None = None) -> tuple[torch.Tensor, list]:
        """Logits [N, V] of the token after x [N, T, W], and every block's cache.

        Without `caches`, x is the prefix; with them, the one token that follows.
        """
        first = 0 if caches is None else caches[0][0].shape[2]
        x = x + self.position[first : first + x.shape[1]]
        kept = []
        for block, past in zip(self.blocks, caches or [None] * len(self.blocks), strict=True):
            x, cache = block(x, past)
            kept.append(cache)
        logits = self.logits(x[:, -1])
        logits[:, [PAD, UNKNOWN, START]] = -torch.inf
        return logits, kept

    @torch.inference_mode()
    def sample(
        self,
        embedding: torch.Tensor,
        count: int,
        temperature: float,
        share: float,
        once: torch.Tensor | None = None,
    ) -> list[list[int]]:
        """Tokens, without the end, of captions sampled for one embedding [D]; deterministic.

        A token is sampled from the likeliest ones that make up `share` of the probability (nucleus
        sampling; Holtzman et al. 2020, arXiv:1904.09751).

        Args:
            embedding: L2-normalised.
            count: how many to sample; unfinished ones are left out, unless most are unfinished.
            temperature: below 1, likely tokens become likelier.
            share: of the probability, as above.
            once: [V] bool, the tokens that a caption may hold only once.
        """
        generator = torch.Generator().manual_seed(0)
        logits, caches = self.step(self.start(embedding[None]).expand(count, -1, -1))
        tokens = torch.full((count, self.shape.length), PAD)
        going = torch.ones(count, dtype=torch.bool)
        for place in range(self.shape.length):
            if once is not None:
                used = torch.zeros(logits.shape, dtype=torch.bool).scatter_(1, tokens, True)
                logits[used & once] = -torch.inf
            drawn = draw(logits, temperature, share, generator)
            going &= drawn != END
            tokens[going, place] = drawn[going]
            if not going.any() or place + 1 == self.shape.length:
                break
            logits, caches = self.step(self.token(drawn)[:, None], caches)
        ended = tokens[~going] if 2 * going.sum() < count else tokens
        return [[i for i in row if i != PAD] for row in ended.tolist()]


def draw(
    logits: torch.Tensor, temperature: float, share: float, generator: torch.Generator
) -> torch.Tensor:
    """[N] one token for each row of logits [N, V], sampled from its nucleus."""
    values, order = F.softmax(logits / temperature, -1).sort(descending=True)
    values[values.cumsum(-1) - values >= share] = 0
    return order.gather(1, torch.multinomial(values, 1, generator=generator))[:, 0]


def write_decoder(folder: Path, decoder: Decoder, content: dict) -> None:
    """Write weights in half precision and their card, next to the backbone's weights.

    The card is `content` with the architecture and the sha256 of both weights.
    """
    weights = {k: v.half().contiguous() for k, v in decoder.state_dict().items()}
    save_file(weights, folder / WEIGHTS)
    card = content | {
        "architecture": asdict(decoder.shape),
        "parameters": sum(p.numel() for p in decoder.parameters()),
        "files": {name: sha256(folder / name) for name in (WEIGHTS, BACKBONE)},
    }
    write_decoder_card(folder, card)


def write_decoder_card(folder: Path, card: dict) -> None:
    """Write the card atomically."""
    with atomic_write(folder / CARD) as partial:
        partial.write_text(json.dumps(card, indent=1) + "\n", "utf-8")


def read_decoder(folder: Path) -> tuple[dict, Decoder]:
    """The card, and the decoder in evaluation mode.

    Raises:
        CaptionerError: a file is missing, damaged or not the card's, or the decoder was trained
            for other weights of the backbone.
    """
    again = "train it again with `python -m clipdemo train-captioner`."
    try:
        card = json.loads((folder / CARD).read_text("utf-8"))
        if sha256(folder / WEIGHTS) != card["files"][WEIGHTS]:
            raise CaptionerError(
                f"{folder / WEIGHTS} is not the file its card describes (sha256 differs): restore "
                f"it or {again}"
            )
        if sha256(folder / BACKBONE) != card["files"][BACKBONE]:
            raise CaptionerError(
                f"The captioner in {folder} was trained for other weights of the backbone (sha256 "
                f"differs): {again}"
            )
        decoder = Decoder(Shape(**card["architecture"]))
        decoder.load_state_dict(load_file(folder / WEIGHTS))
    except FileNotFoundError as error:
        raise CaptionerError(f"{error.filename} is missing: restore it or {again}") from None
    except CaptionerError:
        raise
    except Exception as error:  # JSON, safetensors and torch raise their own kinds
        raise CaptionerError(
            f"The captioner in {folder} is damaged ({type(error).__name__}: {reason(error)}): "
            f"{again}"
        ) from error
    return card, decoder.float().eval()
