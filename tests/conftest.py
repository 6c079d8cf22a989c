"""What the tests share: photos, small CLIP folders, heads for them, and ways to run clipdemo."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import settings
from PIL import Image

from clipdemo.scenes import random_scene

ROOT = Path(__file__).resolve().parent.parent

# If a shell starts the tests in the background, they and their children ignore Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("no time limits", deadline=None)
settings.load_profile("no time limits")

SYSTEM = (
    "chromium-headless-shell", "chromium", "chromium-browser", "google-chrome",
    "google-chrome-stable",
)  # fmt: skip
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE = 60  # seconds to wait for an expected event; this measures nothing
VIT = {"layers": 1, "width": 64, "head_width": 32, "patch_size": 16, "image_size": 32}
RESNET = {"layers": [1, 1, 1, 1], "width": 8, "head_width": 64, "image_size": 64}


def write_clip_folder(folder: Path, vision: dict, seed: int) -> Path:
    """A complete open_clip `local-dir:` folder: config and random weights."""
    import open_clip
    import torch
    from safetensors.torch import save_file

    text = {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1}
    preprocess = {"mean": [0.5] * 3, "std": [0.25] * 3, "interpolation": "bicubic"}
    config = {
        "model_cfg": {"embed_dim": 32, "vision_cfg": vision, "text_cfg": text},
        "preprocess_cfg": preprocess | {"resize_mode": "squash"},
    }
    folder.mkdir(parents=True)
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    torch.manual_seed(seed)
    model = open_clip.create_model(f"local-dir:{folder}", require_pretrained=False)
    weights = {k: v.contiguous() for k, v in model.state_dict().items()}
    save_file(weights, folder / "open_clip_model.safetensors")
    return folder


def pytest_collection_modifyitems(items) -> None:
    """A busy machine may delay a page for a minute, so browser tests get a second try."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
def vit_folder(tmp_path_factory) -> Path:
    """A small CLIP with a vision transformer; not to be changed."""
    return write_clip_folder(tmp_path_factory.mktemp("clip") / "vit", VIT, seed=1)


@pytest.fixture(scope="session")
def resnet_folder(tmp_path_factory) -> Path:
    """A small CLIP with CLIP's ResNet; not to be changed."""
    return write_clip_folder(tmp_path_factory.mktemp("clip") / "resnet", RESNET, seed=2)


@pytest.fixture(scope="session")
def write_heads() -> Callable:
    """Writes random heads, by default of the three modes, for a backbone of any id and width."""

    def write(
        folder: Path, backbone: str, width: int, modes=("image", "text", "concat"), count=4,
        recall=False,
    ):  # fmt: skip
        import torch

        from clipdemo.model.checkpoints import save_heads
        from clipdemo.model.heads import new_head
        from clipdemo.model.thresholds import RECALLS

        torch.manual_seed(3)
        content = {
            "backbone": backbone,
            "width": width,
            "labels": ["dog", "cat", "red bus", "tree"][:count],
            "label_ids": ["a", "b", "c", "d"][:count],
            "modes": {},
        }
        heads = {}
        for position, mode in enumerate(modes):
            inputs = 2 * width if mode in ("concat", "mutan") else width
            shape = {"hidden": [8]}
            if mode == "mutan":
                shape = {"hidden": [], "kind": "mutan", "projected": 8, "fused": 4, "rank": 2}
            content["modes"][mode] = entry = {
                "inputs": inputs,
                **shape,
                "temperature": 1.25,
                "thresholds": [0.3, 0.5, 0.52, 0.7][:count],
            }
            if recall:  # around the scores that random heads give, other ones in each mode
                entry["recall"] = {
                    share: [0.5 + 0.01 * position + (0.7 - float(share)) / (3 + i)
                            for i in range(count)]
                    for share in RECALLS
                }  # fmt: skip
            heads[mode] = new_head(entry, count)
        return save_heads(folder, heads, content)

    return write


@pytest.fixture(scope="session")
def tiny():
    """The bundled classifier."""
    import clipdemo

    return clipdemo.load("auto", device="cpu")


@pytest.fixture(scope="session")
def photos() -> list[Image.Image]:
    """Four different drawn photos of several sizes."""
    sizes = [(192, 144), (120, 160), (64, 64), (300, 100)]
    return [random_scene(seed, size).image for seed, size in enumerate(sizes)]


@pytest.fixture(scope="session")
def png() -> Callable[[Image.Image], bytes]:
    """The bytes of an image as PNG."""

    def encode(image: Image.Image) -> bytes:
        file = io.BytesIO()
        image.save(file, "PNG")
        return file.getvalue()

    return encode


@pytest.fixture
def calls() -> Callable:
    """Counts the rows that go through a module of a real model, seen by a forward hook."""
    handles = []

    def watch(module) -> list[int]:
        rows = []
        handles.append(module.register_forward_hook(lambda m, x, y: rows.append(len(x[0]))))
        return rows

    yield watch
    for handle in handles:
        handle.remove()


@pytest.fixture(scope="session")
def run_python() -> Callable:
    """Runs a new Python process in the project's root, without this one's settings."""

    def run(*args: str | bytes | Path) -> subprocess.CompletedProcess:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("CLIPDEMO_")}
        return subprocess.run(
            [sys.executable, *args], cwd=ROOT, env=environment, capture_output=True, text=True
        )

    return run


@pytest.fixture
def clipdemo_cli(monkeypatch, capsys) -> Callable:
    """`python -m clipdemo ...` in this process: exit code, standard output and error."""

    def run(*args: object) -> tuple[int, str, str]:
        from clipdemo.commands.app import main

        monkeypatch.setattr(sys, "argv", ["clipdemo", *map(str, args)])
        capsys.readouterr()
        sys.stderr.reconfigure(errors="backslashreplace")  # as Python opens the real one
        with patch.dict(os.environ):  # the command sets some, for its process
            try:
                main()
                code = 0
            except SystemExit as stop:
                code = stop.code or 0
        found = capsys.readouterr()
        return code, found.out, found.err

    return run


@pytest.fixture(scope="session")
def is_sentence() -> Callable[[object], bool]:
    """Whether a message is one short line for users, without any traceback."""

    def check(message: object) -> bool:
        text = str(message).strip()
        return 10 < len(text) < 400 and "\n" not in text and "Traceback" not in text

    return check


@pytest.fixture(scope="session")
def browser():
    """The system's Chromium, else Playwright's own; without either the tests are skipped."""
    api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    found = next(filter(None, map(shutil.which, SYSTEM)), None)
    with api.sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(executable_path=found, args=ARGS)
        except api.Error as error:
            reason = str(error).strip().splitlines()[0]
            pytest.skip(f"no Chromium to drive the page with: {reason}")
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def classifier():
    """The same classifier in this process: what the page must show."""
    import clipdemo

    return clipdemo.load("auto")


@pytest.fixture(scope="session")
def browser_context(browser):
    """Shared by one visitor after the other."""
    from support.visitor import SIZE

    context = browser.new_context(viewport=SIZE)
    context.set_default_timeout(PATIENCE * 1000)
    yield context
    context.close()


@pytest.fixture
def visitor(browser_context):
    """Opens tabs of one new visitor; fails the test if a script of the page fails."""
    from support.visitor import Visitor

    someone = Visitor(browser_context)
    yield someone
    someone.leave()
    assert someone.failures == []
