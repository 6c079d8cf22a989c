"""Heads with their own labels and modes: the page shows these, and only inputs that they read."""

import json
from itertools import pairwise

import numpy as np
import pytest
from support.driver import eventually, order, read, serving, visit, write_caption
from support.looks import untidy
from support.paths import SCENES

import clipdemo
from clipdemo.inputs.labels import ALL_MODES
from clipdemo.model.checkpoints import save_heads
from clipdemo.model.heads import new_head
from clipdemo.model.thresholds import decide, recall_thresholds

pytestmark = pytest.mark.browser

NAMES = ("red mug", "kettle", "<b>tea</b> pot", "spoon")
SCENE = json.loads((SCENES / "scenes.json").read_text())["crossing"]["caption"]

# Numbers that overlap each other or leave their row, and rows that overlap the next one.
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


def write_own_heads(folder, modes, recalls: bool) -> None:
    """Random heads on `tiny`, never confident, with thresholds for a recall if `recalls`."""
    import torch

    torch.manual_seed(5)
    rng = np.random.default_rng(5)
    truth = rng.uniform(size=(40, len(NAMES))) < 0.5
    heads, entries = {}, {}
    for mode in modes:
        shape = {"inputs": 256 * (1 if mode in ("image", "text") else 2), "hidden": []}
        if mode == "mutan":
            shape |= {"kind": "mutan", "projected": 8, "fused": 8, "rank": 2}
        if recalls:
            shape["recall"] = recall_thresholds(rng.uniform(0.2, 0.9, truth.shape), truth)
        heads[mode] = new_head(shape, len(NAMES))
        entries[mode] = shape | {"temperature": 1.0, "thresholds": [0.45, 0.5, 0.5, 0.55]}
    content = {"backbone": "tiny", "width": 256, "labels": NAMES, "label_ids": NAMES}
    content |= {"summary": "Heads for four things in a kitchen.", "modes": entries}
    measured = {"photos": {"n": 40, "modes": {mode: {"map": 0.5, "n": 40} for mode in modes}}}
    save_heads(folder, heads, content | {"metrics": measured})


def app(folder, modes, recalls: bool):
    """The address of an app with such heads, and the same heads in this process."""
    write_own_heads(folder / "heads", modes, recalls)
    with serving(folder, ("app.py", "--checkpoint", str(folder / "heads"))) as (url, _):
        yield url, clipdemo.load(checkpoint=folder / "heads")


@pytest.fixture(scope="module")
def image_app(tmp_path_factory):
    yield from app(tmp_path_factory.mktemp("image"), ("image",), True)


@pytest.fixture(scope="module")
def four_app(tmp_path_factory):
    yield from app(tmp_path_factory.mktemp("four"), ALL_MODES, True)


@pytest.fixture(scope="module")
def text_app(tmp_path_factory):
    yield from app(tmp_path_factory.mktemp("text"), ("text",), False)


def open_page(visitor, url, size=(1280, 900), theme="light"):
    page = visitor.new_page()
    page.set_viewport_size({"width": size[0], "height": size[1]})
    visit(page, f"{url}?__theme={theme}")
    return page


def choose_scene(page, classifier, caption):
    """Choose a scene and wait until its scores are there, which are those of `classifier`."""
    page.locator("#scenes button[title*='bus']").first.click()
    expected = classifier.predict(SCENES / "crossing.webp", caption).scores
    eventually(page, lambda: assert_scores(page, expected))


def assert_scores(page, expected) -> None:
    cells = read(page)
    for mode, scores in expected.items():
        for label, score in scores.items():
            assert set(cells[label]) == set(expected)
            assert abs(float(cells[label][mode][0] or -1) - score) < 1e-4


def look_for(page, name: str) -> None:
    """Type a label and wait until its row has scores."""

    def shown() -> None:
        assert name in order(page)
        assert all(score for score, _ in read(page)[name].values())

    page.locator("#own-labels input, #own-labels textarea").first.fill(name)
    eventually(page, shown)


def assert_tidy(page) -> None:
    assert untidy(page) == []
    assert page.evaluate(CLASHES) == []


def test_heads_that_read_photos_show_their_labels_recalls_and_no_captions(visitor, image_app):
    """On the board and in the batch."""
    page, classifier = open_page(visitor, image_app[0]), image_app[1]
    assert set(order(page)) == set(NAMES)
    assert (
        page.locator("#head h1").inner_text() == "clipdemo What is in a photo, by its pixels alone"
    )
    assert "kitchen" in page.locator("#head").inner_text()
    for hidden in ("#caption", "#suggest", "#scenes .captioned"):
        assert not page.locator(hidden).is_visible(), hidden
    assert "caption" not in page.locator("#board .verdict").inner_text().lower()
    choose_scene(page, classifier, None)
    assert page.locator("#board .set").count() == 1
    assert page.locator('#board .set[data-mode="image"]').is_visible()
    look_for(page, "umbrella")
    assert list(read(page)["umbrella"]) == ["image"]
    assert_recalls_decide(page, classifier)
    assert_a_batch_without_captions(page, classifier)


def test_the_caption_field_depends_on_the_backbone_in_use(visitor, image_app, vit_folder):
    """Another backbone's zero-shot heads read captions; the first one's still do not."""
    page = open_page(visitor, image_app[0])

    def answers(backbone: str) -> None:
        assert page.locator("#head .badge").inner_text() == backbone

    for backbone, read_captions in ((f"local-dir:{vit_folder}", True), ("tiny", False)):
        page.locator("#backbone input").fill(backbone)
        page.keyboard.press("Enter")
        eventually(page, lambda backbone=backbone: answers(backbone))
        page.locator("#caption").wait_for(state="visible" if read_captions else "hidden")


def assert_a_batch_without_captions(page, classifier) -> None:
    page.get_by_role("tab", name="Batch").click()
    assert not page.locator("#batch-captions").is_visible()
    page.locator("#batch-choose").set_input_files(SCENES / "crossing.webp")
    page.locator("#batch-start").click()
    page.locator("#batch tbody tr").wait_for()
    page.get_by_label("Label whose scores are shown").select_option(NAMES[2])
    shown = page.locator("#batch td[data-mode]").all_inner_texts()
    score = classifier.predict(SCENES / "crossing.webp").scores["image"][NAMES[2]]
    assert shown == [f"{score:.2f}"]


def assert_recalls_decide(page, classifier) -> None:
    """By the card's thresholds."""
    assert not page.locator("#recall").is_visible()
    page.locator("#rule").select_option("recall")
    cells = read(page)
    scores = np.array([[float(cells[name]["image"][0]) for name in NAMES]])
    for chosen in ("0.50", "0.80", "0.95"):
        page.locator("#recall").select_option(chosen)
        cells = read(page)
        tuned = np.array(classifier.card.modes["image"]["recall"][chosen])
        expected = decide(scores, "recall", tuned=tuned)[0].tolist()
        assert [cells[name]["image"][1] for name in NAMES] == expected
    page.get_by_role("button", name="Reset").click()
    assert page.locator("#rule").input_value() == "tuned"
    page.locator("#rule").select_option("recall")
    assert page.locator("#recall").input_value() == "0.90"


@pytest.mark.parametrize(("size", "theme"), [((1280, 800), "light"), ((390, 844), "dark")])
def test_mutan_is_a_fourth_bar_with_its_own_set(visitor, four_app, size, theme):
    url, classifier = four_app
    page = open_page(visitor, url, size, theme)
    page.locator("#caption").wait_for()
    write_caption(page, "a kettle")
    choose_scene(page, classifier, SCENE)
    assert page.locator('#board .set[data-mode="mutan"] .title').inner_text() == "MUTAN"
    colours = page.locator('#board [data-label="kettle"] .cell .fill').evaluate_all(
        "fills => fills.map(f => getComputedStyle(f).backgroundColor)"
    )
    assert len(set(colours)) == 4
    eventually(page, lambda: assert_no_row_over_another(page))
    page.locator("#rule").select_option("recall")
    assert page.locator("#recall").is_visible()
    assert_tidy(page)
    if theme == "light":
        assert_recalls_decide_by_mode(page, classifier)


def assert_no_row_over_another(page) -> None:
    """All measured at once: they move while scores come."""
    rows = page.locator("#board .row").evaluate_all(
        "rows => rows.map(r => r.getBoundingClientRect()).map(r => [r.top, r.bottom])"
    )
    assert all(bottom <= top + 0.5 for (_, bottom), (top, _) in pairwise(rows))


def assert_recalls_decide_by_mode(page, classifier) -> None:
    """Also for a typed label, which keeps 0.5."""
    look_for(page, "umbrella")
    seen = set()
    for recall in ("0.50", "0.70", "0.95"):
        page.locator("#recall").select_option(recall)
        cells = read(page)
        for mode, entry in classifier.card.modes.items():
            cuts = dict(zip(NAMES, entry["recall"][recall], strict=True)) | {"umbrella": 0.5}
            expected = {name: float(cells[name][mode][0]) >= cuts[name] for name in cuts}
            assert {name: cells[name][mode][1] for name in cuts} == expected, (mode, recall)
            seen.add((mode, *expected.values()))
    assert len(seen) > 6, "the recall must make a difference"


def test_heads_that_read_only_captions_ask_for_no_photo(visitor, text_app):
    url, classifier = text_app
    page = open_page(visitor, url, (390, 844), "dark")
    assert (
        page.locator("#head h1").inner_text() == "clipdemo What is in a photo, by its caption alone"
    )
    assert not page.locator("#photo").is_visible()
    assert not page.locator("#suggest").is_visible()
    eventually(page, lambda: asks_for_a_caption(page))
    write_caption(page, "a cat on a red bus")
    expected = classifier.predict(None, "a cat on a red bus").scores
    eventually(page, lambda: assert_scores(page, expected))
    assert "photo" not in page.locator("#board").inner_text().lower()
    assert page.locator("#rule option[value=recall]").is_disabled(), "they have no such thresholds"
    assert_tidy(page)


def asks_for_a_caption(page) -> None:
    verdict = page.locator("#board .verdict").inner_text()
    assert "caption" in verdict
    assert "photo" not in verdict
