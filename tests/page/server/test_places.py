"""Every place where a value of a request reaches something, with a hostile value for each.

A row of `PLACES` has where the value comes in, what it would reach, what guards it, and an attack.
Values that only the page's own scripts read are tried in Chromium: captions, labels and file names
in page/shared/test_hostile_text.py, the share link in page/compare/test_share.py. Other rows of
these kinds are in test_files.py (shapes of files), test_access.py (hosts, sites, backbones) and
test_uploads.py (names).
"""

import io
import json
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from support.asking import Stranger
from support.driver import serving, until
from support.paths import SCENES

from clipdemo.inputs.photo_files import MAX_BYTES
from clipdemo.page.server.requests import NO_ROOM, SESSIONS

PHOTO = (SCENES / "farm.webp").read_bytes()
UP = "../" * 12


@dataclass(frozen=True)
class Server:
    """The attacked server: its clients, the folder that it writes to, and a model's folder."""

    owner: Stranger
    folder: Path
    model: Path

    def log(self) -> str:
        return (self.folder / "server.log").read_text()


@pytest.fixture
def server(app, owner, vit_folder) -> Server:
    return Server(owner, app[1], vit_folder)


def traversal(server: Server) -> None:
    for route in ("static", "assets", "svelte", "gradio_api/file=" + UP):
        for up in ("../" * 8, "..%2f" * 8, "%2e%2e/" * 8, "..%252f" * 8, "..\\" * 8, "/"):
            answer = raw(server.owner, f"/{route}/{up}etc/passwd")
            assert b"root:" not in answer.content
            assert answer.status_code >= 400
    (uploads,) = server.folder.glob("clipdemo-uploads-*/")
    (uploads / "passwd").symlink_to("/etc/passwd")
    for path in (uploads / "passwd", server.folder / "server.log"):
        assert server.owner.http.get(f"/gradio_api/file={path}").status_code == 403


def raw(asking: Stranger, target: str) -> httpx.Response:
    """A raw path, which a well-behaved client would normalise."""
    request = asking.http.build_request("GET", "/")
    request.url = request.url.copy_with(raw_path=target.encode())
    return asking.http.send(request)


def batch(server: Server, *files: tuple[str, bytes]) -> tuple[list[dict], list[str | None]]:
    """Rows of a run over uploaded files, and the path of each one's photo when it is opened."""
    found = run_of(server, *files)
    rows = found["rows"]
    return rows, [opened(server, found["run"], i) for i in range(len(rows))]


def run_of(server: Server, *files: tuple[str, bytes]) -> dict:
    """The server's data on a finished run over uploaded files."""
    asking, found = server.owner, {}
    start = next(e["number"] for e in asking.events() if "checkbox" in e["kinds"])
    run = asking.event(start, [False, "", None], {"bag": asking.bag(*files)})[1][0]["run"]

    def over() -> bool:
        found.update(asking.http.get(f"/batch/{run}").json())
        return found["state"] in ("done", "failed")

    until(over)
    return found


def opened(server: Server, run: str, row: int) -> str | None:
    """The path of the photo of a run's row; None without one."""
    events = server.owner.http.get("/config").json()["dependencies"]
    number = next(e["id"] for e in events if [name for _, name in e["targets"]] == ["open"])
    went_well, said = server.owner.event(number, [], {"index": row, "run": run})
    assert went_well
    return said[0].get("path") if said[0] else None


def archive_names(server: Server) -> None:
    file = io.BytesIO()
    names = [f"{UP}tmp/evil.webp", "/tmp/evil.webp", "x\\..\\evil.webp", f"{'x' * 300}.webp"]
    with zipfile.ZipFile(file, "w") as packed:
        for name in names:
            packed.writestr(name, PHOTO)
    rows, photos = batch(server, ("names.zip", file.getvalue()))
    assert len(rows) == len(names)
    for path in photos:
        assert "\\" not in path
        assert Path(path).resolve().is_relative_to(server.folder)
    assert not Path("/tmp/evil.webp").exists()


def archive_links(server: Server) -> None:
    link = zipfile.ZipInfo("link.webp")
    link.external_attr = 0o120777 << 16
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        info = tarfile.TarInfo("link.webp")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(info)
        info = tarfile.TarInfo("good.webp")
        info.size = len(PHOTO)
        archive.addfile(info, io.BytesIO(PHOTO))
    for name, data in (("links.zip", packed.getvalue()), ("links.tar", tar.getvalue())):
        rows, _ = batch(server, (name, data))
        assert "root:" not in json.dumps(rows)
        assert [row["name"] for row in rows if row["scores"]] == (
            ["good.webp"] if name.endswith("tar") else []
        )
        assert len(rows) == 1


def table_names(server: Server) -> None:
    names = ["/etc/passwd", f"{UP}etc/passwd", "~/.bashrc", str(SCENES / "farm.webp"), "good.webp"]
    table = "ImageID,Caption\n" + "".join(f"{name},a dog\n" for name in names)
    rows, photos = batch(server, ("t.csv", table.encode()), ("good.webp", PHOTO))
    assert [row["name"] for row in rows if not row["problem"]] == ["good.webp"]
    assert [path is not None for path in photos] == [False] * 4 + [True]


def inner_addresses(server: Server) -> None:
    asked = str(server.owner.http.base_url).rstrip("/")
    until(lambda: inspect(server, "state")["status"] == "ready")
    assert server.owner.http.get("/inspect/photo/0").status_code == 200
    for url in (
        f"{asked}/inspect/photo/0", "http://169.254.169.254/latest/meta-data/", "http://[::1]/",
        "http://0.0.0.0/", "http://10.0.0.1/", "http://localhost/", "http://user@127.0.0.1/",
        "http://2130706433/", "http://127.1/", "HTTP://127.0.0.1", "ftp://example.org/a.jpg",
        "gopher://example.org/", "http://", "http:///x", "http://1.1.1.1:99999/",
    ):  # fmt: skip
        went_well, told = server.owner.run("predict", [{"url": url}, "a dog"])
        assert not went_well
        assert "this address (photo)" in told or told.startswith("photo takes")


def tables(server: Server) -> None:
    """Visitors open no file, and a file other than a table leaves the open one as it is."""
    until(lambda: inspect(server, "state")["status"] == "ready")
    before = inspect(server, "state")
    for path in ("/dev/zero", "/etc", "\0", "\ud800", "x" * 9999, f"{UP}nowhere", 1, [], {}, None):
        told = inspect(server, "open", {"table": path, "photos": "/etc"})
        assert 10 < len(told["notice"]) < 200, path
    visitor = {"X-Forwarded-For": "203.0.113.7", "Content-Type": "application/json"}
    for path in (__file__, "/etc/passwd", "/nowhere", ""):
        asked = json.dumps({"table": path})
        answer = server.owner.http.post("/inspect/open", content=asked, headers=visitor)
        assert answer.status_code == 400
        assert "owner" in answer.json()["notice"]
    assert inspect(server, "state") == before


def unused_routes(server: Server) -> None:
    for path in ("gradio_api/proxy=http://169.254.169.254/", "gradio_api/deep_link?session_hash=a",
                 "gradio_api/vibe-code", "gradio_api/file/etc/passwd", "monitoring/summary",
                 "gradio_api/runs", "gradio_api/custom_component/a/b/c/d", "dev/reload",
                 "gradio_api/stream/a/b/1/playlist-file"):  # fmt: skip
        assert server.owner.http.get(f"/{path}").status_code == 404, path
    for path in ("process_recording", "component_server", "vibe-edit", "stream/a"):
        answer = server.owner.http.post(f"/gradio_api/{path}", json={})
        assert answer.status_code == 404, path


def patterns(server: Server) -> None:
    """Inspect's filter and own labels are plain text, not regular expressions."""
    until(lambda: inspect(server, "state")["status"] == "ready")
    about = inspect(server, "state")
    cuts = {mode: [0.5] * len(about["labels"]) for mode in about["modes"]}
    for text in ("(a+)+$" * 10, "[", "\\", "(?P<a>", "." * 10_000):
        found = inspect(server, "rows", {"mode": "text", "thresholds": cuts, "text": text})
        assert found["total"] == 0, text


def inspect(server: Server, what: str, asked: dict | None = None) -> dict:
    http = server.owner.http
    answer = http.get(f"/inspect/{what}") if asked is None else http.post(
        f"/inspect/{what}", content=json.dumps(asked))  # fmt: skip
    return answer.json()


def choosing(server: Server) -> list[int]:
    """The events that load a backbone: choosing and downloading it."""
    return [e["number"] for e in server.owner.events() if e["kinds"] == ["dropdown", "state"]]


def shells(server: Server) -> None:
    """A backbone's id goes to a new process, as one argument."""
    for number in choosing(server):
        for wanted in (
            f"hf-hub:a/$(touch {server.folder}/shell)", f"x;touch {server.folder}/shell",
            "--help", "-c/import os", "local-dir:/dev/zero", "hf-hub:../../etc",
        ):  # fmt: skip
            went_well, said = server.owner.event(number, [wanted, None])
            assert went_well
            told = next(part["text"] for part in said if "text" in (part or {}))
            assert any(w in told for w in ("no backbone", "not a repository", "has no")), told
    assert not (server.folder / "shell").exists()


def log_lines(server: Server) -> None:
    forged = "x\nWARNING:root:forged\x1b[31m"
    for name in (forged, "red\x1b[31m"):
        server.owner.call(quote(name), [])
    server.owner.http.get("/gradio_api/queue/data", params={"session_hash": forged})
    server.owner.run("regions", [{"url": "data:,x"}, None, forged, forged])
    server.owner.upload(f"{forged}.webp", PHOTO)
    assert "Unexpected" in server.log()
    assert not any(line.startswith("WARNING:root:forged") for line in server.log().splitlines())
    assert "\x1b" not in server.log()


def page_source(server: Server) -> None:
    tag = "</script><script>alert(1)</script>"
    for query, headers in (
        ({"x": tag, "__theme": tag, "view": tag, "deep_link": tag}, {}),
        ({}, {"X-Forwarded-Host": f'127.0.0.1"{tag}', "X-Forwarded-Proto": tag}),
        ({}, {"X-Forwarded-Prefix": tag, "User-Agent": tag, "Referer": f"http://h/{tag}"}),
    ):
        answer = server.owner.http.get("/", params=query, headers=headers)
        assert tag not in answer.text


def csv_cells(server: Server) -> None:
    """Cells that a spreadsheet would take for a formula."""
    until(lambda: inspect(server, "state")["status"] == "ready")
    for note in ("=cmd|'/c calc'!A1", "@SUM(1)", "+1", "-1", "\t=1"):
        finding = {"finding": "note", "note": note, "label": note}
        inspect(server, "mark", {"row": 3, "finding": finding})
        cells = server.owner.http.get("/inspect/findings.csv").text.splitlines()[-1].split(",")
        assert not any(cell.strip('"').startswith(tuple("=+-@\t")) for cell in cells), note


def model_files(server: Server) -> None:
    """A folder whose weights are a pickle that would run code when loaded."""
    folder = server.folder / "model"
    folder.mkdir()
    shutil.copy(server.model / "open_clip_config.json", folder)
    (folder / "open_clip_pytorch_model.bin").write_bytes(
        b"cposix\nsystem\n(S'touch " + str(server.folder / "pickled").encode() + b"'\ntR."
    )
    for number in choosing(server):
        went_well, said = server.owner.event(number, [f"local-dir:{folder}", None])
        assert went_well
        assert "cannot be" in str(said) or "damaged" in str(said), said
    assert not (server.folder / "pickled").exists()


def long_texts(server: Server) -> None:
    for text in (
        "x" * 2**20,
        "a dog " * 200_000,
        "\u0301\u0323" * 2**19,
        "\ud800" * 1000,
        "\0" * 1000,
    ):
        went_well, told = server.owner.run("predict", [None, text])
        assert went_well or "a photo, a caption or both" in told
        went_well, told = server.owner.run("words", [None, text])
        assert went_well or "give a caption" in told
    score = next(e["number"] for e in server.owner.events() if len(e["kinds"]) == 5)
    for own in ("x," * 40_000, "x" * 2**20, ";\n,"):
        assert server.owner.event(score, [None, "a dog", own, None, None])[0]


def long_bodies(server: Server) -> None:
    http = server.owner.http
    too_long = 4 * MAX_BYTES // 3 + 2**21
    for path in ("gradio_api/call/predict", "gradio_api/queue/join", "gradio_api/mcp/", "login"):
        assert http.post(f"/{path}", content=b" " * too_long).status_code == 413
    pieces = (b" " * 2**20 for _ in range(too_long // 2**20 + 1))
    assert http.post("/gradio_api/call/predict", content=pieces).status_code in (400, 413)
    deep = b'{"data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    assert http.post("/gradio_api/call/predict", content=deep).status_code >= 400
    answer = http.post("/inspect/rows", content=b"[" * 100_000)
    assert answer.status_code == 400


def parts(server: Server) -> None:
    """A part's parameters: its bag, its key and the file's name."""
    http, outside = server.owner.http, server.folder / "outside.txt"
    bag, about = server.owner.bag(("a.webp", PHOTO)), {"at": 0, "size": 1}
    for name in (f"../../../{outside.name}", str(outside), "..\\..\\outside.txt", "\x00", "."):
        answer = http.put(f"/parts/{bag}/{1:016}", params=about | {"name": name}, content=b"x")
        found = Path(answer.json()["path"])
        assert found.parent.parent.name == bag
        assert found.resolve() == found
    for path in (f"{bag}/..%2f..%2f..%2fx", f"..%2f{bag}/{1:016}", f"{bag}/%2e%2e", "x/y"):
        assert raw_put(server.owner, f"/parts/{path}?name=a&at=0&size=1") in (400, 404), path
    for said in ("..", "../..", "*", "", None, "/etc", 7):
        start = next(e["number"] for e in server.owner.events() if "checkbox" in e["kinds"])
        run = server.owner.event(start, [False, "", None], {"bag": said})[1][0]["run"]
        until(lambda run=run: http.get(f"/batch/{run}").json()["state"] == "failed")
        assert http.get(f"/batch/{run}").json()["rows"] == []
    assert not outside.exists()


def raw_put(asking: Stranger, target: str) -> int:
    request = asking.http.build_request("PUT", "/", content=b"x")
    request.url = request.url.copy_with(raw_path=target.encode())
    return asking.http.send(request).status_code


def many_values(server: Server) -> None:
    """Small in a body, but a hundred times as large as Python lists."""
    body = b'{"data": [' + b"[]," * 2**20 + b'0], "fn_index": 17}'
    answer = server.owner.http.post("/gradio_api/run/predict", content=body)
    assert answer.status_code in (400, 413)
    assert server.owner.http.get("/pwa_icon/14000").status_code == 404
    names = io.BytesIO()
    with zipfile.ZipFile(names, "w") as packed:
        packed.writestr("x" * 60_000 + ".jpg", PHOTO)
    told = run_of(server, ("names.zip", names.getvalue()))
    assert "file name" in told["notices"][0]


def forms(server: Server) -> None:
    """Other fields than files stay in memory; each file's size is counted."""
    where = f"{server.owner.http.base_url}".rstrip("/") + "/gradio_api/upload"
    field = {"files": (None, b"A" * 2**21)}
    answer = httpx.post(where, files=field)
    assert answer.status_code == 400
    large = httpx.post(where, files={"files": ("a.webp", bytes(MAX_BYTES + 1))})
    assert large.status_code == 413


def sessions(server: Server) -> None:
    """A name that cannot be encoded would break every later event."""
    http = server.owner.http
    for session in ("\ud800", "", "x" * 2**20, "\n", "a b", "é"):
        body = json.dumps({"data": [None, "x"], "fn_index": 17, "session_hash": session})
        answer = http.post("/gradio_api/queue/join", content=body)
        assert answer.status_code == 400
        assert "session_hash" in answer.json()["detail"]


def many_events(server: Server) -> None:
    """Answers that nobody fetches, and events that do not exist."""
    http = server.owner.http

    def come(number: int) -> int:
        told = http.get(f"/gradio_api/call/predict/{number:032x}")
        asked = {"data": [], "fn_index": 0, "session_hash": f"{number:x}"}
        return max(told.status_code, http.post("/gradio_api/queue/join", json=asked).status_code)

    with ThreadPoolExecutor(16) as pool:
        answers = set(pool.map(come, range(SESSIONS + 20)))
    assert answers <= {200, 404, 503}  # 503: the queue is full
    until(lambda: server.owner.call("predict", [None, "a dog"])[0])


def wrong_numbers(server: Server) -> None:
    for number in (-1, 10**6, 2**70, "a", None, True, [], {}):
        body = {"data": [], "fn_index": number, "session_hash": "a", "trigger_id": 10**9}
        answer = server.owner.http.post("/gradio_api/queue/join", json=body)
        assert answer.status_code in (200, 400, 404, 422)
        assert isinstance(answer.json().get("detail", ""), str)
    until(lambda: inspect(server, "state")["status"] == "ready")
    for row in ("-1", "99999999999999999999", "1e3", "0x1", "%00"):
        answer = server.owner.http.get(f"/inspect/photo/{row}")
        assert answer.status_code == 404
        assert "reload" in answer.text or "Not Found" in answer.text


def previews(server: Server) -> None:
    """Only photos that were uploaded here."""
    http = server.owner.http
    outside = ("/etc/passwd", str(SCENES / "farm.webp"), f"{UP}etc/passwd", "\0", "x" * 5000, "")
    for path in (*outside, server.owner.upload("a.txt", b"no photo")):
        answer = http.get("/preview", params={"path": path})
        assert answer.status_code == 404
        assert "root:" not in answer.text
    answer = http.get("/preview", params={"path": server.owner.upload("a.webp", PHOTO)})
    assert answer.headers["content-type"] == "image/jpeg"


def runs(server: Server) -> None:
    """Nobody sees a run without its id; its row must be a number."""
    found = run_of(server, ("a.webp", PHOTO))
    http = server.owner.http
    for name in ("0", "a" * 10_000, "%2e%2e", found["run"][:-1], "\u00e9"):
        assert http.get(f"/batch/{name}").status_code in (400, 404), name
        assert http.post(f"/batch/{name}/stop").status_code in (400, 404), name
    for start in ("-1", "1e3", "\u0664", "x", "9" * 5000):
        answer = http.get(f"/batch/{found['run']}", params={"from": start})
        assert answer.status_code == 404 or answer.json()["rows"] == []


@dataclass(frozen=True)
class Place:
    """Where a value comes in, what it would reach, and what guards that."""

    comes_in: str
    reaches: str
    guard: str
    attack: Callable[[Server], None]


PLACES = (
    Place("routes for files, with .. and encoded", "file system", "Door, Uploads.find", traversal),
    Place("names in an uploaded archive", "file system", "batch._on_disk", archive_names),
    Place("links in an uploaded archive", "file system", "PhotoSource", archive_links),
    Place("path of a table to inspect", "file system", "Inspector.open, given._path", tables),
    Place("path of a preview", "file system", "Uploads.find", previews),
    Place("bag, key and name of a part", "file system", "Parts.add, Parts.files", parts),
    Place("id of a run, and its rows", "lists", "Jobs.find, jobs.routes", runs),
    Place("ImageID of an uploaded table", "file system", "batch._rows", table_names),
    Place("url of a photo", "URL", "addresses.fetch", inner_addresses),
    Place("routes that Gradio has and the page has not", "URL, shell", "door.OPEN", unused_routes),
    Place("text of an Inspect filter", "regular expression", "Inspection.select", patterns),
    Place("id of a backbone", "shell, URL", "repositories, Fetch", shells),
    Place("paths, sessions, labels, names", "log line", "requests.report", log_lines),
    Place("query and headers", "HTML", "Door, Gradio's template", page_source),
    Place("a finding's note", "CSV cell", "safe_csv.defused", csv_cells),
    Place("folder of a backbone", "model file", "weights_only", model_files),
    Place("captions, own labels", "memory, time", "clean_caption, named_labels", long_texts),
    Place("bodies", "memory", "Door._measured", long_bodies),
    Place("values in a body, icons, names", "memory", "Door._measured, OPEN, batch", many_values),
    Place("fields of an uploaded form", "memory", "bounds._Form", forms),
    Place("name of a session", "queue", "bounds.SESSION", sessions),
    Place("event ids and sessions", "memory", "queue, SESSIONS", many_events),
    Place("numbers of events and rows", "lists", "Door, Inspector._number", wrong_numbers),
)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.comes_in)
def test_a_hostile_value_reaches_nothing(server, place):
    before = server.log().count("Traceback")
    place.attack(server)
    assert server.owner.call("predict", [None, "a dog"])[0]  # the next request works
    assert server.log().count("Traceback") == before == 0


def test_a_disk_that_is_nearly_full_takes_no_uploads(tmp_path):
    code = "import app, clipdemo.page.server.uploads as uploads\nuploads.SPARE = 2**62\napp.main()"
    with serving(tmp_path, ("-c", code)) as (url, _):
        answer = httpx.post(f"{url}gradio_api/upload", files={"files": ("a.webp", PHOTO)})
        assert answer.status_code == 507
        assert answer.text == NO_ROOM, "Gradio shows the body as it is"
        went_well, told = Stranger(url).run("predict", [{"url": "data:image/gif,x"}, None])
        assert not went_well
        assert "try again later" in told
