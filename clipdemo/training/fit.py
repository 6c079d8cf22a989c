"""Fit one head on frozen embeddings, as in the study."""

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.metrics import average_precision_score
from torch.nn import functional as F
from transformers import get_linear_schedule_with_warmup

from clipdemo.heads import MLPHead


@dataclass(frozen=True)
class FitSettings:
    """Knobs of a head's training; the defaults are the study's where it names them."""

    hidden: tuple[int, ...] = (512, 256)
    rate: float = 7e-4
    epochs: int = 15
    batch: int = 256
    warmup: float = 0.1  # share of the steps with a linearly rising rate
    decay: float = 0.01
    dropout: float = 0.4
    seed: int = 0


def fit_head(
    inputs: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
    check_inputs: np.ndarray,
    check_targets: np.ndarray,
    settings: FitSettings,
) -> tuple[MLPHead, list[dict]]:
    """Train a head; the epoch with the best validation mAP is kept.

    Args:
        inputs: [N, inputs] what the head reads.
        targets: [N, L] in [0, 1], hard or soft.
        weights: [N] of each row in the loss.
        check_inputs, check_targets: validation, [M, inputs] and [M, L].

    Returns:
        The head in evaluation mode and one entry per epoch: loss, rate, validation mAP.
    """
    torch.manual_seed(settings.seed)
    x, y, w = (torch.from_numpy(np.asarray(a, np.float32)) for a in (inputs, targets, weights))
    head = MLPHead(x.shape[1], settings.hidden, y.shape[1], settings.dropout)
    optimizer = torch.optim.AdamW(head.parameters(), settings.rate, weight_decay=settings.decay)
    steps = -(-len(x) // settings.batch) * settings.epochs
    schedule = get_linear_schedule_with_warmup(optimizer, int(settings.warmup * steps), steps)
    history, best, kept = [], -1.0, None
    for epoch in range(settings.epochs):
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
        precision = mean_average_precision(check_targets, logits(head, check_inputs))
        rate = schedule.get_last_lr()[0]
        history.append({"epoch": epoch + 1, "loss": total, "rate": rate, "map": precision})
        if precision > best:
            best = precision
            kept = {name: value.clone() for name, value in head.state_dict().items()}
    head.load_state_dict(kept)
    return head.eval(), history


@torch.inference_mode()
def logits(head: MLPHead, inputs: np.ndarray) -> np.ndarray:
    """Logits [N, L] in evaluation mode."""
    return head.eval()(torch.from_numpy(np.asarray(inputs, np.float32))).numpy()


def mean_average_precision(truth: np.ndarray, scores: np.ndarray) -> float:
    """Mean over the labels that occur of scikit-learn's average precision."""
    seen = truth.any(0)
    return float(average_precision_score(truth[:, seen], scores[:, seen], average="macro"))


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
