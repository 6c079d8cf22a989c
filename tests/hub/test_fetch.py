"""Backbones from the hub: a download is whole and right or one sentence, and can be stopped.

The hub is a loopback server; the client, the cache and the process that downloads are the real
ones.
"""

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from huggingface_hub import constants
from support.hub_server import COMMIT, HubServer
from support.paths import ROOT

from clipdemo.errors import BackboneError
from clipdemo.hub import fetch as hub
from clipdemo.hub import repositories as sources

ID = "hf-hub:org/vit"
WEIGHTS = "open_clip_model.safetensors"

SAME = """
import sys
import numpy as np
from PIL import Image
from clipdemo.model.backbones import Backbone
photo, rows = Image.open(sys.argv[1]), []
for backbone in sys.argv[2:]:
    found = Backbone(backbone, "cpu")
    rows.append(np.concatenate([found.encode_photos([photo]), found.encode_captions(["a dog"])]))
assert np.isfinite(rows[0]).all()
np.testing.assert_array_equal(*rows)
"""


@pytest.fixture
def server(vit_folder):
    """A hub with one repository, org/vit."""
    with HubServer() as server:
        server.add("org/vit", vit_folder)
        yield server


@pytest.fixture
def use_hub(monkeypatch, tmp_path):
    """Lets this process and those it starts use the hub of an address, and an empty cache."""

    def use(url: str, offline: str = "") -> Path:
        cache = tmp_path / "home" / "hub"
        monkeypatch.setenv("HF_ENDPOINT", url)
        monkeypatch.setenv("HF_HOME", str(cache.parent))
        monkeypatch.setenv("HF_HUB_OFFLINE", offline)
        monkeypatch.delenv("HF_HUB_CACHE", raising=False)
        template = f"{url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        monkeypatch.setattr(constants, "ENDPOINT", url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", bool(offline))
        return cache

    return use


@pytest.fixture
def cache(server, use_hub):
    """The empty cache of a process that uses the server."""
    return use_hub(server.url)


@pytest.fixture
def fetched():
    """Fetches a backbone to the end; its process is gone then."""
    fetches = []

    def fetch(backbone: str = ID, **options: float) -> hub.Fetch:
        fetches.append(hub.Fetch(backbone, **options).start())
        fetches[-1].wait()
        return fetches[-1]

    yield fetch
    assert not any(f._process and f._process.poll() is None for f in fetches)


@pytest.fixture
def fails(fetched, is_sentence, cache):
    """Fetches a backbone that cannot be had, and returns the sentence."""

    def fetch(backbone: str = ID, **options: float) -> str:
        found = fetched(backbone, **options)
        assert not found.ready
        assert is_sentence(found.error), found.error
        assert hub.cached(backbone) is None
        assert leftovers(cache) == []
        return str(found.error)

    return fetch


@pytest.fixture
def port_of_nobody():
    """A port that refuses connections."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def leftovers(cache: Path) -> list[Path]:
    """Parts of files, and links to nothing."""
    dangling = [p for p in cache.rglob("*") if p.is_symlink() and not p.exists()]
    return [*cache.rglob("*.incomplete"), *dangling]


@pytest.fixture
def check_same(photos, tmp_path):
    """Checks that two backbones give the same embeddings in a process without the hub."""

    def check(*backbones: str) -> None:
        photos[0].save(tmp_path / "photo.png")
        environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
        command = [sys.executable, "-c", SAME, tmp_path / "photo.png", *backbones]
        subprocess.run(command, cwd=ROOT, env=environment, check=True)

    return check


def test_a_fetched_backbone_loads_without_the_hub(fetched, server, cache, vit_folder, check_same):
    assert hub.look(ID) == hub.State("downloadable", (vit_folder / WEIGHTS).stat().st_size)
    found = fetched()
    assert found.error is None
    assert found.ready
    assert not found.running
    assert found.done == found.total == sum(p.stat().st_size for p in vit_folder.iterdir())
    assert hub.look(ID) == hub.State("cached", (vit_folder / WEIGHTS).stat().st_size)
    assert hub.cached(ID).read_bytes() == (vit_folder / WEIGHTS).read_bytes()
    before = len(server.asked)
    check_same(ID, f"local-dir:{vit_folder}")
    assert len(server.asked) == before


def test_a_tokenizer_from_another_repository_comes_too(
    fetched, server, cache, tmp_path, check_same
):
    """The bundled one has one; open_clip looks for it in the repository that the config names."""
    bundled = shutil.copytree(ROOT / "checkpoints" / "tiny", tmp_path / "copy")
    config = json.loads((bundled / sources.CONFIG).read_text())
    config["model_cfg"]["text_cfg"]["hf_tokenizer_name"] = "org/words"
    (bundled / sources.CONFIG).write_text(json.dumps(config))
    words = tmp_path / "words"
    words.mkdir()
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (bundled / name).rename(words / name)
    (words / "config.json").write_text("{}")  # transformers asks for it
    server.add("org/own", bundled)
    server.add("org/words", words)
    assert fetched("hf-hub:org/own").error is None
    assert hub.cached("hf-hub:org/own")
    check_same("hf-hub:org/own", "tiny")
    shutil.rmtree(cache / "models--org--words")
    assert hub.cached("hf-hub:org/own") is None


def test_what_is_there_is_not_downloaded_again(fetched, server, cache):
    fetched()
    server.asked.clear()
    again = fetched()
    assert again.ready
    assert again.done == again.total > 0
    assert {method for method, _ in server.asked} == {"HEAD"}


def test_pickled_weights_are_taken_only_where_there_are_no_others(fetched, server, cache, tmp_path):
    server.files["org/vit", "open_clip_pytorch_model.bin"] = b"PK no weights"
    assert fetched().ready
    assert hub.cached(ID).name == WEIGHTS
    import torch

    torch.save({"a": torch.zeros(3)}, tmp_path / "old.bin")
    server.files["org/old", sources.CONFIG] = server.files["org/vit", sources.CONFIG]
    server.files["org/old", "open_clip_pytorch_model.bin"] = (tmp_path / "old.bin").read_bytes()
    assert fetched("hf-hub:org/old").ready
    assert hub.cached("hf-hub:org/old").name == "open_clip_pytorch_model.bin"


def test_a_connection_that_breaks_once_is_gone_on_with(fetched, server, cache, vit_folder):
    server.faults[WEIGHTS] = "stutter"
    assert fetched().error is None
    assert [m for m, path in server.asked if path.endswith(WEIGHTS)].count("GET") == 2
    assert hub.cached(ID).read_bytes() == (vit_folder / WEIGHTS).read_bytes()


@pytest.mark.parametrize(
    ("fault", "words"),
    [("silent", "cannot be reached"), ("cut", "broke off"), ("short", "cut off"),
     ("wrong", "sha256"), ("huge", "no room"), ("gated", "HF_TOKEN"), ("broken", "error 500")],
)  # fmt: skip
def test_a_download_that_goes_wrong_is_one_sentence(fails, server, fault, words):
    server.faults[WEIGHTS] = fault
    assert words in fails(silence=120)


def test_a_download_that_stands_still_is_stopped(fails, server):
    server.faults[WEIGHTS] = "hang"
    assert "nothing for 2 seconds" in fails(silence=2)


def test_after_a_wrong_file_the_right_one_can_be_fetched(fails, fetched, server):
    server.faults[WEIGHTS] = "wrong"
    fails()
    server.faults.clear()
    assert fetched().ready


@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda data: data[:-1] + b"x"])
def test_a_file_that_was_damaged_in_the_cache_is_replaced(fetched, cache, vit_folder, damage):
    fetched()
    path = hub.cached(ID)
    path.write_bytes(damage(path.read_bytes()))
    assert fetched().ready
    assert hub.cached(ID).read_bytes() == (vit_folder / WEIGHTS).read_bytes()


def test_a_repository_that_is_not_there_is_refused(fails, is_sentence):
    assert "org/nobody" in fails("hf-hub:org/nobody")
    with pytest.raises(BackboneError) as caught:
        hub.look("hf-hub:org/nobody")
    assert is_sentence(caught.value)
    assert "org/nobody" in str(caught.value)


@pytest.mark.parametrize("missing", [WEIGHTS, sources.CONFIG])
def test_a_repository_without_a_needed_file_is_refused(fails, server, missing):
    del server.files["org/vit", missing]
    assert missing in fails()


def test_a_config_that_is_none_is_refused(fails, server):
    server.files["org/vit", sources.CONFIG] = b"[]"
    assert sources.CONFIG in fails()


def test_an_address_that_is_no_hub_is_unreachable(fails, server):
    """Such as a hotel's page that asks to log in."""
    server.commit = None
    assert "cannot be reached" in fails()
    assert hub.look(ID).state == "unreachable"


def test_without_a_network_it_is_one_sentence(fetched, use_hub, port_of_nobody, is_sentence):
    use_hub(f"http://127.0.0.1:{port_of_nobody}")
    found = fetched()
    assert is_sentence(found.error)
    assert "cannot be reached" in str(found.error)
    assert hub.look(ID) == hub.State("unreachable")


def test_offline_mode_asks_nobody(fetched, server, use_hub, is_sentence):
    use_hub(server.url, offline="1")
    assert hub.look(ID).state == "unreachable"
    found = fetched()
    assert is_sentence(found.error)
    assert "HF_HUB_OFFLINE" in str(found.error)
    assert server.asked == []


def test_a_cache_that_cannot_be_written_is_one_sentence(fetched, cache, is_sentence):
    cache.parent.write_text("a file, where the folder should be")
    found = fetched()
    assert is_sentence(found.error)
    assert "HF_HOME" in str(found.error)


def test_a_disk_that_fills_up_is_one_sentence(cache, is_sentence):
    """Seen with a limit on the size of files, which ends a write as a full disk does."""
    command = f"ulimit -f 64; exec {sys.executable} -m clipdemo.hub.fetch {ID}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, env=os.environ, capture_output=True, text=True
    )
    assert done.returncode == 2
    error = json.loads(done.stdout.splitlines()[-1])["error"]
    assert is_sentence(error)
    assert "no room" in error
    assert leftovers(cache) == []
    assert hub.cached(ID) is None


def test_a_download_can_be_cancelled(server, cache, vit_folder):
    server.faults[WEIGHTS] = "hang"
    found = hub.Fetch(ID, silence=600).start()
    third = (vit_folder / WEIGHTS).stat().st_size // 3
    while found.done < third and not found.wait(0.05):
        assert found.running
    assert third <= found.done < found.total
    found.cancel()
    assert found.wait()
    assert found._process.poll() is not None
    assert (found.running, found.ready, found.error) == (False, False, None)
    assert hub.cached(ID) is None
    assert leftovers(cache) == []
    found.cancel()


def test_a_download_can_be_cancelled_before_it_has_begun(cache):
    found = hub.Fetch(ID).start()
    found.cancel()
    assert found._process.poll() is not None
    assert found.error is None
    hub.Fetch(ID).cancel()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_fetch_that_is_ended_from_outside_leaves_nothing(server, cache, number):
    """Ctrl-C in a terminal goes to both processes; a kill to the first alone."""
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
    assert hub.cached(ID) is None


def group_lives(group: int) -> bool:
    """Whether a process of a group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_what_killed_downloads_left_is_cleared_in_time(fetched, cache):
    blobs = cache / "models--org--vit" / "blobs"
    blobs.mkdir(parents=True)
    old, new = blobs / "a.1.incomplete", blobs / "a.2.incomplete"
    for part in (old, new):
        part.write_bytes(b"half")
    os.utime(old, (0, 0))
    assert fetched().ready
    assert not old.exists()
    assert new.exists(), "somebody may be writing it"


def test_half_a_backbone_is_not_cached(fetched, cache):
    fetched()
    config = hub.cached(ID).parent / sources.CONFIG
    config.unlink()
    assert hub.cached(ID) is None
    assert hub.look(ID).state == "downloadable"


def test_a_slow_hub_is_not_unreachable(server, cache):
    """Its own client waits ten seconds, and so does everything here."""
    server.faults[WEIGHTS] = "slow"
    assert hub.look(ID).state == "downloadable"
    fetch = hub.Fetch(ID).start()
    fetch.wait()
    assert fetch.ready, fetch.error


def test_a_hub_that_hangs_is_unreachable(server, cache):
    server.faults[WEIGHTS] = "silent"
    assert hub.look(ID, timeout=0.5) == hub.State("unreachable")


def test_a_hub_that_does_not_answer_is_asked_once(server, cache):
    server.faults[WEIGHTS] = "silent"
    ids = [ID, "hf-hub:org/b", "hf-hub:org/c", "tiny"]
    states = hub.survey(ids, timeout=0.5)
    assert [states[i].state for i in ids] == ["unreachable"] * 3 + ["bundled"]
    assert len(server.asked) == 1


def test_a_survey_tells_the_sizes(server, cache, resnet_folder):
    server.add("org/resnet", resnet_folder)
    states = hub.survey([ID, "hf-hub:org/resnet", "hf-hub:org/nobody", "tiny"])
    size = (resnet_folder / WEIGHTS).stat().st_size
    assert states["hf-hub:org/resnet"] == hub.State("downloadable", size)
    assert states["hf-hub:org/nobody"].state == "unreachable"
    assert states[ID].state == "downloadable"


def test_what_is_on_this_machine_is_found_without_the_hub(server, cache, vit_folder, is_sentence):
    assert hub.look("tiny").state == "bundled"
    size = (vit_folder / WEIGHTS).stat().st_size
    assert hub.look(f"local-dir:{vit_folder}") == hub.State("local", size)
    with pytest.raises(BackboneError) as caught:
        hub.look(f"local-dir:{vit_folder}/nowhere")
    assert is_sentence(caught.value)
    assert hub.cached("tiny") is hub.cached(f"local-dir:{vit_folder}") is None
    assert server.asked == []


def test_an_id_that_is_none_ends_a_fetch(fetched, is_sentence, cache):
    found = fetched("ViT-B-32-quickgelu/openia")
    assert is_sentence(found.error)
    assert "ViT-B-32-quickgelu/openai" in str(found.error)
    assert not found.running


@pytest.mark.parametrize("backbone", ["tiny", "local-dir:/a"])
def test_what_is_not_of_the_hub_needs_no_fetch(fetched, server, cache, backbone):
    assert fetched(backbone).ready
    assert server.asked == []


def test_a_typed_id_is_fetched_from_the_repository_of_open_clip(fetched, server, cache, vit_folder):
    data = (vit_folder / WEIGHTS).read_bytes()
    server.files["jienengchen/ViTamin-S", "pytorch_model.safetensors"] = data
    server.files["jienengchen/ViTamin-S", "pytorch_model.bin"] = b"pickled"
    assert fetched("ViTamin-S/datacomp1b").error is None
    assert hub.cached("ViTamin-S/datacomp1b").read_bytes() == data


def test_states_are_told_without_torch(run_python, monkeypatch):
    code = (
        "import sys; from clipdemo.hub import catalog; from clipdemo.commands import backbones; "
        "backbones.overview(); catalog.best(True); "
        "sys.exit('torch' in sys.modules)"
    )
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert run_python("-c", code).returncode == 0


def test_the_command_lists_the_offered_backbones(clipdemo_cli, use_hub, port_of_nobody):
    use_hub(f"http://127.0.0.1:{port_of_nobody}")
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
    assert hub.cached(ID)
    server.asked.clear()
    code, out, _ = clipdemo_cli("fetch", ID)
    assert code == 0
    assert "cached" in out
    assert server.asked == []
    code, out, err = clipdemo_cli("fetch", "hf-hub:org/nobody")
    assert (code, out) == (2, "")
    assert is_sentence(err)


def test_the_server_is_a_hub_to_the_client(server, cache, vit_folder):
    """So that what is tested with it holds for the real one."""
    from huggingface_hub import hf_hub_download

    path = Path(hf_hub_download("org/vit", WEIGHTS))
    assert path.parent.name == COMMIT
    assert path.resolve().name == hashlib.sha256(path.read_bytes()).hexdigest()
