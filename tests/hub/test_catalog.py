"""The offered backbones: list and README agree with what open_clip builds."""

import open_clip
import pytest
import torch
from support.paths import ROOT

from clipdemo.hub import catalog, repositories
from clipdemo.model import checkpoints

IDS = [offer.id for offer in catalog.OFFERS]
HUB_IDS = IDS[1:]


def built(backbone: str) -> torch.nn.Module:
    """The model of a backbone, without weights."""
    bundled = f"local-dir:{catalog.CHECKPOINTS / 'tiny'}"
    name = bundled if backbone == "tiny" else backbone.partition("/")[0]
    with torch.device("meta"):
        return open_clip.create_model(name, device="meta", load_weights=False)


@pytest.mark.parametrize("offer", catalog.OFFERS, ids=IDS)
def test_width_and_parameters_are_those_of_the_model(offer):
    model = built(offer.id)
    assert offer.parameters == sum(p.numel() for p in model.parameters())
    tokens = torch.zeros(1, model.context_length, dtype=torch.long, device="meta")
    assert model.encode_text(tokens).shape[1] == offer.width


@pytest.mark.parametrize("backbone", HUB_IDS)
def test_the_repository_is_the_one_that_open_clip_reads(backbone):
    entry = open_clip.pretrained.get_pretrained_cfg(*backbone.split("/"))["hf_hub"]
    assert entry == f"{catalog.offer(backbone).repository}/"
    assert repositories._table_entry(backbone) == entry, "and model and weights fit together"


@pytest.mark.parametrize("backbone", HUB_IDS)
def test_the_tokenizer_is_clips_or_comes_from_the_same_repository(backbone):
    text = open_clip.get_model_config(backbone.partition("/")[0])["text_cfg"]
    offer = catalog.offer(backbone)
    needed = [text["hf_tokenizer_name"]] if "hf_tokenizer_name" in text else []
    assert needed == ([offer.repository] if offer.own_tokenizer else [])
    found = {source.repository for source in repositories.text_files(backbone, None)}
    assert found == set(needed)


def test_research_only_backbones_are_marked():
    for offer in catalog.OFFERS:
        assert offer.research_only == ("research" in offer.licence)


def test_every_offer_is_ranked():
    assert sorted(catalog.BEST_FIRST) == sorted(HUB_IDS)


def test_tiny_is_offered_first_and_no_id_twice():
    assert IDS[0] == "tiny"
    assert len(set(IDS)) == len(IDS)
    assert catalog.offer("nonsense") is None


def test_the_readme_says_what_each_backbone_is():
    """Width, size of the weights in float32, time, kind of its heads, and licence."""
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    for offer in catalog.OFFERS:
        row = next(line for line in lines if line.startswith(f"| `{offer.id}` "))
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert cells[1] == str(offer.width)
        assert cells[3] == f"{offer.photo_ms:,} ms"
        assert cells[4] == ("trained" if checkpoints.has_card(offer.id) else "zero-shot")
        assert cells[5].startswith(offer.licence)
        if offer.repository:
            assert cells[2] == f"{4 * offer.parameters / 1e6:,.0f} MB"
