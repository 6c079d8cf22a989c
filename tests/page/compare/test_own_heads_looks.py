"""Heads with other modes than the three: their page is tidy on a laptop and a phone."""

import pytest
from support.driver import eventually, read, serving, visit, write_caption

import clipdemo
from page.shared.test_looks import CONTRASTS, OUTSIDE

pytestmark = pytest.mark.browser

LOOKS = [
    pytest.param((width, height), theme, id=f"{name}-{theme}")
    for name, width, height in (("laptop", 1280, 800), ("phone", 390, 844))
    for theme in ("light", "dark")
]

# Numbers that lie on another one or reach out of their row, and rows that lie on the next one.
CLASHES = """() => {
  const box = (e) => e.getBoundingClientRect();
  const rows = [...document.querySelectorAll("#board .row")];
  const out = [];
  rows.forEach((row, i) => {
    const numbers = [...row.querySelectorAll(".number")].map(box);
    const { top, bottom, right } = box(row);
    for (const [j, a] of numbers.entries()) {
      if (a.top < top - 0.5 || a.bottom > bottom + 0.5 || a.right > right + 0.5)
        out.push(`${row.dataset.label}: a number leaves its row`);
      if (numbers.slice(j + 1).some((b) => a.left < b.right - 0.5 && b.left < a.right - 0.5 &&
          a.top < b.bottom - 0.5 && b.top < a.bottom - 0.5))
        out.push(`${row.dataset.label}: numbers overlap`);
    }
    if (i && top < box(rows[i - 1]).bottom - 0.5) out.push(`${row.dataset.label}: rows overlap`);
    if (box(row.querySelector(".bars")).width < 110) out.push(`${row.dataset.label}: no bar`);
  });
  return out;
}"""


def serve_heads(folder, write_heads, modes):
    """Address of an app with such heads, and the same heads in this process."""
    heads = write_heads(folder / "heads", "tiny", 256, modes, recall=True).folder
    with serving(folder, CLIPDEMO_CHECKPOINT=str(heads)) as (url, _):
        yield url, clipdemo.load(checkpoint=heads, device="cpu")


@pytest.fixture(scope="module")
def four_modes(write_heads, tmp_path_factory):
    modes = ("image", "text", "concat", "mutan")
    yield from serve_heads(tmp_path_factory.mktemp("four"), write_heads, modes)


@pytest.fixture(scope="module")
def text_only(write_heads, tmp_path_factory):
    yield from serve_heads(tmp_path_factory.mktemp("text"), write_heads, ("text",))


def open_page(visitor, url, size, theme):
    page = visitor.new_page()
    page.set_viewport_size({"width": size[0], "height": size[1]})
    visit(page, f"{url}?__theme={theme}")
    return page


def filled(page, modes) -> None:
    """Wait until every cell has its score."""

    def check() -> None:
        for cells in read(page).values():
            assert set(cells) == set(modes)
            assert all(score for score, _ in cells.values())

    eventually(page, check)


def assert_tidy(page) -> None:
    page.mouse.move(0, 0)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(OUTSIDE) == []
    assert page.evaluate(CLASHES) == []
    faint = [
        f"{contrast:.2f} {text}" for contrast, text in page.evaluate(CONTRASTS) if contrast < 4.5
    ]
    assert not faint, f"{len(faint)} texts below 4.5:1, such as {faint[:5]}"


@pytest.mark.parametrize(("size", "theme"), LOOKS)
def test_four_modes_and_a_recall_to_choose_fit(visitor, four_modes, size, theme):
    url, classifier = four_modes
    page = open_page(visitor, url, size, theme)
    page.locator("#scenes button").nth(2).click()
    filled(page, classifier.modes)
    page.locator("#rule").select_option("recall")
    assert page.locator("#recall").is_visible()
    assert_tidy(page)


def test_on_the_page_a_recall_decides_in_each_mode_by_that_modes_thresholds(visitor, four_modes):
    """Also for a label of one's own, which keeps 0.5."""
    url, classifier = four_modes
    page = open_page(visitor, url, (1280, 900), "light")
    page.locator("#scenes button").nth(2).click()
    page.locator("#own-labels textarea, #own-labels input").first.fill("umbrella")
    page.locator('#board [data-label="umbrella"]').wait_for()
    filled(page, classifier.modes)
    page.locator("#rule").select_option("recall")
    names = classifier.card.labels.names
    seen = set()
    for recall in ("0.50", "0.70", "0.95"):
        page.locator("#recall").select_option(recall)
        cells = read(page)
        for mode, entry in classifier.card.modes.items():
            cuts = dict(zip(names, entry["recall"][recall], strict=True)) | {"umbrella": 0.5}
            expected = {name: float(cells[name][mode][0]) >= cuts[name] for name in cuts}
            assert {name: cells[name][mode][1] for name in cuts} == expected, (mode, recall)
            seen.add((mode, *expected.values()))
    assert len(seen) > 6, "the recall must make a difference"


@pytest.mark.parametrize(("size", "theme"), LOOKS[::3])
def test_heads_that_read_captions_alone_ask_for_no_photo(visitor, text_only, size, theme):
    url, classifier = text_only
    page = open_page(visitor, url, size, theme)
    assert page.locator("#head h1").inner_text() == "What does the caption say?"
    assert not page.locator("#photo").is_visible()
    assert not page.locator("#suggest").is_visible()
    eventually(page, lambda: asks_for_a_caption(page))
    write_caption(page, "a cat on a red bus")
    filled(page, ["text"])
    expected = classifier.predict(None, "a cat on a red bus").scores["text"]
    assert {n: float(c["text"][0]) for n, c in read(page).items()} == pytest.approx(
        expected, abs=1e-4
    )
    assert "photo" not in page.locator("#board").inner_text().lower()
    assert_tidy(page)


def asks_for_a_caption(page) -> None:
    verdict = page.locator("#board .verdict").inner_text()
    assert "caption" in verdict
    assert "photo" not in verdict
