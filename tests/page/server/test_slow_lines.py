"""The page on a slow line: answers are compressed, and browsers may keep its files."""

import re
import urllib.request
import zlib

import pytest
from support.driver import PATIENCE


def test_the_page_is_compressed_and_its_files_are_kept(owner):
    page = owner.http.get("/", headers={"Accept-Encoding": "gzip"})
    assert page.headers["content-encoding"] == "gzip"
    assert "Cache-Control" not in page.headers
    scripts = re.findall(r"\./(assets/[\w.-]+\.(?:js|css))", page.text)
    assert scripts
    for script in scripts:
        answer = owner.http.get(f"/{script}", headers={"Accept-Encoding": "gzip"})
        assert "immutable" in answer.headers["cache-control"]
        assert "content-encoding" in answer.headers
    missing = owner.http.get(f"/{scripts[0]}".replace("index", "none"))
    assert missing.status_code == 404
    assert "immutable" not in missing.headers.get("cache-control", "")


def test_events_arrive_one_by_one(app):
    """Compressing a stream would hold them back."""
    request = urllib.request.Request(
        f"{app[0]}gradio_api/heartbeat/abc", headers={"Accept-Encoding": "gzip"}
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as stream:
        assert stream.headers["content-encoding"] is None
        assert stream.readline().strip() == b"data: ALIVE"


@pytest.mark.parametrize("accepted", ["identity", "gzip;q=0", "br, gzip; q=0.0, identity", "*"])
def test_whoever_takes_no_compressed_answers_gets_the_page(app, accepted):
    def answer(accepted: str) -> tuple[str | None, bytes]:
        request = urllib.request.Request(app[0], headers={"Accept-Encoding": accepted})
        with urllib.request.urlopen(request, timeout=PATIENCE) as found:
            return found.headers["content-encoding"], found.read()

    kind, whole = answer(accepted)
    assert kind is None
    kind, packed = answer("gzip;q=0.5")
    assert kind == "gzip"
    assert len(zlib.decompress(packed, wbits=31)) == len(whole)
