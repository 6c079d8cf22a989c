"""Training the bundled backbone, from a data folder to a checkpoint that loads."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from support.data_folder import PHOTOS, write_data_folder

import clipdemo
from clipdemo.errors import TableError
from clipdemo.inputs.labels import COCO18
from clipdemo.model import checkpoints
from clipdemo.scenes.scenes import random_scene
from clipdemo.tiny.photo_pack import caption_rows, load_pack

TRAIN = """
import sys
from pathlib import Path
from clipdemo.tiny import train_backbone as run
from clipdemo.tiny.joint_stage import train
from clipdemo.tiny.batches import Recipe
from clipdemo.study.fit import FitSettings
from clipdemo.tiny.text_stage import TextRecipe
data, work, out = (Path(a) for a in sys.argv[1:4])
recipe = Recipe(width=8, layers=(1, 1, 1, 1), vocabulary=300, steps=6, batch=8, captions=6,
                text_every=2, sizes=((0.0, 64), (0.5, 96)), drawn=4, seed=1)
if sys.argv[4] == "all":
    run.SETTINGS = {m: FitSettings(hidden=(8,), epochs=2) for m in run.SETTINGS}
    text = TextRecipe(steps=3, pairs=8, alone=4)
    run.train_backbone(data, work, out, recipe, text, every=0.0)
elif sys.argv[4] == "joint":
    train(data, work, recipe, every=0.0)
else:
    run.SETTINGS = {m: FitSettings(hidden=(8,), epochs=1) for m in run.SETTINGS}
    run.train_backbone(data, work, out, recipe, TextRecipe(), every=0.0, start=Path(sys.argv[4]))
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return write_data_folder(tmp_path_factory.mktemp("data") / "data")


def start(data: Path, work: Path, out: Path, what: str) -> subprocess.Popen:
    command = [sys.executable, "-W", "ignore", "-c", TRAIN, str(data), str(work), str(out), what]
    return subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def undisturbed(data, tmp_path_factory) -> tuple[Path, Path]:
    """Work and output folder of a whole run."""
    work = tmp_path_factory.mktemp("whole")
    out = work / "out"
    assert start(data, work, out, "all").wait() == 0
    return work, out


def test_the_whole_run_ends_in_a_checkpoint_that_predicts(undisturbed):
    """All stages: a true open_clip folder, three heads and a card that belong together."""
    classifier = clipdemo.load(checkpoint=undisturbed[1])
    found = classifier.predict(random_scene(3).image, "a dog").scores
    assert set(found) == {"image", "text", "concat"}
    assert set(found["concat"]) == set(COCO18.names)
    stages = [json.loads(line) for line in (undisturbed[0] / "log.jsonl").open()]
    assert [e["step"] for e in stages if "stage" not in e] == [1, 2, 3, 4, 5, 6]
    assert stages[-1]["stage"] == "text"


def test_nothing_of_the_checkpoint_is_pickled(undisturbed):
    """Weights are safetensors, the rest is JSON."""
    assert {p.suffix for p in undisturbed[1].iterdir()} == {".json", ".safetensors"}
    assert set(checkpoints.read_card(undisturbed[1]).modes) == {"image", "text", "concat"}


def test_a_killed_run_goes_on_and_ends_with_the_same_weights(data, undisturbed, tmp_path):
    """SIGKILL in the middle, the same command again: equal to the run nobody disturbed.

    Both have one tokenizer: learning it breaks ties between equal pairs at random.
    """
    shutil.copytree(undisturbed[0] / "model", tmp_path / "model")
    first, log = start(data, tmp_path, tmp_path / "out", "joint"), tmp_path / "log.jsonl"
    while first.poll() is None and not (log.is_file() and len(log.read_text().splitlines()) >= 2):
        time.sleep(0.05)
    os.killpg(first.pid, signal.SIGKILL)
    assert first.wait() != 0
    assert torch.load(tmp_path / "state.pt", weights_only=True)["step"] < 6
    assert start(data, tmp_path, tmp_path / "out", "joint").wait() == 0
    states = [torch.load(f / "state.pt", weights_only=True) for f in (tmp_path, undisturbed[0])]
    assert states[0]["step"] == states[1]["step"] == 6
    for name, value in states[1]["average"].items():
        assert torch.equal(states[0]["average"][name], value), name


def test_a_checkpoint_is_trained_on_with_its_text_tower_as_it_was(data, undisturbed, tmp_path):
    """Only the image tower moves, so the text head's captions mean what they meant."""
    earlier, later = undisturbed[1], tmp_path / "out"
    assert start(data, tmp_path / "work", later, str(earlier)).wait() == 0
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
    train, labels, check, check_labels = caption_rows(data, pack)
    held_captions = {c for r in pack.validation.nonzero()[0] for c in pack.captions[r]}
    kept_captions = {c for r in (~pack.validation).nonzero()[0] for c in pack.captions[r]}
    assert not (held_captions - kept_captions) & set(train)
    assert all(caption.startswith("a ") for caption in check)
    assert len(train) == len(labels) == PHOTOS - len(held) + 40
    assert len(check) == len(check_labels) == 40


def test_an_incomplete_data_folder_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(TableError, match=r"has no manifest\.csv: point --data") as refused:
        load_pack(tmp_path, tmp_path / "cache")
    assert "\n" not in str(refused.value)
