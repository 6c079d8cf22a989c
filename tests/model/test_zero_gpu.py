"""ZeroGPU: functions get a GPU where the `spaces` package is there, and are untouched elsewhere."""

import os
import socket
import subprocess
import sys

import pytest
from support.paths import ROOT

# A package that does what `spaces` does for those who call it: GPU(function) stands in for it.
SPACES = """
declared = []

def GPU(function):
    declared.append(function)
    def on_gpu(*args):
        return "on a GPU", function(*args)
    return on_gpu
"""

ASK = """
import sys
from clipdemo.model.zero_gpu import on_gpu
double = lambda number: 2 * number
wrapped = on_gpu(double)
print(wrapped(21), wrapped is double, "torch" in sys.modules)
"""

# Which functions are known at the moment when the page is launched, as ZeroGPU counts them.
LAUNCH = """
import sys
import gradio as gr
import spaces
import app

def launch(page, **options):
    print("known", len(spaces.declared), "torch" in sys.modules, flush=True)
    raise SystemExit

gr.Blocks.launch = launch
app.main()
"""


@pytest.fixture
def run(tmp_path):
    """Runs Python in the project's root, with a package folder of its own in front."""

    def run(program: str, *flags: str) -> list[str]:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("CLIPDEMO_")}
        done = subprocess.run(
            [sys.executable, "-c", program, *flags],
            cwd=ROOT,
            env=environment | {"PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run


@pytest.fixture
def spaces(tmp_path):
    (tmp_path / "spaces").mkdir()
    (tmp_path / "spaces" / "__init__.py").write_text(SPACES)


def test_without_the_package_a_function_is_as_it_was(run, tmp_path):
    (tmp_path / "spaces.py").write_text("raise ImportError")  # even where it is installed
    assert run(ASK) == ["42 True False"]


@pytest.mark.usefixtures("spaces")
def test_with_the_package_a_function_runs_on_a_gpu(run):
    assert run(ASK) == ["('on a GPU', 42) False False"]


@pytest.mark.usefixtures("spaces")
def test_a_function_is_known_before_the_page_is_launched(run):
    """ZeroGPU ends a Space that has none by then; and CUDA is not to be touched before."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    assert run(LAUNCH, "--port", port) == ["known 1 False"]
