"""Scripts and styles of the page: each lies in the folder of the tab it belongs to.

Browsers fetch the scripts as ES modules, without a build step. A file is named from `page/` on,
such as "compare/board.js".
"""

import hashlib
import json
import re
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PAGE = Path(__file__).resolve().parent.parent
SCRIPTS = {path.relative_to(PAGE).as_posix(): path.read_bytes() for path in PAGE.rglob("*.js")}
VERSION = hashlib.sha256(repr(sorted(SCRIPTS.items())).encode()).hexdigest()[:12]
FIRST = "shared/", "compare/"  # folders of the scripts of the tab that is shown first


def joined(*names: str) -> str:
    """Texts of files, one after the other."""
    return "".join((PAGE / name).read_text("utf-8") for name in names)


def inlined(*names: str) -> str:
    """Modules as one script; each comes after those that it imports from."""
    script = re.sub(r"^import [^;]*;$", "", joined(*names), flags=re.MULTILINE)
    return re.sub(r"^export ", "", script, flags=re.MULTILINE)


def address(name: str) -> str:
    """Address of a script, relative to the page's own."""
    return f"modules/{VERSION}/{name}"


def mounting(name: str, *events: str) -> str:
    """What a gr.HTML runs when it is loaded: the function `mount` of a module.

    `events` are those it triggers; Gradio looks for their names here.
    """
    return f"""// Triggers {json.dumps(events)}.
    import(new URL("{address(name)}", document.baseURI)).then(
        ({{ mount }}) => mount({{ element, props, watch, trigger }}),
        () => {{ element.textContent = "This part could not be loaded: reload the page."; }},
    );"""


def calling(name: str, function: str) -> str:
    """What an event runs in the browser: a function of a module, with the event's inputs."""
    return f"""async (...inputs) =>
        (await import(new URL("{address(name)}", document.baseURI))).{function}(...inputs)"""


def preloads() -> str:
    """Links for the page's head, so that the first tab's modules come all at once."""
    names = [name for name in sorted(SCRIPTS) if name.startswith(FIRST)]
    return "".join(f'<link rel="modulepreload" href="{address(name)}">' for name in names)


def modules() -> Route:
    """GET /modules/<version>/<name>: the scripts, and no other file."""
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}  # as it says its version

    def answer(request: Request) -> Response:
        name = request.path_params["name"]
        if request.path_params["version"] != VERSION or name not in SCRIPTS:
            return Response("There is no such script: reload the page.", 404)
        return Response(SCRIPTS[name], 200, headers, "text/javascript")

    return Route("/modules/{version}/{name:path}", answer)
