"""The page's scripts as ES modules, which browsers fetch without a build step."""

import hashlib
import json

import gradio as gr
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clipdemo.page.shared.files import PAGE

SCRIPTS = {path.relative_to(PAGE).as_posix(): path.read_bytes() for path in PAGE.rglob("*.js")}
VERSION = hashlib.sha256(repr(sorted(SCRIPTS.items())).encode()).hexdigest()[:12]


def address(name: str) -> str:
    """Address of a script, relative to the page's own."""
    return f"modules/{VERSION}/{name}"


def part(name: str, *events: str, elem_classes: str = "part", **options) -> gr.HTML:
    """A component that a module draws.

    When the component loads, the module's function `mount` is called with its element, its props
    and the functions `watch` and `trigger`, and draws the current `props.value`.

    Args:
        name: The module, such as "compare/board.js".
        events: Those it triggers; Gradio looks for their names in the script.
        options: Of gr.HTML.
    """
    script = f"""// Triggers {json.dumps(events)}.
    import(new URL("{address(name)}", document.baseURI)).then(
        ({{ mount }}) => mount({{ element, props, watch, trigger }}),
        () => {{ element.textContent = "This part could not be loaded: reload the page."; }},
    );"""
    return gr.HTML(
        html_template="<div></div>",
        js_on_load=script,
        apply_default_css=False,
        elem_classes=elem_classes,
        **options,
    )


def calling(name: str, function: str) -> str:
    """The script of an event that calls a module's function with the event's inputs."""
    return f"""async (...inputs) =>
        (await import(new URL("{address(name)}", document.baseURI))).{function}(...inputs)"""


def preloads() -> str:
    """Links for the page's head, so that the first tab's modules are fetched in parallel."""
    later = "batch/", "inspect/", "report/", "shared/charts.js"
    names = [name for name in sorted(SCRIPTS) if not name.startswith(later)]
    return "".join(f'<link rel="modulepreload" href="{address(name)}">' for name in names)


def modules() -> Route:
    """GET /modules/<version>/<name>: the scripts, and no other file."""
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}  # versioned address

    def answer(request: Request) -> Response:
        name = request.path_params["name"]
        if request.path_params["version"] != VERSION or name not in SCRIPTS:
            return Response("There is no such script: reload the page.", 404)
        return Response(SCRIPTS[name], 200, headers, "text/javascript")

    return Route("/modules/{version}/{name:path}", answer)
