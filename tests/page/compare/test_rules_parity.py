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


DECIDE = """([scores, { tuned, own, ...decision }]) => {
  const labels = scores.map((score, i) => `label ${i}`);
  const marks = new Map(own.map(([i, value]) => [labels[i], value]));
  return decide(scores, decision, thresholdsOf(labels, { ...decision, own: marks }, tuned)).on;
}"""


def on_page(page, scores, **options) -> list[bool]:
    start = {"rule": "fixed", "threshold": 0.5, "k": 3, "tuned": [0.5] * len(scores), "own": []}
    return page.evaluate(DECIDE, [scores, start | options])


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_decides_the_same_on_the_page_and_in_python(rules, rule):
    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(cases, score, st.integers(1, 20))
    def same(case, threshold, k):
        scores, tuned = case[0], case[1][: len(case[0])]
        options = {"threshold": threshold, "k": k, "tuned": tuned}
        python = decide(np.array([scores]), rule, **(options | {"tuned": np.array(tuned)}))
        assert on_page(rules, scores, rule=rule, **options) == python[0].tolist()

    same()


def test_own_markers_are_thresholds_of_their_label_only(rules):
    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
    @given(cases, score, st.sets(st.integers(0, 19)))
    def same(case, threshold, moved):
        scores, marks = case[0], case[1]
        own = {i: marks[i] for i in moved if i < len(scores)}
        cuts = [own.get(i, threshold) for i in range(len(scores))]
        expected = decide(np.array([scores]), "fixed", threshold=np.array(cuts))
        assert (
            on_page(rules, scores, threshold=threshold, own=[*own.items()]) == expected[0].tolist()
        )

    same()
