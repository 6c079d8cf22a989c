"""Published heads: a folder for the hub, and `--checkpoint hf:org/repo` to use it."""

import json
import shutil

import pytest
from huggingface_hub import ModelCard
from support.hub_server import COMMIT

import clipdemo
from clipdemo.errors import CheckpointError
from clipdemo.hub.heads import fetch_heads
from clipdemo.model.checkpoints import find_card, read_card

PLACE = "hf:me/heads"


@pytest.fixture
def published(write_heads, vit_folder, tmp_path, clipdemo_cli):
    """Heads as `publish` writes them."""
    write_heads(tmp_path / "heads", f"local-dir:{vit_folder}", 32)
    (tmp_path / "heads" / "notes.txt").write_text("mine")
    code, _, error = clipdemo_cli(
        "publish", "--checkpoint", tmp_path / "heads", "--out", tmp_path / "out", "--licence",
        "cc-by-4.0",
    )  # fmt: skip
    assert code == 0, error
    return tmp_path / "out"


def test_what_is_published_scores_the_same_from_the_hub(
    server, cache, published, tmp_path, photos, vit_folder
):
    server.add("me/heads", published)
    found = clipdemo.load("auto", checkpoint=PLACE, device="cpu")
    own = clipdemo.load("auto", checkpoint=tmp_path / "heads", device="cpu")
    assert found.predict(photos[0], "a dog") == own.predict(photos[0], "a dog")
    asked = len(server.asked)
    server.commit = None  # no longer a hub: the cache has everything
    assert find_card(folder=f"{PLACE}@{COMMIT}").digest == own.card.digest
    assert len(server.asked) - asked <= 1


def test_the_folder_holds_heads_and_a_card_that_the_hub_reads(published, is_sentence, clipdemo_cli):
    assert {path.name for path in published.iterdir()} == {
        "README.md", "card.json", "image.safetensors", "text.safetensors", "concat.safetensors"
    }  # fmt: skip
    data = ModelCard.load(published / "README.md").data
    assert data.license == "cc-by-4.0"
    assert read_card(published).content["files"].keys() == {
        "image.safetensors", "text.safetensors", "concat.safetensors"
    }  # fmt: skip
    code, _, error = clipdemo_cli("publish", "--checkpoint", published, "--out", published)
    assert code == 2
    assert is_sentence(error)


def test_a_card_names_figures_that_were_measured(tmp_path, clipdemo_cli):
    from clipdemo.hub.catalog import CHECKPOINTS

    clipdemo_cli("publish", "--checkpoint", CHECKPOINTS / "tiny", "--out", tmp_path / "out")
    measured = read_card(CHECKPOINTS / "tiny").content["metrics"]["photos"]["modes"]
    results = ModelCard.load(tmp_path / "out" / "README.md").data.eval_results
    found = {(r.dataset_name.split(", ")[1], r.metric_name): r.metric_value for r in results}
    for mode, figures in measured.items():
        assert found[mode, "mAP"] == pytest.approx(figures["map"], abs=1e-4)
        assert found[mode, "samples-F1"] == pytest.approx(figures["samples_f1"], abs=1e-4)


@pytest.mark.parametrize(
    ("what", "files"),
    [
        ("a path out of the folder", {"../../x.safetensors": "0"}),
        ("a pickle", {"head.bin": "0"}),
        ("code", {"head.py": "0"}),
        ("nothing", {}),
        ("no list of files", 7),
    ],
)
def test_a_card_that_names_anything_else_fetches_nothing(
    server, cache, published, tmp_path, is_sentence, what, files
):
    bad = shutil.copytree(published, tmp_path / "bad")
    content = json.loads((bad / "card.json").read_text()) | {"files": files}
    (bad / "card.json").write_text(json.dumps(content))
    server.add("me/heads", bad)
    with pytest.raises(CheckpointError) as error:
        fetch_heads(PLACE)
    assert is_sentence(error.value), what
    assert {path.rsplit("/", 1)[1] for _, path in server.asked} == {"card.json"}


@pytest.mark.parametrize("fault", ["gated", "cut", "wrong"])
def test_what_goes_wrong_is_one_sentence(server, cache, published, is_sentence, fault):
    server.add("me/heads", published)
    server.faults["concat.safetensors"] = fault
    with pytest.raises(CheckpointError) as error:
        clipdemo.load("auto", checkpoint=PLACE, device="cpu")
    assert is_sentence(error.value)


@pytest.mark.parametrize("place", ["hf:", "hf:nobody", "hf:a/b/c", "hf:../../etc", "hf:me/none"])
def test_what_is_not_there_is_one_sentence(server, cache, is_sentence, place):
    with pytest.raises(CheckpointError) as error:
        find_card(folder=place)
    assert is_sentence(error.value)


def test_heads_in_the_hubs_cache_are_not_calibrated(clipdemo_cli, is_sentence, tmp_path):
    """Their repository would no longer be what this machine takes it for."""
    code, _, error = clipdemo_cli("calibrate", "--checkpoint", PLACE, "--store", tmp_path)
    assert code == 2
    assert is_sentence(error)
    assert "copy it" in error
