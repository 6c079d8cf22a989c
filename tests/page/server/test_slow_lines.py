"""The page on a slow line: answers are compressed, and browsers may keep its files."""

import re
import urllib.request
import zlib

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


def test_whoever_takes_no_compressed_answers_gets_the_page(app):
    with urllib.request.urlopen(app[0], timeout=PATIENCE) as plain:
        assert plain.headers["content-encoding"] is None
        whole = plain.read()
    request = urllib.request.Request(app[0], headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request, timeout=PATIENCE) as packed:
        found = zlib.decompress(packed.read(), wbits=31)
    assert len(found) == len(whole)
