"""Downloads of backbones: complete and correct, or one sentence, and they can be stopped.

The hub is a loopback server; the client, the cache and the process that downloads are the real
ones.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from support.paths import ROOT

from clipdemo.hub.fetch import Fetch
from clipdemo.hub.locate import State, cached, locate
from clipdemo.hub.repositories import CONFIG
from clipdemo.model.backbones import Backbone

ID = "hf-hub:org/vit"
WEIGHTS = "open_clip_model.safetensors"


@pytest.fixture
def fetched():
    """Downloads a backbone and waits until its process has ended."""
    fetches = []

    def fetch(backbone: str = ID) -> Fetch:
        fetches.append(Fetch(backbone).start())
        fetches[-1].wait()
        return fetches[-1]

    yield fetch
    assert not any(f._process.poll() is None for f in fetches)


@pytest.fixture
def fails(fetched, is_sentence, tmp_path):
    """Tries to download a backbone, and returns the sentence that says why it fails."""

    def fetch(backbone: str = ID) -> str:
        found = fetched(backbone)
        assert not found.ready
        assert is_sentence(found.error), found.error
        assert leftovers(tmp_path) == []
        return str(found.error)

    return fetch


def leftovers(folder: Path) -> list[Path]:
    """Partial files, and links to nothing."""
    dangling = [p for p in folder.rglob("*") if p.is_symlink() and not p.exists()]
    return [*folder.rglob("*.incomplete"), *dangling]


@pytest.fixture
def check_same(photos, server, use_hub):
    """Checks that two backbones give the same embeddings without the hub."""

    def check(*backbones: str) -> None:
        use_hub(server.url, offline="1")
        server.asked.clear()
        rows = []
        for backbone in backbones:
            found = Backbone(backbone, "cpu")
            rows += [found.encode_photos(photos[:1]), found.encode_captions(["a dog"])]
        assert np.isfinite(rows[0]).all()
        np.testing.assert_array_equal(rows[:2], rows[2:])
        assert server.asked == []
        use_hub(server.url)

    return check


def test_a_fetched_backbone_loads_without_the_hub(fetched, server, cache, vit_folder, check_same):
    assert locate(ID) == State("downloadable", (vit_folder / WEIGHTS).stat().st_size)
    found = fetched()
    assert (found.error, found.ready, found.running) == (None, True, False)
    assert found.done == found.total == sum(p.stat().st_size for p in vit_folder.iterdir())
    assert locate(ID) == State("cached", (vit_folder / WEIGHTS).stat().st_size)
    assert cached(ID).read_bytes() == (vit_folder / WEIGHTS).read_bytes()
    check_same(ID, f"local-dir:{vit_folder}")
    again = fetched()
    assert again.ready
    assert again.done == again.total == found.total
    assert {method for method, _ in server.asked} == {"HEAD"}


def test_a_tokenizer_from_another_repository_comes_too(
    fetched, server, cache, tmp_path, check_same
):
    """The bundled one has one; open_clip looks for it in the repository that the config names."""
    bundled = shutil.copytree(ROOT / "checkpoints" / "tiny", tmp_path / "copy")
    config = json.loads((bundled / CONFIG).read_text())
    config["model_cfg"]["text_cfg"]["hf_tokenizer_name"] = "org/words"
    (bundled / CONFIG).write_text(json.dumps(config))
    words = tmp_path / "words"
    words.mkdir()
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (bundled / name).rename(words / name)
    (words / "config.json").write_text("{}")  # transformers asks for it
    server.add("org/own", bundled)
    server.add("org/words", words)
    assert fetched("hf-hub:org/own").error is None
    assert cached("hf-hub:org/own")
    check_same("hf-hub:org/own", "tiny")
    shutil.rmtree(cache / "models--org--words")
    assert cached("hf-hub:org/own") is None


def test_pickled_weights_are_taken_only_if_there_are_no_others(fetched, server, cache):
    server.files["org/vit", "open_clip_pytorch_model.bin"] = b"pickled"
    server.files["org/old", CONFIG] = server.files["org/vit", CONFIG]
    server.files["org/old", "open_clip_pytorch_model.bin"] = b"pickled"
    assert fetched().ready
    assert cached(ID).name == WEIGHTS
    assert fetched("hf-hub:org/old").ready
    assert cached("hf-hub:org/old").name == "open_clip_pytorch_model.bin"


@pytest.mark.parametrize(
    ("fault", "words"),
    [("silent", "cannot be reached"), ("hang", "connection was lost"), ("short", "size"),
     ("wrong", "sha256"), ("gated", "HF_TOKEN"), ("broken", "error 500")],
)  # fmt: skip
def test_a_download_that_goes_wrong_is_one_sentence(fails, server, cache, fault, words):
    server.faults[WEIGHTS] = fault
    assert words in fails()
    assert cached(ID) is None


def test_a_file_that_was_damaged_in_the_cache_is_replaced(fetched, cache, vit_folder):
    fetched()
    path = cached(ID)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert fetched().ready
    assert cached(ID).read_bytes() == (vit_folder / WEIGHTS).read_bytes()


def test_a_repository_that_is_not_there_is_refused(fails, cache):
    assert "org/nobody" in fails("hf-hub:org/nobody")


@pytest.mark.parametrize("missing", [WEIGHTS, CONFIG])
def test_a_repository_without_a_needed_file_is_refused(fails, server, cache, missing):
    del server.files["org/vit", missing]
    assert missing in fails()


def test_an_invalid_config_is_refused(fails, server, cache):
    server.files["org/vit", CONFIG] = b"[]"
    assert CONFIG in fails()


def test_a_server_other_than_a_hub_is_unreachable(fails, server, cache):
    """Such as the login page of a hotel's network."""
    server.commit = None
    assert "cannot be reached" in fails()
    assert locate(ID).state == "unreachable"


def test_without_a_network_it_is_one_sentence(fails, use_hub, closed_port):
    use_hub(f"http://127.0.0.1:{closed_port}")
    assert "cannot be reached" in fails()
    assert locate(ID) == State("unreachable")


def test_offline_mode_sends_no_requests(fails, server, use_hub):
    use_hub(server.url, offline="1")
    assert locate(ID).state == "unreachable"
    assert "HF_HUB_OFFLINE" in fails()
    assert server.asked == []


def test_a_cache_that_cannot_be_written_is_one_sentence(fails, cache):
    cache.parent.write_text("a file, where the folder should be")
    assert "HF_HOME" in fails()


def test_a_disk_that_fills_up_is_one_sentence(cache, is_sentence):
    """Simulated by a limit on file sizes, which makes a write fail like a full disk."""
    command = f"ulimit -f 64; exec {sys.executable} -m clipdemo.hub.download_process {ID}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, env=os.environ, capture_output=True, text=True
    )
    assert done.returncode == 2
    error = json.loads(done.stdout.splitlines()[-1])["error"]
    assert is_sentence(error)
    assert "free some space" in error
    assert leftovers(cache) == []
    assert cached(ID) is None


@pytest.mark.parametrize("begun", [True, False])
def test_a_download_can_be_cancelled(server, cache, vit_folder, begun):
    server.faults[WEIGHTS] = "hang"
    found = Fetch(ID).start()
    third = begun * (vit_folder / WEIGHTS).stat().st_size // 3
    while found.done < third and not found.wait(0.05):
        assert found.running
    found.cancel()
    assert found._process.poll() is not None
    assert (found.running, found.ready, found.error) == (False, False, None)
    assert cached(ID) is None
    assert leftovers(cache) == []
    found.cancel()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_fetch_that_is_killed_leaves_nothing(server, cache, number):
    """Ctrl-C in a terminal goes to both processes; a kill only to the first."""
    server.faults[WEIGHTS] = "hang"
    command = [sys.executable, "-m", "clipdemo", "fetch", ID]
    running = subprocess.Popen(command, cwd=ROOT, start_new_session=True, stderr=subprocess.DEVNULL)
    while not leftovers(cache):
        assert running.poll() is None
        time.sleep(0.05)
    if number == signal.SIGINT:
        os.killpg(running.pid, number)
    else:
        running.send_signal(number)
    assert running.wait() != 0
    while group_lives(running.pid):
        time.sleep(0.05)
    assert leftovers(cache) == []
    assert cached(ID) is None


def group_lives(group: int) -> bool:
    """Whether a process of a group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_command_lists_the_offered_backbones(clipdemo_cli, use_hub, closed_port):
    use_hub(f"http://127.0.0.1:{closed_port}")
    code, out, _ = clipdemo_cli("backbones", "--json")
    assert code == 0
    rows = {row["id"]: row for row in json.loads(out)}
    assert rows["tiny"]["state"] == "bundled"
    assert rows["tiny"]["heads"] == "trained"
    large = rows["ViT-L-14-quickgelu/openai"]
    assert (large["width"], large["state"], large["bytes"]) == (768, "unreachable", None)
    assert large["heads"] == "zero-shot"
    code, out, _ = clipdemo_cli("backbones")
    assert code == 0
    for backbone in rows:
        assert backbone in out


def test_the_command_fetches(clipdemo_cli, server, cache, is_sentence):
    assert clipdemo_cli("fetch", ID)[0] == 0
    assert cached(ID)
    server.asked.clear()
    code, out, _ = clipdemo_cli("fetch", ID)
    assert code == 0
    assert "cached" in out
    assert server.asked == []
    code, out, err = clipdemo_cli("fetch", "hf-hub:org/nobody")
    assert (code, out) == (2, "")
    assert is_sentence(err)
