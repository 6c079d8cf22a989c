"""The training loop: AdamW with warm-up and cosine decay, averaged weights, resumable."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from timm.optim import param_groups_weight_decay
from timm.utils import ModelEmaV3
from torch import nn
from torch.utils.data import DataLoader, Dataset
from transformers import get_cosine_schedule_with_warmup


@dataclass(frozen=True)
class LoopRecipe:
    """The settings that every training has."""

    steps: int
    rate: float  # peak learning rate
    decay: float = 0.05  # weight decay of matrices
    warmup: float = 0.05  # share of the steps
    clip: float = 2.0  # largest norm of the gradients
    average: int = 1000  # steps that the kept weights are averaged over
    bfloat16: bool = False  # a step took 0.55 of the time on a CPU with AVX512-BF16
    seed: int = 0


def train(
    module: nn.Module,
    batches: Dataset,
    losses: Callable[[nn.Module, dict], dict[str, torch.Tensor]],
    check: Callable[[nn.Module, int], dict[str, float]],
    recipe: LoopRecipe,
    work: Path,
    stage: str,
    every: float,
    version: str = "",
    workers: int = 0,
) -> nn.Module:
    """Train to the recipe's last step, resuming from `work/<stage>.pt` if it is of this run.

    All randomness of a step comes from its number, so a resumed run equals an undisturbed one.

    Args:
        module: is trained in place, except for what requires no gradient.
        batches: `batches[step]` is the batch of that step, decided by the recipe's seed and `step`.
        losses: the losses of a batch by name; `total` is minimised.
        check: figures of the averaged weights after a step, for the log.
        recipe: the settings; with others it is another run, which starts from the beginning.
        work: keeps the state and `log.jsonl`, one line per check.
        stage: names the state and the log's lines.
        every: seconds between two checks, each of which also saves the state.
        version: what else the run depends on.
        workers: processes that make the batches; 0: this one.

    Returns:
        A copy of the module with averaged weights, in evaluation mode.
    """
    run = json.dumps([asdict(recipe), version])
    optimizer = torch.optim.AdamW(
        param_groups_weight_decay(module, recipe.decay), recipe.rate, betas=(0.9, 0.98)
    )
    schedule = get_cosine_schedule_with_warmup(
        optimizer, round(recipe.warmup * recipe.steps), recipe.steps
    )
    average = ModelEmaV3(
        module, 1 - 1 / recipe.average, use_warmup=True, warmup_gamma=10, warmup_power=1
    )
    parts = {"module": module, "average": average.module}
    parts |= {"optimizer": optimizer, "schedule": schedule}
    saved, done = work / f"{stage}.pt", 0
    if saved.is_file():
        state = torch.load(saved, weights_only=True)
        if state["run"] == run:
            for name, part in parts.items():
                part.load_state_dict(state[name])
            done = state["step"]

    loader = DataLoader(
        batches, batch_size=None, sampler=range(done, recipe.steps), num_workers=workers,
        multiprocessing_context="fork" if workers else None,
    )  # fmt: skip
    module.train()
    # With zeros in place of missing gradients, what a batch says nothing about (captions are not in
    # every batch) still moves on by its momentum.
    for parameter in module.parameters():
        parameter.grad = torch.zeros_like(parameter) if parameter.requires_grad else None
    started = last = time.monotonic()
    for step, batch in enumerate(loader, done + 1):
        torch.manual_seed(recipe.seed + step)
        with torch.autocast("cpu", torch.bfloat16, enabled=recipe.bfloat16):
            found = losses(module, batch)
        optimizer.zero_grad(set_to_none=False)
        found["total"].backward()
        nn.utils.clip_grad_norm_(module.parameters(), recipe.clip)
        optimizer.step()
        schedule.step()
        average.update(module, step)
        if time.monotonic() - last > every or step == recipe.steps:
            state = {name: part.state_dict() for name, part in parts.items()}
            torch.save(state | {"run": run, "step": step}, saved.with_suffix(".part"))
            saved.with_suffix(".part").replace(saved)
            figures = {f"loss_{name}": loss.item() for name, loss in found.items()}
            with torch.inference_mode():
                figures |= check(average.module, step)
            entry = {"stage": stage, "step": step, "seconds": round(time.monotonic() - started, 1)}
            entry |= {name: round(figure, 4) for name, figure in figures.items()}
            with (work / "log.jsonl").open("a") as log:
                log.write(json.dumps(entry) + "\n")
            print(entry, flush=True)
            last = time.monotonic()
    return average.module
