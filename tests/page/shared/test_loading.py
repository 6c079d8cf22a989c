"""Start-up: the page is there before the model, and what cannot start says why."""

import subprocess
import sys

import pytest
from support.driver import (
    LABELS,
    MODES,
    PATIENCE,
    environment,
    eventually,
    free_port,
    photo_name,
    read,
    serving,
    shows,
    visit,
    write_caption,
)
from support.paths import ROOT, SCENES

pytestmark = pytest.mark.browser

# The app, but its model starts to load when a line comes in.
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
    """Address of an app whose model is not loaded, and what lets it load."""
    with serving(tmp_path, ("-c", HELD_BACK)) as (url, process):

        def release() -> None:
            process.stdin.write(b"go\n")
            process.stdin.flush()

        yield url, release


def test_the_page_is_there_before_the_model_and_becomes_ready_by_itself(
    visitor, held_back, classifier
):
    url, release = held_back
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
    shows(busy, classifier.predict(SCENES / "beach.webp", "a horse"))
    write_caption(idle, "a dog")
    shows(idle, classifier.predict(None, "a dog"))


def assert_photo(page, name: str) -> None:
    assert photo_name(page) == name


def assert_ready(page) -> None:
    assert "Loading" not in page.locator("#board").inner_text()


@pytest.fixture(scope="module")
def refusals(url, tmp_path_factory) -> dict[str, tuple[int, str]]:
    """Exit code and output of starts that must fail, all run at once."""
    folder = tmp_path_factory.mktemp("refused")
    free = str(free_port())
    starts = {
        "port in use": ["--port", url.rstrip("/").rsplit(":", 1)[1]],
        "unknown backbone": ["--port", free, "--backbone", "no-such/backbone"],
        "no such checkpoint": ["--port", free, "--checkpoint", str(folder / "missing")],
        "another backbone's checkpoint": [
            "--port", free, "--backbone", "ViT-L-14-quickgelu/openai",
            "--checkpoint", str(ROOT / "checkpoints" / "tiny"),
        ],
        "impossible port": ["--port", "99999"],
    }  # fmt: skip
    running = {
        name: subprocess.Popen(
            [sys.executable, "app.py", *flags],
            cwd=ROOT,
            env=environment(folder),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name, flags in starts.items()
    }
    ended = {}
    for name, process in running.items():
        try:
            output, _ = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
        ended[name] = process.returncode, output
    return ended


@pytest.mark.parametrize(
    ("start", "word"),
    [
        ("port in use", "--port"),
        ("unknown backbone", "no-such"),
        ("no such checkpoint", "missing"),
        ("another backbone's checkpoint", "ViT-L-14-quickgelu/openai"),
        ("impossible port", "99999"),
    ],
)
def test_a_start_that_cannot_work_says_so_and_ends_with_2(refusals, start, word):
    code, output = refusals[start]
    assert code == 2, output
    assert word in output
    assert len(output.strip().splitlines()) == 1, output
    assert output.strip()[-1] in ".`"
