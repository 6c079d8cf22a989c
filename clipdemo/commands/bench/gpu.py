"""`bench --gpu`: the whole command `encode` on a GPU, compared with the bare model on it."""

import itertools
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import mean

import torch

from clipdemo.commands.bench.comparison import timed
from clipdemo.commands.bench.samples import photos
from clipdemo.errors import ClipdemoError
from clipdemo.model.backbones import Backbone
from clipdemo.study.encode_here import CAPTIONS, default_batch

PAIRS, WHOLE = 8_000, 40_000
DRAWN = 500  # photos with different pixels; the others differ only in bytes after the JPEG's end
SECONDS = 5.0  # for measuring the bare model
HOUR = 3600
SCALES = {"1_million": 10**6, "1_billion": 10**9}
BUSY = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]


def measure_gpu(backbone: str) -> dict:
    """The figures of `bench --gpu`, as `bench --help` defines them.

    Raises:
        ClipdemoError: torch has no GPU, or the command fails.
    """
    if not torch.cuda.is_available():
        raise ClipdemoError("torch finds no CUDA GPU here: run this on a machine that has one.")
    return measure_pairs(backbone, "cuda", PAIRS)


def measure_pairs(backbone: str, device: str, pairs: int) -> dict:
    """The same for a number of pairs of photo and caption, on any device."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_pairs(folder, pairs)
        whole, first, busy, report = run_encode(backbone, device, folder)
    loaded = Backbone(backbone, device)
    bare_photos, bare_captions = bare_rates(loaded)
    photo_rate, caption_rate = report["photos_per_second"], report["captions_per_second"]
    found = {
        "photos_per_second": photo_rate,
        "captions_per_second": caption_rate,
        "bare_photos_per_second": round(bare_photos, 1),
        "bare_captions_per_second": round(bare_captions, 1),
        "gpu_busy_share": busy,
        "seconds_before_first_batch": round(first, 2),
        f"seconds_for_{WHOLE}_pairs": round(first + (whole - first) * WHOLE / pairs, 2),
        "pairs": pairs,
        "precision": loaded.precision,
        "device": torch.cuda.get_device_name() if device == "cuda" else device,
    }
    return found | {"plan": plan(photo_rate, caption_rate, loaded.width)}


def plan(photo_rate: float, caption_rate: float, width: int) -> dict[str, dict[str, float]]:
    """Hours of one such machine, and GB of the store, for many pairs of photo and caption."""
    per_pair = 1 / photo_rate + 1 / caption_rate
    return {
        scale: {
            "hours": round(count * per_pair / HOUR, 2),
            "store_gb": round(count * 2 * 4 * width / 1e9, 2),  # float32, of photo and caption
        }
        for scale, count in SCALES.items()
    }


def write_pairs(folder: Path, pairs: int) -> None:
    """Write `table.csv` and `photos/` with pairs whose bytes all differ."""
    (folder / "photos").mkdir()
    drawn = list(itertools.islice(photos(), min(DRAWN, pairs)))
    with (folder / "table.csv").open("w") as table:
        table.write("ImageID,Labels,Caption\n")
        for i in range(pairs):
            photo, caption = drawn[i % len(drawn)]
            (folder / "photos" / f"{i}.jpg").write_bytes(photo + str(i).encode())
            table.write(f'{i}.jpg,1,"{caption} {i}"\n')


def run_encode(backbone: str, device: str, folder: Path) -> tuple[float, float, float | None, dict]:
    """Seconds of the command, seconds to its first batch, the GPU's busy share, and its report."""
    out, busy = folder / "store", []
    command = [sys.executable, "-m", "clipdemo", "encode", "--json", "--backbone", backbone]
    command += ["--device", device, "--table", folder / "table.csv", "--out", out]
    command += ["--photos", folder / "photos"]
    begin = time.perf_counter()
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
    while not any(out.glob("parts/image-*.npy")) and process.poll() is None:
        time.sleep(0.01)
    first = time.perf_counter() - begin
    if device == "cuda":
        threading.Thread(target=_watch, args=(process, busy), daemon=True).start()
    printed, _ = process.communicate()
    whole = time.perf_counter() - begin
    if process.returncode:
        raise ClipdemoError("encode fails on this machine: run it on its own to see why.")
    return whole, first, round(mean(busy), 3) if busy else None, json.loads(printed)


def _watch(process: subprocess.Popen, busy: list[float]) -> None:
    """Sample the GPU's utilisation several times a second."""
    while process.poll() is None:
        try:
            said = subprocess.check_output(BUSY, text=True).split()
        except OSError:  # it comes with the driver, but not into every container
            return
        busy.append(int(said[0]) / 100)
        time.sleep(0.2)


def bare_rates(backbone: Backbone) -> tuple[float, float]:
    """Photos and captions a second by the model alone, with its inputs on the device already."""
    batch, size = default_batch(backbone.device), backbone.image_size
    kind = next(backbone.model.visual.parameters()).dtype
    pixels = torch.rand(batch, 3, size, size, device=backbone.device, dtype=kind)
    tokens = backbone.tokenizer(["a red bus beside two dogs"] * CAPTIONS * batch)
    tokens = tokens.to(backbone.device)
    return (
        batch / _seconds(lambda: backbone.model.encode_image(pixels)),
        len(tokens) / _seconds(lambda: backbone.model.encode_text(tokens)),
    )


def _seconds(forward: Callable[[], torch.Tensor]) -> float:
    """Seconds per call, if calls are queued and only the last one is waited for."""

    def calls(count: int) -> None:
        with torch.inference_mode():
            for _ in range(count):
                rows = forward()
            rows.cpu()

    calls(2)
    count = max(1, int(SECONDS / timed(calls, 1)))
    return timed(calls, count) / count
