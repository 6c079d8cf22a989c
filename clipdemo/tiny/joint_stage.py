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
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from safetensors.torch import load_file
from sklearn.metrics import average_precision_score

from clipdemo.tiny import crops
from clipdemo.tiny import joint_model as joint
from clipdemo.tiny.batches import Data, Recipe, make_batch, pad, prepare

torch.set_float32_matmul_precision("high")


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
