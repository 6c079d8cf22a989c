"""Uploads in parts: complete whatever the connection and strangers do, and within limits."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from support.asking import Stranger
from support.cut_line import cut_line
from support.driver import eventually, serving, visit
from support.paths import SCENES

from clipdemo.errors import ClipdemoError
from clipdemo.page.server.parts import NAME, PART, Parts
from clipdemo.page.server.uploads import Uploads
from page.batch.test_batch import says

KEY = "0000000000000001"


@pytest.fixture
def bag() -> str:
    return secrets.token_hex(16)


@pytest.fixture
def parts(tmp_path):
    uploads = Uploads(tmp_path)
    yield Parts(uploads, largest=100, most=3)
    uploads.close()


def put(url, bag, part, key=KEY, **about):
    about = {"name": "a.bin", "at": 0, "size": len(part)} | about
    return Stranger(url).http.put(f"/parts/{bag}/{key}", params=about, content=part)


def test_a_file_is_complete_after_repeated_or_misordered_parts(url, bag):
    content = secrets.token_bytes(3 * PART // 2 + 7)
    whole = {"size": len(content)}
    late = put(url, bag, content[PART:], at=PART, **whole)
    assert late.json() == {"at": 0}, "it restarts from the beginning"
    for _ in range(2):
        assert put(url, bag, content[:PART], **whole).json() == {"at": PART}
    found = put(url, bag, content[PART:], at=PART, **whole).json()
    assert found["at"] == len(content)
    assert Path(found["path"]).read_bytes() == content
    assert put(url, bag, content[PART:], at=PART, **whole).json() == found, "the answer was lost"
    (listed,) = Stranger(url).http.get(f"/parts/{bag}").json()["files"]
    assert listed == {"key": KEY, "name": "a.bin", "bytes": len(content), "complete": True}


def test_two_connections_that_send_the_same_file_leave_one(parts, bag):
    """The connection was lost, and delayed parts arrive along with the retry."""
    content = secrets.token_bytes(90)
    pieces = [(at, content[at : at + 3]) for at in range(0, 90, 3)] * 4
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda piece: parts.add(bag, KEY, "a", piece[0], 90, piece[1]), pieces))
    at = 0
    while at < 90:
        at = parts.add(bag, KEY, "a", at, 90, content[at : at + 3])["at"]
    assert [path.read_bytes() for path in parts.files(bag)] == [content]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\dog.jpg", "dog.jpg"),
        (".htaccess", "htaccess"),
        ("..", "file"),
        ("", "file"),
        ("a\x00b\n.png", "ab.png"),
        ("фото №1 (копия).jpg", "фото №1 (копия).jpg"),
        ("x" * 300 + ".jpeg", "x" * (NAME - 5) + ".jpeg"),
        ("é" * 300 + ".png", "é" * ((NAME - 4) // 2) + ".png"),
        ("a." + "b" * 300, "a." + "b" * (NAME - 2)),
        ("CON", "CON"),
    ],
)
def test_any_name_is_kept_as_far_as_file_systems_allow(parts, bag, name, kept):
    assert Path(parts.add(bag, KEY, name, 0, 1, b"x")["path"]).name == kept
    assert [path.name for path in parts.files(bag)] == [kept]


def test_only_complete_files_are_used_and_an_empty_one_is_complete(parts, bag):
    parts.add(bag, KEY, "half", 0, 10, b"12345")
    parts.add(bag, KEY[:-1] + "2", "none.csv", 0, 0, b"")
    assert [path.name for path in parts.files(bag)] == ["none.csv"]
    assert [file["complete"] for file in parts.sizes(bag)] == [False, True]


def test_limits_are_one_sentence_each(parts, bag, is_sentence):
    refused = {
        "101 bytes": lambda: parts.add(bag, KEY, "a", 0, 101, b""),
        "more than said": lambda: parts.add(bag, KEY, "a", 0, 3, b"1234"),
        "an id": lambda: parts.add("../x", KEY, "a", 0, 1, b"1"),
        "a key": lambda: parts.add(bag, "..", "a", 0, 1, b"1"),
        "a listing": lambda: parts.sizes("short"),
    }
    for case, ask in refused.items():
        with pytest.raises(ClipdemoError) as error:
            ask()
        assert is_sentence(str(error.value)), case
    for number in range(3):
        parts.add(bag, f"{number:016}", "a", 0, 1, b"x")
    with pytest.raises(ClipdemoError, match="more than 3 files"):
        parts.add(bag, f"{3:016}", "a", 0, 1, b"x")
    assert len(parts.files(bag)) == 3
    assert parts.files("../..") == parts.files(None) == parts.files(secrets.token_hex(16)) == []


def test_a_stranger_gets_sentences(url, bag, is_sentence):
    asked = [
        (put(url, bag, b"x" * (PART + 1)), 413),
        (put(url, bag, b"x", at="one"), 400),
        (put(url, bag, b"x", size=10**14), 400),
        (put(url, "b" * 200, b"x"), 400),
        (put(url, bag, b"x", key="A" * 16), 400),
        (Stranger(url).http.get("/parts/short"), 404),
        (Stranger(url, Origin="https://evil.example").http.get(f"/parts/{bag}"), 403),
    ]
    for answer, status in asked:
        assert answer.status_code == status, answer.text
        assert is_sentence(answer.json()["detail"]), answer.text
    assert Stranger(url).http.get(f"/parts/{bag}").json() == {"files": []}


@pytest.mark.browser
def test_a_lost_connection_costs_one_part_and_a_reload_none(visitor, url, tmp_path):
    content = secrets.token_bytes(6 * PART)
    (tmp_path / "large.zip").write_bytes(content)
    files = [tmp_path / "large.zip", SCENES / "farm.webp", SCENES / "beach.webp"]
    with cut_line(url) as (address, line):
        page = visitor.new_page()
        visit(page, address)
        taken, asked = [], []

        def pass_on(route) -> None:
            asked.append(route.request.url)
            if len(asked) == 4:
                line.cut()
            route.continue_()

        page.route("**/parts/*/*", pass_on)
        page.on("response", lambda answer: answer.ok and taken.append(answer.url))
        page.get_by_role("tab", name="Batch").click()
        page.locator("#batch-choose").set_input_files(files)
        page.locator("#batch-files").get_by_text("Uploading ").wait_for()
        eventually(page, lambda: _longer(asked, 4))
        line.mend()
        page.locator("#batch-files").get_by_text("Ready: 2 photos and 1 zip").wait_for()
        sent = [_what(address) for address in taken if "/parts/" in address and "at=" in address]
        assert len(sent) == len(set(sent)) == 8, "each part arrived, and was taken once"
        page.reload()
        page.get_by_role("tab", name="Batch").click()
        page.locator("#batch-files").get_by_text("Ready: 2 photos and 1 zip").wait_for()
        asked.clear()
        page.locator("#batch-choose").set_input_files(files[1:])
        page.locator("#batch-files").get_by_role("button", name="Clear").click()
        page.locator("#batch-choose").set_input_files(files[1:])
        page.locator("#batch-start").click()
        says(page, "Done: 2")
        assert len(asked) == 2, "only what was given after Clear is sent"


@pytest.mark.browser
def test_files_that_a_new_server_lacks_are_sent_again_at_the_start(visitor, url, tmp_path):
    with serving(tmp_path) as (again, _), cut_line(url) as (address, line):
        page = visitor.new_page()
        visit(page, address)
        page.get_by_role("tab", name="Batch").click()
        page.locator("#batch-choose").set_input_files([SCENES / "farm.webp", SCENES / "beach.webp"])
        page.locator("#batch-files").get_by_text("Ready: 2 photos").wait_for()
        bag = page.evaluate("JSON.parse(sessionStorage['clipdemo.bag']).id")
        assert Stranger(again).http.get(f"/parts/{bag}").json() == {"files": []}
        line.cut()
        line.mend(again)
        page.locator("#batch-start").click()
        says(page, "Done: 2")
        sent = Stranger(again).http.get(f"/parts/{bag}").json()["files"]
        assert {file["name"] for file in sent if file["complete"]} == {"farm.webp", "beach.webp"}


@pytest.mark.browser
def test_a_file_refused_by_a_proxy_is_one_sentence_and_the_rest_is_sent(visitor, url, is_sentence):
    """With its own HTML page instead of JSON, as nginx and others do."""
    page = visitor.new_page()
    visit(page, url)
    refused = {"status": 413, "content_type": "text/html", "body": "<h1>413</h1>"}
    page.route("**/parts/*/*name=farm.webp*", lambda route: route.fulfill(**refused))
    page.get_by_role("tab", name="Batch").click()
    page.locator("#batch-choose").set_input_files([SCENES / "farm.webp", SCENES / "beach.webp"])
    page.locator("#batch-files").get_by_text("Ready: 1 photo").wait_for()
    sentence = page.locator("#batch-files .notices li").inner_text()
    assert "farm.webp" in sentence
    assert "413" in sentence
    assert is_sentence(sentence)


@pytest.mark.browser
def test_the_page_asks_before_it_is_left_only_during_uploads(visitor, url):
    page, asked = visitor.new_page(), []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    visit(page, url)
    page.get_by_role("tab", name="Batch").click()
    page.route("**/parts/*/*", lambda route: None)  # no answer comes
    page.locator("#batch-choose").set_input_files(SCENES / "farm.webp")
    page.locator("#batch-files").get_by_text("Uploading ").wait_for()
    page.close(run_before_unload=True)
    eventually(page, lambda: _asked(asked))
    page.unroute("**/parts/*/*")
    page.locator("#batch-files").get_by_role("button", name="Clear").click()
    page.reload()
    assert asked == ["beforeunload"]


def _asked(dialogs: list[str]) -> None:
    assert dialogs == ["beforeunload"]


def _longer(found: list, count: int) -> None:
    assert len(found) > count


def _what(address: str) -> tuple[str, str]:
    """The file and the position in it of a request."""
    parts = urlsplit(address)
    return parts.path, parse_qs(parts.query)["at"][0]
