"""Evaluation: the report has the documented form, and its figures are scikit-learn's on the
classifier's own predictions."""

import json
from itertools import count, islice

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as reference

import clipdemo
from clipdemo.inputs.labels import COCO18
from clipdemo.inputs.photo_source import PhotoSource
from clipdemo.inspection.evaluation import evaluate_table, score_rows
from clipdemo.scenes import random_scene
from clipdemo.tables.label_table import LabelTable, read_label_table

ROWS = 40
LOST, DAMAGED = "7.png", "21.png"


@pytest.fixture(scope="module")
def scenes():
    """Each with a label, since a table has no rows without labels."""
    drawn = (random_scene(seed, (96, 72)) for seed in count())
    return list(islice((scene for scene in drawn if scene.labels), ROWS))


@pytest.fixture(scope="module")
def folder(tmp_path_factory, scenes):
    """The table and the photos of the scenes; one photo is missing, one damaged, and two rows
    have no caption."""
    path = tmp_path_factory.mktemp("labelled")
    (path / "photos" / "more").mkdir(parents=True)
    lines = ["ImageID,Labels,Caption"]
    for i, scene in enumerate(scenes):
        ids = [COCO18.ids[COCO18.names.index(name)] for name in scene.labels]
        caption = "" if i in (3, 4) else scene.caption
        lines.append(f'{i}.png,{" ".join(ids)},"{caption}"')
        place = path / "photos" / ("more" if i % 5 == 0 else "") / f"{i}.png"
        scene.image.save(place)
    (path / "photos" / LOST).unlink()
    (path / "photos" / DAMAGED).write_bytes(b"no photo")
    (path / "table.csv").write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def frame(folder):
    return read_label_table(folder / "table.csv").frame


@pytest.fixture(scope="module")
def source(folder):
    return PhotoSource(folder / "photos")


@pytest.fixture(scope="module")
def report(tiny, frame, source):
    return evaluate_table(tiny, LabelTable.of(frame), source)


def rows_of(mode: str, scenes) -> list[int]:
    """The rows that have the mode's input."""
    photo = {i for i in range(ROWS) if f"{i}.png" not in (LOST, DAMAGED)}
    text = set(range(ROWS)) - {3, 4}
    return sorted({"image": photo, "text": text, "concat": photo & text}[mode])


def truth_of(rows: list[int], scenes) -> np.ndarray:
    return np.array([[name in scenes[i].labels for name in COCO18.names] for i in rows])


def test_the_report_has_the_documented_shape(report, tiny):
    assert {"n", "backbone", "rule", "modes"} <= set(report)
    assert (report["n"], report["backbone"], report["rule"]) == (ROWS, "tiny", "tuned")
    assert list(report["modes"]) == ["image", "text", "concat"]
    for mode in report["modes"].values():
        assert {"samples_f1", "micro_f1", "macro_f1", "map", "per_label"} <= set(mode)
        assert list(mode["per_label"]) == list(COCO18.names)
        for entry in mode["per_label"].values():
            assert set(entry) == {"precision", "recall", "f1", "ap", "support", "threshold"}
    assert json.loads(json.dumps(report, allow_nan=False)) == report


@pytest.mark.parametrize("mode", ["image", "text", "concat"])
def test_the_figures_are_those_of_the_classifiers_own_predictions(report, tiny, scenes, mode):
    rows = rows_of(mode, scenes)
    predictions = tiny.predict_batch(
        [scenes[i].image for i in rows], [None if i in (3, 4) else scenes[i].caption for i in rows]
    )
    truth = truth_of(rows, scenes)
    scores = np.array([list(p.scores[mode].values()) for p in predictions])
    on = np.array([[name in p.labels(mode) for name in COCO18.names] for p in predictions])
    found = report["modes"][mode]
    assert found["n"] == len(rows)
    for key in ("samples", "micro", "macro"):
        expected = reference.f1_score(truth, on, average=key, zero_division=0)
        assert found[f"{key}_f1"] == pytest.approx(expected, abs=1e-6)
    seen = truth.any(0)
    expected = reference.average_precision_score(truth[:, seen], scores[:, seen], average="macro")
    assert found["map"] == pytest.approx(expected, abs=1e-6)
    tuned = tiny.card.modes[mode]["thresholds"]
    for i, entry in enumerate(found["per_label"].values()):
        assert entry["support"] == truth[:, i].sum()
        assert entry["threshold"] == tuned[i]
        expected = reference.f1_score(truth[:, i], on[:, i], zero_division=0)
        assert entry["f1"] == pytest.approx(expected, abs=1e-6)


def test_photos_that_cannot_be_used_are_listed_with_their_reason(report, is_sentence):
    listed = report["skipped_photos"]
    assert [entry["ImageID"] for entry in listed] == [LOST, DAMAGED]
    assert all(is_sentence(entry["reason"]) for entry in listed)


def test_scores_are_missing_exactly_where_the_input_is(tiny, frame, source, scenes):
    for mode, values in score_rows(tiny, frame, source).scores.items():
        assert values.shape == (ROWS, 18)
        has_scores = ~np.isnan(values)
        assert (has_scores.all(1) == has_scores.any(1)).all()
        assert np.flatnonzero(has_scores.any(1)).tolist() == rows_of(mode, scenes)


def test_without_photos_only_captions_are_scored(tiny, frame, report):
    rows = []
    found = evaluate_table(tiny, LabelTable.of(frame), progress=rows.append)
    assert sum(rows) == ROWS
    assert len(rows) > 1, "a long table shows progress"
    assert list(found["modes"]) == ["text"]
    assert found["modes"]["text"] == report["modes"]["text"]
    assert found["skipped_photos"] == []
    empty = int((frame["Caption"].str.strip() == "").sum())
    assert found["n"] == found["account"]["used"] == ROWS - empty
    (left,) = found["account"]["left_out"]
    assert left["count"] == empty > 0


@pytest.mark.parametrize("rule", ["fixed", "mcut", "top-k"])
def test_a_rule_is_used_and_named(tiny, frame, rule, scenes):
    found = evaluate_table(tiny, LabelTable.of(frame), rule=rule, threshold=0.3, k=2)
    rows = rows_of("text", scenes)
    predictions = tiny.predict_batch([None] * len(rows), [scenes[i].caption for i in rows])
    labels = [p.labels("text", rule, threshold=0.3, k=2) for p in predictions]
    on = np.array([[name in chosen for name in COCO18.names] for chosen in labels])
    expected = reference.f1_score(truth_of(rows, scenes), on, average="micro", zero_division=0)
    assert found["rule"] == rule
    assert found["modes"]["text"]["micro_f1"] == pytest.approx(expected, abs=1e-6)
    used = {entry["threshold"] for entry in found["modes"]["text"]["per_label"].values()}
    assert used == ({0.3} if rule == "fixed" else {None})


@pytest.mark.parametrize("labels", [1, 3])
def test_a_head_with_its_own_labels_is_evaluated(vit_folder, write_heads, tmp_path, labels):
    """Nothing depends on the bundled labels, or on there being several."""
    write_heads(tmp_path, f"local-dir:{vit_folder}", 32, ("text",), labels)
    classifier = clipdemo.load("auto", checkpoint=tmp_path, device="cpu")
    own = [("1", ("a",), "a dog"), ("2", (), "a field"), ("3", ("a",), "two dogs")]
    own = pd.DataFrame(own, columns=["ImageID", "Labels", "Caption"])
    found = evaluate_table(classifier, LabelTable.of(own), rule="fixed", threshold=0.0)
    per_label = found["modes"]["text"]["per_label"]
    assert list(per_label) == ["dog", "cat", "red bus"][:labels]
    assert per_label["dog"]["support"] == 2
    assert per_label["dog"]["recall"] == 1
    assert per_label["dog"]["precision"] == pytest.approx(2 / 3)


def test_heads_for_photos_without_photos_give_one_sentence(
    vit_folder, write_heads, tmp_path, clipdemo_cli, is_sentence
):
    write_heads(tmp_path / "heads", f"local-dir:{vit_folder}", 32, ("image",))
    table = tmp_path / "T.csv"
    table.write_text("ImageID,Labels,Caption\n1.jpg,a,a dog\n")
    code, _, error = clipdemo_cli("evaluate", "--table", table, "--checkpoint", tmp_path / "heads")
    assert code == 2
    assert "--photos" in error
    assert is_sentence(error.splitlines()[-1])
