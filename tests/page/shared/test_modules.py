"""The page's scripts: all of them and nothing else are served, and their imports exist."""

import re
from pathlib import PurePosixPath
from posixpath import normpath

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from clipdemo.page.shared.modules import SCRIPTS, VERSION, address, modules


@pytest.fixture(scope="module")
def server():
    return TestClient(Starlette(routes=[modules()]))


def test_every_script_is_served_as_a_script_that_browsers_may_keep(server):
    for name, content in SCRIPTS.items():
        answer = server.get(f"/{address(name)}")
        assert (answer.status_code, answer.content) == (200, content)
        assert answer.headers["content-type"].startswith("text/javascript")
        assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    "path",
    [f"{VERSION}/server/door.py", f"{VERSION}/shared/page.css", f"{VERSION}/../compare/board.js",
     f"{VERSION}/compare/..%2f..%2fserver/door.py", f"{VERSION}//etc/passwd",
     "000000000000/compare/board.js", f"{VERSION}/"],
)  # fmt: skip
def test_nothing_else_is_served(server, path):
    assert server.get(f"/modules/{path}").status_code == 404


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_imports_of_a_script_exist(name):
    text = SCRIPTS[name].decode()
    for names, origin in re.findall(r'^import \{([^}]*)\} from "([^"]*)";$', text, re.MULTILINE):
        found = normpath(PurePosixPath(name).parent / origin)
        for wanted in filter(None, map(str.strip, names.split(","))):
            exported = rf"^export (async )?(function|const) {wanted}\b"
            assert re.search(exported, SCRIPTS[found].decode(), re.MULTILINE), (name, wanted)
            assert len(re.findall(rf"\b{wanted}\b", text)) > 1, f"{name} does not use {wanted}"
