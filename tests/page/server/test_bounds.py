"""One visitor takes only so much of the server's memory, and nothing from the others."""

import select
import socket
from collections import Counter
from contextlib import ExitStack

import gradio as gr
import httpx
import pytest
from gradio.state_holder import StateHolder
from support.asking import Stranger
from support.driver import serving, until

from clipdemo.page.server.bounds import SHARE, Sessions
from clipdemo.page.server.door import HELD, LONGEST

ROUTE = "/gradio_api/run/predict"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("bodies"), ("app.py", "--auth", "ann:word")) as (url, _):
        until(lambda: Stranger(url).http.get("/healthz").json()["status"] == "ready")
        yield url


@pytest.fixture
def member(address) -> Stranger:
    found = Stranger(address)
    form = {"username": "ann", "password": "word"}
    asked = {"Content-Type": "application/x-www-form-urlencoded"}
    assert found.http.post("/login", data=form, headers=asked).status_code == 200
    return found


def unfinished(url: str, length: int, cookies: str) -> socket.socket:
    """A request whose last byte is not sent."""
    place = httpx.URL(url)
    line = socket.create_connection((place.host, place.port), 60)
    head = f"POST {ROUTE} HTTP/1.1\r\nHost: {place.host}:{place.port}\r\nCookie: {cookies}\r\n"
    line.sendall(
        f"{head}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n".encode()
    )
    line.sendall(b" " * (length - 1))
    return line


def test_unfinished_requests_take_a_bounded_share_of_the_memory(address, member, is_sentence):
    cookies = "; ".join(f"{name}={value}" for name, value in member.http.cookies.items())
    with ExitStack() as lines:
        lengths = [1000] + HELD // LONGEST * [LONGEST]  # a small one takes none of the room
        held = [lines.enter_context(unfinished(address, n, cookies)) for n in lengths]

        def refused() -> httpx.Response:
            return member.http.post(ROUTE, content=b" " * LONGEST)

        until(lambda: refused().status_code == 503)
        assert is_sentence(refused().json()["detail"])
        assert not select.select(held, [], [], 0)[0], "one of those that fit was refused"
        assert member.run("predict", [None, "a dog"])[0]
    until(lambda: refused().status_code != 503)


def test_before_the_login_no_body_is_read(address):
    line = unfinished(address, 1000, "")
    assert b" 401 " in line.recv(100)


# The app, whose queue does not move.
STANDING = """
import app
from gradio.queueing import Queue
Queue.start = lambda self: None
app.main()
"""


def test_one_visitor_cannot_fill_the_queue(tmp_path, is_sentence):
    with serving(tmp_path, ("-c", STANDING)) as (url, _):

        def accepted(number: int) -> int:
            who = Stranger(url, **{"X-Forwarded-For": f"203.0.113.{number}"}).http
            for count in range(257):
                answer = who.post("/gradio_api/call/predict", json={"data": [None, "a dog"]})
                if answer.status_code != 200:
                    assert answer.status_code == 503
                    assert is_sentence(answer.json()["detail"])
                    assert "try again" in answer.json()["detail"]
                    return count
            raise AssertionError("nothing is refused")

        assert [accepted(n) for n in range(6)] == [128, *[SHARE] * 4, 0]


def test_invented_visitors_do_not_replace_those_whose_page_is_open():
    holder, live = StateHolder(), Counter(open=1)
    with gr.Blocks() as page:
        page.state_session_capacity = 5
        holder.set_blocks(page)
    holder.session_data = Sessions(live)
    mine = holder["open"]
    for number in range(20):
        assert holder[f"invented-{number}"] is holder[f"invented-{number}"]
    assert holder["open"] is mine
    assert len(holder.session_data) == 5
    live.update(f"also-open-{number}" for number in range(20))
    for number in range(20):
        assert holder[f"also-open-{number}"]
    assert "open" not in holder, "of open pages, the latest stay"
