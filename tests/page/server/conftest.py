"""One running app for the door's tests; at the end its log must hold no traceback."""

import pytest
from PIL import Image
from support.asking import Stranger
from support.driver import serving, until
from support.paths import SCENES


@pytest.fixture(scope="package")
def app(tmp_path_factory):
    """Address of an app whose model is loaded, and the folder of its uploads."""
    folder = tmp_path_factory.mktemp("door")
    allowed = {"GRADIO_ALLOWED_PATHS": str(folder)}  # Gradio's own setting has no effect here
    with serving(folder, ("app.py", "--mcp"), **allowed) as (url, _):
        owner = Stranger(url)
        until(lambda: owner.http.get("/healthz").json()["status"] == "ready")
        yield url, folder
    assert "Traceback" not in (folder / "server.log").read_text()


@pytest.fixture
def owner(app) -> Stranger:
    """Sends requests as the person who started the app."""
    return Stranger(app[0])


@pytest.fixture
def stranger(app) -> Stranger:
    """Sends requests as somebody behind a proxy."""
    return Stranger(app[0], **{"X-Forwarded-For": "203.0.113.7"})


@pytest.fixture(scope="package")
def elsewhere(app, tmp_path_factory):
    """Paths outside the folder of uploads: a photo, a text, a missing file, and links to them."""
    folder = tmp_path_factory.mktemp("elsewhere")
    Image.open(SCENES / "farm.webp").convert("RGB").save(folder / "photo.jpg")
    (folder / "secret.txt").write_text("a secret")
    (uploads,) = app[1].glob("clipdemo-uploads-*/")
    (uploads / "link.jpg").symlink_to(folder / "photo.jpg")
    (uploads / "folder").symlink_to(folder)
    beside = app[1] / "other-app.jpg"  # the folder of other Gradio apps on this machine
    beside.write_bytes((folder / "photo.jpg").read_bytes())
    up = "../" * 12
    return [
        folder / "photo.jpg", folder / "secret.txt", folder / "missing.jpg", folder, beside,
        uploads / "link.jpg", uploads / "folder" / "photo.jpg", f"{uploads}/{up}{folder}/photo.jpg",
        uploads, "/etc/passwd", "photo.jpg", "~/photo.jpg", "/dev/zero", "/proc/self/environ",
        f"file://{folder}/photo.jpg", f"{folder}/photo.jpg\0.png", "x" * 5000, "\ud800", "//host/x",
    ]  # fmt: skip
