"""Each backbone has its repository, and an id that does not exist gets a suggestion."""

import pytest

from clipdemo.errors import BackboneError
from clipdemo.hub.locate import locate
from clipdemo.hub.repositories import repository, weights


@pytest.mark.parametrize(
    ("backbone", "place"),
    [("tiny", None), ("local-dir:/a", None), ("hf-hub:org/repo", "org/repo"),
     ("ViT-L-14-quickgelu/openai", "timm/vit_large_patch14_clip_224.openai"),
     ("ViT-B-16-quickgelu/openai", "timm/vit_base_patch16_clip_224.openai"),
     ("ViTamin-S/datacomp1b", "jienengchen/ViTamin-S")],
)  # fmt: skip
def test_a_backbone_has_its_repository(backbone, place):
    assert repository(backbone) == place


def test_safetensors_are_preferred_also_where_open_clip_names_a_pickled_file():
    names = weights("ViTamin-S/datacomp1b").names
    assert names == ("pytorch_model.safetensors", "pytorch_model.bin")


@pytest.mark.parametrize(
    ("backbone", "near"),
    [("ViT-B-32-quickgelu/openia", "ViT-B-32-quickgelu/openai"),
     ("vit-l-14-quickgelu/OpenAI", "ViT-L-14-quickgelu/openai"),
     ("ViT-B-32/openai", "ViT-B-32-quickgelu/openai"), ("ViT-L-14", "ViT-L-14"),
     ("?", "name/pretrained"), ("", "name/pretrained"), ("hf-hub:", "hf-hub:org/repo"),
     ("hf-hub:a/b/c", "hf-hub:org/repo"), ("hf-hub:../x", "hf-hub:org/repo")],
)  # fmt: skip
def test_an_id_that_does_not_exist_gets_a_suggestion(backbone, near, is_sentence):
    with pytest.raises(BackboneError) as caught:
        locate(backbone)
    assert is_sentence(caught.value)
    assert near in str(caught.value)
