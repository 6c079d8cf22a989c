"""train and calibrate: a usable checkpoint for own labels, with a card that describes it."""

import json

import numpy as np
import pytest
from sklearn.metrics import f1_score
from support.small_store import write_store, write_table

import clipdemo
from clipdemo.model.checkpoints import read_card, write_card
from clipdemo.model.thresholds import RECALLS, decide, tune
from clipdemo.study.calibrate import calibrated, calibration_error, shrunk, sigmoid
from clipdemo.study.cross_fit import cross_fitted, run_metrics
from clipdemo.study.feature_store import read_store
from clipdemo.study.splits import held_out
from clipdemo.study.train import validation_logits
from clipdemo.tables.label_table import read_label_table, write_label_table

RULE = "every:4:1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory, vit_folder):
    return write_store(tmp_path_factory.mktemp("train"), vit_folder)


def train(cli, store, out, *more) -> dict:
    code, printed, error = cli(
        "train", "--store", store, "--out", out, "--layers", "16", "--epochs", 3, "--validation",
        RULE, "--json", *more,
    )  # fmt: skip
    assert code == 0, error
    return json.loads(printed)["modes"]


def test_heads_of_every_mode_are_ready_to_be_used(folder, tmp_path, clipdemo_cli, photos):
    out = tmp_path / "heads"
    assert set(train(clipdemo_cli, folder, out)) == {"image", "text", "concat"}
    train(clipdemo_cli, folder, out, "--mode", "mutan")
    classifier = clipdemo.load(checkpoint=out, device="cpu")
    found = classifier.predict(photos[0], "a dog")
    assert set(found.scores) == {"image", "text", "concat", "mutan"}, "mutan came to the others"
    assert set(classifier.predict(None, "a dog").scores) == {"text"}
    for mode in found.scores:
        assert isinstance(found.labels(mode, rule="recall", recall=0.8), list)
        history = read_card(out).modes[mode]["training"]["history"]
        assert [h["epoch"] for h in history] == [1, 2, 3][: len(history)]


def test_the_cards_figures_are_those_of_its_heads(folder, tmp_path, clipdemo_cli):
    out = tmp_path / "heads"
    train(clipdemo_cli, folder, out, "--mode", "concat")
    classifier = clipdemo.load(checkpoint=out, device="cpu")
    logits, truth = validation_logits(classifier, read_store(folder), "concat", RULE)
    entry = classifier.card.modes["concat"]
    on = sigmoid(logits / entry["temperature"]) >= np.array(entry["thresholds"])
    told = classifier.card.content["metrics"]["photos"]["modes"]["concat"]
    expected = f1_score(truth > 0.5, on, average="samples", zero_division=0)
    assert told["samples_f1"] == pytest.approx(expected, abs=1e-6)
    assert told["n"] == len(truth) == 15
    assert "T.csv (60 rows)" in classifier.card.content["summary"]


def test_the_card_says_how_well_the_validation_pairs_fit(folder, tmp_path, clipdemo_cli):
    """After train, and again after calibrate, whichever heads there are."""
    out, store = tmp_path / "heads", read_store(folder)
    train(clipdemo_cli, folder, out, "--mode", "image")
    own = (store.index["source"] == "table").to_numpy()

    def expected(rule: str) -> np.ndarray:
        rows = own & held_out(store.index, rule)
        similar = (store.image[rows] * store.text[rows]).sum(1)
        return np.percentile(similar, range(101))

    assert read_card(out).content["fit"]["matching"] == pytest.approx(expected(RULE), abs=1e-4)
    other = "every:3:1"
    clipdemo_cli("calibrate", "--checkpoint", out, "--store", folder, "--validation", other)
    assert read_card(out).content["fit"]["matching"] == pytest.approx(expected(other), abs=1e-4)


def test_photos_with_own_labels_and_no_captions(tmp_path, vit_folder, clipdemo_cli, photos):
    """The whole way: a table, encode, train, predict; only `image` is there."""
    table = write_table(tmp_path)
    frame = read_label_table(table).frame
    own = [("red bus",) if i % 2 else ("tea pot", "cup") for i in range(len(frame))]
    write_label_table(frame.assign(Labels=own, Caption=""), table)
    assert read_label_table(table, None).labels.names == ("cup", "red bus", "tea pot")
    store, heads = tmp_path / "store", tmp_path / "heads"
    code, _, error = clipdemo_cli(
        "encode", "--table", table, "--photos", tmp_path / "photos", "--backbone",
        f"local-dir:{vit_folder}", "--out", store,
    )  # fmt: skip
    assert code == 0, error
    assert set(train(clipdemo_cli, store, heads)) == {"image"}
    path = tmp_path / "photo.png"
    photos[0].save(path)
    code, printed, error = clipdemo_cli(
        "predict", path, "--caption", "a red bus", "--checkpoint", heads, "--json"
    )
    assert code == 0, error
    scores = json.loads(printed)[0]["scores"]
    names = set(read_label_table(table, None).labels.names)
    assert {mode: set(of) for mode, of in scores.items()} == {"image": names}


def test_heads_of_other_labels_are_not_overwritten(folder, tmp_path, clipdemo_cli, write_heads):
    """Nor those of another backbone; the old ones stay as they are."""
    out = tmp_path / "heads"
    write_heads(out, read_store(folder).backbone, 32)
    before = (out / "card.json").read_bytes()
    code, _, error = clipdemo_cli("train", "--store", folder, "--out", out, "--validation", RULE)
    assert code == 2
    assert "choose another --out" in error
    assert len(error.strip().splitlines()) == 1
    assert (out / "card.json").read_bytes() == before


def test_a_folder_with_other_files_is_left_alone(folder, tmp_path, clipdemo_cli, is_sentence):
    """A card has the hash of every file next to it: a store, say, must not become part of it."""
    (tmp_path / "letters.txt").write_text("not heads")
    for out in (tmp_path, folder):
        before = sorted(path.name for path in out.iterdir())
        code, _, error = clipdemo_cli("train", "--store", folder, "--out", out)
        assert code == 2
        assert is_sentence(error)
        assert sorted(path.name for path in out.iterdir()) == before


def test_heads_are_not_mixed_with_those_of_other_weights(folder, tmp_path, clipdemo_cli):
    """The name of a backbone is not enough: its folder may have other weights by now."""
    out = tmp_path / "heads"
    train(clipdemo_cli, folder, out, "--mode", "image")
    write_card(out, read_card(out).content | {"fingerprint": "of something else"})
    for command in ("train", "calibrate"):
        where = ("--checkpoint" if command == "calibrate" else "--out", out)
        code, _, error = clipdemo_cli(command, "--store", folder, *where, "--validation", RULE)
        assert code == 2
        assert "other weights" in error


@pytest.mark.parametrize(
    "wrong",
    [
        ("--layers", "wide"), ("--mode", "sound"), ("--captions", "none"),
        ("--validation", "some:2"), ("--validation", "last:0"),
    ],
)  # fmt: skip
def test_a_wrong_option_is_one_sentence(folder, tmp_path, clipdemo_cli, is_sentence, wrong):
    code, _, error = clipdemo_cli("train", "--store", folder, "--out", tmp_path / "h", *wrong)
    assert code == 2
    assert is_sentence(error)


def test_calibrate_writes_the_figures_of_the_heads_on_the_store(folder, tmp_path, clipdemo_cli):
    out = tmp_path / "heads"
    train(clipdemo_cli, folder, out, "--mode", "image")
    before = read_card(out).modes["image"]
    other = "every:3:1"
    code, printed, error = clipdemo_cli(
        "calibrate", "--checkpoint", out, "--store", folder, "--validation", other, "--json"
    )
    assert code == 0, error
    classifier = clipdemo.load(checkpoint=out, device="cpu")  # its files still match the card
    entry = classifier.card.modes["image"]
    expected = calibrated(*validation_logits(classifier, read_store(folder), "image", other))
    assert {key: entry[key] for key in expected} == expected
    assert entry["thresholds"] != before["thresholds"]
    assert entry["training"] == before["training"]
    measured = classifier.card.content["metrics"]["photos"]["modes"]["image"]
    thresholds = [of["threshold"] for of in measured["per_label"].values()]
    assert thresholds == entry["thresholds"], "the card's figures are of its thresholds"
    assert json.loads(printed)["modes"]["image"]["recall"] == entry["recall"]


@pytest.fixture(scope="module")
def made_up():
    """Overconfident logits of 400 rows and four labels; the last label is rare."""
    rng, chance = np.random.default_rng(0), np.array([0.5, 0.3, 0.2, 0.01])
    truth = rng.uniform(size=(400, 4)) < chance
    seen = truth + rng.normal(0, 0.7, truth.shape)
    right = (seen - 0.5) / 0.7**2 + np.log(chance / (1 - chance))  # Bayes' rule
    return 3 * right, truth


def test_the_temperature_makes_scores_better_calibrated(made_up):
    found = calibrated(*made_up)
    assert found["temperature"] == pytest.approx(3, rel=0.3)
    assert found["reliability"]["after"] < 0.8 * found["reliability"]["before"]


def test_the_calibration_error_is_that_of_its_definition():
    scores, truth = np.array([[0.9, 0.92, 0.1, 0.12]]), np.array([[1, 0, 0, 0]])
    # 0.9 and 0.92 share the bin from 13/15 to 14/15, 0.1 and 0.12 that from 1/15 to 2/15.
    assert calibration_error(scores, truth) == pytest.approx(0.5 * 0.41 + 0.5 * 0.11)
    assert calibration_error(truth.astype(float), truth) == 0


def test_only_a_rare_label_is_drawn_to_the_threshold_of_all(made_up):
    logits, truth = made_up
    scores = sigmoid(logits)
    own, one = tune(scores, truth), tune(scores.reshape(-1, 1), truth.reshape(-1, 1))[0]
    own, one, drawn = (np.log(t / (1 - t)) for t in (own, one, shrunk(scores, truth, 10)))
    share = truth.sum(0) / (truth.sum(0) + 10)
    assert share[3] < 0.5 < 0.85 < share[:3].min()
    np.testing.assert_allclose(drawn - one, share * (own - one), atol=1e-6)
    own = sigmoid(own)
    np.testing.assert_allclose(shrunk(scores, truth, 0), own, atol=1e-9)


def test_thresholds_for_a_recall_reach_it_and_no_lower_ones_are_taken(made_up):
    scores, truth = sigmoid(made_up[0]), made_up[1]
    found = calibrated(*made_up)
    scores = sigmoid(made_up[0] / found["temperature"])
    assert tuple(found["recall"]) == RECALLS
    for recall, thresholds in found["recall"].items():
        on = decide(scores, "recall", tuned=np.array(thresholds))
        reached = (on & truth).sum(0) / truth.sum(0)
        assert (reached >= float(recall) - 1e-9).all()
        assert (reached - 1 / truth.sum(0) < float(recall)).all(), "one positive fewer is too few"


def test_noise_does_not_look_good_when_no_row_chose_its_own_thresholds():
    rng = np.random.default_rng(1)
    truth, noise = rng.uniform(size=(100, 12)) < 0.05, rng.uniform(size=(100, 12))

    def f1(on) -> float:
        return f1_score(truth, on, average="micro", zero_division=0)

    honest, flattered = f1(cross_fitted(noise, truth)), f1(noise >= tune(noise, truth))
    assert flattered > 1.3 * honest
    assert run_metrics(truth, noise, tuple("abcdefghijkl"))["micro_f1"] == pytest.approx(honest)


def test_heads_that_were_cut_off_before_their_card_are_written_again(
    folder, tmp_path, clipdemo_cli
):
    out = tmp_path / "heads"
    train(clipdemo_cli, folder, out)
    (out / "card.json").unlink()
    (out / "image.safetensors").write_bytes(b"half")
    train(clipdemo_cli, folder, out)
    assert (out / "card.json").is_file()
