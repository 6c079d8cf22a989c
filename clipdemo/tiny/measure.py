"""Measure a checkpoint; write the figures to its card and the README."""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from clipdemo.errors import TableError
from clipdemo.inputs.labels import COCO18
from clipdemo.inputs.photo_source import PhotoSource
from clipdemo.inspection import metrics
from clipdemo.inspection.evaluation import evaluate_table, score_rows
from clipdemo.inspection.intervals import intervals
from clipdemo.model import checkpoints, thresholds
from clipdemo.model.attribution import fit_of_pairs
from clipdemo.model.classifier import Classifier
from clipdemo.model.loading import load
from clipdemo.study import baselines
from clipdemo.tables.label_table import LabelTable, read_label_table, target_matrix
from clipdemo.tiny.photo_pack import is_validation, validation_rows

START, END = "<!-- figures: written by `python -m clipdemo measure` -->", "<!-- /figures -->"


def measure(data: Path, folder: Path) -> dict:
    """Evaluate the checkpoint in `folder` on the validation photos and captions of a data folder.

    Writes `metrics` to the card and returns it: `photos` (comp5329 photos with number % 6 == 1 and
    their captions, all modes, with `intervals`), `zero_shot` (the same without the heads),
    `captions` (rows 28000 to 29999, text only) and `bag_of_words` (TF-IDF and logistic regression
    on those same rows, for comparison). Also writes how well those photos and captions match, as
    `fit`.
    """
    classifier = load(checkpoint=folder)
    frame = read_label_table(data / "captions.csv").frame
    photos, source = validation_photos(data)
    validation = validation_rows(frame)
    captions = frame[validation]
    found = {
        "photos": _measured(classifier, photos, source),
        "zero_shot": _measured(classifier.zero_shot(COCO18), photos, source),
        "captions": _measured(classifier, captions),
        "bag_of_words": bag_of_words(frame[~validation], captions),
    }
    scored = score_rows(classifier, photos, source)
    fit = fit_of_pairs(np.stack(scored.image), np.stack(scored.text))
    on = {
        mode: values >= classifier.card.modes[mode]["thresholds"]
        for mode, values in scored.scores.items()
    }
    found["photos"]["intervals"] = intervals(
        target_matrix(photos, COCO18), scored.scores, on, [("concat", "text")]
    )
    card = checkpoints.read_card(folder)
    checkpoints.write_card(folder, card.content | {"metrics": found, "fit": fit})
    return found


def validation_photos(data: Path) -> tuple[pd.DataFrame, PhotoSource]:
    """Rows of the label table whose photo is for validation, and the source of the photos."""
    frame = read_label_table(data / "captions.csv").frame
    source = PhotoSource(data / "photos" / "comp5329.zip")
    held = [name in source and is_validation(name) for name in frame["ImageID"]]
    return frame[held], source


def bag_of_words(train: pd.DataFrame, check: pd.DataFrame) -> dict:
    """Metrics of TF-IDF of words and word pairs with one logistic regression per label.

    Its thresholds are tuned on its training rows.
    """
    model, truth = baselines.bag_of_words(), target_matrix(train, COCO18)
    model.fit(train["Caption"], truth)
    tuned = thresholds.tune(model.predict_proba(train["Caption"]), truth)
    scores = model.predict_proba(check["Caption"])
    on = {rule: thresholds.decide(scores, rule, tuned=tuned) for rule in ("fixed", "tuned")}
    results = {
        rule: metrics.evaluate(target_matrix(check, COCO18), scores, decided, COCO18.names, tuned)
        for rule, decided in on.items()
    }
    best = max(results, key=lambda rule: results[rule]["samples_f1"])
    return results[best] | {"rule": best}


def figures(card: checkpoints.Card) -> str:
    """The README's table of a measured card, in Markdown."""
    found = card.content["metrics"]
    photos, captions, words = found["photos"], found["captions"], found["bag_of_words"]
    names = {"image": "photo", "text": "caption", "concat": "both"}
    sure, zero_shot = photos["intervals"], found["zero_shot"]["modes"]
    rows = [
        (f"{name} ({mode})", photos["modes"][mode], sure["modes"][mode])
        for mode, name in names.items()
    ]
    rows += [(f"{name}, zero-shot", zero_shot[mode]) for mode, name in names.items()]
    more = sure["differences"]["concat - text"]
    gains = " and ".join(
        f"{word} {more[key]['value']:+.3f} ({more[key]['interval'][0]:+.3f} to "
        f"{more[key]['interval'][1]:+.3f})"
        for word, key in (("mAP", "map"), ("samples-F1", "samples_f1"))
    )
    lines = [
        f"On {photos['n']} validation photos with their captions, rule `tuned`:",
        "",
        "| head reads | mAP | samples-F1 | micro-F1 | macro-F1 |",
        "|---|---|---|---|---|",
        *(table_row(*row) for row in rows),
        "",
        f"In brackets: 95 % bootstrap intervals from {sure['draws']:,} resamples of the photos.",
        f"What the photo adds to the caption (`concat` minus `text`): {gains}.",
        "",
        f"On the study's {captions['n']} validation captions (rows 28000 to 29999), caption alone:",
        "",
        "| model | mAP | samples-F1 | micro-F1 | macro-F1 |",
        "|---|---|---|---|---|",
        table_row("`tiny`, head `text`", captions["modes"]["text"]),
        table_row("TF-IDF and logistic regression", words),
    ]
    return "\n".join(lines)


def table_row(name: str, values: dict, interval: dict | None = None) -> str:
    """One row of the README's table, with intervals if there are any."""
    cells = []
    for key in ("map", "samples_f1", "micro_f1", "macro_f1"):
        low, high = (interval or {}).get(key, (None, None))
        cells.append(f"{values[key]:.3f}" + (f" ({low:.3f} to {high:.3f})" if low else ""))
    return f"| {name} | " + " | ".join(cells) + " |"


def write_figures(card: checkpoints.Card, readme: Path) -> None:
    """Put the table of a measured card between the README's two markers.

    Raises:
        TableError: the README lacks the markers.
    """
    text = readme.read_text("utf-8")
    pattern = re.compile(f"{re.escape(START)}.*?{re.escape(END)}", re.DOTALL)
    if not pattern.search(text):
        raise TableError(f"{readme} has no {START} … {END}: put the two markers back.")
    block = f"{START}\n{figures(card)}\n{END}"
    readme.write_text(pattern.sub(lambda _: block, text), "utf-8")


def _measured(
    classifier: Classifier, frame: pd.DataFrame, photos: PhotoSource | None = None
) -> dict:
    report = evaluate_table(classifier, LabelTable.of(frame), photos)
    del report["account"]
    return report
