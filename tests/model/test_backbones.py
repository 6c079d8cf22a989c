"""Backbones: a complete open_clip folder gives its own embeddings, an incomplete one a sentence."""

import json
import pickle
import shutil

import numpy as np
import open_clip
import pytest
import torch
from support.trap import Trap

from clipdemo.errors import BackboneError
from clipdemo.model.backbones import Backbone

CAPTIONS = ["a dog on a bench", "two red buses", "a man, a woman and their cat by the sea"]


@pytest.fixture(params=["vit", "resnet"])
def folder(request):
    """A complete CLIP folder of each kind; not to be changed."""
    return request.getfixturevalue(f"{request.param}_folder")


@pytest.fixture
def copy(vit_folder, tmp_path):
    """A CLIP folder that a test may break."""
    return shutil.copytree(vit_folder, tmp_path / "copy")


@pytest.fixture
def refused(is_sentence):
    def load(backbone: str) -> str:
        with pytest.raises(BackboneError) as caught:
            Backbone(backbone, "cpu")
        assert is_sentence(caught.value), caught.value
        return str(caught.value)

    return load


@torch.inference_mode()
def test_embeddings_are_open_clips_own(folder, photos):
    name = f"local-dir:{folder}"
    model, _, preprocess = open_clip.create_model_and_transforms(name)
    model.eval()
    images = model.encode_image(torch.stack([preprocess(p) for p in photos]), normalize=True)
    texts = model.encode_text(open_clip.get_tokenizer(name)(CAPTIONS), normalize=True)
    backbone = Backbone(name, "cpu")
    rows = backbone.encode_photos(photos)
    assert rows.dtype == np.float32
    assert rows.shape == (len(photos), backbone.width)
    np.testing.assert_allclose(rows, images, atol=1e-5)
    np.testing.assert_allclose(backbone.encode_captions(CAPTIONS), texts, atol=1e-5)
    assert np.abs(images[0] - images[1]).max() > 1e-4, "the photos must differ"


def test_the_input_size_is_the_models(vit_folder, resnet_folder):
    assert Backbone(f"local-dir:{vit_folder}", "cpu").image_size == 32
    assert Backbone(f"local-dir:{resnet_folder}", "cpu").image_size == 64


COUNTED = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
LAST = "eleven twelve thirteen fourteen"


@pytest.mark.parametrize(
    ("caption", "last"),
    [("", None), ("a dog", None), (COUNTED, None), (f"{COUNTED} fifteen", LAST)],
)
def test_the_last_words_that_are_read_of_a_caption_are_named(vit_folder, caption, last):
    """It reads 16 tokens, start and end included."""
    assert Backbone(f"local-dir:{vit_folder}", "cpu").readable(caption) == last


@pytest.mark.parametrize("separator", [",", "/"])
def test_a_long_caption_without_spaces_is_reported_as_cut(vit_folder, separator):
    """Lists, and scripts without spaces between words."""
    backbone = Backbone(f"local-dir:{vit_folder}", "cpu")
    assert backbone.readable(separator.join(["dog", "cat", "bus"] * 20)) is not None


def test_a_missing_folder_is_refused(refused, tmp_path):
    assert str(tmp_path / "nowhere") in refused(f"local-dir:{tmp_path / 'nowhere'}")
    refused("local-dir:")


def test_a_folder_without_config_is_refused(refused, copy):
    (copy / "open_clip_config.json").unlink()
    assert "open_clip_config.json" in refused(f"local-dir:{copy}")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"model_cfg": {}}', '{"model_cfg": 3}'])
def test_a_broken_config_is_refused(refused, copy, text):
    (copy / "open_clip_config.json").write_text(text)
    assert str(copy) in refused(f"local-dir:{copy}")


@pytest.mark.parametrize("share", [None, 0, 0.5, 0.999])
def test_missing_or_truncated_weights_are_refused(refused, copy, share):
    """And not replaced by random ones."""
    path = copy / "open_clip_model.safetensors"
    data = path.read_bytes()
    path.unlink()
    if share is not None:
        path.write_bytes(data[: int(len(data) * share)])
    refused(f"local-dir:{copy}")


def test_weights_of_another_shape_are_refused(refused, copy):
    config = json.loads((copy / "open_clip_config.json").read_text())
    config["model_cfg"]["embed_dim"] = 48
    (copy / "open_clip_config.json").write_text(json.dumps(config))
    refused(f"local-dir:{copy}")


@pytest.mark.parametrize("save", [torch.save, lambda x, p: p.write_bytes(pickle.dumps(x))])
def test_pickled_code_is_never_run(refused, copy, tmp_path, save):
    (copy / "open_clip_model.safetensors").unlink()
    save({"logit_scale": Trap(tmp_path / "sprung")}, copy / "open_clip_pytorch_model.bin")
    refused(f"local-dir:{copy}")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("backbone", ["ViT-B-32", "ViT-B-32/"])
def test_an_id_without_weights_is_refused(refused, backbone):
    """Otherwise it would give a model with random weights."""
    assert "name/pretrained" in refused(backbone)


@pytest.mark.parametrize("backbone", ["ViT-B-32/nonsense", "nonsense/openai"])
def test_an_unknown_id_is_refused_in_one_short_sentence(refused, backbone):
    assert backbone in refused(backbone)


def test_an_unknown_device_is_refused(vit_folder, is_sentence):
    with pytest.raises(BackboneError) as caught:
        Backbone(f"local-dir:{vit_folder}", "toaster")
    assert is_sentence(caught.value)


PLAIN = """
import sys
import numpy as np, open_clip, torch
from PIL import Image
model, _, preprocess = open_clip.create_model_and_transforms("local-dir:checkpoints/tiny")
tokenizer = open_clip.get_tokenizer("local-dir:checkpoints/tiny")
model.eval()
with torch.inference_mode():
    image = model.encode_image(preprocess(Image.open(sys.argv[1]))[None], normalize=True)
    text = model.encode_text(tokenizer(["a dog on a bench"]), normalize=True)
assert not any(name.startswith("clipdemo") for name in sys.modules)
np.save(sys.argv[2], torch.cat([image, text]).numpy())
"""


def test_the_bundled_backbone_is_a_plain_open_clip_folder(tmp_path, photos, tiny, run_python):
    """Anybody can use it without this package, and gets the same embeddings."""
    photos[0].save(tmp_path / "photo.png")
    done = run_python("-c", PLAIN, tmp_path / "photo.png", tmp_path / "rows.npy")
    assert done.returncode == 0, done.stderr
    ours = [tiny.backbone.encode_photos(photos[:1]),
            tiny.backbone.encode_captions(["a dog on a bench"])]  # fmt: skip
    np.testing.assert_allclose(np.load(tmp_path / "rows.npy"), np.concatenate(ours), atol=1e-5)


@pytest.mark.parametrize(
    ("size", "part"), [((300, 100), "33 % of this photo's width"), ((100, 250), "40 % of this")]
)
def test_a_crop_of_a_long_photo_is_reported(copy, size, part, is_sentence):
    config = copy / "open_clip_config.json"
    config.write_text(config.read_text().replace("squash", "shortest"))
    backbone = Backbone(f"local-dir:{copy}", "cpu")
    said = backbone.overlooked(size)
    assert part in said
    assert is_sentence(said)
    assert backbone.overlooked((200, 100)) is None


def test_squashing_of_a_long_photo_is_reported(tiny, is_sentence):
    said = tiny.backbone.overlooked((100, 250))
    assert "2.5 times as high as it is wide" in said
    assert is_sentence(said)


def test_a_batch_that_is_too_large_for_the_memory_is_split(vit_folder, monkeypatch):
    backbone = Backbone(f"local-dir:{vit_folder}", "cpu")
    tokens = backbone.tokenizer(["a dog", "two cats", "a red bus", "a boat", "a bench"])
    expected, encode = backbone.encode_tokens(tokens), backbone.model.encode_text

    def limited(rows: torch.Tensor) -> torch.Tensor:
        if len(rows) > 2:
            raise torch.OutOfMemoryError
        return encode(rows)

    monkeypatch.setattr(backbone.model, "encode_text", limited)
    np.testing.assert_allclose(backbone.encode_tokens(tokens), expected, atol=1e-6)
