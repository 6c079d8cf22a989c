"""Functions with which the tests start the app and use its page."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from support.paths import ROOT
from support.processes import App

MODES = ("image", "text", "concat")
PATIENCE = 60  # seconds to wait for an expected event; this measures nothing

Board = dict[str, dict[str, tuple[str, bool]]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(folder: Path) -> dict[str, str]:
    """This environment without the app's own settings, uploads kept in `folder`."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CLIPDEMO_", "SPACE_"))}
    own = {
        "CLIPDEMO_START": "empty",
        "GRADIO_TEMP_DIR": str(folder),
        "XDG_DATA_HOME": str(folder / "data"),
    }
    return kept | own | {"GRADIO_ANALYTICS_ENABLED": "False"}


def _for_imports(variables: Mapping[str, str]) -> dict[str, str]:
    """Those that libraries read when they are imported, if they are not as the app sets them.

    Those of huggingface_hub are not among them: `App` makes it read them again.
    """
    names = ("HOME", "XDG_CACHE", "CLIPDEMO_CACHE", "GRADIO_SERVER", "PYTHONPATH")
    return {name: value for name, value in variables.items() if name.startswith(names)}


FOR_IMPORTS = _for_imports(environment(ROOT))


def launch(
    arguments: Sequence[str], environment: Mapping[str, str], log: Path
) -> subprocess.Popen | App:
    """Start `python ...` in the project's folder, with its output in a file.

    It is forked from a process that has imported its libraries, unless they depend on variables.
    """
    if _for_imports(environment) == FOR_IMPORTS:
        return App(arguments, environment, log)
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


@contextmanager
def serving(
    folder: Path, program: Sequence[str] = ("app.py",), **variables: str
) -> Iterator[tuple[str, subprocess.Popen | App]]:
    """The app on a free port: its address, as soon as it responds, and its process.

    Its output is in `server.log` in the folder; `variables` are added to its environment.
    """
    port = free_port()
    log = folder / "server.log"
    process = launch([*program, "--port", str(port)], environment(folder) | variables, log)
    try:
        url = f"http://127.0.0.1:{port}/"
        _wait_for(url, process, log)
        yield url, process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(url: str, process: subprocess.Popen | App, log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        assert process.poll() is None, f"the app stopped: {log.read_text()}"
        try:
            urllib.request.urlopen(url, timeout=PATIENCE).close()
            return
        except urllib.error.URLError:
            time.sleep(0.1)
    raise AssertionError(f"the app does not answer: {log.read_text()}")


def eventually(page, check: Callable[[], None], patience: float = PATIENCE) -> None:
    """Repeat `check` until it passes; the last failure is reported."""
    end = time.monotonic() + patience
    while True:
        try:
            return check()
        except AssertionError:
            if time.monotonic() > end:
                raise
        page.wait_for_timeout(50)


def until(holds: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Wait until something holds, without a page."""
    end, pause = time.monotonic() + patience, 0.001
    while not holds():
        assert time.monotonic() < end, "it has not come"
        time.sleep(pause)
        pause = min(2 * pause, 0.05)


def visit(page, url: str) -> None:
    """Open the page and wait until its parts are there."""
    page.goto(url)
    page.locator("#board [data-label]").first.wait_for(state="attached")
    page.locator("#scenes button").first.wait_for()
    page.locator("#photo input[type=file]").wait_for(state="attached")


def open_inspect(page) -> None:
    """Open the tab and wait for its first photos."""
    page.get_by_role("tab", name="Inspect").click()
    page.locator("#inspect .card").first.wait_for()


def read(page) -> Board:
    """The content of each cell by label and mode: its score as text, and whether it is on."""
    cells = page.evaluate(
        """() => [...document.querySelectorAll("#board [data-label] [data-mode][data-score]")].map(
            (c) => [c.closest("[data-label]").dataset.label, c.dataset.mode, c.dataset.score,
                    c.dataset.on])"""
    )
    board: Board = {}
    for label, mode, score, on in cells:
        assert on in ("true", "false")
        board.setdefault(label, {})[mode] = score, on == "true"
    return board


def order(page) -> list[str]:
    """The labels from top to bottom."""
    return page.evaluate(
        '[...document.querySelectorAll("#board [data-label]")].map((r) => r.dataset.label)'
    )


def assert_shows(page, prediction) -> None:
    """Every cell has the prediction's score; cells of its missing modes are empty and off."""
    board = read(page)
    assert set(board) == set(LABELS)
    for label, cells in board.items():
        assert set(cells) == set(MODES)
        for mode, (score, on) in cells.items():
            expected = prediction.scores.get(mode, {}).get(label)
            if expected is None:
                assert (score, on) == ("", False), (label, mode)
            else:
                assert re.fullmatch(r"[01]\.\d{4}", score), (label, mode, score)
                assert abs(float(score) - expected) < 1e-4, (label, mode, score, expected)


def shows(page, prediction) -> None:
    """Wait until the board shows the prediction."""
    eventually(page, lambda: assert_shows(page, prediction))


def give_photo(page, photo: Path) -> None:
    page.locator("#photo input[type=file]").set_input_files(photo)


def remove_photo(page) -> None:
    page.locator("#photo").get_by_label("Remove Image").click()


def write_caption(page, text: str) -> None:
    page.locator("#caption textarea").fill(text)


def photo_name(page) -> str | None:
    """File name of the photo on the page."""
    picture = page.locator("#photo img")
    return picture.get_attribute("src").split("/")[-1] if picture.count() else None


def notices(page) -> list[str]:
    """The error messages on the page."""
    found = page.locator("#board .notice:visible, [data-testid=toast-body]:visible")
    return [text for text in found.all_inner_texts() if text.strip()]


LABELS = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat",
    "traffic light", "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog",
    "horse",
)  # fmt: skip
