"""The report's charts: from its content to Plotly figures (see `figures` for their looks)."""

import math
from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from clipdemo.page.report.figures import (
    F1,
    MODES,
    NEUTRAL,
    ROSE,
    SPREAD,
    VIOLET,
    bars,
    dots,
    empty,
    line,
    plain,
    rows_of,
    spread,
)
from clipdemo.study.orderings import RATE, rate_name


def summaries(report: dict, group: str) -> list[dict]:
    """Per name of a group's runs, in their order: its first run, and samples-F1 over the seeds."""
    runs = pd.DataFrame(report["runs"])
    found = []
    for name, same in runs[runs["group"] == group].groupby("name", sort=False):
        values = same["samples_f1"]
        over_seeds = {"mean": values.mean(), "low": values.min(), "high": values.max()}
        found.append(same.iloc[0].to_dict() | over_seeds | {"name": name, "seeds": len(same)})
    return found


def schedule(report: dict) -> go.Figure:
    """Learning rate by step, with and without warm-up."""
    figure = empty(290, "step", "learning rate", hovermode="x unified")
    lines = {
        "with warm-up": {"color": MODES["concat"]},
        "without": {"color": NEUTRAL, "dash": "dash"},
    }
    for name, curve in report["schedules"].items():
        figure.add_scatter(
            x=curve["step"], y=curve["rate"], name=name, mode="lines", line=lines[name],
            hovertemplate="%{y:.2e}",
        )  # fmt: skip
    return figure.update_yaxes(exponentformat="e", rangemode="tozero")


def losses_by_mode(report: dict) -> go.Figure:
    """Training (dotted) and validation loss by epoch of the study's head, by mode."""
    curves = [(c, c["mode"], MODES[c["mode"]]) for c in _curves(report, "encoding")]
    return _losses(curves)


def f1_by_mode(report: dict) -> go.Figure:
    """Samples-F1 at 0.5 by epoch of the study's head, by mode."""
    figure = empty(300, "epoch", f"{F1} at 0.5", hovermode="x unified")
    for curve in _curves(report, "encoding"):
        line(figure, curve, "samples_f1", curve["mode"], MODES[curve["mode"]])
    return figure


def losses_by_width(report: dict) -> go.Figure:
    """Training (dotted) and validation loss of 1024 and 2048 at the study's learning rate."""
    colours = {"1024": VIOLET, "2048": ROSE}
    curves = [
        (curve, f"hidden {curve['hidden']}", colours[curve["hidden"]])
        for curve in _curves(report, "grid")
        if curve["hidden"] in colours and math.isclose(curve["rate"], RATE)
    ]
    return _losses(curves)


def losses_by_warmup(report: dict) -> go.Figure:
    """Training (dotted) and validation loss with and without warm-up."""
    colours = {"with warm-up": MODES["concat"], "without": NEUTRAL}
    return _losses([(c, c["name"], colours[c["name"]]) for c in _curves(report, "warmup")])


def grid(report: dict) -> go.Figure:
    """Samples-F1 by learning rate, one series per hidden layers, with lowest and highest seed."""
    figure = empty(330, "learning rate", F1, legend=2, scattermode="group", scattergap=0.55)
    rows = pd.DataFrame(summaries(report, "grid"))
    for hidden, same in rows.groupby("hidden", sort=False):
        figure.add_scatter(
            x=[rate_name(rate) for rate in same["rate"]],
            y=same["mean"].tolist(),
            error_y=spread(same),
            name=plain(hidden),
            mode="markers",
            marker={
                "color": VIOLET if hidden.startswith("1024") else ROSE,
                "symbol": "diamond" if "-" in hidden else "circle",
                "size": 9,
            },
            customdata=same[["low", "high", "seeds"]].to_numpy().tolist(),
            hovertemplate=f"%{{y:.3f}} {SPREAD}",
        )
    low, high = rows["low"].min(), rows["high"].max()
    margin = 0.1 * (high - low) + 1e-3
    return figure.update_xaxes(type="category").update_yaxes(range=[low - margin, high + margin])


def warmup(report: dict) -> go.Figure:
    """Samples-F1 with and without warm-up."""
    return dots(summaries(report, "warmup"))


def encodings(report: dict) -> go.Figure:
    """Samples-F1 by mode."""
    return dots(summaries(report, "encoding"))


def augmentation(report: dict) -> go.Figure:
    """Samples-F1 by the captions of the training."""
    return dots(summaries(report, "augmentation"))


def baselines(report: dict) -> go.Figure:
    """Samples-F1 of the study's head and of everything it is compared with, best first."""
    order = list(MODES)
    mlps = sorted(summaries(report, "encoding"), key=lambda row: order.index(row["mode"]))
    rows = [row | {"name": f"MLP on {row['mode']}"} for row in mlps[-1:]]
    rows += [row for row in summaries(report, "fusion") if row["kind"] != "mlp"]
    return bars(sorted(rows + summaries(report, "baseline"), key=lambda row: -row["mean"]))


def captions_alone(report: dict) -> go.Figure:
    """Samples-F1 on photos of heads that were trained on captions, beside zero-shot and photos."""
    return bars(summaries(report, "captions-alone"))


def per_label(report: dict, mode: str) -> go.Figure:
    """F1 of each label, beside the published one where there is one."""
    ours, published = report["per_label"][mode], report["published"].get("per_label", {})
    names = list(ours)
    figure = rows_of(names, "F1", legend=1)
    for i, name in enumerate(names):
        if name in published:
            figure.add_scatter(
                x=[ours[name]["f1"], published[name]["f1"]], y=[i, i], mode="lines",
                line={"color": NEUTRAL, "width": 1}, hoverinfo="skip", showlegend=False,
            )  # fmt: skip
    known = [i for i, name in enumerate(names) if name in published]
    if known:
        figure.add_scatter(
            x=[published[names[i]]["f1"] for i in known], y=known, name="published",
            mode="markers", marker={"color": NEUTRAL, "symbol": "diamond-open", "size": 9},
            customdata=[[plain(names[i]), published[names[i]]["support"]] for i in known],
            hovertemplate="%{customdata[0]}: %{x:.2f}, %{customdata[1]} photos",
        )  # fmt: skip
    figure.add_scatter(
        x=[row["f1"] for row in ours.values()], y=list(range(len(names))), name=f"ours, {mode}",
        mode="markers", marker={"color": MODES[mode], "size": 9},
        customdata=[[plain(name), row["support"]] for name, row in ours.items()],
        hovertemplate="%{customdata[0]}: %{x:.2f}, %{customdata[1]} rows",
    )  # fmt: skip
    return figure.update_xaxes(range=[-0.02, 1.02])


def precision_recall(report: dict, label: str) -> go.Figure:
    """A label's precision by recall in each mode; a dot is where its threshold stands."""
    figure = empty(350, "recall", "precision", legend=2)
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
    return figure.update_xaxes(range=[0, 1.02]).update_yaxes(range=[0, 1.04])


def reliability(report: dict) -> go.Figure:
    """Share that is true by score, in bins, by mode."""
    figure = empty(350, "score", "share that is true", legend=2)
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", hoverinfo="skip", showlegend=False,
        line={"color": NEUTRAL, "dash": "dot", "width": 1},
    )  # fmt: skip
    for mode, found in report["reliability"].items():
        bins = found["bins"]
        figure.add_scatter(
            x=[b["score"] for b in bins], y=[b["share"] for b in bins],
            name=f"{mode}, error {found['error']:.3f}", mode="lines+markers",
            line={"color": MODES[mode]}, customdata=[b["count"] for b in bins],
            hovertemplate="score %{x:.2f}, true %{y:.2f}, %{customdata:,} scores",
        )  # fmt: skip
    return figure.update_xaxes(range=[0, 1.02]).update_yaxes(range=[0, 1.04])


def score_counts(report: dict) -> go.Figure:
    """How many scores each bin of the reliability holds, by mode."""
    figure = empty(350, "score", "scores", legend=2, barmode="group", bargap=0.15)
    for mode, found in report["reliability"].items():
        width = found["width"]
        figure.add_bar(
            x=[(b["score"] // width + 0.5) * width for b in found["bins"]],
            y=[b["count"] for b in found["bins"]], name=mode, marker={"color": MODES[mode]},
            hovertemplate="%{y:,} scores",
        )  # fmt: skip
    most = max(b["count"] for found in report["reliability"].values() for b in found["bins"])
    figure.update_yaxes(type="log", dtick=1, range=[0, math.log10(most) + 0.1])
    return figure.update_xaxes(range=[0, 1], dtick=0.2)


def adds(report: dict, measure: str) -> go.Figure:
    """Per label what the caption adds (`concat` less `image`) and the photo (`concat` less `text`).

    `measure` is `f1` or `ap`.
    """
    rows = report["adds"]
    figure = rows_of(list(rows), f"difference in {measure.upper()}", legend=1, row=34)
    for side, mode in (("caption", "text"), ("photo", "image")):
        figure.add_bar(
            x=[row.get(side, {}).get(measure) for row in rows.values()],
            y=list(range(len(rows))), orientation="h", name=f"the {side} adds",
            marker={"color": MODES[mode]}, customdata=[plain(name) for name in rows],
            hovertemplate="%{customdata}: %{x:+.2f}",
        )  # fmt: skip
    return figure.update_layout(bargap=0.3, bargroupgap=0.1).update_xaxes(
        tickformat="+.2~f", zeroline=True, zerolinecolor=NEUTRAL
    )


def _curves(report: dict, group: str) -> list[dict]:
    return [curve for curve in report["curves"] if curve["group"] == group]


def _losses(curves: Sequence[tuple[dict, str, str]]) -> go.Figure:
    """Training (dotted) and validation loss of curves, each with its name and colour.

    The axis ends above the second epoch, for the first one's loss would flatten all that follows.
    """
    figure = empty(300, "epoch", "loss", hovermode="x unified")
    for curve, name, colour in curves:
        line(figure, curve, "check_loss", name, colour)
        line(figure, curve, "loss", f"{name}, training", colour, line={"dash": "dot"},
              showlegend=False)  # fmt: skip
    both = [curve[column] for curve, *_ in curves for column in ("loss", "check_loss")]
    later = [loss for losses in both for loss in losses[1:] or losses]
    return figure.update_yaxes(range=[0, 1.1 * max(later, default=1)])
