"""The report's figures are scikit-learn's, and inputs that do not match are refused."""

import hashlib
import json
import shutil

import numpy as np
import pytest
from sklearn import metrics as sk
from support.made_report import made_report, write_runs
from support.small_store import write_store

from clipdemo.model.checkpoints import Card, read_card
from clipdemo.model.classifier import load_card
from clipdemo.study import published
from clipdemo.study.calibrate import calibrated, sigmoid
from clipdemo.study.feature_store import read_store
from clipdemo.study.fit import FitSettings
from clipdemo.study.per_label import judged as judged_rows
from clipdemo.study.per_label import tuned_on
from clipdemo.study.report import make_report, schedules
from clipdemo.study.rows import split_rows
from clipdemo.study.train import train_heads

RULE = "every:4:1"
MODES = ("image", "text", "concat")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, vit_folder):
    """`store`, `heads` that were trained on it, and `runs` that name it as their store."""
    folder = tmp_path_factory.mktemp("report")
    store = read_store(write_store(folder, vit_folder))
    settings = FitSettings(hidden=(16,), epochs=3, batch=16)
    train_heads(store, folder / "heads", dict.fromkeys(store.modes, settings), RULE)
    digest = hashlib.sha256((store.folder / "index.parquet").read_bytes()).hexdigest()
    about = {"backbone": store.backbone, "validation": RULE, "content": {"store": digest}}
    write_runs(folder / "runs", about)
    return folder


@pytest.fixture(scope="module")
def classifier(folder):
    return load_card(read_card(folder / "heads"), device="cpu")


@pytest.fixture(scope="module")
def report(folder, classifier):
    return make_report(folder / "runs", read_store(folder / "store"), RULE, classifier)


@pytest.fixture(scope="module", params=MODES)
def judged(request, folder, classifier):
    """A mode, its truth and its scores on the validation rows, by the classifier itself."""
    store = read_store(folder / "store")
    _, check = split_rows(store, request.param, RULE)
    pairs = [(check.inputs, None), (None, check.inputs), np.hsplit(check.inputs, 2)]
    image, text = pairs[MODES.index(request.param)]
    nothing = [None] * len(check.inputs)
    found = classifier.predict_embeddings(
        nothing if image is None else list(image), nothing if text is None else list(text)
    )
    scores = np.array([list(p.scores[request.param].values()) for p in found])
    return request.param, check.targets > 0.5, scores


def test_figures_of_each_label_are_those_of_scikit_learn(report, classifier, judged):
    mode, truth, scores = judged
    thresholds = classifier.card.modes[mode]["thresholds"]
    on = scores >= thresholds
    for i, (name, row) in enumerate(report["per_label"][mode].items()):
        assert name == classifier.card.labels.names[i]
        options = {"zero_division": 0}
        expected = {
            "precision": sk.precision_score(truth[:, i], on[:, i], **options),
            "recall": sk.recall_score(truth[:, i], on[:, i], **options),
            "f1": sk.f1_score(truth[:, i], on[:, i], **options),
            "ap": sk.average_precision_score(truth[:, i], scores[:, i]) if truth[:, i].any() else 0,
            "support": truth[:, i].sum(),
            "threshold": thresholds[i],
        }
        assert {k: v or 0 for k, v in row.items()} == pytest.approx(expected, abs=1e-5)
    overall = report["overall"][mode]
    for key, score in (("precision", sk.precision_score), ("recall", sk.recall_score)):
        expected = score(truth, on, average="samples", zero_division=0)
        assert overall[f"samples_{key}"] == pytest.approx(expected, abs=1e-5)
    expected = sk.f1_score(truth, on, average="samples", zero_division=0)
    assert overall["samples_f1"] == pytest.approx(expected, abs=1e-5)


def test_curves_of_precision_and_recall_are_points_of_scikit_learns(report, judged):
    mode, truth, scores = judged
    curves = report["precision_recall"][mode]
    names = list(report["per_label"][mode])
    assert set(curves) == {name for name, t in zip(names, truth.T, strict=True) if t.any()}
    for name, curve in curves.items():
        i = names.index(name)
        precision, recall, _ = sk.precision_recall_curve(truth[:, i], scores[:, i])
        pairs = zip(precision.tolist(), recall.tolist(), strict=True)
        points = {(round(p, 6), round(r, 6)) for p, r in pairs}
        kept = list(zip(curve["precision"], curve["recall"], strict=True))
        assert set(kept) <= points
        assert len(kept) <= 60
        assert kept[0][1] == 1
        assert kept[-1] == (1, 0)


def test_reliability_counts_every_score_once(report, judged):
    mode, truth, scores = judged
    found = report["reliability"][mode]
    assert sum(b["count"] for b in found["bins"]) == scores.size
    true = sum(b["count"] * b["share"] for b in found["bins"])
    assert true == pytest.approx(truth.sum(), abs=1e-2)


def test_what_a_mode_adds_is_concat_less_the_other(report):
    rows = report["per_label"]
    for name, added in report["adds"].items():
        for side, mode in (("caption", "image"), ("photo", "text")):
            for figure, value in added[side].items():
                both, alone = rows["concat"][name][figure], rows[mode][name][figure]
                known = None not in (both, alone)
                assert value == (pytest.approx(both - alone, abs=2e-6) if known else None)


def test_it_detects_whether_thresholds_were_tuned_on_the_same_rows():
    random = np.random.default_rng(0)
    truth = random.random((2, 80, 5)) < 0.3
    values = random.normal(3.0 * truth - 1, 2)
    entry = calibrated(values[0], truth[0])
    scores = sigmoid(values / entry["temperature"])
    here, elsewhere = (judged_rows(truth[i], scores[i], entry, tuple("abcde")) for i in (0, 1))
    assert here["tuned_here"]
    assert not elsewhere["tuned_here"]


@pytest.mark.parametrize(
    ("content", "here", "expected"),
    [
        ({}, ("image", "text"), "The card's thresholds were tuned on these same rows:"),
        ({"calibrated": {"store": "s", "validation": "last:9"}}, (), "tuned on: last:9 of s."),
        ({"training": {"validation": "my photos"}}, ("text",), "The card's thresholds for text "),
        ({"training": {"validation": "my photos"}}, ("text",), "tuned on: my photos."),
        ({}, (), "The card does not say which rows its thresholds were tuned on."),
    ],
)
def test_it_says_on_which_rows_thresholds_were_tuned(content, here, expected):
    modes = {mode: {"tuned_here": mode in here} for mode in ("image", "text")}
    assert expected in tuned_on(Card(None, content), modes)


@pytest.mark.parametrize("name", ["with warm-up", "without"])
def test_schedules_are_linear_as_the_study_has_them(name):
    """Up from 0 to 7e-4 in a tenth of the steps, and down to 0 at the end of the last."""
    curve = schedules(1000)[name]
    steps, up = 8 * 30, 24 if name == "with warm-up" else 0  # 8 batches of 128, 30 epochs
    assert len(curve["step"]) <= 61
    assert curve["step"][-1] == steps - 1
    expected = [7e-4 * (s / up if s < up else (steps - s) / (steps - up)) for s in curve["step"]]
    assert curve["rate"] == pytest.approx(expected)
    assert max(curve["rate"]) == pytest.approx(7e-4)


def test_it_is_small_even_for_many_labels():
    report = made_report(tuple(f"label number {i}" for i in range(100)))
    assert len(json.dumps(report, separators=(",", ":"))) < 400_000


def test_the_studys_figures_are_matched_by_label_name():
    assert len(published.PER_LABEL) == 18
    assert published.PER_LABEL["person"]["support"] == 1548
    assert published.PER_LABEL["stop sign"]["f1"] == 0.78, "the study's id 13: there is no 12"
    assert published.PER_LABEL["horse"] == {
        "precision": 0.98, "recall": 0.93, "f1": 0.95, "support": 67,
    }  # fmt: skip


def test_the_command_writes_report_and_page(folder, clipdemo_cli, tmp_path):
    heads = shutil.copytree(folder / "heads", tmp_path / "heads")
    args = ("report", "--runs", folder / "runs", "--store", folder / "store")
    args += ("--checkpoint", heads)
    code, out, _ = clipdemo_cli(*args, "--out", tmp_path / "r.html")
    assert code == 0, out
    assert "concat above image: holds here" in out
    report = json.loads((heads / "report.json").read_text())
    assert report["overall"]["concat"]["n"] > 0
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")
    assert not list(heads.glob("*.part"))
    code, out, _ = clipdemo_cli(*args, "--json")
    assert (code, json.loads(out)) == (0, report)
    read_card(heads)


@pytest.mark.parametrize("what", ["rule", "store", "backbone", "labels", "no runs", "no heads"])
def test_inputs_that_do_not_match_are_refused(
    what, folder, clipdemo_cli, is_sentence, write_heads, tmp_path
):
    runs, heads, options = folder / "runs", folder / "heads", []
    if what == "rule":
        options = ["--validation", "every:3:1"]
    elif what in ("store", "backbone"):
        runs = shutil.copytree(runs, tmp_path / "runs")
        about = json.loads((runs / "about.json").read_text())
        about |= {"store": {"content": {"store": "0"}}, "backbone": {"backbone": "b"}}[what]
        (runs / "about.json").write_text(json.dumps(about))
    elif what == "labels":
        heads = write_heads(tmp_path / "heads", read_card(heads).backbone, 32).folder
    elif what == "no runs":
        runs = tmp_path
    else:
        heads = tmp_path
    args = ("--runs", runs, "--store", folder / "store", "--checkpoint", heads)
    code, _, error = clipdemo_cli("report", *args, *options)
    assert code == 2
    assert is_sentence(error)
    assert not (heads / "report.json").exists()
