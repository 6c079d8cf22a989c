"""A small label table with photos, made quickly; and `encode` in separate processes."""

import sys
from io import BytesIO
from multiprocessing import Process
from pathlib import Path

import numpy as np
from PIL import Image

from support.processes import start

STORE_FILES = ("image.npy", "text.npy", "index.parquet", "skipped.csv", "account.json")


def noise(seed: int, side: int = 48) -> bytes:
    """A JPEG that is different for each seed."""
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG")
    return file.getvalue()


def write_labelled(folder: Path, count: int) -> tuple[Path, Path]:
    """Write `count` photos and a table of them; table and folder of photos."""
    photos = folder / "photos"
    photos.mkdir(parents=True)
    lines = ["ImageID,Labels,Caption"]
    for i in range(count):
        (photos / f"{i}.jpg").write_bytes(noise(i))
        lines.append(f"{i}.jpg,{1 + i % 9} 19,photo number {i}")
    (folder / "table.csv").write_text("\n".join(lines) + "\n")
    return folder / "table.csv", photos


def files_of(store: Path) -> dict[str, bytes]:
    """The store's files."""
    return {name: (store / name).read_bytes() for name in STORE_FILES}


def start_encode(*args: object, log: Path | None = None) -> Process:
    """`python -m clipdemo encode ...` in its own process and process group."""
    return start(_encode, [*map(str, args)], log=log)


def _encode(args: list[str]) -> None:
    from clipdemo.commands.app import main

    sys.argv = ["clipdemo", "encode", *args]
    main()
