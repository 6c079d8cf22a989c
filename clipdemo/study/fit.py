"""Fit one head on frozen embeddings, as in the study."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from transformers import get_linear_schedule_with_warmup

from clipdemo.errors import ClipdemoError
from clipdemo.inspection.metrics import mean_average_precision, samples_f1
from clipdemo.model.heads import new_head


@dataclass(frozen=True)
class FitSettings:
    """Hyperparameters of a head's training; the defaults are the study's where it states them."""

    kind: str = "mlp"  # or mutan
    hidden: tuple[int, ...] = (512, 256)  # of the MLP
    projected: int = 256  # of MUTAN, as the next two
    fused: int = 256
    rank: int = 5
    rate: float = 7e-4
    epochs: int = 15
    batch: int = 256
    warmup: float = 0.1  # share of the steps with a linearly rising rate; 0: none
    decay: float = 0.01
    dropout: float = 0.4
    keep: str = "map"  # validation metric that selects the best epoch: map or samples_f1
    patience: int = 0  # epochs without improvement before it stops; 0: never
    seed: int = 0

    def shape(self, inputs: int) -> dict:
        """The card's entry of a head's shape."""
        if self.kind == "mutan":
            sizes = {"projected": self.projected, "fused": self.fused, "rank": self.rank}
            return {"kind": "mutan", "inputs": inputs, "hidden": [], **sizes}
        return {"inputs": inputs, "hidden": list(self.hidden)}


def fit_head(
    inputs: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray | None,
    check_inputs: np.ndarray,
    check_targets: np.ndarray,
    settings: FitSettings,
    watch: Callable[[dict], object] = lambda epoch: None,
) -> tuple[nn.Module, list[dict]]:
    """Train a head; the weights of the best epoch on the validation rows are kept.

    Args:
        inputs: [N, inputs] what the head reads.
        targets: [N, L] in [0, 1], hard or soft.
        weights: [N] of the rows in the loss; None: all equal.
        check_inputs, check_targets: validation, [M, inputs] and [M, L].
        watch: called with each epoch's entry.

    Returns:
        The head in evaluation mode and one entry per epoch: loss and check_loss (mean binary
        cross-entropy), rate at the end of the epoch, validation map and samples_f1 (at 0.5).

    Raises:
        ClipdemoError: the training diverged.
    """
    if weights is None:
        weights = np.ones(len(inputs), np.float32)
    arrays = (np.require(a, np.float32, "W") for a in (inputs, targets, weights))
    x, y, w = map(torch.from_numpy, arrays)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        head = new_head(settings.shape(x.shape[1]), y.shape[1], settings.dropout)
        check = np.asarray(check_inputs), np.asarray(check_targets)
        return _fit(head, x, y, w, *check, settings, watch)


def _fit(
    head: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    w: torch.Tensor,
    check_inputs: np.ndarray,
    check_targets: np.ndarray,
    settings: FitSettings,
    watch: Callable[[dict], object],
) -> tuple[nn.Module, list[dict]]:
    optimizer = torch.optim.AdamW(head.parameters(), settings.rate, weight_decay=settings.decay)
    steps = -(-len(x) // settings.batch) * settings.epochs
    schedule = get_linear_schedule_with_warmup(optimizer, int(settings.warmup * steps), steps)
    history, best, kept = [], -1.0, None
    for epoch in range(1, settings.epochs + 1):
        head.train()
        total = 0.0
        for rows in torch.randperm(len(x)).split(settings.batch):
            loss = F.binary_cross_entropy_with_logits(head(x[rows]), y[rows], reduction="none")
            loss = (loss.mean(1) * w[rows]).sum() / w[rows].sum().clamp(min=1e-6)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(rows) / len(x)
        values = logits(head, check_inputs)
        if not np.isfinite(values).all():
            raise ClipdemoError(
                f"The training diverged in epoch {epoch}: use a rate below {settings.rate:g}."
            )
        rate = schedule.get_last_lr()[0]
        found = {"epoch": epoch, "loss": total, "rate": rate}
        history.append(found | _judge(values, check_targets))
        watch(history[-1])
        if history[-1][settings.keep] > best:
            best, best_epoch = history[-1][settings.keep], epoch
            kept = {name: value.clone() for name, value in head.state_dict().items()}
        elif settings.patience and epoch - best_epoch >= settings.patience:
            break
    head.load_state_dict(kept)
    return head.eval(), history


def _judge(values: np.ndarray, truth: np.ndarray) -> dict:
    """Loss and figures of validation logits [M, L]."""
    loss = F.binary_cross_entropy_with_logits(
        torch.from_numpy(values), torch.from_numpy(np.asarray(truth, np.float32))
    )
    return {
        "check_loss": float(loss),
        "map": mean_average_precision(truth, values),
        "samples_f1": samples_f1(truth, values > 0),
    }


@torch.inference_mode()
def logits(head: nn.Module, inputs: np.ndarray) -> np.ndarray:
    """Logits [N, L] in evaluation mode."""
    return head.eval()(torch.from_numpy(np.asarray(inputs, np.float32))).numpy()


def fit_temperature(logits: np.ndarray, truth: np.ndarray) -> float:
    """The T > 0 with the least binary cross-entropy of sigmoid(logits / T) (Guo et al. 2017)."""
    z, t = torch.from_numpy(logits).double(), torch.from_numpy(truth).double()
    log_t = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([log_t], max_iter=50, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(z / log_t.exp(), t)
        loss.backward()
        return loss

    optimizer.step(closure)
    return float(log_t.detach().exp())
