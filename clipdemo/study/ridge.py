"""Linear heads that start as zero-shot: ridge regression towards the zero-shot weights.

A label's weights are its zero-shot direction, times one factor for all labels, plus a learned
offset, which is penalised with a strength chosen by cross-validation: with few rows the head stays
close to zero-shot, with many it becomes a linear probe (Radford et al. 2021, section 3.2).
"""

from dataclasses import dataclass
from operator import itemgetter

import numpy as np
import torch
from scipy.optimize import minimize
from scipy.special import expit, logit

from clipdemo.inspection.metrics import mean_average_precision
from clipdemo.model.heads import MLPHead

FOLDS = 5
STRENGTHS = (0.01, 0.1, 1.0, 10.0)


@dataclass(frozen=True)
class Linear:
    """Logits inputs @ weights.T + bias; weights [L, D], bias [L]."""

    weights: np.ndarray
    bias: np.ndarray

    def __call__(self, inputs: np.ndarray) -> np.ndarray:
        return inputs @ self.weights.T + self.bias

    def head(self) -> MLPHead:
        """The same as an `MLPHead`, which scales its inputs first."""
        labels, inputs = self.weights.shape
        head = MLPHead(inputs, (), labels)
        (layer,) = head.layers
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(self.weights / head.scale))
            layer.bias.copy_(torch.from_numpy(self.bias))
        return head.eval()


def fit(
    inputs: np.ndarray, truth: np.ndarray, prior: np.ndarray, scale: float, groups: np.ndarray
) -> tuple[Linear, np.ndarray, float]:
    """Fit a head to all rows, with the strength chosen by cross-validation.

    Args:
        inputs: [N, D] embeddings.
        truth: [N, L].
        prior: [L, D] the zero-shot directions.
        scale: of the backbone's logits.
        groups: [N] the fold of each row; rows of one photo share a fold.

    Returns:
        The head, out-of-fold logits [N, L], and the strength.
    """
    tried = []
    for strength in STRENGTHS:
        unseen = unseen_logits(inputs, truth, prior, scale, groups, strength)
        tried.append((mean_average_precision(truth, unseen), unseen, strength))
    _, unseen, strength = max(tried, key=itemgetter(0))
    return ridge(inputs, truth, prior, scale, strength), unseen, strength


def ridge(
    inputs: np.ndarray, truth: np.ndarray, prior: np.ndarray, scale: float, strength: float
) -> Linear:
    """Minimise the binary cross-entropy per row plus `strength` times the squared distance of the
    weights [L, D], in units of `scale`, from a multiple of `prior`."""
    x, y, p = (np.asarray(a, np.float64) for a in (inputs, truth, prior))
    towards, count = scale * x @ p.T, len(y)
    rare = 1 / (2 * max(count, 1))
    parts = np.cumsum([p.size, 1])

    def loss(values: np.ndarray) -> tuple[float, np.ndarray]:
        """The loss and its gradient."""
        moved, factor, bias = np.split(values, parts)
        moved = moved.reshape(p.shape)
        logits = factor * towards + scale * x @ moved.T + bias
        error = (expit(logits) - y) / count
        value = (np.logaddexp(0, logits) - y * logits).sum() / count
        value += strength * np.square(moved).sum()
        gradient = scale * error.T @ x + 2 * strength * moved
        return value, np.concatenate([gradient.ravel(), [(error * towards).sum()], error.sum(0)])

    start = [np.zeros(p.size), [1.0], logit(y.mean(0).clip(rare, 1 - rare))]
    found = minimize(
        loss, np.concatenate(start), jac=True, method="L-BFGS-B", options={"maxiter": 200}
    )
    moved, factor, bias = np.split(found.x, parts)
    weights = scale * (factor * p + moved.reshape(p.shape))
    return Linear(weights.astype(np.float32), bias.astype(np.float32))


def unseen_logits(
    inputs: np.ndarray,
    truth: np.ndarray,
    prior: np.ndarray,
    scale: float,
    groups: np.ndarray,
    strength: float,
) -> np.ndarray:
    """Out-of-fold logits [N, L]: each row's by a head fitted to the other folds."""
    unseen = np.empty(truth.shape, np.float32)
    for fold in np.unique(groups):
        held = groups == fold
        unseen[held] = ridge(inputs[~held], truth[~held], prior, scale, strength)(inputs[held])
    return unseen


def mean_of(image: Linear, text: Linear) -> Linear:
    """The mean of two heads' logits, as one for concatenated embeddings."""
    weights = np.concatenate([image.weights, text.weights], axis=1) / 2
    return Linear(weights, (image.bias + text.bias) / 2)
