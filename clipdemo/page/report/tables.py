"""The report's tables: rows of plain text for `report.js`."""

MINUS = "\N{MINUS SIGN}"
OUTCOMES = {
    True: ("holds here", "good"),
    False: ("the other way", "bad"),
    "within the spread": ("within the spread", "open"),
    "not measured": ("not measured", "open"),
}


def orderings(report: dict) -> dict:
    """The study's claims next to ours."""
    rows = []
    for found in report["orderings"]:
        outcome, tone = OUTCOMES[found["holds"]]
        epochs = found["metric"] == "epoch"
        ours = [_epochs(side) if epochs else _score(side) for side in found["ours"]]
        rows.append(
            [found["claim"], found["study"], {"lines": ours}, {"lines": [outcome], "tone": tone}]
        )
    return {"columns": ["claim", "the study", "ours", "outcome"], "rows": rows, "stacked": True}


def per_label(report: dict, mode: str) -> dict:
    """F1, precision, recall and AP of each label, next to the study's if there are any."""
    overall, published = report["overall"][mode], report["published"]
    rows = {"mean over rows": _means(overall, overall["n"])}
    rows["… cross-fitted"] = _means(overall["cross_fitted"], overall["n"])
    rows |= report["per_label"][mode]
    if not published:
        columns = ["label", "F1", "precision", "recall", "AP", "rows"]
        figures = [[_two(r["f1"]), *_rest(r), _two(r["ap"]), f"{r['support']:,}"]
                   for r in rows.values()]  # fmt: skip
        return {"columns": columns, "rows": [[n, *f] for n, f in zip(rows, figures, strict=True)]}
    best = published["overall"]
    known = dict.fromkeys(list(rows)[:2], _means(best, best["n"])) | published["per_label"]
    return {
        "groups": [["", 1], ["F1", 3], [f"ours, {mode}", 4], ["the study", 3]],
        "columns": ["label", "ours", "study", "difference", "precision", "recall", "AP", "rows",
                    "precision", "recall", "rows"],
        "rows": [
            [name, _two(row["f1"]), _two(known[name]["f1"]), _gain(row["f1"] - known[name]["f1"]),
             *_rest(row), _two(row["ap"]), f"{row['support']:,}",
             *_rest(known[name]), f"{known[name]['support']:,}"]
            for name, row in rows.items()
        ],
    }  # fmt: skip


def _means(found: dict, rows: int) -> dict:
    """Means over the rows, in the same form as a label's figures."""
    means = {key: found[f"samples_{key}"] for key in ("precision", "recall", "f1")}
    return means | {"ap": None, "support": rows}


def _rest(row: dict) -> list[str]:
    return [_two(row["precision"]), _two(row["recall"])]


def _gain(difference: float) -> str:
    return f"{round(difference, 2) + 0.0:+.2f}".replace("-", MINUS)


def _two(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _score(side: dict) -> str:
    if side["mean"] is None:
        return f"{side['name']}: no run"
    spread = f" ({side['low']:.3f} to {side['high']:.3f})" if side["seeds"] > 1 else " (one run)"
    return f"{side['name']} {side['mean']:.3f}{spread}, mAP {side['map']:.3f}"


def _epochs(side: dict) -> str:
    if side["mean"] is None:
        return f"{side['name']}: no run"
    return (
        f"{side['name']}: lowest after epoch {side['mean']:.1f}, {side['rise']:+.1%} by epoch "
        f"{side['last']:.1f}"
    )
