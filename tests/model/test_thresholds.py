"""Rules: each decides as defined, and tuning finds the best possible F1."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from clipdemo.model.thresholds import RECALLS, RULES, decide, recall_thresholds, tune

# Float32 as heads give them, with few distinct values so that equal scores happen.
SCORES = st.one_of(
    st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0]), st.floats(0, 1, width=32)
)
TABLES = arrays(np.float32, array_shapes(min_dims=2, max_dims=2, max_side=7), elements=SCORES)


@given(TABLES, st.data())
def test_fixed_and_tuned_turn_on_what_reaches_the_threshold(scores, data):
    limits = data.draw(arrays(np.float64, scores.shape[1], elements=st.floats(0, 1)))
    expected = [[float(s) >= t for s, t in zip(row, limits, strict=True)] for row in scores]
    assert decide(scores, "tuned", tuned=limits).tolist() == expected
    assert decide(scores, "fixed", threshold=limits).tolist() == expected
    first = decide(scores, "fixed", threshold=float(limits[0]))
    assert first.tolist() == [[float(s) >= limits[0] for s in row] for row in scores]


def mcut(row: list[float]) -> list[bool]:
    """MCut as in its paper: cut in the middle of the widest gap, of the first one if several."""
    if len(row) == 1:
        return [row[0] > 0.5]
    ordered = sorted(row, reverse=True)
    gaps = [a - b for a, b in pairwise(ordered)]
    at = gaps.index(max(gaps))
    return [s > (ordered[at] + ordered[at + 1]) / 2 for s in row]


@given(TABLES)
def test_mcut_cuts_at_the_widest_gap(scores):
    assert decide(scores, "mcut").tolist() == [mcut(row) for row in scores.tolist()]


def test_mcut_finds_nothing_to_cut_between_equal_scores():
    assert not decide(np.full((2, 3), 0.7), "mcut").any()


@given(TABLES, st.integers(0, 10))
def test_top_k_takes_the_highest_the_first_label_where_equal(scores, k):
    for row, on in zip(scores.tolist(), decide(scores, "top-k", k=k), strict=True):
        order = sorted(range(len(row)), key=lambda i: (-row[i], i))
        assert set(np.flatnonzero(on)) == set(order[:k])


@pytest.mark.parametrize("rule", RULES)
def test_a_row_is_decided_independently_of_the_rest_of_the_table(rule):
    """The page sees one photo at a time, evaluation many."""
    scores = np.random.default_rng(0).uniform(size=(9, 5)).round(1)
    options = {"threshold": 0.4, "tuned": np.array([0.1, 0.3, 0.5, 0.7, 0.9]), "k": 2}
    alone = [decide(row[None], rule, **options)[0] for row in scores]
    assert np.array_equal(decide(scores, rule, **options), alone)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (3, 1)])
def test_small_tables_are_decided(rule, shape):
    on = decide(np.full(shape, 0.6), rule, tuned=np.full(shape[1], 0.5), k=5)
    assert on.shape == shape
    assert on.dtype == bool
    assert on.all()


@pytest.mark.parametrize(("rule", "named"), [("best", "top-k"), ("tuned", "thresholds")])
def test_an_unknown_rule_and_missing_thresholds_are_refused(rule, named):
    with pytest.raises(ValueError, match=named):
        decide(np.zeros((1, 1)), rule)


def f1_score(truth: np.ndarray, on: np.ndarray) -> float:
    return 2 * (on & (truth > 0)).sum() / max(on.sum() + (truth > 0).sum(), 1)


def best_f1(scores: np.ndarray, truth: np.ndarray) -> float:
    """The highest F1 any threshold strictly between 0 and 1 gives, by trying every one."""
    values = np.unique(np.append(scores.astype(float), [0.0, 1.0]))
    cuts = (values[1:] + values[:-1]) / 2
    return max(f1_score(truth, scores >= cut) for cut in cuts)


COLUMN_PAIRS = st.integers(1, 25).flatmap(
    lambda n: st.tuples(
        arrays(np.float32, (n, 1), elements=SCORES),
        arrays(np.float32, (n, 1), elements=st.sampled_from([0.0, 1.0])),
    )
)


@given(COLUMN_PAIRS)
def test_a_tuned_threshold_reaches_the_best_possible_f1(pair):
    scores, truth = pair
    threshold = tune(scores, truth)
    assert threshold.shape == (1,)
    assert 0 < threshold[0] < 1
    if truth.any():
        on = decide(scores, "tuned", tuned=threshold)[:, 0]
        reached = f1_score(truth[:, 0], on)
        assert reached == pytest.approx(best_f1(scores[:, 0], truth[:, 0]))


@pytest.mark.parametrize("scale", [1e-5, 1.0])
def test_a_rare_label_with_tiny_scores_can_still_be_found(scale):
    """A head for a rare label may never give more than one in ten thousand."""
    scores = (np.array([[0.1], [0.2], [0.8], [0.9]]) * scale).astype(np.float32)
    truth = np.array([[0], [0], [1], [1]])
    on = decide(scores, "tuned", tuned=tune(scores, truth))
    assert on[:, 0].tolist() == [False, False, True, True]


def test_a_tuned_threshold_keeps_its_distance_from_the_scores():
    """So that a score computed slightly differently elsewhere stays on its side."""
    scores, truth = np.array([[0.2], [0.4], [0.6], [0.9]]), np.array([[0], [0], [1], [1]])
    assert tune(scores, truth) == pytest.approx([0.5])


def test_a_label_without_positives_gets_one_half():
    scores = np.array([[0.2, 0.3], [0.9, 0.8]])
    found = tune(scores, np.array([[0, 0], [0, 1]]))
    assert found[0] == 0.5
    assert found[1] == pytest.approx(0.55)
    assert not np.isnan(found).any()


def test_each_label_has_its_own_thresholds():
    rng = np.random.default_rng(0)
    scores, truth = rng.uniform(size=(40, 3)), rng.integers(0, 2, (40, 3))
    for find in (tune, lambda *columns: recall_thresholds(*columns)["0.80"]):
        alone = [find(scores[:, [i]], truth[:, [i]])[0] for i in range(3)]
        assert list(find(scores, truth)) == alone


@given(COLUMN_PAIRS)
def test_a_recall_is_reached_by_the_highest_possible_threshold(pair):
    """On the rows it was tuned on, however close the scores are."""
    scores, truth = pair
    found = recall_thresholds(scores, truth)
    assert list(found) == list(RECALLS)
    for recall, thresholds in found.items():
        on = decide(scores, "recall", tuned=thresholds)
        if not truth.any():
            assert thresholds == [0.5]
            continue
        true = scores[truth > 0].astype(float)
        assert on[truth > 0].mean() >= float(recall) - 1e-9
        higher = true[true > true[true >= thresholds[0]].min()]
        assert len(higher) < float(recall) * len(true) - 1e-9, "a higher one would do"
        assert not on[scores < true[true >= thresholds[0]].min()].any(), "more than it takes"


def test_a_recalls_threshold_keeps_its_distance_from_the_scores():
    """Midway between neighbours: 19 of 20 positives are 0.95, whatever the arithmetic."""
    scores = np.append(np.arange(1, 21) / 20, 0.07)[:, None]
    truth = np.append(np.ones(20), 0)[:, None]
    found = recall_thresholds(scores, truth)
    assert found["0.95"] == pytest.approx([(0.1 + 0.07) / 2])
    assert found["0.90"] == pytest.approx([0.125])
    assert found["0.50"] == pytest.approx([0.525])
