"""The server side of the Inspect tab: it never hangs, and always says what is wrong."""

import time
from collections import Counter

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
    """Gives an Inspector of a table with these rows, captions alone."""

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
    """Gives a client of an Inspector's server, the owner's or, from elsewhere, a visitor's."""

    def connect(inspector: Inspector, address: str = "127.0.0.1") -> TestClient:
        door = Middleware(Door, Access(), Uploads(tmp_path / "uploads"), Counter())
        app = Starlette(routes=routes(inspector), middleware=[door])
        return TestClient(app, "http://127.0.0.1", client=(address, 50000))

    return connect


@pytest.fixture
def asked(made, client):
    """Asks the server of two scored rows."""
    inspector = made("1.jpg,1,a person", "2.jpg,18,a dog")
    told(inspector)
    return client(inspector)


def told(inspector: Inspector) -> dict:
    """What is said when it is ready or has failed, as the page asks for it."""
    while (state := inspector.state("owner"))["status"] == "loading":
        time.sleep(0.05)
    return state


def test_what_is_asked_before_the_table_is_scored_is_answered_at_once(made, client, is_sentence):
    """Requests that wait would take all threads of the server."""
    client = client(made("1.jpg,1,a person"))
    for answer in (
        client.get("/inspect/counts"), client.get("/inspect/photo/0"), client.get("/inspect/map"),
        client.post("/inspect/rows", json=QUERY), client.post("/inspect/mark", json={"row": 0}),
    ):  # fmt: skip
        assert answer.status_code in (400, 404)
        assert is_sentence(answer.json()["notice"])


def test_a_table_that_cannot_be_scored_is_told_and_not_tried_over_and_over(made, monkeypatch):
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


def test_a_note_that_no_file_can_hold_spoils_nothing_for_others(asked):
    """JSON may have half a character in it."""
    finding = '{"row": 1, "finding": {"finding": "note", "note": "so \\ud800", "label": "\\udfff"}}'
    assert asked.post("/inspect/mark", content=finding, headers=JSON).json()["findings"] == 1
    found = asked.post("/inspect/rows", json=QUERY | {"mode": "text", "marked": True}).json()
    assert found["rows"][0]["finding"]["note"] == "so ?"
    assert "so ?" in asked.get("/inspect/findings.csv").text


def test_strangers_neither_see_findings_nor_leave_any(made, client, is_sentence):
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
