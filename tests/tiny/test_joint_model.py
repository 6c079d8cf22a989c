"""The joint module: its shortcuts compute what open_clip's own model computes."""

import numpy as np
import open_clip
import pytest
import torch

from clipdemo.inputs.captions import clean_caption
from clipdemo.tiny import joint_model as joint

CAPTIONS = [
    "a dog on a bench", "two red buses in a street", "dog", "a cat " * 40,
    "A man rides a horse, and a woman watches.", "",
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The files of a model like the bundled one, smaller and without weights."""
    path = tmp_path_factory.mktemp("model")
    tokenizer = joint.train_tokenizer([c for c in CAPTIONS if c] * 3, 200)
    joint.write_model_files(path, tokenizer, width=8, layers=(1, 1, 1, 1), image_size=64)
    return path


@pytest.fixture(scope="module")
def module(folder):
    torch.manual_seed(0)
    return joint.Joint(joint.new_model(folder), 18).eval()


@pytest.fixture(scope="module")
def tokens(folder):
    return open_clip.get_tokenizer(f"local-dir:{folder}")(CAPTIONS)


def test_the_tokenizer_marks_start_and_end_and_pads(folder, tokens):
    assert tokens.shape == (len(CAPTIONS), joint.CONTEXT)
    assert (tokens[:, 0] == 2).all()
    assert ((tokens == 3).sum(1) == 1).all(), "one end each, also where the caption is cut"
    assert (tokens[-1, 2:] == 0).all()
    assert tokens[3, -1] == 3


def test_the_tokenizer_reads_upper_and_lower_case_alike(folder):
    tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")
    upper, lower = tokenizer(["A DOG", "a dog"])
    assert torch.equal(upper, lower)
    assert not (tokenizer([clean_caption("a dog on a bench")]) == 1).any(), "all words are known"


@torch.inference_mode()
@pytest.mark.parametrize("length", [None, 20])
def test_text_is_open_clips_own(module, tokens, length):
    """Also without the padding behind the captions."""
    rows = tokens if length is None else tokens[[0, 1, 2, 4, 5]]
    expected = module.model.encode_text(rows, normalize=True)
    ours = module.text(rows if length is None else rows[:, :length])
    torch.testing.assert_close(ours, expected, atol=1e-5, rtol=0)
    assert (ours[0] - ours[1]).abs().max() > 1e-3


def test_positions_at_another_size_are_between_their_neighbours():
    """A table that increases evenly from left to right still does, and its first row is kept."""
    embedding = torch.cat([torch.tensor([9.0]), torch.arange(4.0).repeat(4)])[:, None]
    assert torch.equal(joint.positions(embedding, 4), embedding)
    assert joint.positions(embedding, 2)[:, 0].tolist() == pytest.approx([9, 0.5, 2.5, 0.5, 2.5])


@torch.inference_mode()
@pytest.mark.parametrize("size", [64, 96])
def test_image_is_the_models_own_and_takes_other_sizes(module, size):
    images = torch.randn(3, 3, size, size)
    raw, (middle, last) = module.image(images)
    assert torch.isfinite(raw).all()
    assert middle.shape[2:] == (size // 16, size // 16)
    assert last.shape[2:] == (size // 32, size // 32)
    if size == 64:
        torch.testing.assert_close(raw, module.model.encode_image(images), atol=1e-5, rtol=1e-5)


def test_every_part_of_the_model_is_trained(folder, tokens):
    """A loss over photos and captions reaches every weight of the backbone."""
    torch.manual_seed(0)
    module = joint.Joint(joint.new_model(folder), 18)
    rng = np.random.default_rng(0)

    def chances(*shape):
        return torch.from_numpy(rng.uniform(size=shape).astype(np.float32))

    batch = {
        "images": torch.randn(4, 3, 64, 64),
        "targets": chances(4, 18),
        "grids": [chances(4, 18, 4, 4), chances(4, 18, 2, 2)],
        "features": chances(4, joint.FEATURES),
        "seen": torch.tensor([1.0, 1.0, 0.0, 1.0]),
        "tokens": tokens,
        "text_targets": chances(len(tokens), 18),
        "text_weight": torch.ones(len(tokens)),
        "pair": torch.tensor([0, 1, 3]),
    }
    names = ("dense", "features", "image", "text", "concat", "contrast")
    losses = module(batch, dict.fromkeys(names, 1.0))
    assert set(losses) == {*names, "total"}
    parts = sum(losses[name] for name in names)
    torch.testing.assert_close(losses["total"], parts)
    losses["total"].backward()
    for name, weight in module.named_parameters():
        assert weight.grad is not None, name
        assert torch.isfinite(weight.grad).all(), name
