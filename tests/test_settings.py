"""Settings: a flag beats a CLIPDEMO_ variable, which beats the default."""

import os

import pytest

from clipdemo.settings import Settings


@pytest.fixture(autouse=True)
def _clean(monkeypatch):
    for name in list(os.environ):
        if name.startswith("CLIPDEMO_") or name == "SPACE_ID":
            monkeypatch.delenv(name)


def test_the_defaults_are_a_local_page_of_the_bundled_model():
    assert Settings.read() == Settings(
        backbone="auto", checkpoint="", device="auto", precision="auto", captioner="auto",
        host="127.0.0.1", port=7860, cache="", mcp=False,
    )  # fmt: skip


def test_the_environment_beats_the_defaults(monkeypatch):
    monkeypatch.setenv("CLIPDEMO_BACKBONE", "local-dir:/somewhere")
    monkeypatch.setenv("CLIPDEMO_PORT", "8123")
    found = Settings.read()
    assert found == Settings(backbone="local-dir:/somewhere", port=8123)


def test_a_flag_beats_the_environment(monkeypatch):
    monkeypatch.setenv("CLIPDEMO_PORT", "8123")
    monkeypatch.setenv("CLIPDEMO_DEVICE", "cuda")
    found = Settings.read(["--port", "9000", "--checkpoint=heads"])
    assert found == Settings(device="cuda", checkpoint="heads", port=9000)


@pytest.mark.parametrize("where", ["flag", "environment"])
@pytest.mark.parametrize("port", ["abc", "80.5", ""])
def test_a_port_that_is_no_number_ends_with_code_2(monkeypatch, capsys, where, port):
    if where == "environment":
        monkeypatch.setenv("CLIPDEMO_PORT", port)
    with pytest.raises(SystemExit) as stop:
        Settings.read(["--port", port] if where == "flag" else [])
    assert stop.value.code == 2
    assert "--port" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["-1", "65536", "99999"])
def test_a_port_that_does_not_exist_is_refused(capsys, port):
    """Otherwise the server ends in a traceback when it binds."""
    with pytest.raises(SystemExit) as stop:
        Settings.read([f"--port={port}"])
    assert stop.value.code == 2
    assert "--port" in capsys.readouterr().err


@pytest.mark.parametrize(("text", "on"), [("1", True), ("true", True), ("0", False), ("", False)])
def test_a_switch_is_on_or_off(monkeypatch, text, on):
    monkeypatch.setenv("CLIPDEMO_MCP", text)
    assert Settings.read().mcp is on
    assert Settings.read(["--mcp"]).mcp is True
    assert Settings.read(["--mcp", "off"]).mcp is False


def test_a_switch_that_is_neither_ends_with_code_2(monkeypatch, capsys):
    monkeypatch.setenv("CLIPDEMO_MCP", "perhaps")
    with pytest.raises(SystemExit) as stop:
        Settings.read()
    assert stop.value.code == 2
    assert "perhaps" in capsys.readouterr().err


def test_an_unknown_flag_ends_with_code_2():
    with pytest.raises(SystemExit) as stop:
        Settings.read(["--colour", "red"])
    assert stop.value.code == 2


def test_a_space_listens_on_all_interfaces(monkeypatch):
    monkeypatch.setenv("SPACE_ID", "someone/demo")
    assert Settings.read().host == "0.0.0.0"


def test_a_host_that_was_asked_for_is_kept_on_a_space(monkeypatch):
    monkeypatch.setenv("SPACE_ID", "someone/demo")
    assert Settings.read(["--host", "127.0.0.1"]).host == "127.0.0.1"
    monkeypatch.setenv("CLIPDEMO_HOST", "127.0.0.1")
    assert Settings.read().host == "127.0.0.1"
