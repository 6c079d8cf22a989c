"""The running app: start-up time, many users at once, and peak memory."""

import http.client
import itertools
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median

from clipdemo.commands.bench.browser import p95, slide
from clipdemo.commands.bench.comparison import Comparison, medians, timed, turns
from clipdemo.commands.bench.samples import photos
from clipdemo.errors import ClipdemoError

ROOT = Path(__file__).resolve().parents[3]
HOST = "127.0.0.1"
USERS = 16
START_LIMIT = 300.0  # seconds


@contextmanager
def running_app(backbone: str) -> Iterator[tuple[subprocess.Popen, str]]:
    """The app's process and its address, once its page answers; killed afterwards."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    flags = ["--host", HOST, "--port", str(port), "--backbone", backbone]
    command = [sys.executable, ROOT / "app.py", *flags]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    limit = time.monotonic() + START_LIMIT
    try:
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > limit:
                raise ClipdemoError("The app does not start: run `python app.py` to see why.")
            time.sleep(0.01)
        yield process, f"http://{HOST}:{port}"
    finally:
        process.kill()
        process.wait()


def _answers(port: int) -> bool:
    """Whether GET / gives 200."""
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    with suppress(OSError, http.client.HTTPException):
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    return False


def start_up(backbone: str, rounds: int) -> Comparison:
    """Starting the app, compared with importing its libraries.

    Ours: from starting `python app.py` until GET / answers 200; the model may still be loading.
    Plain: `python -c "import torch, open_clip, gradio"`, from start to exit.
    `measure_page` was the warm-up: what both read is in the system's file cache.
    """

    def ours() -> float:
        begin = time.perf_counter()
        with running_app(backbone):
            return time.perf_counter() - begin

    plain = [sys.executable, "-c", "import torch, open_clip, gradio"]
    return medians(turns(ours, lambda: timed(subprocess.check_call, plain), rounds))


def measure_page(backbone: str, rounds: int) -> tuple[dict, dict[str, Comparison]]:
    """Measure one running app: many users, the speed of its sliders, then its peak memory.

    Returns:
        Figures, and the comparisons of `crowd`.
    """
    from gradio_client import Client, handle_file

    with running_app(backbone) as (process, url), tempfile.TemporaryDirectory() as folder:
        patient = {"timeout": START_LIMIT}
        client = Client(url, verbose=False, download_files=folder, httpx_kwargs=patient)
        fresh = zip(itertools.count(), photos())

        def request() -> Callable[[], object]:
            number, (photo, caption) = next(fresh)
            path = Path(folder, f"{number}.jpg")
            path.write_bytes(photo)
            return lambda: client.predict(handle_file(path), caption, api_name="/predict")

        compared = crowd(request, rounds)
        figures = slide(url)
        process.kill()
        used = os.wait4(process.pid, 0)[2].ru_maxrss
    per_mb = 2**20 if sys.platform == "darwin" else 2**10
    return figures | {"peak_rss_mb": round(used / per_mb, 1)}, compared


def crowd(request: Callable[[], Callable], rounds: int) -> dict[str, Comparison]:
    """`USERS` simultaneous requests, compared with as many one after another, all with new photos.

    Throughput compares the time until all are answered, p95 the 95th percentile of the time to an
    answer; one after another, each request also waits for those before it. The first simultaneous
    ones are the warm-up, during which the app loads its model and starts its threads.
    """

    def at_once() -> list[float]:
        calls = [request() for _ in range(USERS)]
        begin = time.perf_counter()

        def ask(call: Callable) -> float:
            call()
            return time.perf_counter() - begin

        with ThreadPoolExecutor(USERS) as pool:
            return list(pool.map(ask, calls))

    def in_turn() -> list[float]:
        return list(itertools.accumulate(timed(request()) for _ in range(USERS)))

    at_once()
    ours, plain = zip(*turns(at_once, in_turn, rounds), strict=True)
    return {
        name: Comparison(median(map(figure, ours)), median(map(figure, plain)))
        for name, figure in {"throughput_16_users_ratio": max, "p95_16_users_ratio": p95}.items()
    }
