"""The server side of the Inspect tab: it never hangs, and explains every error."""

import time
from collections import Counter

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from clipdemo.errors import TableError
from clipdemo.inputs.labels import MODES
from clipdemo.inspection.scored_table import ScoredTable
from clipdemo.model.checkpoints import find_card
from clipdemo.page.inspect.inspector import Inspector
from clipdemo.page.inspect.routes import LONGEST, routes
from clipdemo.page.server.access import Access
from clipdemo.page.server.door import Door
from clipdemo.page.server.uploads import Uploads
from clipdemo.page.settings import Settings
from clipdemo.page.shared.models import Models

JSON = {"content-type": "application/json"}
QUERY = {"mode": "image", "thresholds": dict.fromkeys(MODES, [0.5] * 18)}


@pytest.fixture
def made(tmp_path):
    """Makes an Inspector for a table with these rows, without photos."""

    def make(*rows: str) -> Inspector:
        (tmp_path / "t.csv").write_text("\n".join(["ImageID,Labels,Caption", *rows, ""]))
        card = find_card("tiny", None)
        table = ScoredTable(card, str(tmp_path / "t.csv"), "", tmp_path / "data")
        models = Models(Settings(backbone="tiny", device="cpu"), card)
        models.first.start()
        return Inspector(table, models)

    return make


@pytest.fixture
def client(tmp_path):
    """Makes a client of an Inspector's server, as owner or, from another address, as visitor."""

    def connect(inspector: Inspector, address: str = "127.0.0.1") -> TestClient:
        door = Middleware(Door, Access(), Uploads(tmp_path / "uploads"), Counter())
        app = Starlette(routes=routes(inspector), middleware=[door])
        return TestClient(app, "http://127.0.0.1", client=(address, 50000))

    return connect


@pytest.fixture
def asked(made, client):
    """Sends requests to a server with two scored rows."""
    inspector = made("1.jpg,1,a person", "2.jpg,18,a dog")
    told(inspector)
    return client(inspector)


def told(inspector: Inspector) -> dict:
    """The state once it is ready or has failed, requested as by the page."""
    while (state := inspector.state("owner"))["status"] == "loading":
        time.sleep(0.05)
    return state


def test_requests_before_the_table_is_scored_are_answered_at_once(made, client, is_sentence):
    """Waiting requests would use up all threads of the server."""
    client = client(made("1.jpg,1,a person"))
    for answer in (
        client.get("/inspect/counts"), client.get("/inspect/photo/0"), client.get("/inspect/map"),
        client.post("/inspect/rows", json=QUERY), client.post("/inspect/mark", json={"row": 0}),
    ):  # fmt: skip
        assert answer.status_code in (400, 404)
        assert is_sentence(answer.json()["notice"])


def test_a_table_that_cannot_be_scored_is_reported_and_not_retried(made, monkeypatch):
    tries = []

    def predictions(self, *_):
        tries.append(self)
        raise TableError("This table cannot be read: check its rows.")

    monkeypatch.setattr(ScoredTable, "predictions", predictions)
    inspector = made("1.jpg,1,a person")
    assert {told(inspector)["notice"] for _ in range(3)} == {
        "This table cannot be read: check its rows."
    }
    assert len(tries) == 1


@pytest.mark.parametrize(
    "body", ["[" * 100_000, '{"mode": "\\ud800"}', "", "nan", '{"thresholds": {"image": {}}}']
)
def test_a_hostile_query_is_one_sentence(asked, is_sentence, body):
    answer = asked.post("/inspect/rows", content=body, headers=JSON)
    assert answer.status_code == 400
    assert is_sentence(answer.json()["notice"])


def test_a_body_without_a_length_is_refused_beyond_the_limit(asked):
    pieces = (b" " * LONGEST for _ in range(3))
    answer = asked.post("/inspect/rows", content=pieces, headers=JSON)
    assert answer.status_code == 400
    assert "too long" in answer.json()["notice"]


def test_a_note_that_cannot_be_encoded_does_no_harm_to_others(asked):
    """JSON can contain a lone surrogate."""
    finding = '{"row": 1, "finding": {"finding": "note", "note": "so \\ud800", "label": "\\udfff"}}'
    assert asked.post("/inspect/mark", content=finding, headers=JSON).json()["findings"] == 1
    found = asked.post("/inspect/rows", json=QUERY | {"mode": "text", "marked": True}).json()
    assert found["rows"][0]["finding"]["note"] == "so ?"
    assert "so ?" in asked.get("/inspect/findings.csv").text


def opened(client, **asked) -> str:
    """The server's error when a table is to be opened; empty if it opens it."""
    answer = client.post("/inspect/open", json=asked)
    return answer.json().get("notice", "") if answer.status_code != 200 else ""


def test_the_owner_opens_another_table_and_a_failed_one_again(made, client, tmp_path, is_sentence):
    inspector = made("1.jpg,1,a person", "2.jpg,18,a dog")
    told(inspector)
    mine = client(inspector)
    mine.get("/inspect/counts")
    other, no_table = tmp_path / "other.csv", tmp_path / "broken.csv"
    other.write_text("ImageID,Labels,Caption\n3.jpg,18,a brown dog\n")
    assert opened(mine, table=str(other)) == ""
    assert (told(inspector)["name"], told(inspector)["rows"]) == ("other.csv", 1)
    counts = np.frombuffer(mine.get("/inspect/counts").content, "<u4")
    assert counts.reshape(3, 18, 2, -1)[1].sum() == 18, "the counts are of this table"
    no_table.write_text("nothing of a table\n")
    assert opened(mine, table=str(no_table)) == ""
    failed = told(inspector)
    assert failed["notice"].startswith("broken.csv has no column of photo names")
    assert failed["notice"].endswith("name it ImageID."), "a page has no flags"
    assert failed["before"] == "other.csv"
    (tmp_path / "bad.zip").write_bytes(b"no zip")
    refused = opened(mine, table=str(other), photos=str(tmp_path / "bad.zip"))
    assert refused.startswith("bad.zip is neither")
    assert opened(mine, table=str(no_table)) == ""
    assert told(inspector)["before"] == "other.csv", "the one before both that failed"
    assert opened(mine, back=True) == ""
    assert (told(inspector)["name"], told(inspector)["rows"]) == ("other.csv", 1)
    assert opened(mine, table=str(no_table)) == ""
    assert is_sentence(told(inspector)["notice"])
    no_table.write_text("ImageID,Labels,Caption\n4.jpg,18,a dog\n5.jpg,1,a man\n")
    assert "rows" not in told(inspector), "it is not tried again unasked"
    assert opened(mine) == ""
    assert told(inspector)["rows"] == 2
    for path in ("/nowhere.csv", "/dev/zero", str(tmp_path), "\0", "x" * 9999, 7, ["a"], " "):
        assert is_sentence(opened(mine, table=path)), path
    assert is_sentence(opened(mine, table=str(other), photos="/nowhere"))
    assert told(inspector)["rows"] == 2, "what was open stays open"


def test_an_uploaded_table_outlives_the_uploads(made, client, tmp_path):
    inspector = made("1.jpg,1,a person")
    told(inspector)
    uploads = inspector._uploads = Uploads(tmp_path / "given")
    upload = uploads.folder / "own.csv"
    upload.write_text("ImageID,Labels,Caption\n3.jpg,18,a brown dog\n")
    assert opened(client(inspector), table=str(upload)) == ""
    assert told(inspector)["rows"] == 1
    assert not upload.exists()
    uploads.close()
    assert opened(client(inspector)) == ""
    assert told(inspector)["rows"] == 1


def test_a_visitor_opens_no_table(made, client, tmp_path):
    """Neither to read a file, nor to learn whether it exists, nor to retry."""
    inspector = made("1.jpg,1,a person")
    told(inspector)
    secret = tmp_path / "secret.csv"
    secret.write_text("ImageID,Labels,Caption\n3.jpg,18,a secret\n")
    stranger = client(inspector, "192.0.2.1")
    said = {opened(stranger, **asked) for asked in (
        {"table": str(secret)}, {"table": "/nowhere.csv"}, {"table": str(secret), "role": "owner"},
        {"table": str(secret), "photos": str(tmp_path)}, {},
    )}  # fmt: skip
    assert len(said) == 1
    assert "owner" in said.pop()
    near = client(inspector)
    proxied = {"X-Forwarded-For": "127.0.0.1"}
    for headers in (proxied, {"Origin": "https://evil.example"}, {"Host": "evil.example"}):
        answer = near.post("/inspect/open", json={"table": str(secret)}, headers=headers)
        assert answer.status_code in (400, 403), headers
    form = near.post("/inspect/open", data={"table": str(secret)})
    assert form.status_code == 400
    state = stranger.get("/inspect/state").json()
    assert (state["name"], state["rows"], state["owner"]) == ("t.csv", 1, False)


def test_visitors_neither_see_findings_nor_add_any(made, client, is_sentence):
    """On a public page all visitors share one server, and the table is its owner's."""
    rows = ("1.jpg,1,a person", "2.jpg,18,a dog")
    inspector = made(*rows)
    told(inspector)
    mine, stranger = client(inspector), client(inspector, "192.0.2.1")
    mine.post(
        "/inspect/mark",
        json={"row": 0, "finding": {"finding": "note", "note": "for me alone"}},
    )
    assert mine.get("/inspect/state").json()["findings"] == 1
    assert stranger.get("/inspect/state").json()["findings"] == 0
    every = QUERY | {"mode": "text", "outcome": ""}
    assert "for me alone" in mine.post("/inspect/rows", json=every).text
    assert "for me alone" not in stranger.post("/inspect/rows", json=every).text
    for answer in (
        stranger.get("/inspect/findings.csv"),
        stranger.post("/inspect/mark", json={"row": 0, "finding": None}),
        stranger.post("/inspect/rows", json=QUERY | {"marked": True}),
    ):
        assert answer.status_code in (400, 404)
        assert is_sentence(answer.json()["notice"])
    assert "for me alone" in mine.get("/inspect/findings.csv").text


def test_a_page_that_shows_another_table_is_told_so(made, client, is_sentence, tmp_path):
    """A row's number means another photo there: it would get the finding."""
    inspector = made("1.jpg,1,a person", "2.jpg,18,a dog")
    key = told(inspector)["key"]
    owner = client(inspector)
    asked = QUERY | {"mode": "text", "key": key}
    mark = {"row": 0, "finding": {"finding": "hard to see"}, "key": key}
    assert owner.post("/inspect/rows", json=asked).status_code == 200
    assert owner.post("/inspect/mark", json=mark).status_code == 200
    other = tmp_path / "other.csv"
    other.write_text("ImageID,Labels,Caption\n3.jpg,18,a brown dog\n")
    assert opened(owner, table=str(other)) == ""
    assert told(inspector)["key"] != key
    for path, body in (("rows", asked), ("rows.csv", asked), ("mark", mark)):
        answer = owner.post(f"/inspect/{path}", json=body)
        assert answer.status_code == 400
        assert is_sentence(answer.json()["notice"])
