"""Train the bundled captioner: a small decoder on the embeddings of the frozen backbone."""

import json
import math
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from clipdemo.model.captioners.decoder import PAD, Decoder, Shape
from clipdemo.tiny.caption_data import CaptionRecipe, Sources
from clipdemo.tiny.text_stage import at


class Drawer:
    """Draws batches of embeddings and captions."""

    def __init__(self, sources: Sources, recipe: CaptionRecipe) -> None:
        self.sources, self.recipe = sources, recipe
        self.looks = np.split(
            np.arange(len(sources.photo)), np.flatnonzero(np.diff(sources.photo)) + 1
        )
        some = np.array([bool(c) for c in sources.captions])
        pools = {name: np.flatnonzero(some & (sources.sets == name)) for name, _ in recipe.shares}
        pools["alone"] = np.arange(len(sources.alone))
        self.pools = {name: rows for name, rows in pools.items() if len(rows)}
        shares = np.array([dict(recipe.shares).get(name, 0.0) for name in self.pools])
        self.shares = shares / shares.sum()

    def draw(self, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """Embeddings [N, D], L2-normalised, and tokens [N, T] padded with zeros."""
        counts = rng.multinomial(self.recipe.batch, self.shares)
        embeddings, tokens = [], []
        for (name, rows), count in zip(self.pools.items(), counts, strict=True):
            chosen = rng.choice(rows, count)
            draw = self._alone if name == "alone" else self._photos
            found, captions = draw(chosen, rng)
            embeddings.append(found)
            tokens += captions
        rows = np.concatenate(embeddings)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return torch.from_numpy(rows), pad(tokens)

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


def pad(tokens: list[list[int]]) -> torch.Tensor:
    """[N, T] token ids, zero padded to the longest."""
    rows = [torch.tensor(t) for t in tokens]
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=PAD)


def loss_of(decoder: Decoder, embeddings: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of a token."""
    there = tokens != PAD
    logits = decoder.logits(decoder(embeddings, tokens)[there])
    return F.cross_entropy(logits.float(), tokens[there])


def rate_at(step: int, recipe: CaptionRecipe) -> float:
    """Linear warm-up, then half a cosine down to a hundredth of the peak."""
    warm = recipe.warmup * recipe.steps
    if step < warm:
        return recipe.rate * (step + 1) / warm
    done = (step - warm) / (recipe.steps - warm)
    return recipe.rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))


def start_as(decoder: Decoder, tower: torch.nn.Module) -> None:
    """Copy what fits of a text tower, which is a causal transformer of the same blocks.

    It knows the words already, which saves the decoder most of its training.
    """
    own, theirs = decoder.state_dict(), tower.state_dict()
    names = {"token.weight": "token_embedding.weight", "position": "positional_embedding"}
    names |= {f"norm.{part}": f"ln_final.{part}" for part in ("weight", "bias")}
    for mine, other in (
        ("norm1.", "ln_1."), ("norm2.", "ln_2."), ("qkv.", "attn.in_proj_"),
        ("out.", "attn.out_proj."), ("mlp.0.", "mlp.c_fc."), ("mlp.2.", "mlp.c_proj."),
    ):  # fmt: skip
        for layer in range(len(decoder.blocks)):
            for part in ("weight", "bias"):
                where = f"transformer.resblocks.{layer}.{other}{part}"
                names[f"blocks.{layer}.{mine}{part}"] = where
    prefix = decoder.shape.prefix
    for mine, other in names.items():
        value = theirs.get(other)
        if mine == "position" and value is not None:
            value = torch.cat([own[mine][:prefix], value[: len(own[mine]) - prefix]])
        if value is not None and value.shape == own[mine].shape:
            own[mine].copy_(value)


class Run:
    """Decoder, averaged weights and optimizer of a run, which goes on where it was stopped."""

    def __init__(self, decoder: Decoder, recipe: CaptionRecipe, work: Path, version: str) -> None:
        """The state in `work` is taken up if it is of this recipe and this `version`."""
        self.decoder, self.recipe, self.work = decoder, recipe, work
        self.parameters = list(decoder.parameters())
        self.average = [p.detach().clone() for p in self.parameters]
        deep = [p for p in self.parameters if p.ndim >= 2]
        flat = [p for p in self.parameters if p.ndim < 2]
        groups = [
            {"params": deep, "weight_decay": recipe.decay}, {"params": flat, "weight_decay": 0.0}
        ]  # fmt: skip
        self.optimizer = torch.optim.AdamW(groups, recipe.rate, betas=(0.9, 0.98))
        self.step = 0
        self.losses: list[torch.Tensor] = []
        self._name = json.dumps([asdict(recipe), version])
        self._saved = work / "state.pt"
        self._started = time.monotonic()
        if self._saved.is_file():
            self._take_up(torch.load(self._saved, weights_only=True))

    def _take_up(self, state: dict) -> None:
        if state["run"] == self._name:
            self.decoder.load_state_dict(state["decoder"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.average, self.step = state["average"], state["step"]

    def learn(self, drawer: Drawer) -> None:
        """One step; all its chance comes from its number, so a resumed run equals an undisturbed
        one."""
        recipe = self.recipe
        rng = np.random.default_rng((recipe.seed, self.step))
        torch.manual_seed(rng.integers(2**62))
        embeddings, tokens = drawer.draw(rng)
        for group in self.optimizer.param_groups:
            group["lr"] = rate_at(self.step, recipe)
        with torch.autocast("cpu", torch.bfloat16, enabled=recipe.bfloat16):
            loss = loss_of(self.decoder, embeddings, tokens)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        self.losses.append(loss.detach())
        self.step += 1
        share = 1 - min(1 - 1 / recipe.average, self.step / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(self.average, self.parameters, share)

    def save(self) -> None:
        """Keep the state, whole or not at all."""
        state = {"run": self._name, "step": self.step, "average": self.average}
        state |= {"decoder": self.decoder.state_dict(), "optimizer": self.optimizer.state_dict()}
        torch.save(state, self._saved.with_suffix(".part"))
        self._saved.with_suffix(".part").replace(self._saved)

    def report(self, sources: Sources) -> None:
        """A line of log: step, mean loss since the last one, loss on the validation captions."""
        with at(self.parameters, self.average):
            entry = {"step": self.step, "check": round(check(self.decoder, sources), 4)}
        if self.losses:
            entry["loss"] = round(float(torch.stack(self.losses).mean()), 4)
        entry["seconds"] = round(time.monotonic() - self._started, 1)
        with (self.work / "log.jsonl").open("a") as log:
            log.write(json.dumps(entry) + "\n")
        print(entry, flush=True)
        self.losses.clear()


def fit(
    sources: Sources,
    tower: torch.nn.Module,
    recipe: CaptionRecipe,
    work: Path,
    version: str,
    every: float = 60.0,
) -> Decoder:
    """Train to the recipe's last step, going on from the state in `work` if it is this run's.

    Args:
        sources: embeddings and captions.
        tower: the backbone's text tower.
        recipe: the knobs.
        work: keeps state and log.
        version: sha256 of the backbone's weights; another backbone is another run.
        every: seconds between two saved states.

    Returns:
        The decoder with averaged weights, in evaluation mode.
    """
    shape = Shape(
        tower.vocab_size, sources.image.shape[1], recipe.width, recipe.layers, recipe.heads,
        recipe.prefix, recipe.length,
    )  # fmt: skip
    torch.manual_seed(recipe.seed)
    decoder = Decoder(shape, recipe.dropout).train()
    start_as(decoder, tower)
    run, drawer = Run(decoder, recipe, work, version), Drawer(sources, recipe)
    last = time.monotonic()
    while run.step < recipe.steps:
        run.learn(drawer)
        if time.monotonic() - last > every or run.step == recipe.steps:
            run.save()
            run.report(sources)
            last = time.monotonic()
    with torch.no_grad():
        torch._foreach_copy_(run.parameters, run.average)
    return decoder.eval()


@torch.inference_mode()
def check(decoder: Decoder, sources: Sources) -> float:
    """Mean cross-entropy of a token of the validation photos' captions."""
    decoder.eval()
    found = loss_of(decoder, torch.from_numpy(sources.check_image), pad(sources.check_tokens))
    decoder.train()
    return float(found)
