"""ZeroGPU: functions get a GPU if the `spaces` package is installed, else they are unchanged."""

import os
import socket
import subprocess
import sys
import types

import pytest
from support.paths import ROOT

from clipdemo.model.zero_gpu import on_gpu

# A package that looks like `spaces` to its callers.
SPACES = """
declared = []

def GPU(function):
    declared.append(function)
    return function
"""

# Prints the functions known when the page is launched, as ZeroGPU counts them.
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


def test_a_function_runs_on_a_gpu_where_the_package_is_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "spaces", None)  # importing it fails
    assert on_gpu(len) is len
    spaces = types.SimpleNamespace(GPU=lambda function: ("on a GPU", function))
    monkeypatch.setitem(sys.modules, "spaces", spaces)
    assert on_gpu(len) == ("on a GPU", len)


@pytest.fixture
def launched(tmp_path):
    """What is known when the page is launched, in an environment with these variables."""

    def launch(**variables: str) -> str:
        (tmp_path / "spaces.py").write_text(SPACES)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = str(probe.getsockname()[1])
        environment = {k: v for k, v in os.environ.items() if not k.startswith("CLIPDEMO_")}
        done = subprocess.run(
            [sys.executable, "-c", LAUNCH, "--port", port],
            cwd=ROOT,
            env=environment | {"PYTHONPATH": str(tmp_path)} | variables,
            capture_output=True,
            text=True,
        )
        assert done.stdout, done.stderr
        return done.stdout.splitlines()[-1]

    return launch


def test_a_function_is_known_before_the_page_is_launched(launched):
    """ZeroGPU stops a Space that has none by then; and CUDA must not be initialised before."""
    assert launched() == "known 1 False"


def test_the_model_is_ready_before_the_page_is_launched_on_zero_gpu(launched):
    """There, tensors reach the GPU only from the main thread and before the launch."""
    assert launched(SPACES_ZERO_GPU="1") == "known 1 True"
