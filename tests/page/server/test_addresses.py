"""URLs in API calls: internal addresses are never requested, and no response is read endlessly."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import gradio as gr
import pytest
from support.loopback import run_async

from clipdemo.inputs.photo_files import MAX_BYTES
from clipdemo.page.server import addresses

PHOTO = b"a photo, or so it says"


class Host(BaseHTTPRequestHandler):
    """A host with a photo, an endless file and redirects to elsewhere."""

    asked: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self.asked.append(self.path)
        to = {"/moved": "/photo.png", "/round": "/round", "/inside": "http://127.0.0.2/secret"}
        self.send_response(302 if self.path in to else 404 if self.path == "/gone" else 200)
        if self.path in to:
            self.send_header("Location", to[self.path])
        self.end_headers()
        try:
            while self.path == "/endless":
                self.wfile.write(bytes(2**20))
                self.asked.append("a megabyte")
        except OSError:
            return
        if self.path in ("/photo.png", "/album/%2e%2e"):
            self.wfile.write(PHOTO)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def host():
    """Its address."""
    Host.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Host) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def public(monkeypatch):
    """Makes 127.0.0.1 count as a public host, as there is no other one here."""
    real = addresses.async_validate_url

    async def validate(name: str) -> str:
        return name if name == "127.0.0.1" else await real(name)

    class Address:
        is_global = True

    monkeypatch.setattr(addresses, "async_validate_url", validate)
    monkeypatch.setattr(addresses, "ip_address", lambda text: Address)


def fetch(url: str) -> bytes:
    return run_async(addresses.fetch(url))[0]


@pytest.mark.parametrize(
    "inner",
    ["http://127.0.0.1:{}/photo.png", "http://localhost:{}/photo.png", "http://[::1]:{}/",
     "http://[::ffff:127.0.0.1]:{}/", "http://0.0.0.0:{}/", "http://2130706433:{}/",
     "http://169.254.169.254/", "http://10.0.0.1/", "http://100.64.0.1/", "http://", "http://a b/"],
)  # fmt: skip
def test_an_internal_address_is_never_requested(host, is_sentence, inner):
    with pytest.raises(gr.Error) as raised:
        fetch(inner.format(host.rsplit(":", 1)[1]))
    assert is_sentence(raised.value.message)
    assert Host.asked == []


@pytest.mark.usefixtures("public")
@pytest.mark.parametrize("path", ["/photo.png", "/moved", "/album/%2e%2e"])
def test_a_public_photo_is_fetched(host, path):
    assert fetch(host + path) == PHOTO


@pytest.mark.usefixtures("public")
@pytest.mark.parametrize("path", ["/gone", "/round", "/inside"])
def test_urls_that_lead_nowhere_or_inside_give_one_sentence(host, is_sentence, path):
    with pytest.raises(gr.Error) as raised:
        fetch(host + path)
    assert is_sentence(raised.value.message)


@pytest.mark.usefixtures("public")
def test_an_endless_response_is_dropped_soon_after_the_limit(host):
    with pytest.raises(gr.Error):
        fetch(f"{host}/endless")
    assert Host.asked.count("a megabyte") < 2 * MAX_BYTES / 2**20
