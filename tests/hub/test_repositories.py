"""Sources: each backbone has its repository, and an id that is none is told what is near."""

import pytest

from clipdemo.errors import BackboneError
from clipdemo.hub import fetch as hub
from clipdemo.hub import repositories as sources


@pytest.mark.parametrize(
    ("backbone", "place"),
    [("tiny", None), ("local-dir:/a", None), ("hf-hub:org/repo", "org/repo"),
     ("ViT-L-14-quickgelu/openai", "timm/vit_large_patch14_clip_224.openai"),
     ("ViT-B-16-quickgelu/openai", "timm/vit_base_patch16_clip_224.openai"),
     ("ViTamin-S/datacomp1b", "jienengchen/ViTamin-S")],
)  # fmt: skip
def test_a_backbone_has_its_repository(backbone, place):
    assert sources.repository(backbone) == place


def test_safetensors_are_preferred_under_every_name():
    assert sources.weights("hf-hub:org/repo").names == sources.WEIGHTS
    names = sources.weights("ViTamin-S/datacomp1b").names
    assert names == ("pytorch_model.safetensors", "pytorch_model.bin")


@pytest.mark.parametrize(
    ("backbone", "near"),
    [("ViT-B-32-quickgelu/openia", "ViT-B-32-quickgelu/openai"),
     ("vit-l-14-quickgelu/OpenAI", "ViT-L-14-quickgelu/openai"),
     ("ViT-B-32/openai", "ViT-B-32-quickgelu/openai"), ("ViT-L-14", "ViT-L-14"),
     ("?", "name/pretrained"), ("", "name/pretrained"), ("hf-hub:", "hf-hub:org/repo"),
     ("hf-hub:a/b/c", "hf-hub:org/repo"), ("hf-hub:../x", "hf-hub:org/repo")],
)  # fmt: skip
def test_an_id_that_is_none_is_told_what_is_near(backbone, near, is_sentence):
    for ask in (sources.repository, sources.cached, hub.look):
        with pytest.raises(BackboneError) as caught:
            ask(backbone)
        assert is_sentence(caught.value)
        assert near in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "whole"),
    [("a.safetensors", b"", False), ("a.safetensors", b"\x02" + bytes(7) + b"{}", True),
     ("a.safetensors", b"\x02" + bytes(7) + b"{}x", False), ("a.safetensors", bytes(100), False),
     ("a.safetensors", b"\xff" * 100, False), ("a.bin", b"", False), ("a.bin", b"PK\3\4", False),
     ("a.bin", b"\x80\2older", True)],
)  # fmt: skip
def test_a_file_is_whole_or_not(tmp_path, name, content, whole):
    (tmp_path / name).write_bytes(content)
    assert sources.complete(tmp_path / name) is whole
