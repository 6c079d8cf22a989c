"""Train the bundled backbone: one process per core, resumable, one line of log per check.

Small towers use a core better alone than two cores together, so each process trains on its own
batches and the gradients are averaged between them over gloo.
"""

import copy
import json
import math
import os
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from safetensors.torch import load_file
from sklearn.metrics import average_precision_score
from tokenizers import Tokenizer

from clipdemo.training import crops, joint
from clipdemo.training.pack import Pack, caption_rows, drawn_pack, join, load_pack

torch.set_float32_matmul_precision("high")


@dataclass(frozen=True)
class Recipe:
    """Every knob of a run."""

    width: int = 24  # channels of the image tower's first stage
    layers: tuple[int, ...] = (1, 2, 2, 1)  # its blocks per stage
    vocabulary: int = 3400
    steps: int = 3800
    batch: int = 64  # photos per process and step
    text_every: int = 4  # captions come with every fourth step
    captions: int = 40  # captions per process in such a step, those of the photos first
    rate: float = 2e-3  # peak learning rate
    decay: float = 0.05
    warmup: float = 0.05  # share of the steps
    sizes: tuple[tuple[float, int], ...] = ((0.0, 64), (0.45, 96), (0.9, 128))  # from share on
    # Input size of the finished backbone: larger than in training, where crops are enlarged and
    # objects look larger than in whole photos (Touvron et al. 2019).
    serve_size: int = 192
    smallest: float = 0.15  # least area of a crop
    joined: float = 0.4  # chance that a crop's right side shows another photo
    teacher: float = 0.3  # the teacher's share of targets that are also annotated
    drawn: int = 3000  # drawn scenes added to the photos
    word_dropout: float = 0.1
    bfloat16: bool = False  # 1.8 times as fast on a CPU with AVX512-BF16 or AMX, slower elsewhere
    seed: int = 0
    weights: tuple[tuple[str, float], ...] = (
        ("image", 1.0), ("dense", 0.5), ("features", 2.0), ("text", 0.5), ("concat", 0.3),
        ("contrast", 0.3),
    )  # fmt: skip


GO_ON = Recipe(steps=10_000, rate=1.2e-3, sizes=((0.0, 96), (0.6, 128)))
"""For an image tower that is trained already."""


@dataclass
class Data:
    """What the training processes share."""

    pack: Pack
    train: np.ndarray  # [N] rows of the pack
    chance: np.ndarray  # [N] how often each training row is drawn
    tokens: list[list[torch.Tensor]]  # per pack row, its captions' token ids
    texts: list[str]  # captions of the label table
    text_tokens: list[torch.Tensor]  # their token ids
    text_labels: np.ndarray
    check_tokens: list[torch.Tensor]  # validation captions
    check_labels: np.ndarray


def sampling_chance(pack: Pack, train: np.ndarray) -> np.ndarray:
    """[N] sums to 1: photos with rare labels come more often, and fully labelled sets too."""
    present = np.where(np.isnan(pack.labels[train]), pack.soft[train], pack.labels[train])
    share = present.mean(0)
    rarity = (present * np.sqrt(share.max() / share)).max(1)
    base = {"comp5329": 2.0, "coco": 1.2, "flickr8k": 0.8, "drawn": 0.6}
    weight = np.array([base.get(s, 1.0) for s in pack.sets[train]]) * np.clip(rarity, 1, 6)
    return weight / weight.sum()


def prepare(data: Path, out: Path, recipe: Recipe) -> Data:
    """Read everything, learn the tokenizer, write the model's files."""
    pack = load_pack(data, out / "cache")
    if recipe.drawn:
        pack = join(pack, drawn_pack(recipe.drawn, first_seed=1_000_000))
    train = np.flatnonzero(~pack.validation)
    texts, labels, check_texts, check_labels = caption_rows(data, pack)
    folder = out / "model"
    if not (folder / "open_clip_config.json").is_file():
        corpus = texts + [c for row in train for c in pack.captions[row]]
        tokenizer = joint.train_tokenizer(corpus, recipe.vocabulary)
        joint.write_model_files(folder, tokenizer, recipe.width, recipe.layers, recipe.sizes[-1][1])
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(joint.CONTEXT)

    def encode(captions: list[str]) -> list[torch.Tensor]:
        return [torch.tensor(e.ids) for e in tokenizer.encode_batch(captions)]

    return Data(
        pack=pack,
        train=train,
        chance=sampling_chance(pack, train),
        tokens=[encode(c) for c in pack.captions],
        texts=texts,
        text_tokens=encode(texts),
        text_labels=labels,
        check_tokens=encode(check_texts),
        check_labels=check_labels,
    )


def pad(tokens: list[torch.Tensor]) -> torch.Tensor:
    """[N, T] token ids, zero padded to the longest."""
    return torch.nn.utils.rnn.pad_sequence(tokens, batch_first=True)


def drop_words(tokens: torch.Tensor, rng: np.random.Generator, chance: float) -> torch.Tensor:
    """Some words become unknown, so that no single word carries everything."""
    drop = torch.from_numpy(rng.uniform(size=tokens.shape) < chance) & (tokens > 3)
    return tokens.masked_fill(drop, 1)


def make_batch(
    data: Data, recipe: Recipe, rng: np.random.Generator, size: int, with_text: bool
) -> dict:
    """One process's batch, wholly decided by `rng`."""
    pack = data.pack
    rows = rng.choice(data.train, recipe.batch, replace=False, p=data.chance)
    boxes = crops.random_boxes(rng, len(rows), recipe.smallest)
    flip = rng.uniform(size=len(rows)) < 0.5
    images = crops.cut([pack.photos[r] for r in rows], boxes, flip, size)
    targets = crops.label_targets(pack, rows, boxes, recipe.teacher)
    known = pack.labels[rows][:, :, None, None]
    grid = torch.from_numpy(np.where(known == 0, 0, pack.grid[rows]))
    box, mirrored = torch.from_numpy(boxes), torch.from_numpy(flip)
    grids = [crops.grid_targets(grid, box, mirrored, c) for c in (size // 16, size // 32)]

    # Two crops side by side, as in CutMix (Yun et al. 2019): labels of one or the other are there.
    joined = rng.uniform(size=len(rows)) < recipe.joined
    share = rng.integers(1, size // 32) / (size // 32)
    left, right = (crops.side_boxes(boxes, flip, share, side) for side in (True, False))
    seen_left = crops.label_targets(pack, rows, left, recipe.teacher)
    seen_right = np.roll(crops.label_targets(pack, rows, right, recipe.teacher), 1, 0)
    targets[joined] = (1 - (1 - seen_left) * (1 - seen_right))[joined]
    for values in (images, *grids):
        other, start = values.roll(1, 0), round(share * values.shape[-1])
        values[joined, ..., start:] = other[joined, ..., start:]

    images = crops.normalise(crops.erase(crops.jitter(images, rng), rng, 0.2))
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) * ~joined
    features = pack.features[rows]
    seen = np.where(np.isnan(features[:, 0]), 0, np.clip(area - 0.3, 0, 1)).astype(np.float32)
    batch = {
        "images": images,
        "targets": torch.from_numpy(targets),
        "grids": grids,
        "features": torch.from_numpy(np.nan_to_num(features)),
        "seen": torch.from_numpy(seen),
    }
    return batch | (add_captions(data, recipe, rng, rows, area) if with_text else {})


def add_captions(
    data: Data, recipe: Recipe, rng: np.random.Generator, rows: np.ndarray, area: np.ndarray
) -> dict:
    """Captions of the batch's photos first (those cut not too small), then captions alone."""
    pack = data.pack
    pair = [i for i, r in enumerate(rows) if data.tokens[r] and area[i] > 0.25]
    pair = pair[: recipe.captions]
    tokens = [data.tokens[rows[i]][rng.integers(len(data.tokens[rows[i]]))] for i in pair]
    whole = np.where(np.isnan(pack.labels[rows]), pack.soft[rows], pack.labels[rows])[pair]
    alone = rng.integers(len(data.text_tokens), size=max(recipe.captions - len(pair), 16))
    tokens += [data.text_tokens[i] for i in alone]
    named = np.isin(pack.sets[rows[pair]], ("comp5329", "coco"))
    weight = np.concatenate([np.where(named, 1, 0.3), np.ones(len(alone))])
    return {
        "tokens": drop_words(pad(tokens), rng, recipe.word_dropout),
        "pair": torch.tensor(pair),
        "text_targets": torch.from_numpy(np.concatenate([whole, data.text_labels[alone]])),
        "text_weight": torch.from_numpy(weight.astype(np.float32)),
    }


@torch.inference_mode()
def check(module: joint.Joint, data: Data, size: int) -> dict[str, float]:
    """Mean average precision of the auxiliary heads on the validation photos and captions."""
    module.eval()
    scale = joint.WIDTH**0.5

    def text(tokens: list[torch.Tensor]) -> torch.Tensor:
        parts = [module.text(pad(tokens[i : i + 256]))
                 for i in range(0, len(tokens), 256)]  # fmt: skip
        return torch.cat(parts)

    rows = np.flatnonzero(data.pack.validation)
    box = np.tile(np.array([[0, 0, 1, 1]], np.float32), (128, 1))
    images = []
    for i in range(0, len(rows), 128):
        photos = [data.pack.photos[r] for r in rows[i : i + 128]]
        cut = crops.cut(photos, box[: len(photos)], np.zeros(len(photos), bool), size)
        raw, _ = module.image(crops.normalise(cut))
        images.append(torch.nn.functional.normalize(raw, dim=-1))
    images = torch.cat(images)
    truth = data.pack.labels[rows]
    comp = data.pack.sets[rows] == "comp5329"
    captions = text([data.tokens[r][0] for r in rows[comp]])
    found = (images[comp] @ captions.T).argsort(1, descending=True)[:, :10]
    named = (found == torch.arange(len(captions))[:, None]).any(1)
    both = module.concat_head(torch.cat([images[comp], captions], 1) * scale)
    image_logits = module.image_head(images * scale)

    def precision(truth: np.ndarray, logits: torch.Tensor) -> float:
        return float(average_precision_score(truth, logits.numpy(), average="macro"))

    module.train()
    return {
        "image": precision(truth, image_logits),
        "image_comp": precision(truth[comp], image_logits[comp]),
        "text_comp": precision(truth[comp], module.text_head(captions * scale)),
        "concat_comp": precision(truth[comp], both),
        "text": precision(data.check_labels, module.text_head(text(data.check_tokens) * scale)),
        "caption_in_10": float(named.float().mean()),
    }


def rate_at(step: int, recipe: Recipe) -> float:
    """Linear warm-up, then half a cosine down to a hundredth of the peak."""
    warm = recipe.warmup * recipe.steps
    if step < warm:
        return recipe.rate * (step + 1) / warm
    done = (step - warm) / (recipe.steps - warm)
    return recipe.rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))


def size_at(step: int, recipe: Recipe) -> int:
    """Input size in pixels at a step."""
    return [size for share, size in recipe.sizes if step >= share * recipe.steps][-1]


@torch.no_grad()
def average_gradients(module: torch.nn.Module, world: int) -> None:
    """Every process ends up with the mean of all gradients; a missing one counts as zero."""
    trained = [p for p in module.parameters() if p.requires_grad]
    for parameter in trained:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    gradients = [p.grad for p in trained]
    flat = torch.cat([g.reshape(-1) for g in gradients]).div_(world)
    dist.all_reduce(flat)
    for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))


@torch.no_grad()
def follow(average: torch.nn.Module, module: torch.nn.Module, step: int) -> None:
    """Move the averaged weights towards the module's: over the last 1000 steps, fewer at first."""
    share = 1 - min(0.999, (1 + step) / (10 + step))
    torch._foreach_lerp_(list(average.parameters()), list(module.parameters()), share)
    for kept, buffer in zip(average.buffers(), module.buffers(), strict=True):
        if buffer.is_floating_point() and buffer.isfinite().all():
            kept.lerp_(buffer, share)


def worker(
    rank: int,
    world: int,
    data: Data,
    out: Path,
    recipe: Recipe,
    every: float,
    start: Path | None = None,
) -> None:
    """One training process; process 0 also checks, logs and saves."""
    os.environ |= {"MASTER_ADDR": "127.0.0.1"}
    torch.set_num_threads(1)
    store = dist.FileStore(str(out / "rendezvous"), world)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=world)
    torch.manual_seed(recipe.seed)
    module = joint.Joint(joint.new_model(out / "model"), data.text_labels.shape[1])
    if start is not None:
        module.model.load_state_dict(load_file(start / "open_clip_model.safetensors"))
        module.model.text.requires_grad_(False)
    module = module.to(memory_format=torch.channels_last)
    average = copy.deepcopy(module)
    trained = [p for p in module.parameters() if p.requires_grad]
    flat = [p for p in trained if p.ndim < 2]
    deep = [p for p in trained if p.ndim >= 2]
    groups = [{"params": deep, "weight_decay": recipe.decay}, {"params": flat, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=recipe.rate, betas=(0.9, 0.98))
    step = 0
    saved = out / "state.pt"
    if saved.is_file():
        state = torch.load(saved, weights_only=True)
        module.load_state_dict(state["module"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        step = state["step"]
    weights = dict(recipe.weights)

    def save() -> None:
        state = {"module": module.state_dict(), "average": average.state_dict()}
        state |= {"optimizer": optimizer.state_dict(), "step": step}
        torch.save(state, saved.with_suffix(".part"))
        saved.with_suffix(".part").replace(saved)

    def report() -> None:
        figures = check(average, data, size_at(step, recipe))
        entry = {"step": step, "size": size_at(step, recipe), "photos": step * world * recipe.batch}
        entry |= {"seconds": round(time.monotonic() - started, 1)}
        entry |= {
            k: round(float(v), 4)
            for k, v in ({f"loss_{k}": v for k, v in losses.items()} | figures).items()
        }
        with (out / "log.jsonl").open("a") as log:
            log.write(json.dumps(entry) + "\n")
        print(entry, flush=True)

    started = last = time.monotonic()
    losses = {}
    while step < recipe.steps:
        # All chance of a step comes from its number: a resumed run equals an undisturbed one.
        rng = np.random.default_rng((recipe.seed, step, rank))
        torch.manual_seed(rng.integers(2**62))
        with_text = step % recipe.text_every == 0
        batch = make_batch(data, recipe, rng, size_at(step, recipe), with_text)
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, recipe)
        with torch.autocast("cpu", torch.bfloat16, enabled=recipe.bfloat16):
            step_losses = module(batch, weights)
        losses |= {name: value.detach() for name, value in step_losses.items()}
        optimizer.zero_grad(set_to_none=True)
        step_losses["total"].backward()
        average_gradients(module, world)
        torch.nn.utils.clip_grad_norm_(module.parameters(), 2.0)
        optimizer.step()
        follow(average, module, step)
        step += 1
        if rank == 0 and (time.monotonic() - last > every or step == recipe.steps):
            save()
            report()
            last = time.monotonic()
    dist.barrier()
    dist.destroy_process_group()


def train(
    data_dir: Path, out: Path, recipe: Recipe, every: float = 240.0, start: Path | None = None
) -> Data:
    """Train to the recipe's last step, going on from `out/state.pt` if there is one.

    A new run begins with random weights, or with those of the open_clip folder `start`: its image
    tower is then trained on, its tokenizer and text tower stay as they are.
    """
    out.mkdir(parents=True, exist_ok=True)
    if start is not None and not (out / "model").is_dir():
        shutil.copytree(
            start, out / "model", ignore=shutil.ignore_patterns("*.safetensors", "card*")
        )
    (out / "recipe.json").write_text(json.dumps(asdict(recipe), indent=2) + "\n")
    data = prepare(data_dir, out, recipe)
    (out / "rendezvous").unlink(missing_ok=True)
    world = os.cpu_count() or 1
    context = torch.multiprocessing.start_processes(
        worker,
        (world, data, out, recipe, every, start),
        nprocs=world,
        join=False,
        start_method="fork",
    )
    while not context.join():
        pass
    return data
