"""Training the bundled captioner, from a data folder to one that suggests captions."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from support.data_folder import PHOTOS, write_data_folder
from support.small_tiny import write_small_tiny
from tokenizers import Tokenizer

import clipdemo
from clipdemo.inputs.labels import COCO18
from clipdemo.model import checkpoints
from clipdemo.model.backbones import Backbone
from clipdemo.model.captioners.choice import load_captioner
from clipdemo.model.captioners.decoder import Decoder, Shape
from clipdemo.scenes import random_scene
from clipdemo.tiny.caption_data import CaptionRecipe, like_images, load_sources
from clipdemo.tiny.measure import validation_photos
from clipdemo.tiny.measure_captions import NEUTRAL
from clipdemo.tiny.photo_pack import load_pack
from clipdemo.tiny.train_captioner import start_as, train_captioner, train_decoder

RECIPE = CaptionRecipe(steps=6, batch=8, drawn=3)
LONG = CaptionRecipe(length=40, drawn=3)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return write_data_folder(tmp_path_factory.mktemp("data") / "data")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    """A backbone and its heads; not to be changed."""
    return write_small_tiny(tmp_path_factory.mktemp("small") / "tiny")


@pytest.fixture(scope="module")
def backbone(tiny) -> Backbone:
    return Backbone(f"local-dir:{tiny}", "cpu")


@pytest.fixture(scope="module")
def trained(data, tiny, tmp_path_factory) -> tuple[Path, Path]:
    """Work and output folder of a whole run."""
    place = tmp_path_factory.mktemp("whole")
    out = Path(shutil.copytree(tiny, place / "tiny"))
    train_captioner(data, place / "work", out, RECIPE, every=0.0)
    return place / "work", out


def test_the_whole_run_ends_in_a_captioner_that_suggests(trained):
    work, out = trained
    captioner = load_captioner(str(out), device="cpu")
    assert len(captioner.suggest(random_scene(5).image)) == 3
    log = [json.loads(line) for line in (work / "log.jsonl").open()]
    assert [entry["step"] for entry in log] == [1, 2, 3, 4, 5, 6]
    assert captioner.card["training"]["recipe"]["steps"] == 6
    # The heads' card lists the captioner too, or the classifier would refuse the folder.
    heads = checkpoints.read_card(out)
    checkpoints.verify(heads)
    assert {"captioner.json", "captioner.safetensors"} < set(heads.content["files"])


def test_it_is_measured_against_the_human_and_a_fixed_caption(trained, data):
    """The figures in the card are the classifier's own on those captions."""
    classifier = clipdemo.load(checkpoint=trained[1], device="cpu")
    metrics = load_captioner(str(trained[1]), classifier).card["metrics"]
    frame, _ = validation_photos(data)
    assert metrics["photos"] == len(frame) == 12
    truth = [set(names_of(row)) for row in frame["Labels"]]
    found = [set(classifier.predict(None, c).labels("text")) for c in frame["Caption"]]
    hits = sum(len(t & f) for t, f in zip(truth, found, strict=True))
    expected = hits / sum(map(len, truth))
    assert metrics["human"]["recall"] == pytest.approx(expected, abs=1e-3)
    fixed = metrics["fixed"]
    assert set(metrics["fixed_tried"]) == set(NEUTRAL)
    assert fixed["samples_f1"] == max(m["samples_f1"] for m in metrics["fixed_tried"].values())


def names_of(ids: tuple[str, ...]) -> list[str]:
    return [COCO18.names[COCO18.ids.index(i)] for i in ids]


def test_it_can_be_measured_again(trained, data, tmp_path, clipdemo_cli):
    out = Path(shutil.copytree(trained[1], tmp_path / "tiny"))
    code, said, error = clipdemo_cli(
        "measure-captions", "--data", data, "--checkpoint", out, "--json"
    )
    assert code == 0, error
    before = load_captioner(str(trained[1]), device="cpu").card["metrics"]
    assert json.loads(said) == before
    checkpoints.verify(checkpoints.read_card(out))


@pytest.fixture(scope="module")
def sources(data, tiny, backbone, tmp_path_factory):
    return load_sources(data, tmp_path_factory.mktemp("work"), backbone, tiny, LONG)


def test_validation_photos_and_their_captions_are_not_learned(sources, data, tiny, tmp_path):
    pack = load_pack(data, tmp_path)
    held = {c for r in pack.validation.nonzero()[0] for c in pack.captions[r]}
    kept = {c for r in (~pack.validation).nonzero()[0] for c in pack.captions[r]}
    tokenizer = Tokenizer.from_file(str(tiny / "tokenizer.json"))
    forbidden = {tuple(tokenizer.encode(c).ids[1:]) for c in held - kept}
    learned = {tuple(c) for c, s in zip(sources.tokens, sources.sets, strict=True) if s != "drawn"}
    assert forbidden
    assert not forbidden & learned
    assert sources.image.shape[1] == PHOTOS - len(sources.check_image) + 3 + 100
    assert len(sources.check_image) == len(sources.check_tokens) == pack.validation.sum()


def test_embeddings_are_cached_per_backbone(data, tiny, backbone, tmp_path, calls):
    first = load_sources(data, tmp_path, backbone, tiny, LONG)
    seen = calls(backbone.model.visual)
    again = load_sources(data, tmp_path, backbone, tiny, LONG)
    assert not seen
    assert np.array_equal(first.image, again.image)
    other = write_small_tiny(tmp_path / "other", seed=1)
    fresh = load_sources(data, tmp_path, Backbone(f"local-dir:{other}", "cpu"), other, LONG)
    assert not np.allclose(first.image, fresh.image)


def test_a_whole_photo_is_embedded_as_in_serving(sources, data, backbone, tmp_path):
    """The decoder must get the same inputs in use as in training."""
    pack = load_pack(data, tmp_path)
    row = np.flatnonzero(~pack.validation)[0]
    served = backbone.encode_photos([Image.fromarray(pack.photos[row])])[0]
    assert served @ sources.image[0, 0] > 0.99


def test_captions_alone_are_mapped_to_where_their_photos_would_be():
    """Photos that depend on captions linearly: expected embeddings are right, so is the noise."""
    rng = np.random.default_rng(0)
    text = rng.normal(size=(4000, 5))
    weights, spread = rng.normal(size=(5, 5)), np.diag([0.1, 0.5, 1.0, 0.2, 0.3])
    image = text @ weights + 2 + rng.normal(size=text.shape) @ spread
    alone = rng.normal(size=(10, 5))
    found, factor = like_images(text, image, alone)
    assert np.allclose(found, alone @ weights + 2, atol=0.15)
    assert np.allclose(factor @ factor.T, spread**2, atol=0.08)


def test_it_starts_as_a_copy_of_the_text_tower(backbone):
    """With the same tokens and positions, both compute the same."""
    tower = backbone.model.text
    decoder = Decoder(Shape(tower.vocab_size, width=192, heads=3, prefix=1, length=30)).eval()
    start_as(decoder, tower)
    tokens = torch.randint(4, tower.vocab_size, (2, 30))
    with torch.inference_mode():
        x = decoder.token(tokens) + decoder.position[1:]
        for block in decoder.blocks:
            x, _ = block(x)
        whole = torch.nn.functional.pad(tokens, (0, tower.context_length - 30))
        whole[:, 30] = tower.eos_id
        y = tower.token_embedding(whole) + tower.positional_embedding
        y = tower.transformer(y, attn_mask=tower.attn_mask)[:, :30]
    assert torch.allclose(x, y, atol=1e-3)


def test_it_learns_the_caption_of_each_embedding(sources, backbone, tiny, tmp_path):
    """Two kinds of photo, two captions: after a while it gives each the right one."""
    tokenizer = Tokenizer.from_file(str(tiny / "tokenizer.json"))
    said = [tokenizer.encode(c).ids[1:] for c in ("a dog on a bench", "a red bus in the street")]
    rng = np.random.default_rng(0)
    kinds = rng.normal(size=(2, 256)).astype(np.float32)
    kinds /= np.linalg.norm(kinds, axis=1, keepdims=True)
    pairs = {"tokens": said, "sets": np.array(["comp5329"] * 2), "row": np.arange(2)}
    sources = replace(sources, image=np.stack([kinds, kinds]), **pairs)
    recipe = CaptionRecipe(length=40, steps=60, batch=16, shares=(("comp5329", 1.0),), average=20)
    decoder = train_decoder(sources, backbone.model.text, recipe, tmp_path, "a test")
    for kind, caption in zip(kinds, said, strict=True):
        assert decoder.sample(torch.from_numpy(kind), 1, 1.0, 1e-9)[0] == caption[:-1]


def test_an_incomplete_data_folder_is_one_sentence(tiny, tmp_path, clipdemo_cli, is_sentence):
    code, _, error = clipdemo_cli(
        "train-captioner", "--data", tmp_path, "--work", tmp_path / "work", "--out", tiny
    )
    assert code == 2
    assert is_sentence(error)
    assert "manifest.csv" in error
