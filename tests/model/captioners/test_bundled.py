"""The bundled captioner: its captions and its errors."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from support.small_tiny import write_small_tiny

import clipdemo
from clipdemo.errors import CaptionerError
from clipdemo.model.captioners.bundled import diverse
from clipdemo.model.captioners.choice import load_captioner
from clipdemo.model.captioners.decoder import (
    END,
    PAD,
    START,
    UNKNOWN,
    Decoder,
    Shape,
    read_decoder,
    write_decoder,
)

DECODING = {"samples": 8, "temperature": 0.7, "share": 0.9, "similarity": 1.0, "unlike": 0.3}
SHAPE = Shape(vocabulary=300, embedding=256, width=32, heads=2, prefix=2, length=10)


def new_decoder(shape: Shape = SHAPE) -> Decoder:
    torch.manual_seed(5)
    decoder = Decoder(shape).eval()
    torch.nn.init.normal_(decoder.token.weight)  # not all tokens equally likely
    return decoder


@pytest.fixture(scope="module")
def complete(tmp_path_factory) -> Path:
    """Backbone, heads and captioner with random weights; not to be changed."""
    folder = write_small_tiny(tmp_path_factory.mktemp("bundled") / "tiny")
    write_decoder(folder, new_decoder(Shape(**vars(SHAPE) | {"vocabulary": words(folder)})),
                  {"decoding": DECODING})  # fmt: skip
    return folder


def words(folder: Path) -> int:
    config = json.loads((folder / "open_clip_config.json").read_text())
    return config["model_cfg"]["text_cfg"]["vocab_size"]


@pytest.fixture
def folder(complete, tmp_path) -> Path:
    """A copy that may be changed."""
    return Path(shutil.copytree(complete, tmp_path / "tiny"))


def test_a_photo_gets_three_different_captions(complete, suggests_three):
    suggests_three(load_captioner(str(complete), device="cpu"))


def test_the_same_photo_gets_the_same_captions(complete, photos, png):
    """Whatever was asked before, and without touching the global random state."""
    captioner = load_captioner(str(complete), device="cpu")
    before = torch.random.get_rng_state()
    captions = captioner.suggest(photos[0])
    captioner.suggest(photos[1])
    assert captioner.suggest(png(photos[0])) == captions
    assert torch.equal(torch.random.get_rng_state(), before)
    assert load_captioner(str(complete), device="cpu").suggest(photos[0]) == captions


def test_one_that_is_sure_of_its_caption_still_offers_three(folder, photos):
    card = json.loads((folder / "captioner.json").read_text())
    card["decoding"] |= {"temperature": 0.01}
    (folder / "captioner.json").write_text(json.dumps(card))
    assert len(load_captioner(str(folder), device="cpu").suggest(photos[0])) == 3


def test_it_shares_the_backbone_of_a_classifier(complete, photos, calls):
    classifier = clipdemo.load(checkpoint=complete, device="cpu")
    seen = calls(classifier.backbone.model.visual)
    captioner = load_captioner("bundled", classifier)
    assert captioner.backbone is classifier.backbone
    assert captioner.suggest(photos[0]) == load_captioner(str(complete)).suggest(photos[0])
    assert len(seen) == 1


def test_a_decoder_of_other_weights_is_refused(folder, refused):
    (folder / "captioner.safetensors").write_bytes(b"other")
    assert "captioner.safetensors is not the file its card describes" in refused(folder)


def test_a_decoder_for_another_backbone_is_refused(folder, refused, tmp_path):
    """As after the backbone was trained again."""
    other = write_small_tiny(tmp_path / "other", seed=1)
    shutil.copy(other / "open_clip_model.safetensors", folder)
    assert "trained for other weights of the backbone" in refused(folder)


@pytest.mark.parametrize(
    "file", ["captioner.json", "captioner.safetensors", "open_clip_model.safetensors"]
)
def test_a_missing_file_is_refused_by_name(folder, is_sentence, file):
    (folder / file).unlink()
    with pytest.raises(CaptionerError, match=f"{file} is missing.*train-captioner") as caught:
        read_decoder(folder)
    assert is_sentence(caught.value)


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b"\xff"])
def test_a_damaged_card_is_refused(folder, refused, text):
    (folder / "captioner.json").write_bytes(text)
    refused(folder)


@pytest.mark.parametrize("change", [{"width": 64}, {"vocabulary": "x"}, {"size": 3}], ids=str)
def test_a_card_of_another_architecture_is_refused(folder, refused, change):
    card = json.loads((folder / "captioner.json").read_text())
    card["architecture"] |= change
    (folder / "captioner.json").write_text(json.dumps(card))
    refused(folder)


@torch.inference_mode()
def test_decoding_step_by_step_computes_the_same_as_in_training():
    """`step` with its caches gives the same logits as the whole caption at once."""
    decoder = new_decoder()
    embeddings = torch.nn.functional.normalize(torch.randn(3, 256), dim=-1)
    tokens = torch.randint(4, 300, (3, 6))
    whole = decoder.logits(decoder(embeddings, tokens))
    logits, caches = decoder.step(decoder.start(embeddings))
    for place in range(6):
        assert torch.allclose(logits[:, 4:], whole[:, place, 4:], atol=1e-4)
        logits, caches = decoder.step(decoder.token(tokens[:, place])[:, None], caches)


def test_a_caption_holds_no_special_token_and_ends_in_time():
    captions = new_decoder().sample(torch.zeros(256), 50, temperature=3.0, share=1.0)
    assert len(captions) == 50
    assert max(map(len, captions)) <= SHAPE.length
    assert not {PAD, UNKNOWN, START, END} & {i for caption in captions for i in caption}


def test_a_caption_does_not_repeat_what_may_occur_only_once():
    decoder, embedding = new_decoder(), torch.full((256,), 1 / 16)
    often = decoder.sample(embedding, 20, 1.0, 0.9)
    assert any(len(set(c)) < len(c) for c in often)
    once = torch.arange(300) >= 100
    for caption in decoder.sample(embedding, 20, 1.0, 0.9, once):
        rare = [i for i in caption if i >= 100]
        assert len(set(rare)) == len(rare)


@pytest.mark.parametrize(("chance", "kept"), [(0.15, "ended"), (0.02, "all")])
def test_captions_without_an_end_are_left_out_where_most_have_one(chance, kept):
    """Cut off at the length limit they would stop in the middle of a sentence."""
    decoder = new_decoder()
    others = SHAPE.vocabulary - 4
    with torch.no_grad():  # at every place the end has this chance, all other tokens the same
        decoder.norm.weight.zero_()
        decoder.norm.bias.copy_(torch.eye(32)[0])
        decoder.token.weight.zero_()
        decoder.token.weight[END, 0] = np.log(others * chance / (1 - chance))
    captions = decoder.sample(torch.zeros(256), 200, 1.0, 1.0)
    if kept == "all":
        assert len(captions) == 200
    else:
        assert 100 < len(captions) < 200
        assert max(map(len, captions)) < SHAPE.length


def test_weights_come_back_as_they_were_written(folder):
    decoder = new_decoder()
    write_decoder(folder, decoder, {"decoding": DECODING})
    card, again = read_decoder(folder)
    assert card["parameters"] == sum(p.numel() for p in decoder.parameters())
    for name, value in decoder.state_dict().items():
        assert torch.allclose(again.state_dict()[name], value, atol=1e-2), name
    assert {p.suffix for p in folder.iterdir()} == {".json", ".safetensors"}


def test_the_best_comes_first_and_the_others_differ():
    texts = np.array([[1, 0, 0], [0.99, 0.14, 0], [0, 1, 0], [0, 0, 1]])
    scores = np.array([1.0, 0.95, 0.8, 0.5])
    assert diverse(scores, texts, 3, 0.0) == [0, 1, 2]
    assert diverse(scores, texts, 3, 0.4) == [0, 2, 1]
    assert diverse(scores, texts, 9, 0.4) == [0, 2, 1, 3]


def test_a_backbone_without_its_own_captioner_gets_that_of_tiny(vit_folder, photos):
    """Captions are text: any backbone can read them."""
    classifier = clipdemo.load(f"local-dir:{vit_folder}", device="cpu")
    captioner = load_captioner("bundled", classifier)
    assert captioner.backbone.id == "tiny"
    assert len(captioner.suggest(photos[0])) == 3
