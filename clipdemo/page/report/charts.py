"""The report's charts: from its content to Plotly figures.

Figures have no background and no text colour, so that they fit light and dark pages; `report.js`
adds the page's. Plotly interprets some HTML, so users' names are passed through `plain`.
"""

import html
import math
import textwrap
from collections.abc import Callable, Sequence

import pandas as pd
import plotly.express as px
import plotly.graph_objects as go

from clipdemo.study.orderings import RATE, rate_name

MODES = {"image": "#2f6fdb", "text": "#a66300", "concat": "#0a7f57", "mutan": "#8a3ea8"}
NEUTRAL, VIOLET, ROSE = "#6b7280", "#7c3aed", "#b23a6f"
WARMUP = {"with warm-up": MODES["concat"], "without": NEUTRAL}
WIDTHS = {"1024": VIOLET, "2048": ROSE}
FONT = "system-ui, -apple-system, Segoe UI, Roboto, sans-serif"
F1 = "samples-F1"
SPREAD = "(%{customdata[0]:.3f} to %{customdata[1]:.3f}, seeds: %{customdata[2]})<extra></extra>"


def schedule(report: dict) -> go.Figure:
    """Learning rate by step, with and without warm-up."""
    curves = pd.concat(
        pd.DataFrame(curve).assign(name=name) for name, curve in report["schedules"].items()
    )
    figure = px.line(
        curves, x="step", y="rate", color="name", line_dash="name", color_discrete_map=WARMUP,
        line_dash_map={"without": "dash"},
    )  # fmt: skip
    figure.update_traces(hovertemplate="%{y:.2e}").update_yaxes(exponentformat="e")
    _lay_out(figure, 290, "step", "learning rate", hovermode="x unified")
    return figure.update_yaxes(rangemode="tozero")


def losses_by_mode(report: dict) -> go.Figure:
    """Training (dotted) and validation loss by epoch of the study's head, by mode."""
    return _losses(_curves(report, "encoding"), "mode", MODES)


def f1_by_mode(report: dict) -> go.Figure:
    """Samples-F1 at 0.5 by epoch of the study's head, by mode."""
    curves = _curves(report, "encoding")
    figure = px.line(curves, x="epoch", y="samples_f1", color="mode", color_discrete_map=MODES)
    figure.update_traces(hovertemplate="%{y:.3f}")
    return _lay_out(figure, 300, "epoch", f"{F1} at 0.5", hovermode="x unified")


def losses_by_width(report: dict) -> go.Figure:
    """Training (dotted) and validation loss of 1024 and 2048 at the study's learning rate."""
    curves = _curves(report, "grid")
    chosen = curves["hidden"].isin(WIDTHS) & ((curves["rate"] / RATE - 1).abs() < 1e-9)
    return _losses(curves[chosen], "hidden", WIDTHS)


def losses_by_warmup(report: dict) -> go.Figure:
    """Training (dotted) and validation loss with and without warm-up."""
    return _losses(_curves(report, "warmup"), "name", WARMUP)


def grid(report: dict) -> go.Figure:
    """Samples-F1 by learning rate, one series per hidden layers, with lowest and highest seed."""
    rows = _over_seeds(report, "grid")
    figure = px.scatter(
        rows.assign(rate=rows["rate"].map(rate_name)), x="rate", y="mean", color="hidden",
        symbol="hidden", error_y="above", error_y_minus="below",
        color_discrete_map={h: VIOLET if h.startswith("1024") else ROSE for h in rows["hidden"]},
        symbol_map={h: "diamond" if "-" in h else "circle" for h in rows["hidden"]},
        custom_data=["low", "high", "seeds"],
    )  # fmt: skip
    figure.update_traces(marker={"size": 9}, hovertemplate=f"%{{y:.3f}} {SPREAD}")
    _lay_out(figure, 330, "learning rate", F1, 2, scattermode="group", scattergap=0.55)
    low, high = rows["low"].min(), rows["high"].max()  # Plotly's own axis begins at 0
    edge = max(0.1 * (high - low), 0.001)
    return figure.update_xaxes(type="category").update_yaxes(range=[low - edge, high + edge])


def dots(group: str, legend: bool = False) -> Callable[[dict], go.Figure]:
    """The chart of samples-F1 over the seeds of each of a group's heads."""
    return lambda report: _dots(_over_seeds(report, group), legend)


def baselines(report: dict) -> go.Figure:
    """Samples-F1 of the study's head and of all that it is compared with, best first."""
    heads = _over_seeds(report, "encoding")
    last = max(heads["mode"], key=list(MODES).index)
    head = heads[heads["mode"] == last].assign(name=f"MLP on {last}")
    fusions = _over_seeds(report, "fusion")
    rows = pd.concat([head, fusions[fusions["kind"] != "mlp"], _over_seeds(report, "baseline")])
    return _dots(rows.sort_values("mean", ascending=False, ignore_index=True), legend=True)


def per_label(report: dict, mode: str) -> go.Figure:
    """F1 of each label, next to the published one if there is one."""
    ours = pd.DataFrame.from_dict(report["per_label"][mode], orient="index")
    ours = ours.assign(row=range(len(ours)), name=[plain(name) for name in ours.index])
    figure = go.Figure()
    published = report["published"].get("per_label")
    if published:
        known = pd.DataFrame.from_dict(published, orient="index").reindex(ours.index)
        figure.add_scatter(
            x=known["f1"], y=ours["row"], name="published", mode="markers",
            marker={"color": NEUTRAL, "symbol": "diamond-open", "size": 9},
            error_x={"array": ours["f1"] - known["f1"], "arrayminus": [0] * len(ours),
                     "symmetric": False, "width": 0, "thickness": 1, "color": NEUTRAL},
            customdata=list(zip(ours["name"], known["support"], strict=True)),
            hovertemplate="%{customdata[0]}: %{x:.2f}, %{customdata[1]} photos<extra></extra>",
        )  # fmt: skip
    figure.add_scatter(
        x=ours["f1"], y=ours["row"], name=f"ours, {mode}", mode="markers",
        marker={"color": MODES[mode], "size": 9}, customdata=ours[["name", "support"]].to_numpy(),
        hovertemplate="%{customdata[0]}: %{x:.2f}, %{customdata[1]} rows<extra></extra>",
    )  # fmt: skip
    return _name_rows(figure, list(ours.index), "F1").update_xaxes(range=[-0.02, 1.02])


def precision_recall(report: dict, label: str) -> go.Figure:
    """A label's precision by recall in each mode, with a dot at its threshold."""
    figure = go.Figure()
    for mode, curves in report["precision_recall"].items():
        curve, at = curves.get(label), report["per_label"][mode][label]
        if curve is None:
            continue
        colour, group = MODES[mode], {"legendgroup": mode}
        figure.add_scatter(
            x=curve["recall"], y=curve["precision"], name=f"{mode}, AP {at['ap']:.2f}",
            mode="lines", line={"color": colour}, **group,
            hovertemplate="recall %{x:.2f}, precision %{y:.2f}",
        )  # fmt: skip
        figure.add_scatter(
            x=[at["recall"]], y=[at["precision"]], name=mode, mode="markers", showlegend=False,
            marker={"color": colour, "size": 10}, **group, customdata=[at["threshold"]],
            hovertemplate="threshold %{customdata:.2f}: recall %{x:.2f}, precision %{y:.2f}",
        )  # fmt: skip
    _lay_out(figure, 350, "recall", "precision", 2)
    return figure.update_xaxes(range=[0, 1.02]).update_yaxes(range=[0, 1.04])


def reliability(report: dict) -> go.Figure:
    """Share of true labels by score, in bins, by mode."""
    figure = px.line(
        _bins(report), x="score", y="share", color="mode", markers=True, custom_data=["count"],
        color_discrete_map=MODES,
    )  # fmt: skip
    figure.update_traces(hovertemplate="score %{x:.2f}, true %{y:.2f}, %{customdata[0]:,} scores")
    errors = {mode: found["error"] for mode, found in report["reliability"].items()}
    figure.for_each_trace(lambda t: t.update(name=f"{t.name}, error {errors[t.name]:.3f}"))
    figure.add_shape(
        type="line",
        x0=0,
        y0=0,
        x1=1,
        y1=1,
        line={"color": NEUTRAL, "dash": "dot", "width": 1},
        layer="below",
    )
    _lay_out(figure, 350, "score", "share that is true", 2)
    return figure.update_xaxes(range=[0, 1.02]).update_yaxes(range=[0, 1.04])


def score_counts(report: dict) -> go.Figure:
    """The number of scores in each bin of the reliability chart, by mode."""
    bins = _bins(report)
    middle = (bins["score"] // bins["width"] + 0.5) * bins["width"]
    figure = px.bar(
        bins.assign(score=middle), x="score", y="count", color="mode", barmode="group",
        color_discrete_map=MODES,
    )  # fmt: skip
    figure.update_traces(hovertemplate="%{y:,} scores")
    _lay_out(figure, 350, "score", "scores", 2, bargap=0.15)
    figure.update_yaxes(type="log", dtick=1, range=[0, math.log10(bins["count"].max()) + 0.1])
    return figure.update_xaxes(range=[0, 1], dtick=0.2)


def adds(report: dict, measure: str) -> go.Figure:
    """Per label, the gain by the caption (`concat` - `image`) and the photo (`concat` - `text`).

    `measure` is `f1` or `ap`.
    """
    rows = report["adds"]
    figure = go.Figure(layout={"bargap": 0.3, "bargroupgap": 0.1})
    for side, mode in (("caption", "text"), ("photo", "image")):
        figure.add_bar(
            x=[row.get(side, {}).get(measure) for row in rows.values()],
            y=list(range(len(rows))), orientation="h", name=f"the {side} adds",
            marker={"color": MODES[mode]}, customdata=[plain(name) for name in rows],
            hovertemplate="%{customdata}: %{x:+.2f}<extra></extra>",
        )  # fmt: skip
    figure = _name_rows(figure, list(rows), f"difference in {measure.upper()}", row=34)
    return figure.update_xaxes(tickformat="+.2~f", zeroline=True, zerolinecolor=NEUTRAL)


def plain(name: object, width: int = 60) -> str:
    """A name escaped for Plotly, on at most two lines."""
    lines = textwrap.wrap(str(name), width, max_lines=2, placeholder="…") or [""]
    return "<br>".join(html.escape(line, quote=False) for line in lines)


def _curves(report: dict, group: str) -> pd.DataFrame:
    """The curves of a group's runs, one row per epoch."""
    curves = pd.DataFrame([curve for curve in report["curves"] if curve["group"] == group])
    columns = ["epoch", "loss", "check_loss", "samples_f1"]
    rows = curves.explode(columns, ignore_index=True)
    return rows.astype(dict.fromkeys(columns, float))


def _losses(curves: pd.DataFrame, name: str, colours: dict[str, str]) -> go.Figure:
    """Training (dotted) and validation loss by epoch, one colour per value of the column `name`.

    The axis ends above the second epoch: the first one's loss would flatten the rest.
    """
    losses = curves.melt([name, "epoch"], ["check_loss", "loss"], "of", "value")
    figure = px.line(
        losses, x="epoch", y="value", color=name, line_dash="of", color_discrete_map=colours,
        line_dash_map={"check_loss": "solid", "loss": "dot"},
    )  # fmt: skip
    for trace in figure.data:
        shown, of = trace.name.rsplit(", ", 1)
        shown = f"hidden {shown}" if name == "hidden" else shown
        training = of == "loss"
        trace.update(name=f"{shown}, training" if training else shown, showlegend=not training)
    later = losses.loc[losses["epoch"] > 1, "value"]
    figure.update_traces(hovertemplate="%{y:.3f}")
    _lay_out(figure, 300, "epoch", "loss", hovermode="x unified")
    return figure.update_yaxes(range=[0, 1.1 * (later if len(later) else losses["value"]).max()])


def _over_seeds(report: dict, group: str) -> pd.DataFrame:
    """Samples-F1 over the seeds of each of a group's heads, one row per name."""
    runs = pd.DataFrame(report["runs"])
    heads = runs[runs["group"] == group].groupby("name", sort=False)
    scores = heads["samples_f1"].agg(mean="mean", low="min", high="max", seeds="size")
    rows = heads[["mode", "kind", "hidden", "rate"]].first().join(scores).reset_index()
    return rows.assign(above=rows["high"] - rows["mean"], below=rows["mean"] - rows["low"])


def _dots(rows: pd.DataFrame, legend: bool = False) -> go.Figure:
    """A dot per row at its mean, in its mode's colour, from its lowest to its highest seed."""
    figure = px.scatter(
        rows, x="mean", y=rows.index, color="mode", error_x="above", error_x_minus="below",
        text=rows["mean"].map("{:.3f}".format), custom_data=["low", "high", "seeds"],
        color_discrete_map=MODES,
    )  # fmt: skip
    figure.update_traces(
        marker={"size": 10}, textposition="top center", cliponaxis=False,
        hovertemplate=f"%{{x:.3f}} {SPREAD}",
    )  # fmt: skip
    lines = 2 if legend and rows["mode"].nunique() > 3 else int(legend)
    _name_rows(figure, rows["name"].tolist(), F1, lines, row=42).update_layout(showlegend=legend)
    return figure.update_xaxes(tickformat=".3~f", nticks=5)


def _bins(report: dict) -> pd.DataFrame:
    """The bins of scores, one row per mode and bin: score, share, count and width."""
    return pd.concat(
        pd.DataFrame(found["bins"]).assign(mode=mode, width=found["width"])
        for mode, found in report["reliability"].items()
    )


def _lay_out(
    figure: go.Figure, height: int, x: str, y: str, legend: int = 1, **layout: object
) -> go.Figure:
    """Style a figure for the report; `legend` is the number of its lines on a phone."""
    axis = {"gridcolor": "rgba(128,128,128,0.22)", "zeroline": False, "fixedrange": True}
    figure.update_xaxes(**axis, title={"text": x, "standoff": 8})
    figure.update_yaxes(**axis, title={"text": y, "standoff": 8})
    return figure.update_layout(
        template=go.layout.Template(), height=height, paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)", font={"family": FONT, "size": 12},
        margin={"l": 54, "r": 12, "t": 10 + 20 * legend, "b": 44},
        dragmode=False,  # so that a finger on it scrolls the page
        legend={"orientation": "h", "xref": "container", "x": 0, "yref": "container", "y": 1,
                "xanchor": "left", "yanchor": "top", "title": None, "tracegroupgap": 0},
        hoverlabel={"bgcolor": "#1f2937", "bordercolor": "#1f2937", "font": {"color": "#ffffff"}},
        **layout,
    )  # fmt: skip


def _name_rows(
    figure: go.Figure, names: Sequence[str], x: str, legend: int = 1, row: int = 32
) -> go.Figure:
    """Name the rows 0, 1, ... of a figure, the first at the top; a row has `row` pixels."""
    _lay_out(figure, row * len(names) + 54 + 20 * legend, x, "", legend)
    figure.update_layout(margin={"l": 8})
    return figure.update_yaxes(
        tickvals=list(range(len(names))), ticktext=[plain(name, 20) for name in names],
        range=[len(names) - 0.4, -0.6], showgrid=False, automargin=True, ticklabelstandoff=5,
        title=None,
    )  # fmt: skip
