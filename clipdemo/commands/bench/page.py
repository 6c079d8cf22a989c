"""The running app: how soon it answers, how it serves many at once, its slider and its memory."""

import http.client
import itertools
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from clipdemo.commands.bench.comparison import Comparison, compare, timed
from clipdemo.commands.bench.samples import photos
from clipdemo.errors import ClipdemoError

ROOT = Path(__file__).resolve().parents[3]
HOST = "127.0.0.1"
USERS = 16
START_LIMIT = 300.0
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
SCORED = '#board [data-score]:not([data-score=""])'
# One step: a new value, the page's own listeners, style and layout. A frame is painted between.
SLIDE = """async ([handle, view]) => {
  const slider = document.querySelector(handle);
  const board = document.querySelector(view);
  const times = [];
  for (let i = 0; i < 100; i++) {
    await new Promise(requestAnimationFrame);
    const begin = performance.now();
    slider.value = i / 99;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    board.getBoundingClientRect();
    times.push(performance.now() - begin);
  }
  return times;
}"""


def start_up(backbone: str, rounds: int) -> Comparison:
    """Starting the app, over importing what it is made of.

    Ours: from starting `python app.py` until GET / answers 200; the model may still be loading.
    Plain: `python -c "import torch, open_clip, gradio"`, from start to exit.
    """

    def ours() -> float:
        begin = time.perf_counter()
        with running_app(backbone):
            return time.perf_counter() - begin

    plain = [sys.executable, "-c", "import torch, open_clip, gradio"]
    return compare(ours, lambda: timed(lambda: subprocess.run(plain, check=True)), rounds)


@contextmanager
def running_app(backbone: str) -> Iterator[tuple[subprocess.Popen, int]]:
    """The app on a free port, as soon as its page answers; it is killed afterwards."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    flags = ["--host", HOST, "--port", str(port), "--backbone", backbone]
    command = [sys.executable, ROOT / "app.py", *flags]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    limit = time.monotonic() + START_LIMIT
    try:
        while not answers(port):
            if process.poll() is not None or time.monotonic() > limit:
                raise ClipdemoError("The app does not start: try `python app.py` by itself.")
            time.sleep(0.01)
        yield process, port
    finally:
        process.kill()
        process.wait()


def answers(port: int) -> bool:
    """Whether GET / gives 200."""
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    with suppress(OSError, http.client.HTTPException):
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    return False


def measure_page(backbone: str, rounds: int) -> tuple[dict, dict[str, Comparison]]:
    """What one running app shows: many users, its slider's pace, then its peak memory.

    Returns:
        Figures, and the medians behind the ratios among them.
    """
    from gradio_client import Client, handle_file

    with running_app(backbone) as (process, port), tempfile.TemporaryDirectory() as folder:
        client = Client(f"http://{HOST}:{port}", verbose=False, download_files=folder)
        fresh = zip(itertools.count(), photos())

        def request() -> Callable[[], object]:
            number, (photo, caption) = next(fresh)
            path = Path(folder, f"{number}.jpg")
            path.write_bytes(photo)
            return lambda: client.predict(handle_file(path), caption, api_name="/predict")

        compared = crowd(request, rounds)
        figures = slide(f"http://{HOST}:{port}")
        process.kill()
        used = os.wait4(process.pid, 0)[2].ru_maxrss
    per_mb = 2**20 if sys.platform == "darwin" else 2**10
    return figures | {"peak_rss_mb": round(used / per_mb, 1)}, compared


def crowd(request: Callable[[], Callable], rounds: int) -> dict[str, Comparison]:
    """`USERS` requests at once over as many one after another, each with a photo of its own.

    Throughput compares the seconds until all are answered. p95 compares the time to an answer that
    19 of 20 do not exceed; one after another, each waits for those before it.
    """
    together, queued = [], []

    def at_once() -> float:
        calls = [request() for _ in range(USERS)]
        begin = time.perf_counter()

        def ask(call: Callable) -> float:
            call()
            return time.perf_counter() - begin

        with ThreadPoolExecutor(USERS) as pool:
            ends = list(pool.map(ask, calls))
        together.append(p95(ends))
        return max(ends)

    def in_turn() -> float:
        ends = list(itertools.accumulate(timed(request()) for _ in range(USERS)))
        queued.append(p95(ends))
        return ends[-1]

    throughput = compare(at_once, in_turn, rounds)
    # The first turn of each does not count.
    medians = (statistics.median(values[1:]) for values in (together, queued))
    return {
        "throughput_16_users_ratio": throughput,
        "p95_16_users_ratio": Comparison(*medians),
    }


def p95(values: list[float]) -> float:
    """What 19 of 20 values do not exceed."""
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


def slide(url: str) -> dict:
    """Milliseconds of a step of a threshold slider, and requests meanwhile; None: no browser.

    On the board, then on the Inspect tab, where a step moves every figure of every label.
    """
    figures = dict.fromkeys(["threshold_step_ms", "threshold_requests", "inspect_step_ms"])
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        return figures
    with sync_playwright() as playwright:
        found = next(filter(None, map(shutil.which, BROWSERS)), None)
        try:
            browser = playwright.chromium.launch(executable_path=found, args=BROWSER_FLAGS)
        except Error:
            return figures
        page, requests, before = browser.new_page(), [], None
        page.on("request", lambda request: requests.append(request.url))
        page.goto(url)
        page.click("#scenes button", timeout=120_000)
        page.wait_for_selector(SCORED, timeout=120_000)
        while before != len(requests):  # a second without any
            before = len(requests)
            page.wait_for_timeout(1000)
        board = page.evaluate(SLIDE, ["#threshold input[type=range]", "#board"])
        page.wait_for_timeout(500)
        asked = len(requests) - before
        page.get_by_role("tab", name="Inspect").click()
        page.wait_for_selector("#inspect .card", timeout=120_000)
        table = page.evaluate(SLIDE, ["#inspect .controls input[type=range]", "#inspect"])
        browser.close()
    steps = {"threshold_step_ms": spread(board), "inspect_step_ms": spread(table)}
    return steps | {"threshold_requests": asked}


def spread(times: list[float]) -> dict[str, float]:
    """Their median, and what 19 of 20 do not exceed."""
    return {"median": round(statistics.median(times), 2), "p95": round(p95(times), 2)}
