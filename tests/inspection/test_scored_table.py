"""A labelled table is scored once: kept, resumed, and scored again when anything changed."""

import os

import numpy as np
import pandas as pd
import pytest

from clipdemo.errors import TableError
from clipdemo.inputs.labels import COCO18
from clipdemo.inputs.photo_source import PhotoSource
from clipdemo.inspection import scored_table as scoring
from clipdemo.inspection.evaluation import score_rows
from clipdemo.inspection.predictions import MISSING, in_steps, write_predictions
from clipdemo.inspection.scored_table import ScoredTable
from clipdemo.model.classifier import load_card
from clipdemo.scenes import random_scene
from clipdemo.tables.label_table import read_label_table, target_matrix, write_label_table

ROWS = 40


@pytest.fixture
def table(tmp_path):
    """Path of a table and of its photos, two of which cannot be read."""
    photos, rows = tmp_path / "photos", []
    photos.mkdir()
    for number in range(ROWS):
        scene, name = random_scene(number, (96, 72)), f"{number}.png"
        scene.image.save(photos / name)
        ids = tuple(COCO18.ids[COCO18.names.index(label)] for label in scene.labels) or ("1",)
        rows.append((name, ids, scene.caption if number % 4 else ""))
    (photos / "3.png").write_bytes(b"no photo")
    (photos / "9.png").unlink()
    path = tmp_path / "table.csv"
    write_label_table(pd.DataFrame(rows, columns=["ImageID", "Labels", "Caption"]), path)
    return path, photos


def opened(tiny, table, data) -> ScoredTable:
    return ScoredTable(tiny.card, str(table[0]), str(table[1]), data)


def nobody():
    raise AssertionError("a model was asked for")


def test_every_row_has_the_scores_and_labels_of_evaluate(tiny, table, tmp_path):
    """When it is opened again, nothing is scored."""
    scored = opened(tiny, table, tmp_path / "data")
    steps = []
    found = scored.predictions(lambda: tiny, lambda done, total: steps.append((done, total)))
    assert steps[-1] == (ROWS, ROWS)
    frame = read_label_table(table[0]).frame
    expected = score_rows(tiny, frame, PhotoSource(table[1]))
    for mode, values in expected.scores.items():
        assert (found.scores[mode] == in_steps(values)).all(), mode
    assert (found.truth == (target_matrix(frame, COCO18) > 0.5)).all()
    assert found.about["skipped"] == len(expected.skipped) == 2
    assert (found.scores["image"][[3, 9]] == MISSING).all()
    again = opened(tiny, table, tmp_path / "data").predictions(nobody)
    assert all((again.scores[mode] == steps).all() for mode, steps in found.scores.items())
    assert again.about == found.about


@pytest.mark.parametrize("what", ["photo", "label", "heads"])
def test_what_changed_is_scored_again(tiny, table, tmp_path, write_heads, what):
    opened(tiny, table, tmp_path / "data").predictions(lambda: tiny)
    card = tiny.card
    if what == "photo":
        random_scene(99, (96, 72)).image.save(table[1] / "5.png")
        os.utime(table[1] / "5.png", (1, 1))
    elif what == "label":
        text = table[0].read_text()
        table[0].write_text(text.replace("\n7.png,", "\n7.png,19 ", 1))
    else:
        card = write_heads(tmp_path / "heads", "tiny", 256)
    scored = ScoredTable(card, str(table[0]), str(table[1]), tmp_path / "data")
    if what == "heads":  # their labels differ from the table's
        with pytest.raises(TableError):
            scored.predictions(nobody)
    else:
        with pytest.raises(AssertionError, match="asked for"):
            scored.predictions(nobody)


def test_a_row_without_labels_has_none(tiny, table, tmp_path):
    """Photos without any label are needed to find false predictions."""
    lines = table[0].read_text().splitlines()
    name, _, rest = lines[5].split(",", 2)
    table[0].write_text("\n".join([*lines[:5], f"{name},,{rest}", *lines[6:]]) + "\n")
    found = opened(tiny, table, tmp_path / "data").predictions(lambda: tiny)
    assert len(found.ids) == ROWS
    assert not found.truth[4].any()


def test_stopped_it_resumes(tiny, table, tmp_path, monkeypatch):
    monkeypatch.setattr(scoring, "PART", 4)
    data = tmp_path / "data"

    def stop(done: int, total: int) -> None:
        if done == 16:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        opened(tiny, table, data).predictions(lambda: tiny, stop)
    made = {path: path.stat().st_mtime_ns for path in data.rglob("*.npz")}
    assert len(made) == 4
    seen = {}

    def look(done: int, total: int) -> None:
        seen.update({path: path.stat().st_mtime_ns for path in data.rglob("*.npz")})

    resumed = opened(tiny, table, data).predictions(lambda: tiny, look)
    assert made.items() <= seen.items(), "a part that was there has been made again"
    assert not list(data.rglob("*parts*"))
    whole = opened(tiny, table, tmp_path / "other").predictions(lambda: tiny)
    assert all((resumed.scores[mode] == steps).all() for mode, steps in whole.scores.items())
    assert resumed.about == whole.about


def test_a_file_of_predictions_needs_no_model(tiny, table, tmp_path):
    found = opened(tiny, table, tmp_path / "data").predictions(lambda: tiny)
    write_predictions(tmp_path / "mine.parquet", found)
    scored = ScoredTable(tiny.card, str(tmp_path / "mine.parquet"), "", tmp_path / "data")
    assert len(scored.predictions(nobody).ids) == ROWS
    assert len(scored.embeddings()[0]) == 0


def test_embeddings_on_the_map_are_the_backbones(tiny, table, tmp_path):
    scored = opened(tiny, table, tmp_path / "data")
    scored.predictions(lambda: tiny)
    rows, kept = scored.embeddings()
    assert rows.tolist() == list(range(ROWS))
    image, text = tiny.embed(
        [(table[1] / "5.png").read_bytes()], [read_label_table(table[0]).frame["Caption"][5]]
    )
    assert np.allclose(kept["image"][5], image[0], atol=1e-5)
    assert np.allclose(kept["text"][5], text[0], atol=1e-5)
    assert np.isnan(kept["image"][3]).all()
    assert np.isnan(kept["text"][4]).all()


@pytest.mark.parametrize(
    ("names", "word"), [(("none.csv", ""), "none.csv"), (("", "."), "--table")]
)
def test_what_is_not_there_is_one_sentence(tiny, tmp_path, names, word, is_sentence):
    with pytest.raises(TableError, match=word) as error:
        ScoredTable(tiny.card, *names, tmp_path)
    assert is_sentence(error.value)


def test_without_a_table_there_are_drawn_scenes(tiny, tmp_path):
    scored = ScoredTable(tiny.card, "", "", tmp_path)
    found = scored.predictions(lambda: tiny)
    assert len(found.ids) > 100
    assert found.truth.any(0).all(), "every label is there to be looked at"
    name = found.ids[7]
    assert tiny.predict(scored.photos.read(name)).scores["image"]["dog"] == pytest.approx(
        found.scores["image"][7, COCO18.names.index("dog")] / 10_000, abs=1e-3
    )


def test_heads_for_other_labels_find_nothing_drawn(write_heads, tmp_path, is_sentence):
    card = write_heads(tmp_path / "heads", "tiny", 256)
    classifier = load_card(card, device="cpu")
    card.content["labels"], card.content["label_ids"] = ["mug", "pot", "pan", "tea"], list("abcd")
    with pytest.raises(TableError) as error:
        ScoredTable(card, "", "", tmp_path).predictions(lambda: classifier)
    assert is_sentence(error.value)


def test_the_command_scores_and_keeps_a_copy(table, tmp_path, clipdemo_cli, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    out = tmp_path / "out.parquet"
    code, shown, _ = clipdemo_cli("score", "--table", table[0], "--photos", table[1], "--out", out)
    assert code == 0
    assert f"{ROWS} rows" in shown
    assert out.stat().st_size > 1000
    assert list((tmp_path / "home" / "clipdemo").glob("table-*/*predictions.parquet"))
