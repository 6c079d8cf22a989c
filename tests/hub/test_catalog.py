"""The offered backbones: the list says what open_clip builds, and `auto` downloads nothing."""

import open_clip
import pytest
import torch
from huggingface_hub import constants
from support.hub_server import COMMIT
from support.paths import ROOT

from clipdemo.hub import catalog
from clipdemo.hub import repositories as sources
from clipdemo.hub.catalog import CHECKPOINTS
from clipdemo.model import checkpoints

IDS = [offer.id for offer in catalog.OFFERS]
HUB_IDS = IDS[1:]


def built(backbone: str) -> torch.nn.Module:
    """The model of a backbone, without numbers in it."""
    bundled = f"local-dir:{CHECKPOINTS / 'tiny'}"
    name = bundled if backbone == "tiny" else backbone.partition("/")[0]
    with torch.device("meta"):
        return open_clip.create_model(name, device="meta", load_weights=False)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Puts a file, by default a whole one, where the cache has a backbone's weights."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))

    def put(backbone: str, content: bytes = (2).to_bytes(8, "little") + b"{}") -> None:
        folder = tmp_path / f"models--{sources.repository(backbone).replace('/', '--')}"
        (folder / "refs").mkdir(parents=True)
        (folder / "refs" / "main").write_text(COMMIT)
        (folder / "snapshots" / COMMIT).mkdir(parents=True)
        (folder / "snapshots" / COMMIT / sources.WEIGHTS[0]).write_bytes(content)

    return put


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
    assert sources._table_entry(backbone) == entry, "and model and weights fit each other"


def test_tiny_is_offered_first_and_no_id_twice():
    assert IDS[0] == "tiny"
    assert len(set(IDS)) == len(IDS)
    assert catalog.offer("nonsense") is None


@pytest.mark.parametrize("cuda", [False, True])
def test_auto_is_the_bundled_one_when_nothing_is_cached(cache, cuda):
    assert catalog.best(cuda) == "tiny"


@pytest.mark.parametrize("backbone", HUB_IDS)
def test_auto_takes_what_is_cached_and_large_ones_only_with_a_gpu(cache, backbone):
    cache(backbone)
    assert catalog.best(cuda=True) == backbone
    assert catalog.best(cuda=False) == ("tiny" if "ViT-L" in backbone else backbone)


def test_auto_takes_the_best_of_several(cache):
    cache("RN50-quickgelu/openai")
    cache("ViT-B-32-quickgelu/openai")
    cache("ViT-L-14-quickgelu/openai")
    assert catalog.best(cuda=False) == "ViT-B-32-quickgelu/openai"
    assert catalog.best(cuda=True) == "ViT-L-14-quickgelu/openai"


def test_auto_passes_over_weights_that_are_cut_off(cache):
    cache("ViT-B-32-quickgelu/openai", (9).to_bytes(8, "little") + b"{}")
    cache("RN50-quickgelu/openai", b"")
    assert catalog.best(cuda=True) == "tiny"


def test_the_readme_says_what_each_backbone_is():
    """Width, size of the weights in float32, and which kind of head it has."""
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    for offer in catalog.OFFERS:
        row = next(line for line in lines if line.startswith(f"| `{offer.id}` "))
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert cells[1] == str(offer.width)
        assert cells[3] == ("trained" if checkpoints.has_card(offer.id) else "zero-shot")
        if offer.repository:
            assert cells[2] == f"{4 * offer.parameters / 1e6:,.0f} MB"
