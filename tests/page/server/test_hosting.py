"""Hosting in usual ways: behind nginx at a path, on IPv6, with various variables and consoles."""

import getpass
import os
import re
import shutil
import socket
import subprocess
import sys
from contextlib import contextmanager

import httpx
import psutil
import pytest
from gradio_client import Client, handle_file
from PIL import Image
from support.asking import Stranger
from support.driver import (
    eventually,
    free_port,
    give_photo,
    launch,
    serving,
    shows,
    until,
    visit,
    write_caption,
)
from support.loopback import LoopbackServer, QuietHandler
from support.paths import ROOT, SCENES

from page.server.test_access import WANTED, is_owner, told

README = (ROOT / "README.md").read_text("utf-8")
(LINES,) = re.findall(r"```nginx\n(.*?)```", README, re.DOTALL)
(COMMAND,) = re.findall(r"^python (app\.py .*--root-path.*)$", README, re.MULTILINE)
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
CONFIG = """
user {user};
pid {folder}/nginx.pid;
error_log {folder}/error.log;
daemon off;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        {lines}
    }}
}}
"""


@contextmanager
def nginx(folder, lines: str):
    """nginx with these lines: its address."""
    if NGINX is None:
        pytest.skip("no nginx is installed")
    port = free_port()
    (folder / "nginx.conf").write_text(
        CONFIG.format(user=getpass.getuser(), folder=folder, port=port, lines=lines)
    )
    process = subprocess.Popen([NGINX, "-p", folder, "-c", folder / "nginx.conf"])
    try:
        until(lambda: answers(port))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def hosted(tmp_path_factory):
    """Address of a page behind nginx, both as the README says."""
    folder = tmp_path_factory.mktemp("hosted")
    with serving(folder, COMMAND.split()) as (url, _), nginx(
        folder, LINES.replace("http://127.0.0.1:7860", url.rstrip("/"))
    ) as place:  # fmt: skip
        until(lambda: Stranger(url).http.get("/healthz").json()["status"] == "ready")
        yield f"{place}/clip"
    assert "Traceback" not in (folder / "server.log").read_text()


@pytest.fixture
def large(tmp_path):
    """A photo with more bytes than nginx accepts by default."""
    path = tmp_path / "large.png"
    noise = Image.frombytes("RGB", (1300, 1300), os.urandom(1300 * 1300 * 3))
    noise.save(path)
    assert path.stat().st_size > 2 * 2**20
    return path


def test_behind_nginx_the_whole_page_works(hosted, visitor, classifier, large):
    assert Stranger(hosted).http.get("/").status_code == 200
    page = visitor.new_page()
    visit(page, hosted)
    give_photo(page, large)
    shows(page, classifier.predict(large, None))
    write_caption(page, "a dog on a bench")
    shows(page, classifier.predict(large, "a dog on a bench"))
    page.get_by_role("tab", name="Batch").click()
    files = [SCENES / "farm.webp", SCENES / "beach.webp", large]
    page.locator("#batch-choose").set_input_files(files)
    page.locator("#batch-start").click()

    def assert_done() -> None:
        text = page.locator("#batch").inner_text()
        for file in files:
            assert file.name in text

    eventually(page, assert_done)
    page.get_by_role("tab", name="Inspect").click()
    page.locator('#inspect tr[data-label="cat"] td[data-figure="missed"] button').click()
    page.locator("#inspect img").first.wait_for()
    page.get_by_role("tab", name="Report").click()
    page.locator("#report .js-plotly-plot").first.wait_for()


def test_behind_nginx_everybody_is_a_visitor(hosted):
    assert not is_owner(Stranger(hosted))
    for wanted in WANTED:
        assert all(
            "list" in s or "not on this page's server" in s for s in told(Stranger(hosted), wanted)
        )


def test_behind_nginx_programs_work(hosted, classifier):
    client = Client(hosted, verbose=False)
    photo = SCENES / "farm.webp"
    found = client.predict(handle_file(photo), "a horse", api_name="/predict")
    expected = classifier.predict(photo, "a horse").scores["concat"]
    assert found["scores"]["concat"] == pytest.approx(expected, abs=1e-4)


def test_the_path_may_be_passed_on_and_a_plain_nginx_makes_nobody_the_owner(
    tmp_path, visitor, classifier
):
    """nginx removes the path if its proxy_pass ends in a slash; other proxies do not.

    A plain one passes on neither the host nor the client, and the app does not know it is public.
    """
    passed_on = " ".join(re.findall("proxy_set_header.*", LINES))
    with serving(tmp_path, ("app.py", "--root-path", "clip")) as (url, _), nginx(
        tmp_path,
        f"location /clip {{ proxy_pass {url.rstrip('/')}; {passed_on} }}\n"
        f"location /plain/ {{ proxy_pass {url}; }}",
    ) as place:  # fmt: skip
        page = visitor.new_page()
        visit(page, f"{place}/clip/")
        write_caption(page, "a dog on a bench")
        shows(page, classifier.predict(None, "a dog on a bench"))
        assert is_owner(Stranger(url))
        assert not is_owner(Stranger(f"{place}/plain"))


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 on this machine")
def test_it_listens_on_ipv6(tmp_path):
    port = free_port()
    with running(tmp_path, ["--host", "::1", "--port", str(port), "--mcp"]):
        guest = Stranger(f"http://[::1]:{port}")
        until(lambda: alive(guest))
        assert guest.call("predict", [None, "a dog"])[0]
        assert is_owner(guest)
    assert f"http://[::1]:{port}" in (tmp_path / "server.log").read_text()


def test_on_a_network_it_prints_its_address_and_others_are_visitors(tmp_path):
    port = free_port()
    addresses = [a for found in psutil.net_if_addrs().values() for a in found]
    own = [a.address for a in addresses if a.family == socket.AF_INET]
    own = [address for address in own if not address.startswith(("127.", "169.254."))]
    with running(tmp_path, ["--host", "0.0.0.0", "--port", str(port)]):
        until(lambda: alive(Stranger(f"http://127.0.0.1:{port}")))
        for address in own:
            assert not is_owner(Stranger(f"http://{address}:{port}"))
        assert is_owner(Stranger(f"http://127.0.0.1:{port}"))
        log = (tmp_path / "server.log").read_text()
        assert [f"http://{address}:{port}" in log for address in own] == [True] * len(own)


def test_it_starts_with_variables_and_reaches_itself_without_proxies(tmp_path):
    """A broken socksio, which a SOCKS proxy needs, makes no difference here."""
    port = free_port()
    (tmp_path / "socksio.py").write_text("raise ImportError('as if it was not installed')")
    variables = {
        "GRADIO_SERVER_NAME": "::1", "CLIPDEMO_HOST": "127.0.0.1", "CLIPDEMO_PORT": "",
        "GRADIO_SERVER_PORT": str(port), "PORT": "1", "GRADIO_ROOT_PATH": "/clip",
        "http_proxy": "http://127.0.0.1:1", "HTTPS_PROXY": "nonsense://127.0.0.1:1",
        "all_proxy": "socks5://127.0.0.1:1", "no_proxy": "example.org",
        "PYTHONPATH": str(tmp_path),
    }  # fmt: skip
    with running(tmp_path, [], **variables):
        guest = Stranger(f"http://127.0.0.1:{port}")
        until(lambda: alive(guest))
        assert guest.call("predict", [None, "a dog"])[0]
        assert guest.http.get("/config").json()["root"].endswith("/clip")
    assert "Traceback" not in (tmp_path / "server.log").read_text()


def test_a_missing_socksio_is_one_sentence_if_the_hub_is_needed(tmp_path, is_sentence):
    (tmp_path / "socksio.py").write_text("raise ImportError('as if it was not installed')")
    proxy = {"all_proxy": "socks5://127.0.0.1:1", "PYTHONPATH": str(tmp_path)}
    wanted = ["fetch", "ViT-B-32-quickgelu/openai"]
    done = run(["-m", "clipdemo", *wanted], HF_HOME=str(tmp_path), **proxy)
    assert done.returncode == 2
    assert is_sentence(done.stderr)
    assert "socksio" in done.stderr


def test_hub_calls_go_through_the_proxy(tmp_path):
    """The app's calls to itself do not."""

    class Proxy(QuietHandler):
        asked: list[str] = []  # noqa: RUF012

        def do_CONNECT(self) -> None:
            self.asked.append(self.path)
            self.send_error(502)

    with LoopbackServer(Proxy) as proxy:
        variables = {"https_proxy": proxy.url, "HTTPS_PROXY": proxy.url, "HF_HOME": str(tmp_path)}
        done = run(["-m", "clipdemo", "backbones", "--json"], HF_ENDPOINT="", **variables)
    assert done.returncode == 0, done.stderr
    assert Proxy.asked
    assert {place for place in Proxy.asked if place.startswith(("127.", "localhost"))} == set()


@pytest.mark.parametrize(
    ("encoding", "arguments"),
    [("cp1252", ["table", "t.csv"]), ("ascii", ["table", "☕.csv"])],
)
def test_a_console_without_utf_8_causes_no_traceback(tmp_path, encoding, arguments, is_sentence):
    table = tmp_path / "t.csv"
    table.write_text("ImageID,Labels,Caption\n☕.jpg,18,a 犬\n☕2.jpg,999,a 犬\n", "utf-8")
    arguments = [str(table) if name == "t.csv" else name for name in arguments]
    done = run(["-m", "clipdemo", *arguments], PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode in (0, 2)
    assert done.stdout or is_sentence(done.stderr)


def test_a_closed_pipe_causes_no_traceback(tmp_path):
    """As `| head` does."""
    (tmp_path / "t.csv").write_text("ImageID,Labels,Caption\n0.jpg,18,a dog\n")
    command = [sys.executable, "-m", "clipdemo", "table", tmp_path / "t.csv", "--json"]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    process.stdout.close()
    error = process.stderr.read().decode()
    process.wait(60)
    assert "Traceback" not in error
    assert "BrokenPipe" not in error


def test_the_page_continues_when_its_output_pipe_is_closed(tmp_path):
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "app.py", "--port", str(port)], cwd=ROOT, env=clean(tmp_path),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    process.stdout.close()
    try:
        guest = Stranger(f"http://127.0.0.1:{port}")
        until(lambda: alive(guest))
        assert not guest.call("nothing", [])[0]  # which is logged
        assert guest.call("predict", [None, "a dog"])[0]
    finally:
        process.terminate()
        assert process.wait(20) == 0


def clean(folder, **variables: str) -> dict[str, str]:
    """This environment without addresses for the app to listen on, and without proxies."""
    told = ("CLIPDEMO_", "GRADIO_", "SPACE_", "PORT", "HTTP_", "HTTPS_", "ALL_", "NO_")
    kept = {k: v for k, v in os.environ.items() if not k.upper().startswith(told)}
    own = {"GRADIO_TEMP_DIR": str(folder), "XDG_DATA_HOME": f"{folder}/data"}
    return kept | own | variables


def run(arguments: list, **variables: str) -> subprocess.CompletedProcess:
    environment = {k: v for k, v in (os.environ | variables).items() if v}
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True,
        encoding="utf-8", errors="replace", timeout=120,
    )  # fmt: skip


@contextmanager
def running(folder, flags: list[str], **variables: str):
    """The app, with only these flags and variables."""
    process = launch(["app.py", *flags], clean(folder, **variables), folder / "server.log")
    try:
        yield process
        assert process.poll() is None
    finally:
        process.terminate()
        process.wait(20)


def alive(guest: Stranger) -> bool:
    try:
        return guest.http.get("/healthz").json()["status"] == "ready"
    except (OSError, httpx.ConnectError):
        return False
