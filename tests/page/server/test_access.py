"""Owner or visitor: decided per request; requests from pages of other sites are refused."""

import socket

import httpx
import pytest
from PIL import Image
from starlette.exceptions import HTTPException
from starlette.requests import Request
from support.asking import Stranger
from support.driver import eventually, serving, until
from support.loopback import LoopbackServer, QuietHandler

from clipdemo.page.server.access import GUESSES, PAUSE, Access
from clipdemo.page.settings import Settings

JSON = {"Content-Type": "application/json"}
MARK = {"row": 0, "finding": {"finding": "note", "note": "mine"}}

# Each of these makes the owner a visitor.
FORWARDED = {
    "nginx": {"X-Real-IP": "203.0.113.7"},
    "nginx, another host": {"X-Forwarded-For": "203.0.113.7", "Host": "127.0.0.1"},
    "apache": {"X-Forwarded-Server": "clip.example", "X-Forwarded-Host": "127.0.0.1"},
    "caddy": {"X-Forwarded-Proto": "https"},
    "rfc 7239": {"Forwarded": "for=203.0.113.7"},
    "says it is local": {"X-Forwarded-For": "127.0.0.1"},
    "squid": {"Via": "1.1 proxy"},
    "cloudflare": {"CF-Connecting-IP": "203.0.113.7"},
    "an address": {"Host": "192.0.2.1:7860"},
}
OTHER_SITES = {
    "another site": {"Origin": "https://evil.example"},
    "another port": {"Origin": "http://127.0.0.1:1"},
    "a sandboxed frame": {"Origin": "null"},
    "a name that looks alike": {"Origin": "http://127.0.0.1.evil.example"},
    "userinfo": {"Origin": "http://127.0.0.1@evil.example"},
    "an image or a script": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    "another app on this machine": {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
    "a frame": {
        "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe",
    },
    "a name pointed here": {"Host": "evil.example:7860"},
    "a name pointed here, proxied": {"Host": "evil.example", "X-Forwarded-For": "203.0.113.7"},
    "no name": {"Host": ""},
    "a wrong name": {"Host": "127.0.0.1@evil.example"},
    "a subdomain": {"Host": "localhost.evil.example"},
}  # fmt: skip


def is_owner(asking: Stranger) -> bool:
    until(lambda: asking.http.get("/inspect/state").json()["status"] == "ready")
    found = asking.http.get("/inspect/state").json()
    kept = asking.http.post("/inspect/mark", json=MARK).status_code == 200
    assert kept == found["owner"]
    return kept


def test_the_user_on_this_machine_is_the_owner_by_each_of_its_names(app):
    port = app[0].rstrip("/").rsplit(":", 1)[1]
    for host in ("127.0.0.1", "localhost", "LOCALHOST", "app.localhost", "[::1]", "127.0.0.2"):
        assert is_owner(Stranger(app[0], Host=f"{host}:{port}")), host


@pytest.mark.parametrize("by", FORWARDED)
def test_requests_through_a_proxy_are_a_visitors(app, by):
    visitor = Stranger(app[0], **FORWARDED[by])
    assert not is_owner(visitor)
    assert visitor.http.get("/inspect/findings.csv").status_code == 404


@pytest.mark.parametrize("site", OTHER_SITES)
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("GET", "/config"), ("GET", "/inspect/state"), ("POST", "/inspect/mark"),
     ("POST", "/gradio_api/call/predict"), ("POST", "/gradio_api/queue/join"),
     ("POST", "/gradio_api/upload"), ("POST", "/gradio_api/mcp/")],
)  # fmt: skip
def test_requests_from_another_site_are_refused(app, is_sentence, site, method, path):
    """Forged requests and names rebound to this machine, for MCP as well."""
    answer = Stranger(app[0], **OTHER_SITES[site]).http.request(method, path, content="{}")
    assert answer.status_code == 403
    assert is_sentence(answer.text if path.endswith("upload") else answer.json()["error"])


def test_a_link_on_another_site_opens_the_page(app):
    """But not in a frame, nor by a form."""
    followed = {
        "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document",
    }  # fmt: skip
    opened = Stranger(app[0], **followed).http
    assert opened.get("/").status_code == 200
    assert opened.post("/gradio_api/call/predict", content="{}").status_code == 403
    assert opened.get("/").headers["x-frame-options"] == "SAMEORIGIN"


def test_the_page_itself_is_answered(app):
    own = {"Origin": app[0].rstrip("/"), "Sec-Fetch-Site": "same-origin"}
    assert is_owner(Stranger(app[0], **own))


def test_a_proxy_that_passes_on_the_host_without_its_port_counts_as_the_same_site(app):
    through = {"Origin": "http://127.0.0.1:8080", "Host": "127.0.0.1", "X-Forwarded-For": "::1"}
    assert not is_owner(Stranger(app[0], **through))
    through |= {"Origin": "https://127.0.0.9"}
    assert Stranger(app[0], **through).http.get("/config").status_code == 403


EVIL = """<!doctype html><title>another site</title><iframe src="{url}"></iframe>
<form method=post action="{url}login" target=in><input name=a></form>
<iframe name=in></iframe><script>
const send = (path, body, type) => fetch("{url}" + path, {{
  method: "POST", mode: "no-cors", body, headers: {{ "Content-Type": type }},
}});
const file = new FormData();
file.append("files", new Blob(["evil"]), "evil.txt");
fetch("{url}gradio_api/upload", {{ method: "POST", mode: "no-cors", body: file }});
send("gradio_api/queue/join", '{{"data": [], "fn_index": 0, "session_hash": "a"}}', "text/plain");
send("inspect/mark", '{{"row": 0, "finding": null}}', "text/plain");
fetch("{url}config").catch(() => 0);
new EventSource("{url}gradio_api/queue/data?session_hash=a");
document.forms[0].submit();
</script>"""


def test_a_page_of_another_site_has_no_effect_in_a_browser(app, visitor):
    """With all requests that a page may send without a preflight."""

    class Evil(QuietHandler):
        def do_GET(self) -> None:
            body = EVIL.format(url=app[0]).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    asked, answers = set(), []
    visitor.on("requestfinished", lambda request: asked.add(request.url))
    visitor.on("requestfailed", lambda request: asked.add(request.url))
    visitor.on("response", lambda answer: answers.append((answer.url, answer.status)))
    page = visitor.new_page()
    with LoopbackServer(Evil) as evil:
        page.goto(evil.url.replace("127.0.0.1", "localhost"))
        eventually(page, lambda: assert_asked(asked, app[0]))
    assert {status for url, status in answers if url.startswith(app[0])} == {403}
    assert not list(app[1].rglob("evil.txt"))


def assert_asked(asked: set[str], url: str) -> None:
    wanted = {
        "", "login", "gradio_api/upload", "gradio_api/queue/join",
        "inspect/mark", "config", "gradio_api/queue/data?session_hash=a",
    }  # fmt: skip
    assert wanted <= {place.removeprefix(url) for place in asked}


@pytest.fixture(scope="module")
def public(tmp_path_factory):
    """A page started with --public, which offers a folder and a hub id."""
    folder = tmp_path_factory.mktemp("public")
    with serving(folder, ("app.py", "--public", "--offer", "hf-hub:org/offered")) as (url, _):
        until(lambda: Stranger(url).http.get("/healthz").json()["status"] == "ready")
        yield url


def test_on_a_public_page_nobody_is_the_owner_and_any_host_is_accepted(public):
    assert not is_owner(Stranger(public))
    assert not is_owner(Stranger(public, Host="clip.example"))
    framed = Stranger(public, Origin="https://huggingface.co", Host="someone-demo.hf.space")
    assert framed.http.get("/").status_code == 200
    assert "x-frame-options" not in framed.http.get("/").headers


WANTED = ["local-dir:/etc", "local-dir:.", "hf-hub:org/some", "ViT-L-14-quickgelu/openai",
          "ViT-H-14/laion2b_s32b_b79k", "RN50/openai"]  # fmt: skip


def told(asking: Stranger, wanted: str) -> list[str]:
    """The answer to this backbone's id of each event that takes one."""
    found = []
    for event in asking.events():
        if event["kinds"][:1] == ["dropdown"]:
            given = [wanted] + [None] * (len(event["kinds"]) - 1)
            went_well, said = asking.event(event["number"], given)
            assert went_well
            found += [part["text"] for part in said if isinstance(part, dict) and "text" in part]
    return found


@pytest.mark.parametrize("wanted", WANTED)
@pytest.mark.parametrize("where", ["public", "proxied"])
def test_a_visitor_can_load_and_fetch_only_what_is_there(request, is_sentence, where, wanted):
    if where == "public":
        visitor = Stranger(request.getfixturevalue("public"))
    else:
        visitor = request.getfixturevalue("stranger")
    said = told(visitor, wanted)
    assert len(said) == 2  # choosing and downloading it
    for sentence in said:
        assert is_sentence(sentence)
        assert "list" in sentence or "not on this page's server" in sentence
    assert visitor.http.get("/healthz").json()["backbone"] == "tiny"


def test_visitors_may_use_what_the_owner_offers(public):
    """Here this fails only because the hub cannot be reached."""
    said = told(Stranger(public), "hf-hub:org/offered")
    assert not any("list" in sentence for sentence in said)


def test_visitors_see_only_backbones_that_they_may_use(public, app):
    def listed(asking: Stranger) -> list[str]:
        told = (asking.event(e["number"], []) for e in asking.events() if not e["kinds"])
        update = next(found[0] for _, found in told if "choices" in str(found))
        return [value for _, value in update["choices"]]

    assert listed(Stranger(public)) == ["hf-hub:org/offered", "tiny"]
    assert len(listed(Stranger(app[0]))) > 4


def role(settings: Settings, headers: dict[str, str], method: str = "GET") -> str | int:
    """Owner, visitor or the status of the refusal, for a request to a page with these settings."""
    raw = [(name.lower().encode(), text.encode()) for name, text in headers.items()]
    scope = {"type": "http", "method": method, "headers": raw, "client": ("192.0.2.9", 50000)}
    try:
        return Access.of(settings).role(Request(scope))
    except HTTPException as refused:
        return refused.status_code


def test_on_a_private_page_everybody_but_other_sites_is_the_owner():
    private, own = Settings(private=True, root_path="http://clip.example"), {"Host": "127.0.0.1"}
    for headers in ({}, FORWARDED["nginx"], {"Host": "clip.example", "Via": "1.1 proxy"}):
        assert role(private, own | headers) == "owner"
    for site in ("another site", "a frame", "a name pointed here"):
        assert role(private, own | OTHER_SITES[site]) == 403
    everywhere = Settings(private=True, host="0.0.0.0")
    assert role(everywhere, {"Host": "192.0.2.1:7860"}) == "owner"
    assert role(everywhere, OTHER_SITES["a name pointed here"]) == "visitor"


def test_a_header_that_a_page_may_be_able_to_set_gives_no_rights(app):
    """Gradio's own answers to preflights of other sites stay behind the door, too."""
    evil = {"Origin": "http://192.0.2.6", "X-Forwarded-Host": "192.0.2.6"}
    private = Settings(private=True, host="0.0.0.0")
    assert role(private, {"Host": "192.0.2.1:7860"} | evil, "POST") == 403
    asks = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-forwarded-host,content-type",
    }
    answer = Stranger(app[0], Origin="http://192.0.2.6", **asks).http.options("/inspect/mark")
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_a_request_without_a_host_is_one_sentence(app):
    """HTTP/1.0 has none, and Gradio's middleware assumes that there is one."""
    address, port = app[0].removeprefix("http://").rstrip("/").split(":")
    for asked in ("OPTIONS /", "GET /healthz", "GET /config", "GET /"):
        with socket.create_connection((address, int(port)), 10) as line:
            line.sendall(f"{asked} HTTP/1.0\r\nOrigin: http://x\r\n\r\n".encode())
            answer = b"".join(iter(lambda: line.recv(65536), b""))
        assert b"Internal Server Error" not in answer, asked


def test_with_a_password_nothing_is_answered_before_the_login(tmp_path):
    """Gradio checks it for its own routes; the page has others."""
    Image.new("RGB", (8, 8)).save(tmp_path / "1.png")
    (tmp_path / "t.csv").write_text("ImageID,Labels,Caption\n1.png,18,a dog\n")
    table = ("--table", f"{tmp_path}/t.csv", "--photos", str(tmp_path))
    with serving(tmp_path, ("app.py", "--auth", "ann:pass:word", *table)) as (url, _):
        guest = Stranger(url)
        for path in ("/config", "/inspect/state", "/inspect/photo/0", "/inspect/findings.csv",
                     "/gradio_api/info", "/gradio_api/heartbeat/a"):  # fmt: skip
            assert guest.http.get(path).status_code == 401, path
        for path in ("/inspect/rows", "/gradio_api/cancel", "/gradio_api/reset"):
            assert guest.http.post(path, content="{}").status_code == 401, path
        assert guest.http.post("/gradio_api/call/predict", content="{}").status_code == 401
        form = {"username": "ann", "password": "wrong"}
        asked = {"Content-Type": "application/x-www-form-urlencoded"}
        assert guest.http.post("/login", data=form, headers=asked).status_code == 400
        form["password"] = "pass:word"
        assert guest.http.post("/login", data=form, headers=asked).status_code == 200
        assert guest.http.get("/config").status_code == 200
        until(lambda: guest.http.get("/inspect/state").json()["status"] == "ready")
        guest.http.headers["Origin"] = "https://evil.example"
        assert guest.http.get("/config").status_code == 403


# The app, with a clock for tries to log in that is ahead by what is in the last line of its input.
PATIENT = """
import sys, threading, types
import app
from clipdemo.page.server import access
real, ahead = access.time.monotonic, [0.0]
access.time = types.SimpleNamespace(monotonic=lambda: real() + ahead[0])
def listen():
    for line in sys.stdin:
        ahead[0] = float(line)
threading.Thread(target=listen, daemon=True).start()
app.main()
"""


def test_passwords_cannot_be_guessed(tmp_path, is_sentence):
    with serving(tmp_path, ("-c", PATIENT, "--auth", "ann:word")) as (url, process):

        def answer(word: str, address: str = "203.0.113.7") -> httpx.Response:
            form = {"username": "ann", "password": word}
            return httpx.post(f"{url}login", data=form, headers={"X-Forwarded-For": address})

        for _ in range(2):
            assert [answer("wrong").status_code for _ in range(GUESSES - 1)] == [400] * 3
            assert answer("word").status_code == 200, "the right one is known"
        assert [answer("wrong").status_code for _ in range(GUESSES)] == [400] * 4
        refused = answer("word")
        assert refused.status_code == 429
        assert is_sentence(refused.json()["error"])
        assert answer("word", "203.0.113.8").status_code == 200, "others are not refused"
        networks = [answer("wrong", f"2001:db8::{n}").status_code for n in range(1, 7)]
        assert networks == [400] * 4 + [429] * 2
        process.stdin.write(f"{PAUSE}\n".encode())
        process.stdin.flush()
        until(lambda: answer("word").status_code == 200)
