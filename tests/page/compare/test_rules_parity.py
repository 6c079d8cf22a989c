"""The page's own rules.js decides exactly as clipdemo.model.thresholds does."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clipdemo.model.thresholds import RULES, decide
from clipdemo.page.shared.files import inlined

pytestmark = pytest.mark.browser

# Four decimals, as the page shows them; few different ones, so that there are ties.
score = st.integers(0, 10_000).map(lambda n: n / 10_000) | st.sampled_from([0.0, 0.25, 0.5, 1.0])
cases = st.integers(1, 20).flatmap(
    lambda n: st.tuples(st.lists(score, min_size=n, max_size=n), st.lists(score, min_size=n))
)


@pytest.fixture(scope="module")
def rules(browser):
    """A blank page with the page's rules."""
    page = browser.new_page()
    page.add_script_tag(content=inlined("shared/rules.js"))
    yield page
    page.close()


DECIDE = """(cases) => cases.map(([scores, { tuned, own, ...decision }]) => {
  const labels = scores.map((score, i) => `label ${i}`);
  const marks = new Map(own.map(([i, value]) => [labels[i], value]));
  return decide(scores, decision, thresholdsOf(labels, { ...decision, own: marks }, tuned)).on;
})"""
START = {"rule": "fixed", "threshold": 0.5, "k": 3, "own": []}


def many(*strategies):
    """Ten at once, as each question to the browser takes much longer than its answer."""
    return st.lists(st.tuples(*strategies), min_size=10, max_size=10)


def on_page(page, asked: list[tuple[list[float], dict]]) -> list[list[bool]]:
    """The decisions on the scores of each case, by its options."""
    return page.evaluate(
        DECIDE,
        [[scores, START | {"tuned": [0.5] * len(scores)} | options] for scores, options in asked],
    )


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_decides_the_same_on_the_page_and_in_python(rules, rule):
    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(many(cases, score, st.integers(1, 20)))
    def same(drawn):
        asked, python = [], []
        for (scores, marks), threshold, k in drawn:
            options = {"threshold": threshold, "k": k, "tuned": marks[: len(scores)]}
            asked.append((scores, options | {"rule": rule}))
            options["tuned"] = np.array(options["tuned"])
            python.append(decide(np.array([scores]), rule, **options)[0].tolist())
        assert on_page(rules, asked) == python

    same()


def test_own_markers_are_thresholds_of_their_label_only(rules):
    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
    @given(many(cases, score, st.sets(st.integers(0, 19))))
    def same(drawn):
        asked, python = [], []
        for (scores, marks), threshold, moved in drawn:
            own = {i: marks[i] for i in moved if i < len(scores)}
            cuts = np.array([own.get(i, threshold) for i in range(len(scores))])
            asked.append((scores, {"threshold": threshold, "own": [*own.items()]}))
            python.append(decide(np.array([scores]), "fixed", threshold=cuts)[0].tolist())
        assert on_page(rules, asked) == python

    same()
