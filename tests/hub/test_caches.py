"""Caches: if the libraries' usual folders are not writable, they get others."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from support.paths import ROOT

NOBODY = 65534
VARIABLES = ("HF_HOME", "GRADIO_TEMP_DIR")

PRINT = """
import json, os, sys, tempfile
from clipdemo.hub.caches import settle_caches
from clipdemo.errors import ClipdemoError
if os.environ.get("USER_ID") and os.getuid() == 0:
    os.setuid(int(os.environ["USER_ID"]))
try:
    settle_caches(*sys.argv[1:])
except ClipdemoError as error:
    sys.exit(str(error))
found = {name: os.environ[name] for name in ("HF_HOME", "GRADIO_TEMP_DIR")}
print(json.dumps(found | {"tmp": tempfile.gettempdir()}))
"""


@pytest.fixture
def settle(tmp_path):
    """Runs `settle_caches` in a new process with its own home and temporary folder."""
    for name in ("home", "tmp"):
        (tmp_path / name).mkdir()

    def run(*arguments: str | Path, **variables: str | Path) -> subprocess.CompletedProcess:
        ours = ("HF_", "GRADIO_", "XDG_", "CLIPDEMO_", "TMP", "TEMP", "HOME")
        clean = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
        usual = {"HOME": tmp_path / "home", "TMPDIR": tmp_path / "tmp"}
        environment = clean | {k: str(v) for k, v in (usual | variables).items() if v}
        return subprocess.run(
            [sys.executable, "-c", PRINT, *map(str, arguments)],
            cwd=ROOT, env=environment, capture_output=True, text=True,
        )  # fmt: skip

    return run


@pytest.fixture
def blocked(tmp_path) -> Path:
    """A folder that nobody can create, not even root: its parent is a file."""
    (tmp_path / "file").touch()
    return tmp_path / "file" / "folder"


def places(done: subprocess.CompletedProcess) -> dict[str, Path]:
    assert done.returncode == 0, done.stderr
    return {name: Path(place) for name, place in json.loads(done.stdout).items()}


def test_usual_folders_stay_as_they_are(settle, tmp_path):
    found = places(settle())
    assert found["HF_HOME"] == tmp_path / "home" / ".cache" / "huggingface"
    assert found["GRADIO_TEMP_DIR"] == tmp_path / "tmp" / "gradio"
    found = places(settle(XDG_CACHE_HOME=tmp_path / "xdg"))
    assert found["HF_HOME"] == tmp_path / "xdg" / "huggingface"


def test_variables_that_can_be_used_stay_as_they_are(settle, tmp_path):
    chosen = {name: tmp_path / name for name in VARIABLES}
    for arguments in ([], [tmp_path / "cache"]):
        found = places(settle(*arguments, **chosen))
        assert {name: found[name] for name in VARIABLES} == chosen


@pytest.mark.parametrize("variable", ["HOME", "XDG_CACHE_HOME", "HF_HOME", "GRADIO_TEMP_DIR"])
def test_a_folder_that_cannot_be_written_is_replaced(settle, blocked, variable):
    for place in places(settle(**{variable: blocked})).values():
        assert blocked not in (place, *place.parents)
        place.mkdir(parents=True, exist_ok=True)
        (place / "new").touch()


@pytest.mark.parametrize("variable", ["HOME", "HF_HOME", "GRADIO_TEMP_DIR", "TMPDIR"])
def test_everything_goes_to_the_given_folder(settle, blocked, tmp_path, variable):
    cache = tmp_path / "new" / "cache"
    found = places(settle(cache, **{"TMPDIR": ""} | {variable: blocked}))
    assert found["HF_HOME"] == cache / "huggingface"
    assert found["GRADIO_TEMP_DIR"] == cache / "gradio"
    if variable != "TMPDIR":
        assert found["tmp"] == cache


def test_a_given_folder_that_is_not_writable_is_refused(settle, blocked, is_sentence):
    done = settle(blocked)
    assert done.returncode == 1
    assert is_sentence(done.stderr)
    assert str(blocked) in done.stderr


@pytest.fixture
def open_folder():
    """A folder that every user can reach and write to."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o1777)
        yield Path(folder)


@pytest.fixture
def read_only(open_folder):
    """Makes a home that only root can write to, with the given folders."""
    home = open_folder / "home"

    def make(inside: str) -> Path:
        (home / inside).mkdir(parents=True)
        for place in [*home.rglob("*"), home]:
            place.chmod(0o555)
        return home

    yield make
    for place in [home, *home.rglob("*")]:
        place.chmod(0o755)


def test_a_read_only_home_is_kept_for_the_models_in_it(settle, open_folder, read_only):
    """They can be read, and would otherwise be downloaded again or, offline, be missing."""
    home = read_only(".cache/huggingface/hub/models--someone--model")
    found = places(settle(HOME=home, TMPDIR=open_folder, USER_ID=NOBODY))
    assert found["HF_HOME"] == home / ".cache" / "huggingface"


def test_a_read_only_home_without_models_is_replaced(settle, open_folder, read_only):
    home = read_only(".cache/huggingface/hub")
    found = places(settle(HOME=home, TMPDIR=open_folder, USER_ID=NOBODY))
    assert found["HF_HOME"].parent == open_folder


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become a user without an account")
def test_a_user_without_a_home_gets_a_folder(settle, open_folder):
    found = places(settle(HOME="", TMPDIR=open_folder, USER_ID=54321))
    assert found["HF_HOME"].parent == open_folder
