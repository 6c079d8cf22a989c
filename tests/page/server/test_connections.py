"""Connections that send no complete request take nothing from the other visitors."""

import os
import signal
import socket
from contextlib import ExitStack

import httpx
import pytest
from support.asking import Stranger
from support.driver import PATIENCE, serving, until

HEAD = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"
# The app in a shell with a small `ulimit -n`, as systems have it.
FEW = """
import resource
import app
resource.setrlimit(resource.RLIMIT_NOFILE, (256, {hard}))
app.main()
"""
# The app, which waits for a request for only a moment.
HASTY = """
import app
from clipdemo.page.server import connections
connections.HEAD = connections.REST = 0.2
app.main()
"""


def line(url: str, *said: bytes) -> socket.socket:
    place = httpx.URL(url)
    found = socket.create_connection((place.host, place.port), PATIENCE)
    found.sendall(b"".join(said))
    return found


@pytest.mark.parametrize("hard", [256, 1024])
def test_many_unfinished_requests_keep_nobody_out(tmp_path, hard):
    with serving(tmp_path, ("-c", FEW.format(hard=hard))) as (url, process), ExitStack() as held:
        until(lambda: Stranger(url).http.get("/healthz").json()["status"] == "ready")
        os.kill(process.pid, signal.SIGSTOP)  # so that all come at once
        for _ in range(400):
            held.enter_context(line(url, HEAD, b"X-a: "))
        os.kill(process.pid, signal.SIGCONT)
        for _ in range(3):
            assert Stranger(url).call("predict", [None, "a dog"])[0]
        log = (tmp_path / "server.log").read_text()
        assert "Traceback" not in log
        assert log.count("ulimit") == (hard == 256)


def test_a_connection_ends_unless_a_request_arrives(tmp_path):
    with serving(tmp_path, ("-c", HASTY)) as (url, _):
        once = HEAD + b"\r\n"
        unread = b"POST /none HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n"
        slow = b"POST /gradio_api/run/predict HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        slow += b"Content-Type: application/json\r\nContent-Length: 16\r\nConnection: close\r\n\r\n"
        with line(url, slow) as late:
            for before, after in ((b"", b""), (b"", HEAD), (once, HEAD), (unread, b"x")):
                with line(url, before) as held:
                    answer = held.recv(2**16) if before else b"HTTP/1.1"
                    assert answer.startswith(b"HTTP/1.1")
                    held.sendall(after)
                    try:
                        while held.recv(2**16):
                            pass
                    except ConnectionResetError:
                        pass
            late.sendall(b'{"data": [null,"')
            assert late.recv(2**16).startswith(b"HTTP/1.1 4"), "one that is answered goes on"


def test_on_a_space_visitors_are_told_apart_behind_its_proxies(tmp_path):
    with serving(tmp_path, ("app.py", "--auth", "ann:word"), SPACE_ID="someone/demo") as (url, _):

        def answers(address: str) -> list[int]:
            said = {"X-Forwarded-For": f"198.51.100.1, {address}, 10.1.1.1"}
            form = {"username": "ann", "password": "wrong"}
            guesses = (httpx.post(f"{url}login", data=form, headers=said) for _ in range(5))
            return [answer.status_code for answer in guesses]

        for number in range(3):
            assert answers(f"203.0.113.{number}") == [400] * 4 + [429]
