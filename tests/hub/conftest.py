"""A hub on a loopback port, and this process and its children using it with an empty cache."""

import shutil
import socket
from pathlib import Path

import pytest
from huggingface_hub import constants
from support.hub_server import COMMIT, HubServer

from clipdemo.hub.catalog import offer
from clipdemo.hub.locate import cached
from clipdemo.hub.repositories import WEIGHTS, repository

EMPTY = (2).to_bytes(8, "little") + b"{}"  # the smallest whole safetensors file


@pytest.fixture
def server(vit_folder):
    """A hub with one repository, org/vit."""
    with HubServer() as server:
        server.add("org/vit", vit_folder)
        yield server


@pytest.fixture
def use_hub(monkeypatch, tmp_path):
    """Makes this process and its children use the hub at a URL; returns its empty cache."""

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


@pytest.fixture
def put_cached(use_hub):
    """Puts a file, by default a valid one, into the cache as a backbone's weights."""
    cache = use_hub("http://127.0.0.1:9")

    def put(backbone: str, content: bytes = EMPTY) -> None:
        folder = cache / f"models--{repository(backbone).replace('/', '--')}"
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "refs").mkdir(parents=True)
        (folder / "refs" / "main").write_text(COMMIT)
        (folder / "snapshots" / COMMIT).mkdir(parents=True)
        (folder / "snapshots" / COMMIT / WEIGHTS[0]).write_bytes(content)
        if offer(backbone).own_tokenizer:
            assert cached(backbone) is None, "it is of no use without its tokenizer"
            (folder / "snapshots" / COMMIT / "tokenizer.json").write_bytes(b"{}")

    return put
