"""Training the bundled backbone, from a data folder to a checkpoint that loads."""

import json
import os
import shutil
import signal
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from support.data_folder import PHOTOS, write_data_folder
from support.processes import start
from support.small_training import train_small

import clipdemo
from clipdemo.errors import TableError
from clipdemo.inputs.labels import COCO18
from clipdemo.model import checkpoints
from clipdemo.scenes import random_scene
from clipdemo.tiny.photo_pack import caption_rows, load_pack


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return write_data_folder(tmp_path_factory.mktemp("data") / "data")


def trained(*folders: Path) -> bool:
    """Whether the whole training, in a separate process, completes."""
    process = start(train_small, *folders)
    process.join()
    return process.exitcode == 0


@pytest.fixture(scope="module")
def undisturbed(data, tmp_path_factory) -> tuple[Path, Path]:
    """Work and output folder of a whole run."""
    work = tmp_path_factory.mktemp("whole")
    out = work / "out"
    assert trained(data, work, out)
    return work, out


def test_the_whole_run_ends_in_a_checkpoint_that_predicts(undisturbed):
    """All stages: a valid open_clip folder, three heads and a matching card."""
    classifier = clipdemo.load(checkpoint=undisturbed[1])
    found = classifier.predict(random_scene(3).image, "a dog").scores
    assert set(found) == {"image", "text", "concat"}
    assert set(found["concat"]) == set(COCO18.names)
    stages = [json.loads(line) for line in (undisturbed[0] / "log.jsonl").open()]
    assert [e["step"] for e in stages if e["stage"] == "joint"] == [1, 2, 3, 4, 5, 6]
    assert stages[-1]["stage"] == "text"
    assert {p.suffix for p in undisturbed[1].iterdir()} == {".json", ".safetensors"}, "no pickles"


def test_a_killed_run_resumes_and_ends_with_the_same_weights(data, undisturbed, tmp_path):
    """SIGKILL in the middle and the same command again give the same as an undisturbed run.

    Both use the same tokenizer, whose training breaks ties between equal pairs at random.
    """
    shutil.copytree(undisturbed[0] / "model", tmp_path / "model")
    first, log = start(train_small, data, tmp_path, tmp_path / "out"), tmp_path / "log.jsonl"
    while first.is_alive() and not (log.is_file() and len(log.read_text().splitlines()) >= 2):
        time.sleep(0.05)
    os.killpg(first.pid, signal.SIGKILL)
    first.join()
    assert first.exitcode != 0
    assert torch.load(tmp_path / "joint.pt", weights_only=True)["step"] < 6
    assert trained(data, tmp_path, tmp_path / "out")
    steps = [json.loads(line)["step"] for line in log.open()]
    assert steps.count(1) == 2, "the first steps of both stages were not repeated"
    weights = [load_file(f / "out/open_clip_model.safetensors") for f in (tmp_path, undisturbed[0])]
    for name, value in weights[1].items():
        assert torch.equal(weights[0][name], value), name


def test_further_training_of_a_checkpoint_keeps_its_text_tower(data, undisturbed, tmp_path):
    """Only the image tower changes, so the text head stays valid."""
    earlier, later = undisturbed[1], tmp_path / "out"
    assert trained(data, tmp_path / "work", later, earlier)
    before, after = (load_file(f / "open_clip_model.safetensors") for f in (earlier, later))
    moved = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert "visual" in moved
    assert "text" not in moved
    training = checkpoints.read_card(later).content["training"]
    assert training["start"]["recipe"]["steps"] == 6
    assert training["photos_seen"] == 2 * training["start"]["photos_seen"]


def test_validation_photos_and_captions_are_kept_out_of_training(data, tmp_path):
    """number % 6 == 1 and rows from 28000 on are never trained on."""
    pack = load_pack(data, tmp_path)
    held = {f"{n}.jpg" for n in range(1, PHOTOS + 1) if n % 6 == 1}
    assert set(pack.names[pack.validation]) == held
    rows = caption_rows(data, pack)
    held_captions = {c for r in pack.validation.nonzero()[0] for c in pack.captions[r]}
    kept_captions = {c for r in (~pack.validation).nonzero()[0] for c in pack.captions[r]}
    assert not (held_captions - kept_captions) & set(rows.train)
    assert all(caption.startswith("a ") for caption in rows.check)
    assert len(rows.train) == len(rows.train_labels) == PHOTOS - len(held) + 40
    assert len(rows.check) == len(rows.check_labels) == 40


def test_an_incomplete_data_folder_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(TableError, match=r"has no manifest\.csv: point --data") as refused:
        load_pack(tmp_path, tmp_path / "cache")
    assert "\n" not in str(refused.value)
