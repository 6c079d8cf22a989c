"""Start-up: the page is there before the model, and a failed start explains itself."""

import subprocess
import sys

import pytest
from support.asking import Stranger
from support.driver import (
    LABELS,
    MODES,
    PATIENCE,
    environment,
    eventually,
    photo_name,
    read,
    serving,
    shows,
    visit,
    write_caption,
)
from support.paths import ROOT, SCENES

from clipdemo.errors import ClipdemoError
from clipdemo.page.server.server import first_card
from clipdemo.page.settings import Settings

pytestmark = pytest.mark.browser

# The app, but its model starts to load after a line of input.
HELD_BACK = """
import sys
import app
from clipdemo.page.shared.models import BackgroundModel

load = BackgroundModel._load

def wait_and_load(self):
    sys.stdin.readline()
    load(self)

BackgroundModel._load = wait_and_load
app.main()
"""


@pytest.fixture
def held_back(tmp_path):
    """Address of an app whose model is not loaded, and a function that lets it load."""
    with serving(tmp_path, ("-c", HELD_BACK)) as (url, process):

        def release() -> None:
            process.stdin.write(b"go\n")
            process.stdin.flush()

        yield url, release


def test_the_page_is_there_before_the_model_and_becomes_ready_by_itself(
    visitor, held_back, classifier
):
    url, release = held_back
    health = Stranger(url).http
    assert health.get("/healthz").json() == {"status": "loading", "backbone": "tiny"}
    idle, busy = visitor.new_page(), visitor.new_page()
    for page in (idle, busy):
        visit(page, url)
        board = read(page)
        assert set(board) == set(LABELS)
        assert all(board[x][mode] == ("", False) for x in LABELS for mode in MODES)
        assert "Loading" in page.locator("#board").inner_text()
    busy.locator("#scenes button").first.click()
    eventually(busy, lambda: assert_photo(busy, "beach.webp"))
    write_caption(busy, "a horse")
    busy.wait_for_timeout(1000)
    assert "Loading" in busy.locator("#board").inner_text()
    release()
    eventually(idle, lambda: assert_ready(idle))
    assert health.get("/healthz").json() == {"status": "ready", "backbone": "tiny"}
    shows(busy, classifier.predict(SCENES / "beach.webp", "a horse"))
    write_caption(idle, "a dog")
    shows(idle, classifier.predict(None, "a dog"))


def assert_photo(page, name: str) -> None:
    assert photo_name(page) == name


def assert_ready(page) -> None:
    assert "Loading" not in page.locator("#board").inner_text()


def test_a_start_that_fails_says_so_and_ends_with_2(url, tmp_path):
    port = url.rstrip("/").rsplit(":", 1)[1]
    done = subprocess.run(
        [sys.executable, "app.py", "--port", port], cwd=ROOT, env=environment(tmp_path),
        capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "--port" in done.stderr


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"backbone": "no-such/backbone"}, "no-such"),
        ({"checkpoint": "missing"}, "missing"),
        ({"checkpoint": "checkpoints/tiny", "backbone": "ViT-L-14-quickgelu/openai"},
         "ViT-L-14-quickgelu/openai"),
    ],
)  # fmt: skip
def test_a_start_with_an_invalid_model_is_one_sentence(is_sentence, flags, words):
    with pytest.raises(ClipdemoError) as refused:
        first_card(Settings(**flags))
    assert is_sentence(refused.value)
    assert words in str(refused.value)
