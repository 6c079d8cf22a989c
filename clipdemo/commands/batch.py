"""The command `batch`: many photos and captions into one file of results."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from clipdemo.commands.common import (
    BackboneId,
    Checkpoint,
    Columns,
    Rule,
    Strict,
    bar,
    check_rule,
    out,
    show_account,
)
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
    columns: Columns = "",
    strict: Strict = False,
    caption_model: Annotated[
        bool, typer.Option("--caption-model", help="A model writes the captions that are missing.")
    ] = False,
    captioner: Annotated[str, typer.Option(help="Which: auto, bundled, a cached model.")] = "auto",
    backbone: BackboneId = "auto",
    checkpoint: Checkpoint = "",
    rule: Rule = "tuned",
    threshold: Annotated[float, typer.Option(min=0, max=1, help="For rule fixed.")] = 0.5,
    k: Annotated[int, typer.Option(min=1, help="For rule top-k.")] = 3,
    recall: Annotated[float, typer.Option(help="For rule recall: 0.50, 0.55 ... 0.95.")] = 0.9,
) -> None:
    """Scores and labels of many photos and captions, as CSV or JSON; Ctrl-C keeps what is done."""
    check_rule(rule)
    from clipdemo.inspection.batch import gather, predict_items
    from clipdemo.inspection.batch_files import Rule as Chosen
    from clipdemo.inspection.batch_files import writing
    from clipdemo.model.captioners.choice import load_captioner
    from clipdemo.model.checkpoints import at_recall
    from clipdemo.model.loading import load
    from clipdemo.tables.columns import parse_columns

    for path in photos or []:
        if not path.exists():
            raise ClipdemoError(f"There is no {path}: check how it is spelled.")
    sources = {}
    options = {"columns": parse_columns(columns), "strict": strict}
    items, notices, account = gather(photos or [], table, sources=sources, **options)
    classifier = load(backbone, checkpoint=checkpoint or None)
    if rule == "recall":
        for entry in classifier.card.modes.values():
            at_recall(entry.get("recall", {}), recall)
    if caption_model and classifier.modes == ["image"]:
        raise ClipdemoError("These heads read photos only: leave --caption-model out.")
    writer = load_captioner(captioner, classifier) if caption_model else None
    done, problems, stopped = 0, [], False
    with writing(output, classifier, Chosen(rule, threshold, k, recall)) as write, bar() as shown:
        task = shown.add_task("scoring", total=len(items))
        try:
            for results in predict_items(classifier, items, writer, sources):
                write(results)
                done += len(results)
                problems += [f"{r.item.name}: {r.problem}" for r in results if r.problem]
                shown.update(task, completed=done)
        except KeyboardInterrupt:
            stopped = True
    if account:
        show_account(account.to_dict())
    for sentence in [*notices, *problems]:
        print(sentence, file=sys.stderr)
    out.print(f"{done} of {len(items)} written to {output}")
    if stopped:
        raise SystemExit(130)
