"""adapt: heads for a backbone from a few rows, better than zero-shot, and calibrated."""

import json

import numpy as np
import pytest

import clipdemo
from clipdemo.hub.catalog import CHECKPOINTS
from clipdemo.inputs.labels import COCO18
from clipdemo.inspection.metrics import mean_average_precision
from clipdemo.model.checkpoints import read_card
from clipdemo.scenes import random_scene
from clipdemo.study.ridge import Linear, fit, mean_of, ridge

COUNT, FIRST = 60, 7_000_000


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """A table of drawn scenes, some with more than one caption, and the folder of their photos."""
    folder = tmp_path_factory.mktemp("scenes")
    lines = ["ImageID,Labels,Caption"]
    for i in range(COUNT):
        scene = random_scene(FIRST + i, (192, 144))
        scene.image.save(folder / f"{i}.png")
        ids = " ".join(COCO18.ids[COCO18.names.index(name)] for name in scene.labels)
        lines += [f'{i}.png,{ids},"{scene.caption}"'] * (1 + (i % 7 == 0))
    (folder / "table.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def adapt(clipdemo_cli, scenes, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))

    def run(*flags: object, table=scenes / "table.csv") -> tuple[int, dict | str]:
        code, out, error = clipdemo_cli(
            "adapt", "--backbone", "tiny", "--table", table, "--device", "cpu", "--json", *flags
        )
        return code, json.loads(out) if code == 0 else error

    return run


@pytest.fixture(scope="module")
def unseen():
    """Other scenes: photos, captions and truth."""
    scenes = [random_scene(FIRST + 1000 + i, (192, 144)) for i in range(60)]
    truth = np.array([[name in scene.labels for name in COCO18.names] for scene in scenes])
    return [scene.image for scene in scenes], [scene.caption for scene in scenes], truth


def scores(classifier, unseen) -> dict[str, np.ndarray]:
    """By mode."""
    photos, captions, _ = unseen
    found = [each.scores for each in classifier.predict_batch(photos, captions)]
    return {mode: np.array([list(each[mode].values()) for each in found]) for mode in found[0]}


@pytest.fixture(scope="module")
def zero_shot(tiny, unseen):
    """What the backbone scores without any row."""
    return scores(tiny.zero_shot(COCO18), unseen)


def test_few_rows_make_heads_that_beat_zero_shot_and_decide_well(
    adapt, scenes, tmp_path, unseen, zero_shot
):
    code, found = adapt("--photos", scenes, "--out", tmp_path / "heads")
    assert code == 0, found
    assert set(found["modes"]) == {"image", "text", "concat"}
    heads = clipdemo.load("auto", checkpoint=tmp_path / "heads", device="cpu")
    truth, thresholds = unseen[2], heads.predict(unseen[0][0], unseen[1][0]).thresholds
    ours = scores(heads, unseen)
    for mode in found["modes"]:
        better, plain = (mean_average_precision(truth, each[mode]) for each in (ours, zero_shot))
        assert better > plain, mode
        on = ours[mode] >= list(thresholds[mode].values())
        assert 0.5 < on.sum() / truth.sum() < 2, mode
    assert "cross-validated" in heads.card.content["summary"]
    assert heads.card.kind == "trained"


def test_captions_alone_make_heads_for_photos_too_and_the_card_says_so(
    adapt, tmp_path, unseen, zero_shot
):
    code, found = adapt("--out", tmp_path / "heads")
    assert code == 0, found
    heads = clipdemo.load("auto", checkpoint=tmp_path / "heads", device="cpu")
    truth, photos = unseen[2], scores(heads, unseen)["image"]
    plain = mean_average_precision(truth, zero_shot["image"])
    assert mean_average_precision(truth, photos) > plain - 0.02
    assert "no photo" in heads.card.content["summary"]
    assert set(heads.card.content["metrics"]["photos"]["modes"]) == {"text"}, (
        "the only measured one"
    )


def test_own_labels_that_are_never_drawn_work_as_well(adapt, tmp_path, monkeypatch):
    monkeypatch.setattr("clipdemo.study.adapt.DRAWN", 32)
    lines = ["file_name,tags,text"]
    lines += [f"{i}.jpg,{'kite' if i % 2 else 'lamp'},a {'kite' if i % 2 else 'lamp'} {i}"
              for i in range(40)]  # fmt: skip
    (tmp_path / "own.csv").write_text("\n".join(lines) + "\n")
    code, found = adapt("--out", tmp_path / "heads", table=tmp_path / "own.csv")
    assert code == 0, found
    heads = clipdemo.load("auto", checkpoint=tmp_path / "heads", device="cpu")
    assert heads.predict(None, "a kite in the sky").labels("text") == ["kite"]


def test_nothing_is_overwritten_and_too_little_is_one_sentence(adapt, tmp_path, is_sentence):
    before = read_card(CHECKPOINTS / "tiny").digest
    (tmp_path / "few.csv").write_text("ImageID,Labels,Caption\n" + "a.jpg,1,a man\n" * 5)
    (tmp_path / "none.csv").write_text("ImageID,Labels,Caption\n" + "a.jpg,,a man\n" * 30)
    refused = [
        adapt(),
        adapt("--out", tmp_path / "x", table=tmp_path / "few.csv"),
        adapt("--out", tmp_path / "y", table=tmp_path / "none.csv"),
        adapt("--out", tmp_path / "z", table=tmp_path / "missing.csv"),
    ]
    for code, sentence in refused:
        assert code == 2
        assert is_sentence(sentence), sentence
    assert read_card(CHECKPOINTS / "tiny").digest == before


@pytest.fixture(scope="module")
def problem():
    """Embeddings whose labels are near, but not on, their zero-shot directions."""
    rng = np.random.default_rng(0)
    prior = rng.normal(size=(4, 16))
    truth = rng.random((200, 4)) < 0.3
    turned = prior + 0.8 * rng.normal(size=prior.shape)
    inputs = truth @ turned + rng.normal(size=(200, 16))
    inputs /= np.linalg.norm(inputs, axis=1, keepdims=True)
    return inputs.astype(np.float32), truth.astype(np.float32), prior / 4


def test_a_strong_pull_leaves_the_zero_shot_order_and_a_weak_one_learns(problem):
    inputs, truth, prior = problem
    held = ridge(inputs, truth, prior, 10.0, 1e6)
    cosine = (held.weights * prior).sum(1) / np.linalg.norm(held.weights, axis=1)
    np.testing.assert_allclose(cosine / np.linalg.norm(prior, axis=1), 1, atol=1e-4)
    learned, unseen, strength = fit(inputs, truth, prior, 10.0, np.arange(200) % 5)
    assert mean_average_precision(truth, unseen) > mean_average_precision(truth, held(inputs))
    assert strength < 10
    assert mean_average_precision(truth, learned(inputs)) > mean_average_precision(truth, unseen)


def test_a_row_is_judged_by_heads_that_did_not_see_it(problem):
    inputs, truth, prior = problem
    groups = np.arange(200) % 5
    _, unseen, strength = fit(inputs, truth, prior, 10.0, groups)
    rest = groups != 3
    by_hand = ridge(inputs[rest], truth[rest], prior, 10.0, strength)(inputs[~rest])
    np.testing.assert_allclose(unseen[~rest], by_hand, atol=1e-4)


def test_a_head_computes_the_linear_form():
    import torch

    rng = np.random.default_rng(1)
    one, other = (
        Linear(*(rng.normal(size=s).astype(np.float32) for s in ((3, 8), (3,)))) for _ in range(2)
    )
    inputs = rng.normal(size=(5, 16)).astype(np.float32)
    both = mean_of(one, other)
    np.testing.assert_allclose(
        both(inputs), (one(inputs[:, :8]) + other(inputs[:, 8:])) / 2, rtol=1e-5, atol=1e-5
    )
    with torch.inference_mode():
        head = both.head()(torch.from_numpy(inputs)).numpy()
    np.testing.assert_allclose(head, both(inputs), rtol=1e-4, atol=1e-4)
