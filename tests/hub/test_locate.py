"""Where a backbone is: found on this machine without the hub, and on the hub without a download."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from huggingface_hub import constants, hf_hub_download

from clipdemo.errors import BackboneError
from clipdemo.hub.catalog import OFFERS
from clipdemo.hub.locate import State, best, cache_only, cached, is_whole, locate, locate_all, stamp
from clipdemo.hub.repositories import CONFIG, WEIGHTS
from hub.conftest import EMPTY

ID = "hf-hub:org/vit"


def test_what_is_on_this_machine_is_found_without_the_hub(server, cache, vit_folder, is_sentence):
    assert locate("tiny").state == "bundled"
    size = (vit_folder / WEIGHTS[0]).stat().st_size
    assert locate(f"local-dir:{vit_folder}") == State("local", size)
    with pytest.raises(BackboneError) as caught:
        locate(f"local-dir:{vit_folder}/nowhere")
    assert is_sentence(caught.value)
    assert cached("tiny") is cached(f"local-dir:{vit_folder}") is None
    assert server.asked == []


def test_a_backbone_is_cached_only_with_all_its_files(server, cache, vit_folder):
    size = (vit_folder / WEIGHTS[0]).stat().st_size
    hf_hub_download("org/vit", WEIGHTS[0])
    assert locate(ID) == State("downloadable", size)
    hf_hub_download("org/vit", CONFIG)
    assert locate(ID) == State("cached", size)


def test_what_the_hub_does_not_have_is_refused(server, cache, is_sentence):
    server.files["org/empty", CONFIG] = b"{}"
    for backbone in ("hf-hub:org/nobody", "hf-hub:org/empty"):
        with pytest.raises(BackboneError, match=backbone.removeprefix("hf-hub:")) as caught:
            locate(backbone)
        assert is_sentence(caught.value)


def test_a_hub_that_does_not_answer_is_unreachable(server, cache):
    server.faults[WEIGHTS[0]] = "silent"
    assert locate(ID).state == "unreachable"


def test_a_slow_hub_is_not_unreachable(server, cache, monkeypatch):
    """The hub's own client waits ten seconds, and so does this project."""
    monkeypatch.setattr(constants, "HF_HUB_ETAG_TIMEOUT", constants.DEFAULT_ETAG_TIMEOUT)
    server.faults[WEIGHTS[0]] = "slow"
    assert locate(ID).state == "downloadable"


def test_several_are_found_at_once(server, cache, resnet_folder):
    server.add("org/resnet", resnet_folder)
    states = locate_all([ID, "hf-hub:org/resnet", "hf-hub:org/nobody", "tiny"])
    size = (resnet_folder / WEIGHTS[0]).stat().st_size
    assert states["hf-hub:org/resnet"] == State("downloadable", size)
    assert states["hf-hub:org/nobody"].state == "unreachable"
    assert (states[ID].state, states["tiny"].state) == ("downloadable", "bundled")


@pytest.mark.parametrize("backbone", [known.id for known in OFFERS[1:]])
def test_training_takes_what_is_cached_and_slow_ones_only_with_a_gpu(put_cached, backbone):
    assert best(cuda=True) == best(cuda=False) == "tiny"
    put_cached(backbone)
    assert best(cuda=True) == backbone
    assert best(cuda=False) == ("tiny" if "ViT-L" in backbone else backbone)


def test_training_takes_the_best_of_several(put_cached):
    put_cached("RN50-quickgelu/openai")
    put_cached("ViT-B-32-quickgelu/openai")
    put_cached("ViT-L-14-quickgelu/openai")
    assert best(cuda=False) == "ViT-B-32-quickgelu/openai"
    assert best(cuda=True) == "ViT-L-14-quickgelu/openai"
    put_cached("ViT-L-14-quickgelu/openai", EMPTY[:-1])
    assert best(cuda=True) == "ViT-B-32-quickgelu/openai", "the other one is cut off"


@pytest.mark.parametrize(
    ("name", "content", "whole"),
    [("a.safetensors", b"", False), ("a.safetensors", EMPTY, True),
     ("a.safetensors", EMPTY + b"x", False), ("a.safetensors", b"\xff" * 100, False),
     ("a.bin", b"", False), ("a.bin", b"\x80\2older", True)],
)  # fmt: skip
def test_a_file_is_whole_or_not(tmp_path, name, content, whole):
    (tmp_path / name).write_bytes(content)
    assert is_whole(tmp_path / name) is whole


def test_states_are_found_without_torch(run_python, monkeypatch):
    code = (
        "import sys; from clipdemo.commands import backbones; backbones.overview(); "
        "from clipdemo.hub.locate import best; best(True); sys.exit('torch' in sys.modules)"
    )
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert run_python("-c", code).returncode == 0


def test_only_the_thread_that_loads_is_offline():
    """Others list backbones and download meanwhile."""
    before = constants.is_offline_mode()
    with ThreadPoolExecutor(1) as other, cache_only():
        assert constants.is_offline_mode()
        with cache_only():
            pass
        assert constants.is_offline_mode()
        assert other.submit(lambda: constants.is_offline_mode()).result() == before
    assert constants.is_offline_mode() == before


def test_new_weights_in_a_folder_change_its_stamp(tmp_path):
    (tmp_path / "open_clip_model.safetensors").write_bytes(b"old")
    before = stamp(f"local-dir:{tmp_path}")
    assert stamp(f"local-dir:{tmp_path}") == before
    (tmp_path / "open_clip_model.safetensors").write_bytes(b"newer")
    assert stamp(f"local-dir:{tmp_path}") != before
    assert stamp("tiny") == ""
