"""How fast and how large: each figure is ours over the plain way, measured in the same run.

A ratio says the same on a slow machine and on a fast one. Ours and the plain way take turns, so
that whatever else the machine does meets both, and medians are compared.
"""

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
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image

from clipdemo.checkpoints import find_card
from clipdemo.errors import ClipdemoError

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
PHOTO_SIZE = (640, 480)
PHOTOS_PER_ROUND = 8
START_LIMIT = 300.0
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
SCORED = '#board [data-score]:not([data-score=""])'
# One step: a new value, the page's own listeners, style and layout. A frame is painted between.
SLIDE = """async () => {
  const slider = document.querySelector("#threshold input[type=range]");
  const board = document.querySelector("#board");
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


@dataclass(frozen=True)
class Comparison:
    """Median seconds of ours and of the plain way."""

    ours: float
    plain: float

    @property
    def ratio(self) -> float:
        """Ours over plain: below 1, ours is faster."""
        return self.ours / self.plain


def compare(ours: Callable[[], float], plain: Callable[[], float], rounds: int) -> Comparison:
    """Take turns, ours first, after one turn each that does not count; both return seconds."""
    turns = [(ours(), plain()) for _ in range(1 + rounds)][1:]
    return Comparison(*(statistics.median(seconds) for seconds in zip(*turns, strict=True)))


def timed(action: Callable[[], object]) -> float:
    """The seconds it takes."""
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def bench(backbone: str = "auto", rounds: int = 5) -> tuple[dict, dict[str, Comparison]]:
    """Measure everything.

    The app is started `rounds` times, photos are scored `PHOTOS_PER_ROUND` times as often.

    Returns:
        What `bench --json` prints (None: not measured), and the medians behind its ratios.

    Raises:
        ClipdemoError: there are no heads, or the backbone or the app cannot be loaded.
    """
    backbone = find_card(backbone).backbone
    compared = {"startup_ratio": start_up(backbone, rounds)}
    # Before torch is loaded here: a child's peak begins with what its parent holds.
    page = measure_page(backbone)
    found, device = scoring(backbone, rounds * PHOTOS_PER_ROUND)
    compared = found | compared
    figures = {name: round(c.ratio, 3) for name, c in compared.items()}
    figures |= dict.fromkeys(["throughput_16_users_ratio", "p95_16_users_ratio", "encode_ratio"])
    return figures | page | {"device": device, "backbone": backbone, "runs": rounds}, compared


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


def measure_page(backbone: str) -> dict:
    """What one running app shows: its slider's pace, then its peak memory after some requests."""
    from gradio_client import Client, handle_file

    with running_app(backbone) as (process, port), tempfile.TemporaryDirectory() as folder:
        client = Client(f"http://{HOST}:{port}", verbose=False, download_files=folder)
        for i, (photo, caption) in zip(range(PHOTOS_PER_ROUND), photos(), strict=False):
            path = Path(folder, f"{i}.jpg")
            path.write_bytes(photo)
            client.predict(handle_file(path), caption, api_name="/predict")
        figures = slide(f"http://{HOST}:{port}")
        process.kill()
        used = os.wait4(process.pid, 0)[2].ru_maxrss
    per_mb = 2**20 if sys.platform == "darwin" else 2**10
    return figures | {"peak_rss_mb": round(used / per_mb, 1)}


def slide(url: str) -> dict:
    """Milliseconds of a step of the threshold slider, and requests meanwhile; None: no browser."""
    figures = dict.fromkeys(["threshold_step_ms", "threshold_requests"])
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
        times = page.evaluate(SLIDE)
        page.wait_for_timeout(500)
        browser.close()
    p95 = statistics.quantiles(times, n=20)[-1]
    step = {"median": round(statistics.median(times), 2), "p95": round(p95, 2)}
    return {"threshold_step_ms": step, "threshold_requests": len(requests) - before}


def photos() -> Iterator[tuple[bytes, str]]:
    """Drawn photos as JPEG, each with its caption; no two are the same."""
    from clipdemo.data.drawn_scenes import random_scene

    for seed in itertools.count():
        scene, file = random_scene(seed, PHOTO_SIZE), BytesIO()
        scene.image.save(file, "JPEG", quality=90)
        yield file.getvalue(), f"{scene.caption} {seed}"


def scoring(backbone: str, rounds: int) -> tuple[dict[str, Comparison], str]:
    """Scoring a photo and a caption, over a bare forward pass; and the device of both.

    Ours: `Classifier.predict`, from the bytes of a JPEG and a caption to the scores of every
    mode: checks, decoding, preprocessing, both encoders and the heads. For the first figure photo
    and caption are new each time; for the second the photo is known and only the caption is new.
    Plain: open_clip's own model on the same photo, already decoded, and the same caption: its
    preprocessing and tokenizer, `encode_image` and `encode_text`. No decoding and no heads.
    """
    import clipdemo

    classifier = clipdemo.load(backbone)
    device = classifier.backbone.device
    forward = plain_forward(backbone, device)
    made, edits = photos(), itertools.count()
    photo, caption = next(made)

    def bare() -> float:
        image = Image.open(BytesIO(photo)).convert("RGB")
        return timed(lambda: forward(image, caption))

    def new_photo() -> float:
        nonlocal photo, caption
        photo, caption = next(made)
        return timed(lambda: classifier.predict(photo, caption))

    def new_caption() -> float:
        nonlocal caption
        caption = f"a caption edited {next(edits)} times"
        return timed(lambda: classifier.predict(photo, caption))

    found = {"photo_to_scores_ratio": compare(new_photo, bare, rounds)}
    return found | {"caption_edit_ratio": compare(new_caption, bare, rounds)}, device


def plain_forward(backbone: str, device: str) -> Callable[[Image.Image, str], None]:
    """open_clip as its README uses it: one photo and one caption to their embeddings."""
    import open_clip
    import torch

    from clipdemo.backbones import open_clip_name

    name, weights = open_clip_name(backbone)
    model, _, preprocess = open_clip.create_model_and_transforms(name, weights, device=device)
    tokenizer = open_clip.get_tokenizer(name)
    model.eval()

    def forward(image: Image.Image, caption: str) -> None:
        with torch.inference_mode():
            pixels, tokens = preprocess(image)[None].to(device), tokenizer([caption]).to(device)
            for embedding in (model.encode_image(pixels), model.encode_text(tokens)):
                embedding.cpu()

    return forward
