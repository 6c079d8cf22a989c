"""The report as one self-contained HTML file that needs no server and no network."""

import json

from plotly.offline import get_plotlyjs

from clipdemo.page.report.panels import page
from clipdemo.page.shared.files import inlined, joined

SCRIPTS = ("shared/dom.js", "shared/charts.js", "report/report.js", "report/file.js")
STYLES = ("report/file.css", "report/report.css")


def report_html(report: dict) -> str:
    """The whole page: panels, styles and scripts, Plotly's among them."""
    content = json.dumps(page(report)).replace("<", "\\u003c")  # it must not end the script element
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>clipdemo: report of the study</title>
<link rel="icon" href="data:,">
<style>{joined(*STYLES)}</style>
</head>
<body>
<main class="report"></main>
<script type="application/json" id="content">{content}</script>
<script>{get_plotlyjs()}</script>
<script>{inlined(*SCRIPTS)}</script>
</body>
</html>
"""
