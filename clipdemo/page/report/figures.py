"""What the report's charts are put together from.

Figures have no background and no colour of text of their own, so that they stand on a light or a
dark page; `report.js` gives them the page's. A name that somebody made reaches Plotly, which reads
some HTML, only through `plain`.
"""

import html
import textwrap
from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

MODES = {"image": "#2f6fdb", "text": "#a66300", "concat": "#0a7f57", "mutan": "#8a3ea8"}
NEUTRAL, VIOLET, ROSE = "#6b7280", "#7c3aed", "#b23a6f"
GRID = "rgba(128,128,128,0.22)"
WIDTH = 20  # characters of a line beside an axis
DARK = "#1f2937"
FONT = "system-ui, -apple-system, Segoe UI, Roboto, sans-serif"
ROW = 32  # pixels of a chart's row: two lines
F1 = "samples-F1"
SPREAD = "(%{customdata[0]:.3f} to %{customdata[1]:.3f}, seeds: %{customdata[2]})<extra></extra>"


def plain(name: object, width: int = 60) -> str:
    """A name for Plotly to show as it is, on two lines at most."""
    lines = textwrap.wrap(str(name), width, max_lines=2, placeholder="…") or [""]
    return "<br>".join(html.escape(line, quote=False) for line in lines)


def empty(height: int, x: str, y: str, legend: int = 1, **layout: object) -> go.Figure:
    """An empty figure that stands on any page; `legend` is how many lines it takes on a phone."""
    axis = {"gridcolor": GRID, "zeroline": False, "fixedrange": True}
    place = {"orientation": "h", "xref": "container", "x": 0, "yref": "container", "y": 1}
    return go.Figure(
        layout={
            "template": go.layout.Template(),
            "height": height,
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"family": FONT, "size": 12},
            "margin": {"l": 54, "r": 12, "t": 10 + 20 * legend, "b": 44},
            "dragmode": False,  # or a finger on it would not scroll the page
            "xaxis": axis | {"title": {"text": x, "standoff": 8}},
            "yaxis": axis | {"title": {"text": y, "standoff": 8}},
            "legend": place | {"xanchor": "left", "yanchor": "top"},
            "hoverlabel": {"bgcolor": DARK, "bordercolor": DARK, "font": {"color": "#ffffff"}},
            **layout,
        }
    )


def rows_of(names: Sequence[str], x: str, legend: int = 1, row: int = ROW) -> go.Figure:
    """An empty figure with a row per name, the first on top."""
    figure = empty(row * len(names) + 54 + 20 * legend, x, "", legend)
    return figure.update_yaxes(
        tickvals=list(range(len(names))),
        ticktext=[plain(name, WIDTH) for name in names],
        range=[len(names) - 0.4, -0.6],
        showgrid=False,
        automargin=True,
        ticklabelstandoff=5,
        title=None,
    ).update_layout(margin={"l": 8})


def line(figure: go.Figure, curve: dict, column: str, name: str, colour: str, **more) -> None:
    """Add one of a curve's columns by epoch."""
    figure.add_scatter(
        x=curve["epoch"], y=curve[column], name=plain(name), mode="lines",
        line={"color": colour} | more.pop("line", {}), hovertemplate="%{y:.3f}", **more,
    )  # fmt: skip


def spread(rows: pd.DataFrame) -> dict:
    """Error bars from `low` to `high` around `mean`."""
    return {
        "type": "data",
        "symmetric": False,
        "array": (rows["high"] - rows["mean"]).tolist(),
        "arrayminus": (rows["mean"] - rows["low"]).tolist(),
        "thickness": 1.5,
    }


def dots(summaries: list[dict]) -> go.Figure:
    """A dot per row at its mean, in its mode's colour, from its lowest to its highest seed."""
    rows = pd.DataFrame(summaries)
    figure = rows_of([row["name"] for row in summaries], F1, legend=0, row=42)
    for i, row in enumerate(summaries):
        same = rows.iloc[[i]]
        figure.add_scatter(
            x=[row["mean"]], y=[i], error_x=spread(same), mode="markers+text",
            marker={"color": MODES[row["mode"]], "size": 10}, showlegend=False,
            text=f"{row['mean']:.3f}", textposition="top center", cliponaxis=False,
            customdata=[[row["low"], row["high"], row["seeds"]]],
            hovertemplate=f"%{{x:.3f}} {SPREAD}",
        )  # fmt: skip
    return figure.update_xaxes(tickformat=".3~f", nticks=5)


def bars(summaries: list[dict]) -> go.Figure:
    """A bar per row from 0 to its mean, coloured by mode, with its lowest and highest seed."""
    rows = pd.DataFrame(summaries)
    modes = rows["mode"].nunique()
    figure = rows_of([row["name"] for row in summaries], F1, legend=(modes > 1) + (modes > 3))
    for mode, same in rows.groupby("mode", sort=False):
        figure.add_bar(
            x=same["mean"].tolist(), y=same.index.tolist(), orientation="h", name=plain(mode),
            error_x=spread(same) | {"color": NEUTRAL}, marker={"color": MODES[mode]}, width=0.62,
            customdata=same[["low", "high", "seeds"]].to_numpy().tolist(),
            hovertemplate=f"%{{x:.3f}} {SPREAD}",
        )  # fmt: skip
    for i, row in enumerate(summaries):
        figure.add_annotation(
            x=row["high"], y=i, text=f"{row['mean']:.3f}", showarrow=False, xanchor="left",
            xshift=5,
        )  # fmt: skip
    figure.update_layout(barmode="overlay", showlegend=modes > 1)
    return figure.update_xaxes(range=[0, 1.25], tickvals=[0, 0.5, 1])  # room for the figures
