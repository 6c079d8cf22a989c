"""The page's models: loaded in the background, with errors as sentences and limits for visitors."""

import pytest

from clipdemo.errors import BackboneError, ClipdemoError
from clipdemo.model.checkpoints import find_card
from clipdemo.page.settings import Settings
from clipdemo.page.shared.models import BackgroundModel, Models


def models(**settings) -> Models:
    return Models(Settings(**settings), find_card("tiny"))


@pytest.mark.parametrize(
    "wish", ["local-dir:/etc", "hf-hub:org/repo", "ViT-H-14/laion2b_s32b_b79k"]
)
def test_a_public_page_loads_nothing_but_what_is_listed(is_sentence, wish):
    """A visitor could otherwise look into folders, or fill the disk with downloads."""
    offered = "hf-hub:org/offered"
    page = models(offer=(offered,))
    with pytest.raises(BackboneError) as caught:
        page.check(wish, "visitor")
    assert is_sentence(caught.value)
    page.check(wish, "owner")
    for known in ("tiny", offered):
        page.check(known, "visitor")


def test_a_page_for_this_machine_takes_any_id(vit_folder):
    own = models(host="127.0.0.1")
    assert own[f"local-dir:{vit_folder}"].get().card.kind == "zero-shot"


def test_a_backbone_is_loaded_once_and_the_last_two_are_kept(vit_folder, resnet_folder, tmp_path):
    own = models()
    (tmp_path / "third").symlink_to(vit_folder)
    ids = [f"local-dir:{folder}" for folder in (vit_folder, resnet_folder, tmp_path / "third")]
    first, second = own[ids[0]], own[ids[1]]
    assert own[ids[0]] is first
    third = own[ids[2]]
    assert own[ids[0]] is first
    assert own[ids[2]] is third
    assert own[ids[1]] is not second, "it was used least recently"
    assert second.get().backbone.id == ids[1], "a request that holds it can still use it"


def test_one_that_failed_is_tried_again(tmp_path, vit_folder):
    own, wish = models(), f"local-dir:{tmp_path}/later"
    with pytest.raises(ClipdemoError, match="later"):
        own[wish].get()
    (tmp_path / "later").symlink_to(vit_folder)
    assert own[wish].get().backbone.width == 32


def test_an_unexpected_error_is_a_sentence_too(is_sentence):
    def load() -> None:
        raise KeyError("no such part")

    model = BackgroundModel("some/backbone", load).start()
    with pytest.raises(ClipdemoError) as caught:
        model.get()
    assert is_sentence(caught.value)
    assert model.status == "failed"


def test_starting_twice_loads_once():
    loads = []
    model = BackgroundModel("some/backbone", lambda: loads.append(1) or "loaded")
    for _ in range(3):
        assert model.start().get() == "loaded"
    assert loads == [1]


def test_the_pages_captioner_is_the_bundled_one_where_no_other_is_cached(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    own = models()
    own.first.start()
    assert own.captioner().name == "bundled"
