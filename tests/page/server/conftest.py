"""One running app for the door's tests; at the end its log must hold no traceback."""

import pytest
from support.asking import Stranger
from support.driver import serving, until


@pytest.fixture(scope="package")
def app(tmp_path_factory):
    """Address of an app whose model is loaded, and the folder it keeps its uploads in."""
    folder = tmp_path_factory.mktemp("door")
    allowed = {"GRADIO_ALLOWED_PATHS": str(folder)}  # Gradio's own setting opens nothing here
    with serving(folder, ("app.py", "--mcp"), **allowed) as (url, _):
        owner = Stranger(url)
        until(lambda: owner.http.get("/healthz").json()["status"] == "ready")
        yield url, folder
    assert "Traceback" not in (folder / "server.log").read_text()


@pytest.fixture
def owner(app) -> Stranger:
    """Asks as who started the app does."""
    return Stranger(app[0])


@pytest.fixture
def stranger(app) -> Stranger:
    """Asks as somebody behind a proxy does."""
    return Stranger(app[0], **{"X-Forwarded-For": "203.0.113.7"})
