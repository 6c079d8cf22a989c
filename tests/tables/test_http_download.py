"""Downloads: complete and correct or one sentence, and resumed, whatever the server does."""

import io
import resource
import subprocess
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest
from filelock import FileLock
from support.coco_server import CocoServer

from clipdemo.errors import DownloadError
from clipdemo.tables import http_download
from clipdemo.tables.coco_zips import fetch_zip, is_checked
from clipdemo.tables.http_download import TRIES, content_length, download

CONTENT = Random(1).randbytes(1_000_000)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Shortens the waiting for a server that does not answer."""
    monkeypatch.setattr(http_download, "PAUSE", 0.01)
    monkeypatch.setattr(http_download, "SILENCE", 0.5)


@pytest.fixture
def server():
    with CocoServer({"/file": CONTENT}) as server:
        yield server


@pytest.fixture
def fetch(server, tmp_path):
    """Downloads the file; returns its path."""

    def fetch(fault: str | None = None) -> Path:
        server.faults = {"file": fault}
        path = tmp_path / "folder" / "file"
        download(f"{server.url}/file", path)
        return path

    return fetch


def test_it_arrives_complete_and_leaves_no_other_files(fetch, server):
    """The plain case: one request, and only the file in its folder."""
    path = fetch()
    assert path.read_bytes() == CONTENT
    assert list(path.parent.iterdir()) == [path]
    assert server.asked == [("GET", "/file", None)]


def test_a_broken_connection_is_resumed_at_the_same_byte(fetch, server):
    """No byte is fetched twice."""
    assert fetch("stutter").read_bytes() == CONTENT
    assert [wanted for *_, wanted in server.asked] == [None, "bytes=500000-"]
    assert server.sent == len(CONTENT)


@pytest.mark.parametrize("fault", ["busy", "no range", "changed", "short", "no tag"])
def test_parts_that_do_not_match_are_downloaded_again(fetch, fault):
    """Old and new parts of a file that changed meanwhile are never combined."""
    assert fetch(fault).read_bytes() == CONTENT


@pytest.mark.parametrize("fault", ["cut", "hang"])
def test_a_server_that_hangs_is_given_up_and_its_bytes_are_kept(
    fetch, server, fault, tmp_path, is_sentence
):
    """The next call needs only the rest."""
    with pytest.raises(DownloadError, match=r"after 0\.5 MB .* kept") as failed:
        fetch(fault)
    assert is_sentence(failed.value)
    assert len(server.asked) >= TRIES  # more if a busy machine sends less at a time
    assert {p.name for p in tmp_path.glob("folder/*")} == {"file.part", "file.part.tag"}
    server.asked.clear()
    assert fetch().read_bytes() == CONTENT
    assert {wanted for *_, wanted in server.asked} == {"bytes=500000-"}  # on a busy machine twice


@pytest.mark.parametrize(
    ("fault", "says"),
    [("missing", "404"), ("broken", "500"), ("silent", "no data")],
)
def test_a_server_that_sends_nothing_is_one_sentence(fetch, fault, says, is_sentence):
    with pytest.raises(DownloadError, match=says) as failed:
        fetch(fault)
    assert is_sentence(failed.value)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/file", "http://no.such.host.invalid/file", "ftp://host/file", "x"]
)
def test_an_address_without_a_server_is_refused_at_once(url, tmp_path, is_sentence, monkeypatch):
    """Without a retry."""
    monkeypatch.setattr(http_download, "PAUSE", 1000)
    with pytest.raises(DownloadError, match="cannot be reached") as failed:
        download(url, tmp_path / "file")
    assert is_sentence(failed.value)
    with pytest.raises(DownloadError, match="cannot be reached"):
        content_length(url)


def test_a_full_disk_is_a_sentence_and_what_fits_is_kept(fetch, server, is_sentence):
    """Once there is room, the rest is fetched."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, before[1]))
    try:
        with pytest.raises(DownloadError, match="no room") as failed:
            fetch()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert is_sentence(failed.value)
    assert fetch().read_bytes() == CONTENT
    assert server.asked[-1][2] not in (None, "bytes=0-")


def test_a_killed_download_resumes(server, fetch, tmp_path):
    """SIGKILL in the middle: what was written by then is used."""
    script = "import sys, pathlib; from clipdemo.tables.http_download import download; download("
    script += "sys.argv[1], pathlib.Path(sys.argv[2]))"
    server.faults = {"file": "hang"}
    path = tmp_path / "folder" / "file"
    part = path.with_name("file.part")
    process = subprocess.Popen([sys.executable, "-c", script, f"{server.url}/file", path])
    while not (part.is_file() and part.stat().st_size >= 262_144):
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert fetch().read_bytes() == CONTENT
    assert int(server.asked[-1][2].removeprefix("bytes=").rstrip("-")) >= 262_144


def test_two_at_once_do_not_mix(fetch, tmp_path, is_sentence):
    """The second is refused while the first one writes."""
    (tmp_path / "folder").mkdir()
    lock = FileLock(tmp_path / "folder" / "file.lock", thread_local=False)
    with (
        lock,
        ThreadPoolExecutor(1) as other,
        pytest.raises(DownloadError, match="another process") as failed,
    ):
        other.submit(fetch).result()
    assert is_sentence(failed.value)
    assert fetch().read_bytes() == CONTENT


def test_the_server_states_the_size_of_a_file(server, is_sentence):
    """It is shown before a download; a missing file is refused by then."""
    assert content_length(f"{server.url}/file") == len(CONTENT)
    with pytest.raises(DownloadError, match="404") as failed:
        content_length(f"{server.url}/other")
    assert is_sentence(failed.value)


def test_progress_includes_bytes_received_before(server, tmp_path):
    """The bar continues where it was."""
    told = []
    server.faults = {"file": "stutter"}
    download(f"{server.url}/file", tmp_path / "file", lambda *step: told.append(step))
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (len(CONTENT), len(CONTENT))


@pytest.fixture
def fetched_zip(tmp_path):
    """Fetches a zip of noise; returns its path."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("noise", CONTENT)
    with CocoServer({"/x.zip": content.getvalue()}) as server:

        def fetch(fault: str | None = None) -> Path:
            server.faults = {"zip": fault}
            fetch_zip(f"{server.url}/x.zip", tmp_path / "x.zip")
            return tmp_path / "x.zip"

        yield fetch


@pytest.mark.parametrize("fault", ["half", "damaged"])
def test_a_damaged_zip_is_refused_and_fetched_again(fetched_zip, fault, tmp_path, is_sentence):
    """It is deleted, so the next call gets an intact one."""
    with pytest.raises(DownloadError, match="deleted") as failed:
        fetched_zip(fault)
    assert is_sentence(failed.value)
    assert not list(tmp_path.iterdir())
    assert is_checked(fetched_zip())


def test_a_zip_is_checked_once_and_again_when_it_changed(fetched_zip, is_sentence):
    """The second call reads nothing; a zip that has changed since is read again."""
    path = fetched_zip()
    assert is_checked(path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    assert not is_checked(path)
    with pytest.raises(DownloadError, match="delete it") as failed:
        fetched_zip()
    assert is_sentence(failed.value)
    assert path.is_file()


def test_a_zip_that_is_already_there_is_used(fetched_zip):
    """Users who already have COCO download nothing."""
    path = fetched_zip()
    path.with_name("x.zip.checked").unlink()
    assert is_checked(fetched_zip("missing"))
