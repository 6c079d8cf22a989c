"""Classifiers with random heads on small backbones."""

import pytest
from hub.conftest import put_cached, use_hub  # noqa: F401

import clipdemo
from clipdemo.inputs.labels import ALL_MODES


@pytest.fixture
def fresh(write_heads, vit_folder, tmp_path):
    """Loads a classifier that has encoded nothing yet."""

    def load(modes=ALL_MODES, folder=vit_folder) -> clipdemo.Classifier:
        write_heads(tmp_path / "heads", f"local-dir:{folder}", 32, modes)
        return clipdemo.load("auto", checkpoint=tmp_path / "heads", device="cpu")

    return load
