"""Settings: a flag beats a CLIPDEMO_ variable, which beats the default."""

import os

import pytest

from clipdemo.page.settings import Settings


@pytest.fixture(autouse=True)
def _clean(monkeypatch):
    for name in list(os.environ):
        if name.startswith(("CLIPDEMO_", "GRADIO_")) or name in ("SPACE_ID", "PORT"):
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


@pytest.mark.parametrize(("text", "on"), [("1", True), ("true", True), ("0", False), ("", False)])
def test_a_switch_is_on_or_off(monkeypatch, text, on):
    monkeypatch.setenv("CLIPDEMO_MCP", text)
    assert Settings.read().mcp is on
    assert Settings.read(["--mcp"]).mcp is True
    assert Settings.read(["--mcp", "off"]).mcp is False


def test_a_space_listens_on_all_interfaces(monkeypatch):
    monkeypatch.setenv("SPACE_ID", "someone/demo")
    assert Settings.read().host == "0.0.0.0"


def test_a_given_host_is_kept_on_a_space(monkeypatch):
    monkeypatch.setenv("SPACE_ID", "someone/demo")
    assert Settings.read(["--host", "127.0.0.1"]).host == "127.0.0.1"
    monkeypatch.setenv("CLIPDEMO_HOST", "127.0.0.1")
    assert Settings.read().host == "127.0.0.1"


@pytest.mark.parametrize("port", ["", " "])
def test_an_empty_variable_counts_as_none(monkeypatch, port):
    monkeypatch.setenv("CLIPDEMO_PORT", port)
    monkeypatch.setenv("CLIPDEMO_HOST", port)
    assert Settings.read() == Settings()


def test_variables_of_gradio_and_hosts_are_used_after_the_apps_own(monkeypatch):
    monkeypatch.setenv("GRADIO_SERVER_NAME", "0.0.0.0")
    monkeypatch.setenv("GRADIO_ROOT_PATH", "clip/")
    monkeypatch.setenv("PORT", "8080")
    assert Settings.read() == Settings(host="0.0.0.0", port=8080, root_path="/clip")
    monkeypatch.setenv("GRADIO_SERVER_PORT", "8081")
    assert Settings.read().port == 8081
    monkeypatch.setenv("CLIPDEMO_PORT", "8082")
    assert Settings.read().port == 8082
    monkeypatch.setenv("CLIPDEMO_PORT", "nonsense")
    assert Settings.read(["--port", "8083"]).port == 8083


def test_a_root_path_may_be_a_full_url():
    given = ["--root-path", "https://example.org/clip/"]
    assert Settings.read(given).root_path == "https://example.org/clip"


def test_brackets_around_an_ipv6_address_are_removed():
    assert Settings.read(["--host", "[::1]"]).host == "::1"


def test_several_backbones_can_be_offered(monkeypatch):
    assert Settings.read(["--offer", "a/b", "--offer", "c/d"]).offer == ("a/b", "c/d")
    monkeypatch.setenv("CLIPDEMO_OFFER", "a/b, c/d")
    assert Settings.read().offer == ("a/b", "c/d")
    assert Settings.read(["--offer", "e/f"]).offer == ("e/f",)


def test_a_space_is_public_unless_it_is_private(monkeypatch):
    assert not Settings.read().public
    monkeypatch.setenv("SPACE_ID", "someone/demo")
    assert Settings.read().public
    assert not Settings.read(["--private"]).public


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        (["--public", "--private"], "--public"),
        (["--auth", "name"], "--auth"),
        (["--auth", "a:b", "--mcp"], "--auth"),
        (["--port", "abc"], "--port"),
        (["--port=-1"], "--port"),
        (["--port=65536"], "--port"),
        (["--mcp", "perhaps"], "perhaps"),
        (["--colour", "red"], "--colour"),
    ],
)
def test_invalid_settings_end_with_code_2(flags, word, capsys):
    """An invalid port would otherwise cause a traceback when the server binds."""
    with pytest.raises(SystemExit) as stop:
        Settings.read(flags)
    assert stop.value.code == 2
    assert word in capsys.readouterr().err


def test_an_invalid_variable_ends_with_code_2(monkeypatch, capsys):
    monkeypatch.setenv("CLIPDEMO_PORT", "80.5")
    with pytest.raises(SystemExit) as stop:
        Settings.read()
    assert stop.value.code == 2
    assert "--port" in capsys.readouterr().err
