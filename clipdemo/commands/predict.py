"""The command `predict`: scores and labels of a few photos and/or a caption."""

import sys
from typing import Annotated

import typer
from rich.text import Text

from clipdemo.commands import options
from clipdemo.commands.terminal import print_json, print_table
from clipdemo.errors import ClipdemoError, PhotoError


def predict(
    photos: Annotated[list[str] | None, typer.Argument(help="Photo files.")] = None,
    caption: Annotated[str | None, typer.Option(help="One caption for all photos.")] = None,
    backbone: options.BackboneId = "auto",
    checkpoint: options.Checkpoint = "",
    labels: Annotated[
        str, typer.Option(help="Score these names zero-shot instead, separated by commas.")
    ] = "",
    rule: options.Rule = "tuned",
    threshold: options.Threshold = 0.5,
    k: options.K = 3,
    recall: options.Recall = 0.9,
    as_json: options.Json = False,
) -> None:
    """Scores and labels of photos and/or a caption.

    A photo that cannot be read is reported and skipped; the exit code is then 2.
    """
    from clipdemo.inputs.captions import clean_caption
    from clipdemo.model.loading import load

    if not photos and not clean_caption(caption):
        raise ClipdemoError("There is nothing to score: give a photo, a --caption or both.")
    names = labels.split(",") if labels else None
    classifier = load(backbone, checkpoint=checkpoint or None, labels=names)
    results = []
    for photo in photos or [None]:
        try:
            prediction = classifier.predict(photo, caption)
        except PhotoError as error:
            results.append({"photo": photo, "error": str(error)})
            print(f"{photo}: {error}", file=sys.stderr)
            continue
        if not prediction.scores:
            raise ClipdemoError(f"These heads read {_needs(classifier.modes)}.")
        on = {m: prediction.labels(m, rule, threshold, k, recall) for m in prediction.scores}
        found = prediction.to_dict() | {"labels": on, "rule": rule}
        notice = classifier.notice(photo)
        found |= {"notice": notice} if notice else {}
        results.append({"photo": photo, "caption": caption} | found)
        if notice:
            print(f"{photo}: {notice}", file=sys.stderr)
        if not as_json:
            _show(photo or caption, found)
    if as_json:
        print_json(results)
    if any("error" in result for result in results):
        raise SystemExit(2)


def _needs(modes: list[str]) -> str:
    """What heads of these modes read, and what to give."""
    only = {"image": "photos only: give a photo", "text": "captions only: give a --caption"}
    return only.get("".join(modes), "a photo and its caption together: give both")


def _show(title: str, found: dict) -> None:
    """Print a row per label, the highest score first, and a column per mode; bold: on."""
    scores, on = found["scores"], found["labels"]

    def cell(mode: str, name: str) -> Text:
        score = f"{scores[mode][name]:.3f}"
        return Text(f"{score} on", "bold") if name in on[mode] else Text(f"{score}   ")

    names = next(iter(scores.values()))
    names = sorted(names, key=lambda name: -max(values[name] for values in scores.values()))
    zero_shot = " (zero-shot, uncalibrated)" if found["head"] == "zero-shot" else ""
    print_table(
        ["label", *scores],
        ([name, *(cell(mode, name) for mode in scores)] for name in names),
        title=f"{title}{zero_shot}", title_justify="left",
    )  # fmt: skip
