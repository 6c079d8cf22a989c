"""The Report tab: the study's runs and the checkpoint's heads, drawn when it is first opened."""

import json
from functools import lru_cache
from pathlib import Path

import plotly
from starlette.responses import FileResponse
from starlette.routing import Route

from clipdemo.model.checkpoints import Card
from clipdemo.page.shared.modules import part

PLOTLY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
MAKE = "`python -m clipdemo report --runs RUNS --store STORE`"


def build(card: Card) -> None:
    """Add the tab's component to the page; it requests its content when it is first shown."""
    report = part(
        "report/tab.js",
        "open",
        value={},
        plotly=f"plotly.min.js?{plotly.__version__}",
        elem_id="report",
        elem_classes="report",
    )
    report.open(lambda: shown(card), None, report, show_progress="hidden", api_visibility="private")


def shown(card: Card) -> dict:
    """The content of the `report.json` next to a card, or one sentence on why there is none."""
    path = card.folder and card.folder / "report.json"
    if path is None or not path.is_file():
        return {"notice": f"There is no report on this model yet: {MAKE} creates one."}
    try:
        return _page(path, path.stat().st_mtime_ns)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return {"notice": f"The report on this model cannot be read: {MAKE} creates a new one."}


@lru_cache(maxsize=1)
def _page(path: Path, changed: int) -> dict:
    from clipdemo.page.report.panels import page

    return page(json.loads(path.read_text("utf-8")))


def plotly_script() -> Route:
    """GET /plotly.min.js, which the tab fetches when it is first opened."""
    kept = {"Cache-Control": "public, max-age=604800"}  # its address contains the version
    return Route("/plotly.min.js", lambda request: FileResponse(PLOTLY, headers=kept))
