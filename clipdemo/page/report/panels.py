"""The report's panels: text, charts and tables, each with the source of its figures."""

import json
from collections.abc import Iterable, Sequence

import plotly.graph_objects as go

from clipdemo.page.report import charts, tables
from clipdemo.page.report.chart_text import in_words

# Of runs: id, groups of runs (the first is required), title, text, charts.
OF_RUNS = (
    (
        "curves", ("encoding",), "Loss and F1 by epoch",
        "The study's head in each mode: the mean of the seeds until the first of them stops. "
        "Solid: on the validation rows. Dotted: the loss in training, with dropout.",
        (charts.losses_by_mode, charts.f1_by_mode),
    ),
    (
        "grid", ("grid",), "Layers, widths and learning rates",
        "First: each setting, from its lowest to its highest seed (dots: two layers, diamonds: "
        "three); the axis is cut. Second: a head overfits from where its validation loss (solid) "
        "rises while the training loss (dotted) falls.",
        (charts.grid, charts.losses_by_width),
    ),
    (
        "warmup", ("warmup",), "Warm-up",
        "First: the same head with and without, from the lowest to the highest seed; the axis is "
        "cut. Second: its losses, solid on the validation rows, dotted in training.",
        (charts.dots("warmup"), charts.losses_by_warmup),
    ),
    (
        "encodings", ("encoding",), "Image, text or concat",
        "The same head on the embedding of the photo, of the caption, and on both side by side, "
        "from the lowest to the highest seed; the axis is cut.",
        (charts.dots("encoding"),),
    ),
    (
        "augmentation", ("augmentation",), "Generated captions",
        "Trained on the table's captions, on those that a captioner wrote, or on both; evaluated "
        "on the table's captions alone. The axis is cut.",
        (charts.dots("augmentation"),),
    ),
    (
        "baselines", ("baseline", "fusion"), "Baselines",
        "The study's head next to MUTAN and simpler methods on the same rows. Colours are what "
        "each reads; lines go from the lowest to the highest seed; the axis is cut. All have "
        "cross-fitted thresholds.",
        (charts.baselines,),
    ),
    (
        "captions-alone", ("captions-alone",), "Heads from captions alone",
        "Trained on embeddings of captions and evaluated on photos: as they are, with each kind of "
        "embedding centred, and with noise added, too (CapDec, C3). Next to them zero-shot, and a "
        "head that was trained on photos. The axis is cut.",
        (charts.dots("captions-alone", legend=True),),
    ),
)  # fmt: skip


def page(report: dict) -> dict:
    """The data for `report.js`: title, a summary, what the report is about, and the panels."""
    return {
        "title": "The study, reproduced", "summary": _summary(report), "about": _about(report),
        "panels": panels(report),
    }  # fmt: skip


def panels(report: dict) -> list[dict]:
    """The panels in order, JSON-ready, without those that the report has no data for.

    Each has `id`, `title`, `text`, `source` (its runs and data), and `variants` to `choose`
    from, each with a `name`, `figures` (as Plotly takes them, with a `text`) and `tables`.
    """
    groups = {run["group"] for run in report["runs"]}
    of_runs = [
        _panel(name, title, text, _runs(report, of), [_variant(draw(report) for draw in drawn)])
        for name, of, title, text, drawn in OF_RUNS
        if of[0] in groups
    ]
    return [_orderings(report), _schedule(report), *of_runs, *_of_heads(report)]


def _summary(report: dict) -> list[list[str]]:
    """Three pairs of a word and a sentence: what was tried, what held, and what did not."""
    groups = {run["group"] for run in report["runs"]}
    tried = [title[0].lower() + title[1:] for _, of, title, *_ in OF_RUNS if of[0] in groups]
    found = {outcome: [] for outcome in (True, False, "within the spread")}
    for ordering in report["orderings"]:
        found.setdefault(ordering["holds"], []).append(ordering["claim"])
    other = [f"the other way: {', '.join(found[False])}"] if found[False] else []
    open_ = found["within the spread"]
    other += [f"within the spread of the seeds: {', '.join(open_)}"] if open_ else []
    known = sum(len(found[outcome]) for outcome in (True, False, "within the spread"))
    return [
        ["Tried", f"{_count(report['runs'])} heads on {_data(report)}: {'; '.join(tried)}."],
        ["Held", f"{len(found[True])} of {known} claims: {', '.join(found[True]) or 'none'}."],
        ["Did not", f"{'; '.join(other) or 'none'}."],
    ]


def _about(report: dict) -> list[list[str]]:
    """Pairs of a word and its value."""
    about = report["about"]
    runs = _count(report["runs"])
    return [
        ["backbone", about["backbone"]],
        ["data", _data(report)],
        ["validation", f"{about['n_check']:,} rows by {about['split']}"],
        ["training", f"{about['n_train']:,} rows"],
        ["labels", str(about["labels"])],
        ["seeds", ", ".join(map(str, about["seeds"]))],
        ["runs", f"{runs} in {about['seconds'] / 60:.0f} min on {about['cores']} cores"],
        ["date", about["date"]],
    ]


def _orderings(report: dict) -> dict:
    return _panel(
        "orderings",
        "What the study found, and what we find",
        "A claim holds where every seed of its side is above every seed of the other; where "
        "they overlap it is within the spread, and nothing is decided. It is judged by "
        "samples-F1 (mean, lowest to highest seed) with cross-fitted thresholds, each run at "
        "its best epoch on the validation rows, with mAP next to it. The spread is that of "
        "the seeds alone: other rows would move the figures, too.",
        f"{_runs(report)} {report['published'].get('note', '')}",
        [_variant(tables=[tables.orderings(report)])],
    )


def _schedule(report: dict) -> dict:
    return _panel(
        "schedule",
        "Learning-rate schedule",
        "Linear warm-up followed by linear decay to zero; and the decay without warm-up.",
        "From the scheduler itself, step by step, with the settings of the study's head on "
        f"{report['about']['n_train']:,} training rows of {_data(report)}.",
        [_variant([charts.schedule(report)])],
    )


def _of_heads(report: dict) -> Iterable[dict]:
    modes = list(reversed(report["per_label"]))
    curves = report["precision_recall"].values()
    labels = [name for name in report["per_label"][modes[0]] if any(name in c for c in curves)]
    heads = _heads(report)
    yield _panel(
        "labels",
        "Label by label",
        "The checkpoint's heads at the card's thresholds"
        + (", next to the study's figures." if report["published"] else "."),
        f"{heads} {report['published'].get('note', '')}",
        [_variant([charts.per_label(report, m)], [tables.per_label(report, m)], m) for m in modes],
        choose="Mode",
    )
    yield _panel(
        "precision-recall",
        "Precision and recall",
        "Of one label, at every threshold; the dot is the card's threshold.",
        heads,
        [_variant([charts.precision_recall(report, name)], name=name) for name in labels],
        choose="Label",
    )
    yield _panel(
        "reliability",
        "Reliability",
        "First: of all labels that got such a score, the share that is true; on the dotted line a "
        "score means what it says. Error is the mean distance from it (expected calibration "
        "error). Second: how many scores are behind each point.",
        heads,
        [_variant([charts.reliability(report), charts.score_counts(report)])],
    )
    if report["adds"]:
        yield _panel(
            "adds",
            "What photo and caption add",
            "How much better the head of both is than that of the photo (what the caption "
            "adds) and than that of the caption (what the photo adds). Left of zero it is "
            "worse.",
            heads,
            [_variant(charts.adds(report, measure) for measure in ("f1", "ap"))],
        )


def _panel(
    name: str, title: str, text: str, source: str, variants: Sequence[dict], choose: str = ""
) -> dict:
    panel = {"id": name, "title": title, "text": text, "source": source.strip()}
    return panel | {"variants": variants, "choose": choose}


def _variant(
    figures: Iterable[go.Figure] = (), tables: Sequence[dict] = (), name: str = ""
) -> dict:
    drawn = [json.loads(figure.to_json()) | {"text": in_words(figure)} for figure in figures]
    return {"name": name, "figures": drawn, "tables": tables}


def _data(report: dict) -> str:
    about = report["about"]
    return about["table"] + (f" with {about['photos']}" if about["photos"] else ", captions alone")


def _runs(report: dict, groups: Sequence[str] = ()) -> str:
    """The runs and data that figures are from: of some groups, or all."""
    about = report["about"]
    runs = [run for run in report["runs"] if not groups or run["group"] in groups]
    seeds = sorted({run["seed"] for run in runs if run["seed"] is not None})
    which = f"{' and '.join(groups)} runs" if groups else "runs"
    return (
        f"From {_count(runs)} {which}, seeds {', '.join(map(str, seeds))}: {about['backbone']} on "
        f"{_data(report)}, split {about['split']}, {_range(r['n_train'] for r in runs)} rows to "
        f"train and {_range(r['n_check'] for r in runs)} to validate."
    )


def _heads(report: dict) -> str:
    """The heads and data that figures are from, and what their thresholds were tuned on."""
    about = report["about"]
    rows = ", ".join(f"{mode} {found['n']:,}" for mode, found in report["overall"].items())
    return (
        f"From the heads of the checkpoint on the validation rows ({rows}) of {_data(report)}, "
        f"split {about['split']}, backbone {about['backbone']}. {about['thresholds']}"
    )


def _count(runs: Sequence[dict]) -> int:
    """The number of distinct runs: one may appear in several groups."""
    keys = ("mode", "kind", "hidden", "rate", "warmup", "captions", "seed")
    return len({tuple(run[key] for key in keys) for run in runs})


def _range(numbers: Iterable[int]) -> str:
    low, high = min(found := list(numbers)), max(found)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
