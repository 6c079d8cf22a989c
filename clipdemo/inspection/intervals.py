"""How sure figures are: bootstrap intervals (Efron 1979)."""

from collections.abc import Sequence

import numpy as np

from clipdemo.inspection.metrics import mean_average_precision, row_f1

DRAWS = 1000
LEVEL = 95  # percent of the draws inside an interval


def intervals(
    truth: np.ndarray,
    scores: dict[str, np.ndarray],
    on: dict[str, np.ndarray],
    differences: Sequence[tuple[str, str]] = (),
    draws: int = DRAWS,
    seed: int = 0,
) -> dict:
    """Percentile intervals of mAP and samples-F1, resampling the rows with replacement.

    Args:
        truth: [N, L].
        scores: per mode [N, L].
        on: per mode the decisions [N, L].
        differences: pairs of modes: the first one's figure minus the second one's, on the same
            drawn rows.

    Returns:
        `draws`; `modes`, per mode `map` and `samples_f1` as [low, high]; and `differences`, by
        "first - second", `value` on the original rows and `interval` for both figures.
    """
    truth = np.asarray(truth) > 0.5
    hits = {mode: row_f1(truth, decided) for mode, decided in on.items()}
    rng = np.random.default_rng(seed)
    rows = [np.arange(len(truth)), *rng.integers(len(truth), size=(draws, len(truth)))]
    drawn = {
        mode: {
            "map": np.array([mean_average_precision(truth[r], values[r]) for r in rows]),
            "samples_f1": np.array([hits[mode][r].mean() for r in rows]),
        }
        for mode, values in scores.items()
    }
    return {
        "draws": draws,
        "modes": {
            mode: {name: _interval(values[1:]) for name, values in figures.items()}
            for mode, figures in drawn.items()
        },
        "differences": {
            f"{one} - {other}": {
                name: {
                    "value": round(float(values[0] - drawn[other][name][0]), 4),
                    "interval": _interval(values[1:] - drawn[other][name][1:]),
                }
                for name, values in drawn[one].items()
            }
            for one, other in differences
        },
    }


def _interval(values: np.ndarray) -> list[float]:
    rest = (100 - LEVEL) / 2
    return [round(float(v), 4) for v in np.percentile(values, [rest, 100 - rest])]
