"""Captioners of transformers: complete models in the real formats, with random weights."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from support.hub_server import HubServer
from support.small_captioners import write_blip, write_vit_gpt2
from support.trap import Trap

from clipdemo.errors import PhotoError
from clipdemo.model.captioners.captioner import distinct
from clipdemo.model.captioners.choice import load_captioner

WRITE = {"vit-gpt2": write_vit_gpt2, "blip": write_blip}


@pytest.fixture(scope="module", params=WRITE)
def complete(request, tmp_path_factory) -> Path:
    """A captioner's directory; not to be changed."""
    return WRITE[request.param](tmp_path_factory.mktemp("captioner") / request.param)


@pytest.fixture
def folder(complete, tmp_path) -> Path:
    """A copy that may be changed."""
    return Path(shutil.copytree(complete, tmp_path / "captioner"))


def test_a_photo_gets_three_different_captions(complete, suggests_three):
    suggests_three(load_captioner(str(complete), device="cpu"))


def test_the_same_photo_gets_the_same_captions_however_it_comes(complete, photos, png, tmp_path):
    captioner = load_captioner(str(complete), device="cpu")
    path = tmp_path / "photo.png"
    path.write_bytes(png(photos[0]))
    captions = captioner.suggest(photos[0])
    before = torch.random.get_rng_state()
    assert captioner.suggest(path) == captioner.suggest(path.read_bytes()) == captions
    assert torch.equal(torch.random.get_rng_state(), before), "the global state is left alone"


def test_as_many_captions_as_asked_for(complete, photos):
    captioner = load_captioner(str(complete), device="cpu")
    assert [len(captioner.suggest(photos[1], n)) for n in (1, 2, 5)] == [1, 2, 5]


def test_other_files_than_photos_are_refused_as_everywhere(complete):
    with pytest.raises(PhotoError):
        load_captioner(str(complete), device="cpu").suggest(b"no photo")


def test_equal_captions_count_once():
    raw = ["a dog", " A  dog.", "", "?", "a\x00 cat", "a dog on a bench", None, "A DOG!"]
    assert distinct(raw) == ["a dog", "a cat", "a dog on a bench"]


@pytest.fixture
def cache(monkeypatch, tmp_path) -> Path:
    """An empty cache of the Hugging Face hub."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def test_a_cached_model_of_the_hub_is_used(complete, photos, cache):
    """In the layout of the Hugging Face cache: refs, blobs, and snapshots that link to them."""
    model, commit = cache / "models--someone--captioner", "0123456789abcdef" * 2
    (model / "refs").mkdir(parents=True)
    (model / "refs" / "main").write_text(commit)
    (model / "snapshots" / commit).mkdir(parents=True)
    (model / "blobs").mkdir()
    for number, file in enumerate(complete.iterdir()):
        shutil.copyfile(file, model / "blobs" / str(number))
        (model / "snapshots" / commit / file.name).symlink_to(f"../../blobs/{number}")
    found = load_captioner("someone/captioner", device="cpu").suggest(photos[0])
    assert found == load_captioner(str(complete), device="cpu").suggest(photos[0])


@pytest.mark.usefixtures("cache")
def test_a_model_that_is_not_cached_is_never_fetched(refused, monkeypatch):
    """The hub is reachable, but receives no request."""
    with HubServer() as hub:
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.url)
        assert "`hf download someone/captioner`" in refused("someone/captioner")
        assert not hub.asked


@pytest.mark.parametrize("name", ["a b c", "no/such/place", "", "/no/such/place"])
def test_an_unknown_name_is_refused(refused, name):
    assert "local directory" in refused(name)


@pytest.mark.parametrize("file", ["config.json", "model.safetensors", "tokenizer.json"])
@pytest.mark.parametrize("harm", ["missing", "empty", "cut off", "garbage"])
def test_a_damaged_directory_is_refused(folder, refused, file, harm):
    path = folder / file
    data = path.read_bytes()
    (folder / "vocab.txt").unlink(missing_ok=True)
    path.unlink()
    if harm != "missing":
        path.write_bytes({"empty": b"", "cut off": data[: len(data) // 2]}.get(harm, b"\xff{[" * 9))
    refused(folder)


def test_a_directory_without_image_processor_is_refused(folder, refused):
    for name in ("preprocessor_config.json", "processor_config.json"):
        (folder / name).unlink(missing_ok=True)
    refused(folder)


def test_missing_weights_are_not_replaced_by_random_ones(folder, refused):
    path = folder / "model.safetensors"
    weights = load_file(path)
    gone = sorted(name for name in weights if "attention" in name)[0]
    del weights[gone]
    save_file(weights, path, {"format": "pt"})
    assert gone in refused(folder)


@pytest.mark.parametrize("config", [{"model_type": "gpt2"}, {}, []], ids=str)
def test_a_model_of_another_kind_is_refused(folder, refused, config):
    (folder / "config.json").write_text(json.dumps(config))
    refused(folder)


def test_pickled_weights_may_hold_tensors_and_nothing_else(folder, refused, photos, tmp_path):
    """Older models of the hub have a pytorch_model.bin."""
    weights, trap = load_file(folder / "model.safetensors"), tmp_path / "sprung"
    expected = load_captioner(str(folder), device="cpu").suggest(photos[0])
    (folder / "model.safetensors").unlink()
    torch.save(weights, folder / "pytorch_model.bin")
    assert load_captioner(str(folder), device="cpu").suggest(photos[0]) == expected
    torch.save(weights | {"x": Trap(trap)}, folder / "pytorch_model.bin")
    refused(folder)
    assert not trap.exists()
