"""The server from its operator's view: health check and shutdown."""

import json
import signal
import socket
import threading
import urllib.request
from pathlib import Path

import pytest
from gradio_client import Client
from gradio_client.utils import Status
from support.asking import Stranger
from support.driver import PATIENCE, serving, until

pytestmark = pytest.mark.browser

# The app, but getting its model waits for a line of input.
HELD_UP = """
import sys
import app
from clipdemo.page.shared.models import BackgroundModel

get = BackgroundModel.get

def tell_and_wait(self):
    print("asked", flush=True)
    sys.stdin.readline()
    return get(self)

BackgroundModel.get = tell_and_wait
app.main()
"""


def ask(url: str) -> tuple[int, dict]:
    """What /healthz answers: status code and JSON."""
    with urllib.request.urlopen(f"{url}healthz", timeout=PATIENCE) as response:
        return response.status, json.load(response)


def is_answering(url: str) -> bool:
    try:
        return ask(url)[0] == 200
    except OSError:
        return False


def is_free(url: str) -> bool:
    """Whether another server could listen at the address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(url.rstrip("/").rsplit(":", 1)[1])))
        except OSError:
            return False
    return True


class Asker(threading.Thread):
    """Requests a prediction; `given` is then the answer, or the error."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        client = Client(url, verbose=False)
        self._job = client.submit(None, "a dog", api_name="/predict")
        self.start()

    def is_listening(self) -> bool:
        """Whether the stream of the answer is open, which tells the state."""
        return self._job.status().code == Status.PROCESSING

    def run(self) -> None:
        try:
            self.given = self._job.result()
        except Exception as error:
            self.given = error


@pytest.fixture
def held_up(tmp_path):
    """An app with a pending prediction: its address, process, asker, and a function to resume."""
    with serving(tmp_path, ("-c", HELD_UP)) as (url, process):
        asker = Asker(url)
        until(lambda: "asked" in log(tmp_path) and asker.is_listening())

        def release() -> None:
            process.stdin.write(b"go\n")
            process.stdin.flush()

        yield url, process, asker, release


def log(folder: Path) -> str:
    return (folder / "server.log").read_text()


def test_health_says_that_the_model_cannot_be_loaded(tmp_path, write_heads):
    backbone = f"local-dir:{tmp_path}/gone"
    write_heads(tmp_path / "heads", backbone, 32)
    with serving(tmp_path, ("app.py", "--checkpoint", str(tmp_path / "heads"))) as (url, _):
        until(lambda: ask(url) == (200, {"status": "failed", "backbone": backbone}))


def test_a_pending_prediction_does_not_block_health_and_is_still_answered(held_up, tmp_path):
    url, process, asker, release = held_up
    for _ in range(20):
        assert ask(url)[1]["status"] in ("loading", "ready")
    assert asker.is_alive()
    until(lambda: ask(url)[1]["status"] == "ready")
    process.terminate()
    until(lambda: not is_answering(url))
    release()
    assert process.wait(PATIENCE) == 0
    asker.join(PATIENCE)
    assert asker.given["backbone"] == "tiny"
    assert "Traceback" not in log(tmp_path)


def test_a_prediction_that_never_finishes_is_ended(held_up, tmp_path):
    url, process, asker, _ = held_up
    process.terminate()
    assert process.wait(PATIENCE) == 0
    assert is_free(url)
    asker.join(PATIENCE)
    assert isinstance(asker.given, Exception)
    assert "Traceback" not in log(tmp_path)


def test_a_second_signal_ends_it_at_once(held_up):
    url, process, *_ = held_up
    process.terminate()
    until(lambda: not is_answering(url))
    process.terminate()
    assert process.wait(PATIENCE) == -signal.SIGTERM


def test_on_a_space_it_listens_on_all_interfaces_and_ends_at_ctrl_c(tmp_path):
    with serving(tmp_path, SPACE_ID="someone/demo") as (url, process):
        assert ask(url)[0] == 200
        assert "0.0.0.0" in log(tmp_path)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
        assert is_free(url)
    assert "Traceback" not in log(tmp_path)


def test_it_works_in_a_home_that_cannot_be_written_and_ends_with_its_page_open(tmp_path, browser):
    (tmp_path / "home").write_text("a file, so nothing can be made in it")
    home = str(tmp_path / "home")
    places = dict.fromkeys(["HOME", "HF_HOME", "GRADIO_TEMP_DIR"], home)
    with serving(tmp_path, XDG_CACHE_HOME="", **places) as (url, process):
        guest = Stranger(url)
        went_well, given = guest.run("predict", [None, "a dog"])
        assert went_well
        assert given["scores"]["text"]["dog"] > 0
        assert Path(guest.upload("photo.txt", b"hello")).read_bytes() == b"hello"
        with browser.new_context() as context:
            page = context.new_page()
            page.goto(url)
            page.locator("#board [data-label]").first.wait_for()
            process.terminate()
            assert process.wait(PATIENCE) == 0
    assert "Traceback" not in log(tmp_path)
