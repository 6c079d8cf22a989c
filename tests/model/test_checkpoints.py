"""Checkpoints: heads are read as they were written, and mismatches are refused in one sentence."""

import json
import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from support.trap import Trap

from clipdemo.errors import CheckpointError
from clipdemo.model.checkpoints import (
    find_card,
    load_heads,
    read_card,
    save_heads,
    sha256,
    slug,
    verify,
    write_card,
)
from clipdemo.model.heads import MLPHead

WIDTH = 16


@pytest.fixture
def card(tmp_path, write_heads):
    return write_heads(tmp_path / "heads", "some/backbone", WIDTH)


def load_checked(folder, backbone, width) -> dict:
    card = read_card(folder)
    verify(card)
    return load_heads(card, backbone, width)


@pytest.fixture
def refused(is_sentence):
    """Loads a folder of heads, which must fail, and gives the sentence."""

    def load(folder, backbone="some/backbone", width=WIDTH) -> str:
        with pytest.raises(CheckpointError) as caught:
            load_checked(folder, backbone, width)
        assert is_sentence(caught.value), caught.value
        return str(caught.value)

    return load


def edit(card, change) -> None:
    """Change the card's file without touching its hashes."""
    content = json.loads((card.folder / "card.json").read_text())
    change(content)
    (card.folder / "card.json").write_text(json.dumps(content))


@torch.inference_mode()
def test_heads_come_back_as_they_were_written(tmp_path):
    torch.manual_seed(0)
    head = MLPHead(WIDTH, (8, 4), 3).eval()
    entry = {"inputs": WIDTH, "hidden": [8, 4], "temperature": 1.5, "thresholds": [0.2, 0.5, 0.9]}
    content = {
        "backbone": "some/backbone", "width": WIDTH, "labels": ["a", "b", "c"],
        "label_ids": ["1", "2", "4"], "modes": {"image": entry}, "trained": "by a test",
    }  # fmt: skip
    save_heads(tmp_path / "new" / "folder", {"image": head}, content)

    card = find_card("any", tmp_path / "new" / "folder")
    assert card.backbone == "some/backbone"
    assert card.labels.names == ("a", "b", "c")
    assert card.labels.ids == ("1", "2", "4")
    assert card.modes["image"]["thresholds"] == [0.2, 0.5, 0.9]
    assert card.content["trained"] == "by a test"
    heads = load_heads(card, "some/backbone", WIDTH)
    assert list(heads) == ["image"]
    assert not heads["image"].training
    for name, value in head.state_dict().items():
        read = heads["image"].state_dict()[name]
        assert read.dtype == torch.float32
        assert torch.equal(read, value.half().float()), name
    x = torch.nn.functional.normalize(torch.randn(5, WIDTH), dim=1)
    np.testing.assert_allclose(heads["image"](x), head(x), atol=5e-3)


def test_a_card_has_the_hash_of_every_part_next_to_it(card):
    (card.folder / ".DS_Store").write_bytes(b"changes at any time")
    write_card(card.folder, card.content)
    (card.folder / ".DS_Store").unlink()
    names = {p.name for p in card.folder.iterdir()} - {"card.json"}
    assert set(card.content["files"]) == names
    assert names == {f"{mode}.safetensors" for mode in ("image", "text", "concat")}
    verify(card)


@pytest.mark.parametrize("harm", ["changed", "cut off", "missing"])
def test_a_damaged_file_is_refused_by_name(card, refused, harm):
    path = card.folder / "text.safetensors"
    data = bytearray(path.read_bytes())
    data[400] ^= 1
    path.unlink()
    if harm != "missing":
        path.write_bytes(data if harm == "changed" else data[:-20])
    assert "text.safetensors" in refused(card.folder)


def test_a_changed_or_missing_file_of_the_backbone_next_to_the_heads_is_refused(card, refused):
    extra = card.folder / "open_clip_model.safetensors"
    extra.write_bytes(b"weights")
    write_card(card.folder, card.content)
    load_checked(card.folder, "some/backbone", WIDTH)
    extra.write_bytes(b"weightS")
    assert extra.name in refused(card.folder)
    extra.unlink()
    assert extra.name in refused(card.folder)


def test_another_width_is_refused(card, refused):
    sentence = refused(card.folder, width=512)
    assert "16" in sentence
    assert "512" in sentence


def test_another_backbone_is_refused(card, refused):
    """Its embeddings may have the same width, but differ in meaning."""
    sentence = refused(card.folder, backbone="ViT-B-32-quickgelu/openai")
    assert "some/backbone" in sentence
    assert "ViT-B-32-quickgelu/openai" in sentence


@pytest.mark.parametrize("name", ["../x.safetensors", "sub/x.safetensors", "/x.safetensors", ""])
def test_a_file_outside_the_folder_is_refused(card, refused, name):
    """Even if such a file exists and its hash is right."""
    weights = (card.folder / "image.safetensors").read_bytes()
    (card.folder / "sub").mkdir()
    for folder in (card.folder.parent, card.folder / "sub"):
        (folder / "x.safetensors").write_bytes(weights)

    def change(content):
        content["modes"]["image"]["file"] = name
        content["files"][name] = content["files"]["image.safetensors"]

    edit(card, change)
    refused(card.folder)


def test_a_folder_without_a_card_is_refused(tmp_path, refused):
    assert "card.json" in refused(tmp_path)
    assert "nowhere" in refused(tmp_path / "nowhere")


@pytest.mark.parametrize("text", [b"", b"[]", b'"card"', b"\xff\xfe", b"{}", b'{"labels": ["a"]}'])
def test_an_invalid_card_is_refused(card, refused, text):
    (card.folder / "card.json").write_bytes(text)
    assert "card.json" in refused(card.folder)


KEYS = ("backbone", "labels", "label_ids", "width", "modes", "files")


@pytest.mark.parametrize("key", KEYS)
def test_a_card_that_lacks_a_part_is_refused(card, refused, key):
    edit(card, lambda content: content.pop(key))
    assert key in refused(card.folder)


@pytest.mark.parametrize("key", ["inputs", "hidden", "thresholds", "temperature", "file"])
def test_a_mode_that_lacks_a_part_is_refused(card, refused, key):
    edit(card, lambda content: content["modes"]["image"].pop(key))
    assert key in refused(card.folder)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("value", [None, ["text"]], ids=str)
def test_a_part_of_the_wrong_kind_is_refused(card, refused, key, value):
    edit(card, lambda content: content.update({key: value}))
    refused(card.folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("thresholds", [0.5]),
        ("thresholds", ["0.5"] * 4),
        ("temperature", 0),
        ("temperature", float("nan")),
        ("inputs", 2 * WIDTH),
        ("hidden", [7]),
        ("hidden", ["8"]),
        ("recall", {"0.90": [0.5] * 3}),
        ("recall", {"0.90": None}),
        ("file", 5),
        ("file", "concat.safetensors"),
    ],
)
def test_a_mode_that_makes_no_sense_is_refused(card, refused, key, value):
    edit(card, lambda content: content["modes"]["image"].update({key: value}))
    refused(card.folder)


@pytest.mark.parametrize("line", [[0.1] * 100, ["0.1"] * 101, None])
def test_a_fit_that_makes_no_sense_is_refused(card, refused, line):
    edit(card, lambda content: content.update(fit={"matching": line, "mismatched": line}))
    refused(card.folder)


def test_an_unknown_mode_is_refused(card, refused):
    edit(card, lambda content: content["modes"].update(smell=content["modes"].pop("image")))
    assert "smell" in refused(card.folder)


@pytest.mark.parametrize("mode", ["image", "concat"])
def test_a_head_for_another_width_is_refused_when_it_is_loaded(card, refused, mode):
    """Card and weights agree with each other, but not with the card's own width."""
    path = card.folder / f"{mode}.safetensors"
    save_file(MLPHead(24, (8,), 4).state_dict(), path)

    def change(content):
        content["modes"][mode]["inputs"] = 24
        content["files"][path.name] = sha256(path)

    edit(card, change)
    refused(card.folder)


@pytest.mark.parametrize("kind", ["pickle", "torch", "text"])
def test_weights_that_are_not_safetensors_are_refused_and_never_unpickled(
    card, refused, tmp_path, kind
):
    """Even if the card has their hash."""
    trap, path = tmp_path / "sprung", card.folder / "image.safetensors"
    if kind == "pickle":
        path.write_bytes(pickle.dumps(Trap(trap)))
    elif kind == "torch":
        torch.save({"layers.0.weight": Trap(trap)}, path)
    else:
        path.write_text("weights")
    write_card(card.folder, json.loads((card.folder / "card.json").read_text()))
    assert "image.safetensors" in refused(card.folder)
    assert not trap.exists()


def test_a_backbone_without_heads_is_refused_by_name(is_sentence):
    with pytest.raises(CheckpointError) as caught:
        find_card("ViT-B-32-quickgelu/nobody")
    assert is_sentence(caught.value)
    assert "ViT-B-32-quickgelu_nobody" in str(caught.value)


def test_a_slug_is_one_folder_name():
    for backbone in ("hf-hub:org/repo", "local-dir:/a/../b", "a\\b"):
        assert not set("/\\:") & set(slug(backbone))


def test_the_bundled_checkpoint_is_whole():
    """All its files are there, the backbone's too, and are those its card describes."""
    card = find_card("auto")
    assert card.backbone == "tiny"
    assert {"image", "text", "concat"} <= set(card.modes)
    verify(card)
    assert "open_clip_model.safetensors" in card.content["files"]


@pytest.mark.parametrize(
    "change",
    [
        {"labels": [1, 2, 3, 4]},
        {"summary": None},
        {"metrics": {"photos": {"n": 5, "modes": {"image": {}}}}},
        {"metrics": {"photos": {"n": 5, "modes": {"image": {"map": None}}}}},
    ],
)
def test_what_the_page_would_show_is_checked(card, refused, change):
    edit(card, lambda content: content.update(change))
    refused(card.folder)


def test_a_head_of_absurd_size_is_refused_before_it_takes_memory(card, refused):
    edit(card, lambda content: content["modes"]["image"].update(hidden=[20_000_000]))
    assert "hidden" in refused(card.folder)
