"""Rule recall: the card's thresholds for the chosen recall decide; a card without them says so."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as reference

import clipdemo
from clipdemo.errors import CheckpointError
from clipdemo.inspection.evaluation import evaluate_table
from clipdemo.model.thresholds import RECALLS
from clipdemo.tables.label_table import LabelTable

MODES = ("image", "text", "concat", "mutan")
CAPTION = "a dog on a bench"
CAPTIONS = ["a dog", "a cat on a red bus", "trees", "two dogs and a tree", "nothing at all"]


@pytest.fixture(scope="module")
def heads(vit_folder, write_heads, tmp_path_factory):
    """Folder of heads of every mode, with thresholds for a recall."""
    folder = tmp_path_factory.mktemp("recall")
    return write_heads(folder, f"local-dir:{vit_folder}", 32, MODES, recall=True).folder


@pytest.fixture(scope="module")
def classifier(heads):
    return clipdemo.load("auto", checkpoint=heads, device="cpu")


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.csv"
    rows = [f"{i}.jpg,{'abcd'[i % 4]};a,{text}" for i, text in enumerate(CAPTIONS)]
    path.write_text("\n".join(["ImageID,Labels,Caption", *rows]) + "\n")
    return path


def test_each_mode_decides_by_its_own_thresholds_of_the_recall(classifier, photos):
    predictions = classifier.predict_batch(photos, CAPTIONS[:4])
    for mode in MODES:
        for recall in RECALLS:
            line = np.array(classifier.card.modes[mode]["recall"][recall])
            for found in predictions:
                scores = found.scores[mode]
                expected = {n for n, t in zip(scores, line, strict=True) if scores[n] >= t}
                assert set(found.labels(mode, "recall", recall=float(recall))) == expected


@pytest.mark.parametrize("recall", [0.93, 1.0, float("nan")])
def test_a_recall_that_the_card_does_not_have_is_refused(classifier, recall, is_sentence):
    with pytest.raises(CheckpointError, match=r"0\.50, 0\.55") as refused:
        classifier.predict(None, CAPTION).labels("text", "recall", recall=recall)
    assert is_sentence(refused.value)


def test_evaluation_judges_by_the_thresholds_of_the_recall(classifier):
    frame = pd.DataFrame(
        {"ImageID": [str(i) for i in range(5)], "Labels": [("a",), ("b",), (), ("a", "d"), ("c",)],
         "Caption": CAPTIONS}
    )  # fmt: skip
    truth = np.array([["a" in labels, "b" in labels, "c" in labels, "d" in labels]
                      for labels in frame["Labels"]])  # fmt: skip
    scores = [list(p.scores["text"].values())
              for p in classifier.predict_batch([None] * 5, CAPTIONS)]  # fmt: skip
    seen = set()
    for recall in ("0.50", "0.70", "0.95"):
        line = classifier.card.modes["text"]["recall"][recall]
        found = evaluate_table(
            classifier, LabelTable.of(frame), rule="recall", recall=float(recall)
        )
        found = found["modes"]["text"]
        expected = reference.f1_score(
            truth, np.array(scores) >= line, average="micro", zero_division=0
        )
        assert found["micro_f1"] == pytest.approx(expected)
        assert [entry["threshold"] for entry in found["per_label"].values()] == line
        seen.add(round(expected, 6))
    assert len(seen) > 1, "the recall must make a difference"


def test_zero_shot_has_no_thresholds_for_a_recall(tiny, is_sentence):
    """Evaluation says so before it scores."""
    frame = pd.DataFrame({"ImageID": ["1"], "Labels": [("1",)], "Caption": ["a dog"]})
    rows, zero_shot = [], tiny.zero_shot(["dog"])
    for ask in (
        lambda: zero_shot.predict(None, CAPTION).labels("text", "recall"),
        lambda: evaluate_table(
            zero_shot, LabelTable.of(frame), rule="recall", progress=rows.append
        ),
    ):
        with pytest.raises(CheckpointError, match="clipdemo calibrate") as refused:
            ask()
        assert is_sentence(refused.value)
    assert rows == []


def test_the_commands_take_the_recall(clipdemo_cli, heads, classifier, table):
    code, out, error = clipdemo_cli(
        "predict", "--caption", CAPTION, "--checkpoint", heads, "--rule", "recall",
        "--recall", "0.7", "--json",
    )  # fmt: skip
    assert code == 0, error
    found = classifier.predict(None, CAPTION)
    assert json.loads(out)[0]["labels"] == {"text": found.labels("text", "recall", recall=0.7)}
    options = ["--table", table, "--checkpoint", heads, "--rule", "recall", "--json"]
    lines = []
    for recall in ("0.7", "0.95"):
        code, out, error = clipdemo_cli("evaluate", *options, "--recall", recall)
        assert code == 0, error
        per_label = json.loads(out)["modes"]["text"]["per_label"]
        lines.append([entry["threshold"] for entry in per_label.values()])
    card = classifier.card.modes["text"]["recall"]
    assert lines == [card["0.70"], card["0.95"]]


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_a_command_says_in_one_sentence_that_a_card_has_none(
    clipdemo_cli, vit_folder, write_heads, tmp_path, table, is_sentence, command
):
    folder = write_heads(tmp_path / "heads", f"local-dir:{vit_folder}", 32).folder
    given = {"predict": ["--caption", CAPTION], "evaluate": ["--table", table]}[command]
    code, _, error = clipdemo_cli(command, *given, "--checkpoint", folder, "--rule", "recall")
    assert code == 2
    assert "clipdemo calibrate" in error
    assert is_sentence(error.splitlines()[-1])
