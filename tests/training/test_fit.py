"""Fitting a head: it learns, it repeats, and its rate follows the study's schedule."""

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score

from clipdemo.training.fit import (
    FitSettings,
    fit_head,
    fit_temperature,
    logits,
    mean_average_precision,
)

TOY = FitSettings(hidden=(16,), rate=3e-2, epochs=6, batch=32, dropout=0.1)


@pytest.fixture(autouse=True)
def _one_thread():
    """Matrices this small only wait for a second one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def toy(rows: int = 320, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors [N, 8], and three labels that hang on the sign of one entry each."""
    x = np.random.default_rng(seed).normal(size=(rows, 8)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return x, (x[:, :3] > 0.1).astype(np.float32)


def fit(settings: FitSettings, x=None, y=None, weights=None):
    x, y = toy() if x is None else (x, y)
    check = toy(160, seed=1)
    weights = np.ones(len(x)) if weights is None else weights
    return fit_head(x, y, weights, *check, settings)


def test_a_separable_problem_is_learned():
    head, history = fit(TOY)
    x, y = toy(160, seed=2)
    assert mean_average_precision(y, logits(head, x)) > 0.97
    assert history[-1]["loss"] < 0.5 * history[0]["loss"]
    assert [entry["epoch"] for entry in history] == [1, 2, 3, 4, 5, 6]
    assert not head.training


def test_a_seed_gives_the_same_weights_bit_for_bit():
    (first, log), (again, log_again), (other, _) = (
        fit(TOY), fit(TOY), fit(FitSettings(**vars(TOY) | {"seed": 1})),
    )  # fmt: skip
    assert log == log_again
    for name, value in first.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
    assert any(
        not torch.equal(value, other.state_dict()[name])
        for name, value in first.state_dict().items()
    )


@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.5])
def test_the_rate_rises_and_falls_linearly(warmup):
    """Up over the share `warmup` of the steps, then down to zero at the last one."""
    settings = FitSettings(**vars(TOY) | {"epochs": 4, "warmup": warmup, "rate": 3e-3})
    _, history = fit(settings)
    steps = 4 * 10
    rise = int(warmup * steps)
    for entry in history:
        step = entry["epoch"] * 10
        share = step / rise if step < rise else (steps - step) / (steps - rise)
        assert entry["rate"] == pytest.approx(3e-3 * share, abs=1e-12)
    assert history[-1]["rate"] == 0


def test_the_best_epoch_is_kept():
    """With a rate that ruins the head, later epochs are worse; their weights must not be used."""
    settings = FitSettings(**vars(TOY) | {"rate": 2.0, "epochs": 8, "warmup": 0.5})
    head, history = fit(settings)
    x, y = toy(160, seed=1)
    best = max(entry["map"] for entry in history)
    assert best > history[-1]["map"], "the test needs a fit that gets worse"
    assert mean_average_precision(y, logits(head, x)) == pytest.approx(best)


def test_rows_without_weight_teach_nothing():
    x, y = toy()
    wrong = np.concatenate([x, x]), np.concatenate([y, 1 - y])
    weights = np.repeat([1.0, 0.0], len(x))
    head, _ = fit(TOY, *wrong, weights)
    assert mean_average_precision(y, logits(head, x)) > 0.97


def test_a_batch_without_any_weight_does_no_harm():
    """Small batches of a table with few weighted rows may hold none of them."""
    x, y = toy(64)
    weights = (np.arange(64) % 16 == 0).astype(float)
    head, history = fit(FitSettings(**vars(TOY) | {"batch": 2, "epochs": 2}), x, y, weights)
    assert np.isfinite(logits(head, x)).all()
    assert all(np.isfinite(entry["loss"]) for entry in history)


def test_soft_targets_are_learned_as_chances():
    x, _ = toy()
    head, _ = fit(FitSettings(**vars(TOY) | {"epochs": 12}), x, np.full((len(x), 3), 0.25))
    chances = 1 / (1 + np.exp(-logits(head, x)))
    assert chances.mean() == pytest.approx(0.25, abs=0.03)


def test_map_is_the_mean_over_the_labels_that_occur():
    rng = np.random.default_rng(0)
    truth, scores = (rng.uniform(size=(30, 4)) > 0.6).astype(float), rng.normal(size=(30, 4))
    truth[:, 2] = 0
    expected = [average_precision_score(truth[:, i], scores[:, i]) for i in (0, 1, 3)]
    assert mean_average_precision(truth, scores) == pytest.approx(np.mean(expected))


def cross_entropy(z: np.ndarray, truth: np.ndarray, temperature: float) -> float:
    z = z.astype(float) / temperature
    return float((np.logaddexp(0, z) - truth * z).mean())


@pytest.mark.parametrize("true", [0.3, 1.0, 2.5, 8.0])
def test_the_temperature_is_the_best_of_a_fine_grid(true):
    rng = np.random.default_rng(0)
    z = rng.normal(0, 3, (3000, 4)).astype(np.float32)
    truth = (rng.uniform(size=z.shape) < 1 / (1 + np.exp(-z / true))).astype(np.float32)
    grid = np.geomspace(0.05, 50, 3000)
    best = grid[np.argmin([cross_entropy(z, truth, t) for t in grid])]
    found = fit_temperature(z, truth)
    assert found == pytest.approx(best, rel=0.01)
    assert found == pytest.approx(true, rel=0.15)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_temperature_is_positive_and_finite_even_without_an_optimum(sign):
    """Logits that are always right want T = 0, logits that are always wrong want T = infinity;
    the card takes neither."""
    z = np.random.default_rng(0).normal(0, 3, (200, 3))
    found = fit_temperature(sign * z, (z > 0).astype(float))
    assert np.isfinite(found)
    assert found > 0
