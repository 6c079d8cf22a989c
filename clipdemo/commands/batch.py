"""The command `batch`: label many photos and captions."""

import sys
from functools import partial
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
        Path | None,
        typer.Option(help="Table of photo names and captions; only its rows are scored."),
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
        str, typer.Option(help="Score these names zero-shot instead, separated by commas.")
    ] = "",
    rule: options.Rule = "tuned",
    threshold: options.Threshold = 0.5,
    k: options.K = 3,
    recall: options.Recall = 0.9,
    scores: Annotated[
        bool, typer.Option("--scores", help="Also write all scores and thresholds to the CSV.")
    ] = False,
    tags: Annotated[
        Path | None, typer.Option(help="Folder for a .txt of labels per photo.")
    ] = None,
    keywords: Annotated[
        Path | None, typer.Option(help="Folder for copies of the photos with labels as keywords.")
    ] = None,
    folders: Annotated[
        Path | None, typer.Option(help="Folder for one folder of photos per label.")
    ] = None,
    link: Annotated[bool, typer.Option("--link", help="Link in --folders, do not copy.")] = False,
    ray: options.Ray = "",
) -> None:
    """Label many photos and captions, as CSV or JSON; resumes if it was stopped.

    Ctrl-C keeps what is done. Started again with the same options, it continues from there.
    """
    from clipdemo.hub.locate import stamp
    from clipdemo.inspection.batch import gather, predict_items
    from clipdemo.inspection.batch_files import Rule as Chosen
    from clipdemo.inspection.batch_files import check_name, entry, write_results
    from clipdemo.inspection.exports import Exports
    from clipdemo.inspection.unfinished import Unfinished, unfinished_path
    from clipdemo.model.captioners.choice import load_captioner
    from clipdemo.model.checkpoints import at_recall
    from clipdemo.model.loading import load
    from clipdemo.study.score_ray import predict_items_on_ray
    from clipdemo.tables.columns import parse_columns

    check_name(output)
    for path in photos or []:
        if not path.exists():
            raise ClipdemoError(f"There is no {path}: check the spelling.")
    sources = {}
    reading = {"columns": parse_columns(columns), "strict": strict}
    exports = Exports(tags, keywords, folders, link)
    is_export = exports.among(photos or [])
    own = {output.resolve(), unfinished_path(output).resolve()}
    items, notices, account = gather(
        photos or [],
        table,
        sources=sources,
        is_output=lambda path: path in own or is_export(path),
        **reading,
    )
    exports = exports.telling_apart(items)
    names = labels.split(",") if labels else None
    device = "cpu" if ray else "auto"
    classifier = load(backbone, checkpoint=checkpoint or None, labels=names, device=device)
    if rule == "recall":
        for entry in classifier.card.modes.values():
            at_recall(entry.get("recall", {}), recall)
    if caption_model and classifier.modes == ["image"]:
        raise ClipdemoError("These heads read photos only: leave --caption-model out.")
    writer = load_captioner(captioner, classifier) if caption_model else None
    problems, stopped = [], False
    chosen = Chosen(rule, threshold, k, recall)
    weights = stamp(classifier.backbone.id)
    run = f"{classifier.card.digest} {weights} {chosen} {caption_model and captioner} {exports}"
    with options.cluster(ray), Unfinished(output, run) as unfinished, progress_bars() as progress:
        left = unfinished.left(items)
        done = resumed = len(items) - len(left)
        if ray:
            same = partial(
                load, classifier.backbone.id, checkpoint=checkpoint or None, labels=names
            )
            write = partial(load_captioner, captioner) if writer else None
            found = predict_items_on_ray(same, left, write)
        else:
            found = predict_items(classifier, left, writer, sources)
        try:
            for results in found:
                problems += exports.write(results, chosen, sources)
                problems += [f"{r.item.name}: {r.notice}" for r in results if r.notice]
                unfinished.add((result.item, entry(result, chosen)) for result in results)
                done += len(results)
                progress("scoring", done, len(items))
        except KeyboardInterrupt:
            stopped = True
        problems += [
            f"{found['photo']}: {found['problem']}"
            for found in unfinished.entries(items)
            if "problem" in found
        ]
        write_results(output, unfinished.entries(items), classifier.card, chosen, scores)
        if not stopped:
            unfinished.finish()
    if account:
        print_account(account.to_dict())
    for sentence in [*notices, *problems]:
        print(sentence, file=sys.stderr)
    before = f", {resumed} of them before" if resumed else ""
    out.print(f"{done} of {len(items)} written to {output}{before}")
    if stopped:
        raise SystemExit(130)
