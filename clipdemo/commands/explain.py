"""The command that explains a prediction: `explain`."""

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from clipdemo.commands.options import BackboneId, Checkpoint, Json, bar, out, print_json
from clipdemo.errors import ClipdemoError

HOTTEST = 3


def explain(
    photo: Annotated[str | None, typer.Argument(help="A photo file.")] = None,
    caption: Annotated[str | None, typer.Option(help="Its caption.")] = None,
    label: Annotated[str, typer.Option(help="A label; default: the one with the best score.")] = "",
    mode: Annotated[
        str, typer.Option(help="image, text, concat or mutan; default: the first that has input.")
    ] = "",
    backbone: BackboneId = "auto",
    checkpoint: Checkpoint = "",
    as_json: Json = False,
) -> None:
    """What each word of the caption does for a label, and where in the photo it is seen."""
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
        with bar() as progress:
            task = progress.add_task("covering", total=None)
            regions = attribution.regions(
                classifier, photo, caption, mode, label,
                lambda done, total: progress.update(task, completed=done, total=total),
            )  # fmt: skip
        found["regions"] = regions.to_dict()
        hottest = [{"effect": e, "box": box} for e, box in regions.hottest(HOTTEST)]
        found["hottest"] = hottest
    fit = attribution.fit(classifier, photo, caption)
    found["fit"] = fit and fit.to_dict()
    if as_json:
        print_json(found)
        return
    out.print(f"{escape(label)} by {mode}: {found['score']:.3f}")
    shown = Table("without", "score falls by")
    for word in found["words"]:
        effect = word["effect"]
        shown.add_row(escape(word["word"]), "-" if effect is None else f"{effect:+.3f}")
    for cell in found.get("hottest", []):
        left, top, right, bottom = (f"{100 * x:.0f}" for x in cell["box"])
        place = f"{left} to {right} % from the left, {top} to {bottom} % from the top"
        shown.add_row(place, f"{cell['effect']:+.3f}")
    out.print(shown)
    if fit and fit.better_than is not None:
        share = round(100 * fit.better_than)
        out.print(f"Photo and caption fit better than {share} % of the validation pairs.")
