"""A label table and its photos, small and quickly made; and `encode` in processes of their own."""

import multiprocessing
import os
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["clipdemo.study.encode", "clipdemo.commands.encode"])

STORE_FILES = ("image.npy", "text.npy", "index.parquet", "skipped.csv", "account.json")


def noise(seed: int, side: int = 48) -> bytes:
    """A JPEG that no other seed gives."""
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


def start_encode(*args: object, log: Path | None = None) -> multiprocessing.Process:
    """`python -m clipdemo encode ...` in a process and a process group of its own."""
    process = _context.Process(target=_encode, args=([*map(str, args)], log))
    process.start()
    return process


def _encode(args: list[str], log: Path | None) -> None:
    from clipdemo.commands.app import main

    os.setsid()
    with Path(log or os.devnull).open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.argv = ["clipdemo", "encode", *args]
    main()
