"""The study's claims against our runs: what counts as better, worse or undecided."""

import pandas as pd
import pytest
from support.made_report import made_runs

from clipdemo.study.orderings import orderings

CLAIMS = [
    "concat above image", "concat above text", "image above text", "warm-up helps",
    "3 layers above 2", "rate 7e-4 best", "MLP above KNN", "MLP above random forest",
    "MLP above MUTAN", "generated captions help concat", "generated captions help text",
    "width 2048 overfits",
]  # fmt: skip


def outcomes(runs, curves) -> dict:
    return {found["claim"]: found["holds"] for found in orderings(runs, curves)}


@pytest.mark.parametrize(
    ("gap", "expected"), [(0.1, True), (-0.1, False), (0.01, "within the spread")]
)
def test_outcomes_follow_the_runs(gap, expected):
    """Claims hold or are reversed as the runs are, and are undecided if seeds overlap."""
    found = outcomes(*made_runs(gap=gap))
    assert list(found) == CLAIMS
    assert {found[claim] for claim in CLAIMS[:-1]} == {expected}


def test_one_seed_that_overlaps_leaves_a_claim_open():
    runs, curves = made_runs()
    lowest = runs.query("group == 'encoding' and mode == 'concat' and seed == 0").index
    runs.loc[lowest, "samples_f1"] = 0.7
    assert outcomes(runs, curves)["concat above image"] == "within the spread"


def test_what_was_not_run_is_not_decided():
    runs, curves = made_runs()
    without = outcomes(runs[runs["kind"] != "forest"], curves)
    assert without["MLP above random forest"] == "not measured"
    assert without["MLP above KNN"] is True
    assert set(outcomes(runs[:0], curves[:0]).values()) == {"not measured"}


def test_a_side_is_the_mean_and_the_range_over_its_seeds():
    runs, curves = made_runs(gap=0.1, noise=0.01)
    better, other = orderings(runs, curves)[0]["ours"]
    assert better == {
        "name": "concat", "seeds": 3, "mean": pytest.approx(0.8), "low": pytest.approx(0.79),
        "high": pytest.approx(0.81), "map": pytest.approx(0.8),
    }  # fmt: skip
    assert (other["name"], other["mean"]) == ("image", pytest.approx(0.7))


def test_the_rate_is_compared_with_the_best_of_the_others():
    runs, curves = made_runs()
    another = runs.query("rate == 9e-4").assign(rate=5e-4, samples_f1=0.9)
    found = orderings(pd.concat([runs, another]), curves)
    rate = next(f for f in found if f["claim"] == "rate 7e-4 best")
    assert [side["name"] for side in rate["ours"]] == ["7e-4", "5e-4"]
    assert rate["holds"] is False


@pytest.mark.parametrize(("turn", "expected"), [(3, True), (8, False)])
def test_a_head_overfits_where_its_validation_loss_rises_again(turn, expected):
    found = orderings(*made_runs(turn=turn))[-1]
    wide, narrow = found["ours"]
    assert found["holds"] is expected
    assert (wide["mean"], wide["last"]) == (turn, 8)
    assert wide["rise"] == pytest.approx((0.2 + 0.02 * (8 - turn)) / 0.2 - 1)
    assert (narrow["mean"], narrow["rise"]) == (8, 0)
