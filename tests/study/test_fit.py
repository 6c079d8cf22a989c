"""Fitting a head: it learns, it is reproducible, and its rate follows the study's schedule."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import average_precision_score, f1_score

from clipdemo.errors import ClipdemoError
from clipdemo.inspection.metrics import mean_average_precision, samples_f1
from clipdemo.study.fit import FitSettings, fit_head, fit_temperature, logits

TOY = FitSettings(hidden=(16,), rate=3e-2, epochs=6, batch=32, dropout=0.1)


@pytest.fixture(autouse=True)
def _one_thread():
    """For matrices this small, a second thread only adds waiting."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def toy(rows: int = 320, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors [N, 8], and three labels, each given by the sign of one entry."""
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


@pytest.mark.parametrize("kind", ["mlp", "mutan"])
def test_each_of_three_seeds_gives_its_own_weights_bit_for_bit(kind):
    settings = replace(TOY, kind=kind, projected=4, fused=8, rank=2, epochs=3)
    found = []
    for seed in range(3):
        first, log = fit(replace(settings, seed=seed))
        torch.rand(seed + 1)  # whatever happened before
        again, log_again = fit(replace(settings, seed=seed))
        assert log == log_again
        for name, value in first.state_dict().items():
            assert torch.equal(value, again.state_dict()[name]), (seed, name)
        found.append(torch.cat([p.flatten() for p in first.parameters()]))
    assert not any(torch.equal(found[i], found[i - 1]) for i in range(3))


def test_the_callers_random_state_is_unchanged():
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    fit(replace(TOY, epochs=1))
    assert torch.equal(torch.rand(3), expected)


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


WILD = replace(TOY, rate=2.0, epochs=8, warmup=0.5)  # diverges after a few epochs


@pytest.mark.parametrize("keep", ["map", "samples_f1"])
def test_the_best_epoch_is_kept(keep):
    """With a rate that is too high, later epochs are worse; their weights must not be used."""
    head, history = fit(replace(WILD, keep=keep))
    x, y = toy(160, seed=1)
    best = max(entry[keep] for entry in history)
    assert best > history[-1][keep], "the test needs a fit that gets worse"
    judged = {"map": mean_average_precision(y, logits(head, x)),
              "samples_f1": samples_f1(y, logits(head, x) > 0)}  # fmt: skip
    assert judged[keep] == pytest.approx(best)


def test_training_stops_after_epochs_without_a_better_one():
    """Training up to there is the same as without stopping, including the rate."""
    whole, stopped = (fit(replace(WILD, keep="samples_f1", patience=p))[1] for p in (0, 2))
    figures = [entry["samples_f1"] for entry in whole]
    best = next(i for i in range(8) if max(figures[i + 1 : i + 3], default=0) <= figures[i])
    assert best + 3 < len(whole), "the test needs a fit that gets worse early"
    assert stopped == whole[: best + 3]


def test_an_entry_of_the_history_has_the_epochs_figures():
    """They are plain floats for JSON, measured on the validation rows."""
    head, history = fit(replace(TOY, epochs=1))
    assert json.loads(json.dumps(history)) == history
    x, y = toy(160, seed=1)
    z = logits(head, x).astype(float)
    assert history[0]["check_loss"] == pytest.approx(cross_entropy(z, y, 1), rel=1e-5)
    assert history[0]["map"] == pytest.approx(mean_average_precision(y, z))
    assert history[0]["samples_f1"] == pytest.approx(samples_f1(y, z > 0))


def test_without_weights_all_rows_count_equally():
    x, y = toy()
    settings = replace(TOY, epochs=2)
    assert (
        fit_head(x, y, None, x, y, settings)[1] == fit_head(x, y, np.ones(320), x, y, settings)[1]
    )


def test_a_fit_that_diverges_is_one_sentence(is_sentence):
    with pytest.raises(ClipdemoError, match="rate") as refused:
        fit(replace(TOY, rate=1e30))
    assert is_sentence(refused.value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arrays(bool, st.tuples(st.just(2), st.integers(1, 9), st.integers(2, 6))))
def test_samples_f1_is_scikit_learns(pair):
    """Also for rows with nothing true and nothing on, which count as 0."""
    truth, on = pair
    expected = f1_score(truth, on, average="samples", zero_division=0)
    assert samples_f1(truth, on) == pytest.approx(expected)


def test_rows_without_weight_have_no_effect():
    x, y = toy()
    wrong = np.concatenate([x, x]), np.concatenate([y, 1 - y])
    weights = np.repeat([1.0, 0.0], len(x))
    head, _ = fit(TOY, *wrong, weights)
    assert mean_average_precision(y, logits(head, x)) > 0.97


def test_a_batch_without_any_weight_does_no_harm():
    """Small batches of a table with few weighted rows may contain none of them."""
    x, y = toy(64)
    weights = (np.arange(64) % 16 == 0).astype(float)
    head, history = fit(FitSettings(**vars(TOY) | {"batch": 2, "epochs": 2}), x, y, weights)
    assert np.isfinite(logits(head, x)).all()
    assert all(np.isfinite(entry["loss"]) for entry in history)


def test_soft_targets_are_learned_as_probabilities():
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
    """The optimum is T = 0 for logits that are always right, and T = infinity for logits that are
    always wrong; the card allows neither."""
    z = np.random.default_rng(0).normal(0, 3, (200, 3))
    found = fit_temperature(sign * z, (z > 0).astype(float))
    assert np.isfinite(found)
    assert found > 0
