"""The package: importing it is cheap, and `clipdemo.load` is all that users need."""

import pytest

import clipdemo
from clipdemo.errors import BackboneError

LIGHT = """
import importlib, pkgutil, sys
import clipdemo.inputs, clipdemo.scenes, clipdemo.tables
names = ["clipdemo", "clipdemo.model.thresholds", "clipdemo.inspection.metrics",
         "clipdemo.page.settings", "clipdemo.commands.app", "clipdemo.model.checkpoints",
         "clipdemo.hub.caches", "clipdemo.model.zero_gpu", "clipdemo.page.server.server"]
for room in (clipdemo.inputs, clipdemo.scenes, clipdemo.tables):
    names += [m.name for m in pkgutil.iter_modules(room.__path__, room.__name__ + ".")]
for name in names:
    importlib.import_module(name)
    if "torch" in sys.modules:
        sys.exit(f"{name} imports torch")
from clipdemo.model.checkpoints import find_card
print(len(names), find_card().backbone, "torch" in sys.modules)
"""


def test_nothing_but_loading_a_model_imports_torch(run_python):
    """So that the page is up before torch is loaded."""
    done = run_python("-c", LIGHT)
    assert done.returncode == 0, done.stderr
    count, backbone, torch = done.stdout.split()
    assert int(count) > 10
    assert (backbone, torch) == ("tiny", "False")


def test_auto_is_the_bundled_backbone_with_all_modes(tiny, photos):
    assert tiny.backbone.id == "tiny"
    assert tiny.modes == ["image", "text", "concat"]
    assert len(tiny.card.labels) == 18
    found = tiny.predict(photos[0], "a dog on a bench")
    assert isinstance(found, clipdemo.Prediction)
    assert isinstance(tiny, clipdemo.Classifier)
    assert 0 <= found.scores["concat"]["dog"] <= 1
    assert isinstance(found.labels("concat", rule="tuned"), list)


def test_the_bundled_model_reads_a_caption(tiny):
    """However it was trained, it must distinguish a dog from a bus."""
    dog = tiny.predict(None, "a dog").scores["text"]
    bus = tiny.predict(None, "a bus").scores["text"]
    assert dog["dog"] > bus["dog"]
    assert bus["bus"] > dog["bus"]


def test_every_public_name_is_there():
    for name in clipdemo.__all__:
        assert getattr(clipdemo, name) is not None
    with pytest.raises(AttributeError, match="nonsense"):
        clipdemo.nonsense  # noqa: B018


def test_every_error_is_a_clipdemo_error():
    for name in clipdemo.__all__:
        if name.endswith("Error"):
            assert issubclass(getattr(clipdemo, name), clipdemo.ClipdemoError)


def test_a_backbone_that_does_not_exist_is_refused(tmp_path, is_sentence, write_heads):
    with pytest.raises(BackboneError) as caught:
        clipdemo.load("ViT-B-32-quickgelu/nobody")
    assert is_sentence(caught.value)
    write_heads(tmp_path, f"local-dir:{tmp_path}/gone", 32)
    with pytest.raises(BackboneError) as caught:
        clipdemo.load("auto", checkpoint=tmp_path)
    assert is_sentence(caught.value)
