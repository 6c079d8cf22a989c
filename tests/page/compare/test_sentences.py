"""The board's sentence on the modes, and the label that it begins with."""

import pytest

from clipdemo.page.shared.files import inlined

pytestmark = pytest.mark.browser

LABELS = ("bench", "person", "dog", "bird")
ASK = """([ask, labels, on, scores]) => {
  const decisions = Object.fromEntries(Object.entries(on).map(([mode, names]) =>
    [mode, { on: labels.map((label) => names.includes(label)) }]));
  if (ask === "top") return topLabel(labels, scores, decisions);
  return verdictOf({ modes: ["image", "text", "concat"], labels, waiting: false }, decisions);
}"""


@pytest.fixture(scope="module")
def blank(browser):
    """A blank page with the scripts."""
    page = browser.new_page()
    scripts = inlined("shared/text.js", "compare/verdict.js", "compare/ranking.js")
    page.add_script_tag(content=scripts)
    yield page
    page.close()


@pytest.mark.parametrize(
    ("image", "text", "concat", "sentence"),
    [
        (["person"], ["person", "bench"], ["bench"],
         "Disputed: Concat finds bench (text only) and leaves out person (image and text)."),
        (["dog"], [], ["dog", "bird"],
         "Disputed: Concat finds dog (image only), bird (neither image nor text)."),
        (["dog"], [], None, "The modes disagree on dog (image only)."),
        (["dog"], ["dog"], ["dog"], "All modes agree: dog."),
    ],
)  # fmt: skip
def test_the_modes_are_compared_in_a_sentence(blank, image, text, concat, sentence):
    on = {"image": image, "text": text} | ({} if concat is None else {"concat": concat})
    assert blank.evaluate(ASK, ["verdict", LABELS, on, {}]) == sentence


@pytest.mark.parametrize(
    ("on", "label"),
    [
        ({"image": ["dog", "bird"], "text": ["dog"]}, "bird"),  # disputed
        ({"image": ["dog"], "text": ["dog"]}, "dog"),  # on, although below its neighbour
        ({"image": [], "text": []}, "person"),
    ],
)
def test_the_first_label_is_a_disputed_one_or_one_that_is_on(blank, on, label):
    scores = {"image": [0.1, 0.9, 0.8, 0.3], "text": [0.1, 0.2, 0.3, 0.2]}
    assert blank.evaluate(ASK, ["top", LABELS, on, scores]) == label
