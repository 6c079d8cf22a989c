"""The command `explain`: what contributes to a label's score."""

from functools import partial
from typing import Annotated

import typer

from clipdemo.commands import options
from clipdemo.commands.terminal import out, print_json, print_table, progress_bars
from clipdemo.errors import ClipdemoError

HOTTEST = 3


def explain(
    photo: Annotated[str | None, typer.Argument(help="A photo file.")] = None,
    caption: Annotated[str | None, typer.Option(help="Its caption.")] = None,
    label: Annotated[str, typer.Option(help="A label; default: the one with the top score.")] = "",
    mode: Annotated[
        str, typer.Option(help="image, text, concat or mutan; default: the first with an input.")
    ] = "",
    backbone: options.BackboneId = "auto",
    checkpoint: options.Checkpoint = "",
    as_json: options.Json = False,
) -> None:
    """What each word of the caption and each region of the photo contribute to a label's score."""
    from clipdemo.model import attribution
    from clipdemo.model.loading import load

    classifier = load(backbone, checkpoint=checkpoint or None)
    scores = classifier.predict(photo, caption).scores
    if not scores:
        raise ClipdemoError("There is nothing to explain: give a photo, a --caption or both.")
    mode = mode or next(iter(scores))
    if mode not in scores:
        raise ClipdemoError(f"There are no scores of {mode!r}: choose {' or '.join(scores)}.")
    label = label or max(scores[mode], key=scores[mode].get)
    if label not in scores[mode]:
        names = ", ".join(scores[mode])
        raise ClipdemoError(f"There is no label {label!r}: choose one of {names}.")
    words = attribution.words(classifier, photo, caption) if mode != "image" else []
    found = {"mode": mode, "label": label, "score": scores[mode][label]}
    found["words"] = [
        {"word": w.word, "read": w.read, "effect": w.effects.get(mode, {}).get(label)}
        for w in words
    ]
    if mode != "text":
        with progress_bars() as progress:
            regions = attribution.regions(
                classifier, photo, caption, mode, label, partial(progress, "covering")
            )
        found["regions"] = regions.to_dict()
        found["hottest"] = [{"effect": e, "box": box} for e, box in regions.hottest(HOTTEST)]
    fit = attribution.fit(classifier, photo, caption)
    found["fit"] = fit and fit.to_dict()
    if as_json:
        print_json(found)
    else:
        _show(found)


def _show(found: dict) -> None:
    """Print how much the score falls without each word and each of the hottest regions."""
    out.print(f"{found['label']} by {found['mode']}: {found['score']:.3f}")
    parts = [(word["word"], word["effect"]) for word in found["words"]]
    for cell in found.get("hottest", []):
        left, top, right, bottom = (f"{100 * x:.0f}" for x in cell["box"])
        place = f"{left} to {right} % from the left, {top} to {bottom} % from the top"
        parts.append((place, cell["effect"]))
    rows = ([part, None if effect is None else f"{effect:+.3f}"] for part, effect in parts)
    print_table(["without", "score falls by"], rows)
    if found["fit"] and found["fit"]["better_than"] is not None:
        share = round(100 * found["fit"]["better_than"])
        out.print(f"Photo and caption match better than {share}% of the validation pairs.")
