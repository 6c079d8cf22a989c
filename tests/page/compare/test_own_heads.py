"""Heads with labels of one's own: the page shows these, and only what they can be given."""

import json
from itertools import pairwise

import numpy as np
import pytest
from support.driver import eventually, order, read, serving, visit, write_caption
from support.paths import SCENES

import clipdemo
from clipdemo.inputs.labels import ALL_MODES
from clipdemo.model.checkpoints import save_heads
from clipdemo.model.heads import new_head
from clipdemo.model.thresholds import decide, recall_thresholds

pytestmark = pytest.mark.browser

NAMES = ("red mug", "kettle", "<b>tea</b> pot", "spoon")
SCENE = json.loads((SCENES / "scenes.json").read_text())["crossing"]["caption"]


def write_own_heads(folder, modes, recalls: bool) -> None:
    """Random heads on `tiny`, sure of nothing, with thresholds for a recall if told."""
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
    yield from app(tmp_path_factory.mktemp("four"), ALL_MODES, False)


@pytest.fixture
def image_only(visitor, image_app):
    """Its page, and the heads in this process."""
    page = visitor.new_page()
    visit(page, image_app[0])
    return page, image_app[1]


@pytest.fixture
def four_modes(visitor, four_app):
    """Its page, and the heads in this process."""
    page = visitor.new_page()
    visit(page, four_app[0])
    return page, four_app[1]


def choose_scene(page, classifier, caption):
    """Choose a scene and wait until its scores are there, which are those of `classifier`."""
    page.locator("#scenes button[title*='bus']").first.click()
    expected = classifier.predict(SCENES / "crossing.webp", caption).scores

    def shown() -> None:
        for label, cells in read(page).items():
            assert set(cells) == set(expected)
            for mode, (score, _) in cells.items():
                assert score
                assert abs(float(score) - expected[mode][label]) < 1e-4

    eventually(page, shown)


def test_heads_that_read_photos_show_their_labels_and_no_caption(image_only):
    page, classifier = image_only
    assert set(order(page)) == set(NAMES)
    assert page.locator("#head h1").inner_text() == "What does the photo say?"
    assert "kitchen" in page.locator("#head").inner_text()
    for hidden in ("#caption", "#suggest", "#scenes .captioned"):
        assert not page.locator(hidden).is_visible(), hidden
    assert "caption" not in page.locator("#board .verdict").inner_text().lower()
    choose_scene(page, classifier, None)
    assert page.locator("#board .set").count() == 1
    assert page.locator('#board .set[data-mode="image"]').is_visible()


def look_for(page, name: str) -> None:
    """Type a label of one's own and wait for its row."""

    def shown() -> None:
        assert name in order(page)

    page.locator("#own-labels input, #own-labels textarea").first.fill(name)
    eventually(page, shown)


def test_labels_that_are_typed_in_join_them(image_only):
    page, classifier = image_only
    choose_scene(page, classifier, None)
    look_for(page, "umbrella")
    assert list(read(page)["umbrella"]) == ["image"]
    assert read(page)["umbrella"]["image"][0]


def test_the_caption_belongs_to_what_answers(image_only, vit_folder):
    """Another backbone's zero-shot heads read captions, and the first one's still do not."""
    page, _ = image_only

    def answers(backbone: str) -> None:
        assert page.locator("#head .badge").inner_text() == backbone

    for backbone, read_captions in ((f"local-dir:{vit_folder}", True), ("tiny", False)):
        page.locator("#backbone input").fill(backbone)
        page.keyboard.press("Enter")
        eventually(page, lambda backbone=backbone: answers(backbone))
        page.locator("#caption").wait_for(state="visible" if read_captions else "hidden")


@pytest.mark.parametrize("chosen", ["0.50", "0.80", "0.95"])
def test_the_rule_of_a_chosen_recall_decides_by_the_cards_thresholds(image_only, chosen):
    page, classifier = image_only
    choose_scene(page, classifier, None)
    assert not page.locator("#recall").is_visible()
    page.locator("#rule").select_option("recall")
    page.locator("#recall").select_option(chosen)
    cells = read(page)
    scores = np.array([[float(cells[name]["image"][0]) for name in NAMES]])
    tuned = np.array(classifier.card.modes["image"]["recall"][chosen])
    expected = decide(scores, "recall", tuned=tuned)[0].tolist()
    assert [cells[name]["image"][1] for name in NAMES] == expected
    page.get_by_role("button", name="Reset").click()
    assert page.locator("#rule").input_value() == "tuned"
    page.locator("#rule").select_option("recall")
    assert page.locator("#recall").input_value() == "0.90"


def test_mutan_is_a_fourth_bar_with_a_set_of_its_own(four_modes):
    page, classifier = four_modes
    page.locator("#caption").wait_for()
    write_caption(page, "a kettle")
    choose_scene(page, classifier, SCENE)
    assert page.locator('#board .set[data-mode="mutan"] .title').inner_text() == "MUTAN"
    colours = page.locator('#board [data-label="kettle"] .cell .fill').evaluate_all(
        "fills => fills.map(f => getComputedStyle(f).backgroundColor)"
    )
    assert len(set(colours)) == 4
    boxes = [row.bounding_box() for row in page.locator("#board .row").all()]
    assert all(a["y"] + a["height"] <= b["y"] + 0.5 for a, b in pairwise(boxes))
    look_for(page, "umbrella")
    assert all(score for score, _ in read(page)["umbrella"].values())


def test_heads_without_thresholds_for_a_recall_do_not_offer_the_rule(four_modes):
    assert four_modes[0].locator("#rule option[value=recall]").is_disabled()


def test_a_batch_of_photos_alone_has_no_captions_to_offer(image_only):
    page, classifier = image_only
    page.get_by_role("tab", name="Batch").click()
    assert not page.locator("#batch-captions").is_visible()
    page.locator("#batch-files input[type=file]").set_input_files(SCENES / "crossing.webp")
    page.locator("#batch-files .file-preview").wait_for()
    page.locator("#batch-start").click()
    page.locator("#batch tbody tr").wait_for()
    page.get_by_label("Label whose scores are shown").select_option(NAMES[2])
    shown = page.locator("#batch td[data-mode]").all_inner_texts()
    score = classifier.predict(SCENES / "crossing.webp").scores["image"][NAMES[2]]
    assert shown == [f"{score:.2f}"]
