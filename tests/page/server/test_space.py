"""The README's front matter, which configures a Hugging Face Space, agrees with the rest."""

import re
import tomllib
from dataclasses import fields
from importlib.metadata import version

import pytest
from huggingface_hub import SpaceCard
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from PIL import Image
from support.paths import ROOT

from clipdemo.hub.catalog import OFFERS
from clipdemo.hub.repositories import weights
from clipdemo.page.settings import Settings

README = (ROOT / "README.md").read_text("utf-8")
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}


@pytest.fixture(scope="module")
def space() -> dict:
    """The front matter as Hugging Face's own client reads it."""
    return SpaceCard(README).data.to_dict()


@pytest.fixture(scope="module")
def requirements() -> dict[str, Requirement]:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    return {r.name: r for r in map(Requirement, filter(None, lines))}


def test_gradio_is_pinned_to_the_version_that_a_space_installs(space, requirements):
    assert space["sdk"] == "gradio"
    assert str(requirements["gradio"].specifier) == f"=={space['sdk_version']}"
    assert version("gradio") == space["sdk_version"]


def test_torch_may_be_any_that_zerogpu_has(requirements):
    for torch in ("2.8.0", "2.11.0"):
        assert torch in requirements["torch"].specifier


def test_its_values_are_right(space):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert space["python_version"] in SpecifierSet(project["requires-python"])
    assert "def main()" in (ROOT / space["app_file"]).read_text("utf-8")
    assert space["license"] == "mit"
    assert (ROOT / "LICENSE").read_text().startswith("MIT License")


def test_the_appearance_of_the_space_is_valid(space):
    assert space["title"] == "clipdemo"
    assert 0 < len(space["short_description"]) <= 60
    assert {space["colorFrom"], space["colorTo"]} <= COLOURS
    assert len(space["emoji"]) == 1
    with Image.open(ROOT / space["thumbnail"]) as image:
        assert image.size == (1200, 630), "that of a social card"


def test_nothing_is_preloaded_that_auto_would_not_use(space):
    """The line in the README names the file that the backbone is loaded from."""
    assert "preload_from_hub" not in space
    ((repository, name),) = re.findall(r"preload_from_hub: \[(\S+) (\S+)\]", README)
    found = [offer.id for offer in OFFERS if offer.repository == repository]
    assert name in weights(*found).names


def test_every_setting_is_in_the_readme_and_nothing_else():
    named = set(re.findall(r"CLIPDEMO_[A-Z_]+", README))
    assert named == {f"CLIPDEMO_{field.name.upper()}" for field in fields(Settings)}
    flags = set(re.findall(r"^\| `--([\w-]+)` \|", README, re.MULTILINE))
    assert flags == {field.name.replace("_", "-") for field in fields(Settings)}
