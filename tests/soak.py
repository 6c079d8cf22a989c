"""Many users, then hostile uploads: errors, p95, and the app's memory before and after.

Not part of `make test`, as it takes minutes:

    PYTHONPATH=tests:. python tests/soak.py [--users 30] [--minutes 5] [--uploads 500]
"""

import argparse
import io
import itertools
import json
import random
import statistics
import struct
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
from gradio_client import Client, handle_file
from PIL import Image
from support.driver import serving

from clipdemo.commands.bench.samples import photos

REST = 30  # seconds without a request before memory is read
PATIENCE = {"timeout": 300}
SENTENCES = ("photo", "file")  # a word of each refusal


def main() -> None:
    """Run it, and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=30)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--uploads", type=int, default=500)
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as name,
        serving(Path(name), CLIPDEMO_BACKBONE="tiny") as (url, process),
    ):
        folder, server = Path(name), psutil.Process(process.pid)
        drawn = [pair for pair, _ in zip(photos(), range(40), strict=False)]
        use(url, folder, drawn, 0, until=0)  # what the first request loads does not count as growth
        found = {"memory_mb_at_start": rested(server)}
        begin = time.monotonic()
        end = begin + 60 * asked.minutes
        with ThreadPoolExecutor(asked.users) as pool:
            users = range(1, asked.users + 1)
            said = list(pool.map(lambda user: use(url, folder, drawn, user, end), users))
        times = [seconds for own, _ in said for seconds in own]
        found |= {
            "requests": len(times),
            "errors": sum((errors for _, errors in said), Counter()),
            "median_seconds": round(statistics.median(times), 2),
            "p95_seconds": round(statistics.quantiles(times, n=20)[-1], 2),
            "memory_mb_after_users": rested(server),
        }
        found["uploads"] = dict(upload(url, folder, asked.uploads))
        found["memory_mb_after_uploads"] = rested(server)
        print(json.dumps(found, indent=1))


def rested(server: psutil.Process) -> float:
    """The server's memory in MB, after a while without requests."""
    time.sleep(REST)
    return round(server.memory_info().rss / 2**20, 1)


def use(
    url: str, folder: Path, drawn: list, user: int, until: float
) -> tuple[list[float], Counter[str]]:
    """One user's actions until then, at least once: seconds of each request, and errors."""
    client = Client(url, verbose=False, download_files=folder, httpx_kwargs=PATIENCE)
    chance, times, errors = random.Random(user), [], Counter()
    for turn in itertools.count():
        photo, caption = chance.choice(drawn)
        path = folder / f"user-{user}.jpg"
        path.write_bytes(photo + f"{user} {turn}".encode())  # a different photo for any cache
        pair = handle_file(path), f"{caption} {user} {turn}"
        requests = [("/predict", pair), ("/words", pair)]
        requests += [("/regions", (*pair, "concat", "dog"))] if turn % 5 == 0 else []
        for name, inputs in requests:
            begin = time.monotonic()
            try:
                client.predict(*inputs, api_name=name)
            except Exception as error:
                errors[f"{name}: {str(error)[:80]}"] += 1
            times.append(time.monotonic() - begin)
        if time.monotonic() >= until:
            client.close()
            return times, errors


def upload(url: str, folder: Path, count: int) -> Counter[str]:
    """The outcomes of hostile files, eight at once: refused with a sentence, read, or neither."""

    def one(i: int) -> str:
        client = clients[i % len(clients)]
        path = folder / f"hostile-{i}.jpg"
        path.write_bytes(kinds[i % len(kinds)](i))
        try:
            client.predict(handle_file(path), "", api_name="/predict")
            return "read"
        except Exception as error:
            return "refused" if any(word in str(error) for word in SENTENCES) else str(error)[:80]
        finally:
            path.unlink()

    kinds = list(hostile())
    clients = [
        Client(url, verbose=False, download_files=folder, httpx_kwargs=PATIENCE) for _ in range(8)
    ]
    with ThreadPoolExecutor(len(clients)) as pool:
        return Counter(pool.map(one, range(count)))


def hostile() -> Iterator[Callable[[int], bytes]]:
    """Functions that make a file from a number: bombs, damaged, fake and the largest valid ones."""

    def jpeg(size: tuple[int, int], **how) -> bytes:
        file = io.BytesIO()
        Image.linear_gradient("L").resize(size).convert("RGB").save(file, "JPEG", **how)
        return file.getvalue()

    small, large = jpeg((640, 480)), jpeg((7000, 7000))
    progressive = jpeg((6000, 6000), progressive=True)
    png = io.BytesIO()
    Image.new("RGB", (7000, 7000), "red").save(png, "PNG")
    yield lambda i: _png(13_000 + i, 13_000)
    yield lambda i: small[: 200 + i]
    yield lambda i: random.Random(i).randbytes(200_000)
    yield lambda i: b""
    yield lambda i: small.replace(struct.pack(">HH", 480, 640), struct.pack(">HH", 65_000, 65_000))
    yield lambda i: large + str(i).encode()
    yield lambda i: progressive + str(i).encode()
    yield lambda i: png.getvalue() + str(i).encode()
    yield lambda i: b"\xff\xd8\xff" + bytes(i) * 1000


def _png(width: int, height: int) -> bytes:
    """A small PNG that claims to be large."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body
            + struct.pack(">I", zlib.crc32(kind + body))
        )  # fmt: skip

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(10_000_000), 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


if __name__ == "__main__":
    main()
