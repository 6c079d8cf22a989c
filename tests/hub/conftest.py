"""A hub on a loopback port, and this process and its children using it with an empty cache."""

import socket
from pathlib import Path

import pytest
from huggingface_hub import constants
from support.hub_server import HubServer


@pytest.fixture
def server(vit_folder):
    """A hub with one repository, org/vit."""
    with HubServer() as server:
        server.add("org/vit", vit_folder)
        yield server


@pytest.fixture
def use_hub(monkeypatch, tmp_path):
    """Lets this process and those it starts use the hub at a URL; returns its empty cache."""

    def use(url: str, offline: str = "") -> Path:
        cache = tmp_path / "home" / "hub"
        variables = {"HF_ENDPOINT": url, "HF_HOME": str(cache.parent), "HF_HUB_OFFLINE": offline}
        variables |= dict.fromkeys(("HF_HUB_ETAG_TIMEOUT", "HF_HUB_DOWNLOAD_TIMEOUT"), "1")
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("HF_HUB_CACHE", raising=False)
        template = f"{url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        monkeypatch.setattr(constants, "ENDPOINT", url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", bool(offline))
        monkeypatch.setattr(constants, "HF_HUB_ETAG_TIMEOUT", 1)
        return cache

    return use


@pytest.fixture
def cache(server, use_hub):
    """The empty cache of a process that uses the server."""
    return use_hub(server.url)


@pytest.fixture
def closed_port():
    """A port that refuses connections."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
