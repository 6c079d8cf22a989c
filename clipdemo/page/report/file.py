"""The report as one HTML file that needs nothing else: no server, no network."""

import json
from pathlib import Path

from plotly.offline import get_plotlyjs

from clipdemo.ui.panels import page

STATIC = Path(__file__).parent / "static"
SCRIPTS = ("dom.js", "report.js", "report_file.js")
STYLES = ("report_file.css", "report.css")


def report_html(report: dict) -> str:
    """The whole page: panels, styles and scripts, Plotly's among them."""
    content = json.dumps(page(report)).replace("<", "\\u003c")  # it must not end its script
    styles, scripts = (
        "".join((STATIC / n).read_text("utf-8") for n in names) for names in (STYLES, SCRIPTS)
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>clipdemo: report of the study</title>
<link rel="icon" href="data:,">
<style>{styles}</style>
</head>
<body>
<main class="report"></main>
<script type="application/json" id="content">{content}</script>
<script>{get_plotlyjs()}</script>
<script>{scripts}</script>
</body>
</html>
"""
