"""The command `batch`: many photos and captions into one file of results."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from clipdemo.commands import options
from clipdemo.commands.terminal import out, print_account, progress_bars
from clipdemo.errors import ClipdemoError


def batch(
    photos: Annotated[
        list[Path] | None, typer.Argument(help="Photo files, folders, zips or tars.")
    ] = None,
    output: Annotated[Path, typer.Option("--out", help="results.csv or results.json.")] = Path(
        "results.csv"
    ),
    table: Annotated[
        Path | None, typer.Option(help="Photos and captions: only its rows, each with its photo.")
    ] = None,
    columns: options.Columns = "",
    strict: options.Strict = False,
    caption_model: Annotated[
        bool, typer.Option("--caption-model", help="Have a model write missing captions.")
    ] = False,
    captioner: options.CaptionerName = "auto",
    backbone: options.BackboneId = "auto",
    checkpoint: options.Checkpoint = "",
    labels: Annotated[
        str, typer.Option(help="Zero-shot for these instead: names, separated by commas.")
    ] = "",
    rule: options.Rule = "tuned",
    threshold: options.Threshold = 0.5,
    k: options.K = 3,
    recall: options.Recall = 0.9,
    tags: Annotated[
        Path | None, typer.Option(help="Folder for a .txt of labels for each photo.")
    ] = None,
    keywords: Annotated[
        Path | None, typer.Option(help="Folder for copies with their labels as keywords.")
    ] = None,
    folders: Annotated[
        Path | None, typer.Option(help="Folder for a folder of photos per label.")
    ] = None,
    link: Annotated[bool, typer.Option("--link", help="Links in --folders, not copies.")] = False,
) -> None:
    """Scores and labels of many photos and captions, as CSV or JSON; Ctrl-C keeps what is done."""
    from clipdemo.inspection.batch import gather, predict_items
    from clipdemo.inspection.batch_files import Rule as Chosen
    from clipdemo.inspection.batch_files import writing
    from clipdemo.inspection.exports import Exports
    from clipdemo.model.captioners.choice import load_captioner
    from clipdemo.model.checkpoints import at_recall
    from clipdemo.model.loading import load
    from clipdemo.tables.columns import parse_columns

    for path in photos or []:
        if not path.exists():
            raise ClipdemoError(f"There is no {path}: check the spelling.")
    sources = {}
    reading = {"columns": parse_columns(columns), "strict": strict}
    items, notices, account = gather(photos or [], table, sources=sources, **reading)
    names = labels.split(",") if labels else None
    classifier = load(backbone, checkpoint=checkpoint or None, labels=names)
    if rule == "recall":
        for entry in classifier.card.modes.values():
            at_recall(entry.get("recall", {}), recall)
    if caption_model and classifier.modes == ["image"]:
        raise ClipdemoError("These heads read photos only: leave --caption-model out.")
    writer = load_captioner(captioner, classifier) if caption_model else None
    done, problems, stopped = 0, [], False
    exports = Exports(tags, keywords, folders, link)
    chosen = Chosen(rule, threshold, k, recall)
    with writing(output, classifier, chosen) as write, progress_bars() as progress:
        try:
            for results in predict_items(classifier, items, writer, sources):
                write(results)
                done += len(results)
                problems += [f"{r.item.name}: {r.problem}" for r in results if r.problem]
                problems += exports.write(results, chosen, sources)
                progress("scoring", done, len(items))
        except KeyboardInterrupt:
            stopped = True
    if account:
        print_account(account.to_dict())
    for sentence in [*([] if account else notices), *problems]:
        print(sentence, file=sys.stderr)
    out.print(f"{done} of {len(items)} written to {output}")
    if stopped:
        raise SystemExit(130)
