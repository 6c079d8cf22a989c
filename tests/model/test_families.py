"""Families of CLIP besides OpenAI's: each loads from a complete folder, encodes and scores."""

import json
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from safetensors.torch import save_file

import clipdemo
from clipdemo.inputs.labels import COCO18
from clipdemo.model.backbones import Backbone
from clipdemo.model.onnx_export import with_cleaning
from clipdemo.model.zero_shot import prompts
from clipdemo.scenes import random_scene
from clipdemo.tiny.joint_model import save_tokenizer, train_tokenizer

CAPTIONS = ["a dog on a bench", "two red buses", "A MAN, a woman & their cat!"]
TEXT = {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1}
TIMM = {"timm_model_pretrained": False, "timm_proj": None}
HALVES = {"mean": [0.5] * 3, "std": [0.5] * 3, "resize_mode": "squash"}
# As open_clip builds them, but with small towers.
FAMILIES = {
    "siglip2": (
        {
            "init_logit_scale": np.log(117.3),
            "init_logit_bias": -12.9,
            "vision_cfg": TIMM
            | {"timm_model_name": "test_vit", "timm_pool": "map", "image_size": 160},
            "text_cfg": TEXT
            | {
                "vocab_size": 1000,
                "hf_tokenizer_name": "own",
                "tokenizer_kwargs": {"clean": "canonicalize"},
                "no_causal_mask": True,
                "proj_bias": True,
                "pool_type": "last",
            },
        },
        HALVES | {"interpolation": "bicubic"},
    ),
    "mobileclip2": (
        {
            "vision_cfg": TIMM
            | {"timm_model_name": "fastvit_mci0", "timm_pool": "avg", "image_size": 64},
            "text_cfg": TEXT | {"no_causal_mask": True},
        },
        {"mean": [0.0] * 3, "std": [1.0] * 3, "interpolation": "bilinear"},
    ),
    "pe-core": (
        {
            "vision_cfg": TIMM
            | {
                "timm_model_name": "vit_pe_core_tiny_patch16_384",
                "timm_pool": "map",
                "image_size": 384,
            },
            "text_cfg": TEXT,
        },
        HALVES | {"interpolation": "bilinear"},
    ),
}


@pytest.fixture(scope="module", params=FAMILIES)
def folder(request, tmp_path_factory) -> Path:
    """A complete `local-dir:` folder of a family, with random weights."""
    model_cfg, preprocess_cfg = FAMILIES[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    config = {"embed_dim": 64, "custom_text": True} | model_cfg
    (folder / "open_clip_config.json").write_text(
        json.dumps({"model_cfg": config, "preprocess_cfg": preprocess_cfg})
    )
    if "hf_tokenizer_name" in config["text_cfg"]:
        captions = [random_scene(seed).caption for seed in range(50)]
        save_tokenizer(folder, train_tokenizer(captions, 1000), TEXT["context_length"])
    torch.manual_seed(5)
    model = open_clip.create_model(f"local-dir:{folder}", require_pretrained=False)
    weights = {name: value.contiguous() for name, value in model.state_dict().items()}
    save_file(weights, folder / "open_clip_model.safetensors")
    return folder


@pytest.fixture(scope="module")
def plain(folder):
    """open_clip's own model, preprocessing and tokenizer."""
    name = f"local-dir:{folder}"
    model, _, preprocess = open_clip.create_model_and_transforms(name)
    return model.eval(), preprocess, open_clip.get_tokenizer(name)


@pytest.fixture(scope="module")
def loaded(folder) -> clipdemo.Classifier:
    return clipdemo.load(f"local-dir:{folder}", device="cpu")


@torch.inference_mode()
def test_embeddings_are_open_clips_own(loaded, plain, photos):
    """Although branches that exist only for training are merged."""
    model, preprocess, tokenizer = plain
    images = model.encode_image(torch.stack([preprocess(p) for p in photos]), normalize=True)
    texts = model.encode_text(tokenizer(CAPTIONS), normalize=True)
    backbone = loaded.backbone
    np.testing.assert_allclose(backbone.encode_photos(photos), images, atol=1e-5)
    np.testing.assert_allclose(backbone.encode_captions(CAPTIONS), texts, atol=1e-5)
    assert images.shape == (len(photos), backbone.width)


@torch.inference_mode()
def test_a_photos_zero_shot_score_is_what_the_family_was_trained_to_give(loaded, plain, photos):
    """SigLIP: the sigmoid of scale and bias as they are (Zhai et al. 2023). The others: a softmax
    with some background, so that a constant added to all similarities changes nothing."""
    model, preprocess, tokenizer = plain
    found = loaded.predict(photos[0]).scores["image"]
    assert set(found) == set(COCO18.names)
    if model.logit_bias is None:
        assert loaded.backbone.logit_bias is None
        assert all(0 < score < 1 for score in found.values())
        return
    image = model.encode_image(preprocess(photos[0])[None], normalize=True)
    for name in ("dog", "airplane"):
        text = model.encode_text(tokenizer(prompts(name)), normalize=True).mean(0)
        cosine = (image @ torch.nn.functional.normalize(text, dim=0)).item()
        logit = 117.3 * cosine - 12.9
        assert found[name] == pytest.approx(1 / (1 + np.exp(-logit)), rel=1e-3)


def test_captions_of_any_kind_are_read_and_scored(loaded, photos):
    for caption in (*CAPTIONS, "", "😀", "ein Hund", "x" * 500, "dog " * 100):
        found = loaded.predict(photos[0], caption)
        assert set(found.scores) >= {"image"}
        assert all(np.isfinite(list(scores.values())).all() for scores in found.scores.values())
    words = " ".join(["dog"] * 40)
    assert loaded.backbone.readable("a dog") is None
    assert loaded.backbone.readable(words) is not None
    assert 0 < loaded.backbone.words_read(words) < 40


def test_half_precision_is_close(folder, loaded, photos):
    half = Backbone(f"local-dir:{folder}", "cpu", "bf16")
    assert half.logit_scale == pytest.approx(loaded.backbone.logit_scale, rel=0.02)
    agreement = (half.encode_photos(photos) * loaded.backbone.encode_photos(photos)).sum(1)
    assert agreement.min() > 0.99


@pytest.mark.parametrize("folder", ["siglip2"], indirect=True)
def test_an_exported_tokenizer_cleans_captions_as_open_clip_does(plain):
    """The other families have CLIP's own tokenizer, which is not exported."""
    tokenizer = plain[2]
    exported = with_cleaning(tokenizer)
    for caption in (*CAPTIONS, "  A  dog,\ta_BENCH (red)."):
        ids = exported.encode(caption).ids
        assert ids == tokenizer([caption])[0][: len(ids)].tolist()
