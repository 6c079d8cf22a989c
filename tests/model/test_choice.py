"""`auto` takes the backbone measured as the best on this machine, and says why."""

import json
import shutil

import pytest

from clipdemo.hub import catalog
from clipdemo.model import choice
from clipdemo.model.choice import choose, quality


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A checkpoints folder with the card of `tiny`; returns a function that adds another."""
    monkeypatch.setattr(choice, "CHECKPOINTS", tmp_path)
    shutil.copytree(catalog.CHECKPOINTS / "tiny", tmp_path / "tiny")

    def add(name: str, backbone: str, f1: float | None) -> None:
        content = json.loads((tmp_path / "tiny" / "card.json").read_text())
        content["backbone"] = backbone
        for figures in content["metrics"]["photos"]["modes"].values():
            figures["samples_f1"] = f1
        if f1 is None:
            content["metrics"] = {}
        (tmp_path / name).mkdir()
        (tmp_path / name / "card.json").write_text(json.dumps(content))

    return add


def test_of_trained_heads_the_best_measured_ones_are_taken(shelf, vit_folder, resnet_folder):
    assert choose(cuda=False).backbone == "tiny"
    shelf("a", f"local-dir:{vit_folder}", 0.5)
    assert choose(cuda=False).backbone == "tiny"
    shelf("b", f"local-dir:{resnet_folder}", 0.99)
    found = choose(cuda=False)
    assert found.backbone == f"local-dir:{resnet_folder}"
    assert "0.99" in found.reason


def test_heads_without_a_figure_or_a_backbone_are_not(shelf, vit_folder, tmp_path):
    shelf("a", f"local-dir:{vit_folder}", None)
    shelf("b", f"local-dir:{tmp_path}/gone", 0.99)
    shelf("c", "ViT-B-32-quickgelu/openai", 0.99)
    assert choose(cuda=True).backbone == "tiny"


def test_what_is_cached_without_trained_heads_is_named(use_hub, put_cached, is_sentence):
    assert "--backbone" not in choose(cuda=False).reason
    put_cached("ViT-B-32-quickgelu/openai")
    found = choose(cuda=False)
    assert found.backbone == "tiny"
    assert "ViT-B-32-quickgelu/openai is here" in found.reason
    assert is_sentence(found.reason)


def test_the_quality_is_that_of_the_best_mode():
    card = choice.read_card(catalog.CHECKPOINTS / "tiny")
    modes = card.content["metrics"]["photos"]["modes"]
    assert quality(card) == max(figures["samples_f1"] for figures in modes.values())
