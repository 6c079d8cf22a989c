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
    """The settings common to all trainings."""

    steps: int
    rate: float  # peak learning rate
    decay: float = 0.05  # weight decay of matrices
    warmup: float = 0.05  # share of the steps
    clip: float = 2.0  # largest norm of the gradients
    average: int = 1000  # steps over which the final weights are averaged
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

    All randomness of a step is seeded by its number, so a resumed run equals an uninterrupted one.

    Args:
        module: trained in place, except for parameters that require no gradient.
        batches: `batches[step]` is a step's batch, determined by the recipe's seed and `step`.
        losses: the losses of a batch by name; `total` is minimised.
        check: metrics of the averaged weights after a step, for the log.
        recipe: the settings; if they change, training starts again.
        work: has the state and `log.jsonl`, with one line per check.
        stage: name of the state file, also in the log.
        every: seconds between two checks, each of which also saves the state.
        version: whatever else the run depends on.
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
    # With zeros in place of missing gradients, parameters that a batch does not use (captions are
    # not in every batch) are still moved by their momentum.
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
