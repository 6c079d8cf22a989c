"""python -m clipdemo ...: every command of the project."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from clipdemo.commands import (
    batch,
    captioner,
    data,
    encode,
    explain,
    heads,
    hub,
    inspect,
    report,
    reproduce,
    study,
    upkeep,
)
from clipdemo.commands.common import (
    BackboneId,
    Checkpoint,
    Columns,
    Json,
    Rule,
    Strict,
    Unlabelled,
    bar,
    check_rule,
    out,
    print_json,
    reading,
    show_account,
)
from clipdemo.commands.console import settle_console
from clipdemo.errors import ClipdemoError, PhotoError
from clipdemo.hub.caches import settle_caches

app = typer.Typer(
    help="What a photo says, what its caption says, and what both say together.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def main() -> None:
    """Run; an error that a user can meet is one sentence and exit code 2."""
    settle_console()
    try:
        settle_caches(os.environ.get("CLIPDEMO_CACHE", ""))
        app()
    except ClipdemoError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
    except OSError as error:
        where = error.filename or "A file"
        print(f"{where} cannot be used ({error.strerror}): check the path.", file=sys.stderr)
        raise SystemExit(2) from None


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def serve(context: typer.Context) -> None:
    """Show the page: the same as python app.py, with the same flags."""
    from clipdemo.commands.serve import start_page

    start_page(context.args)


@app.command()
def predict(
    photos: Annotated[list[str] | None, typer.Argument(help="Photo files.")] = None,
    caption: Annotated[str | None, typer.Option(help="One caption, for every photo.")] = None,
    backbone: BackboneId = "auto",
    checkpoint: Checkpoint = "",
    labels: Annotated[
        str, typer.Option(help="Zero-shot for these instead: names, parted by commas.")
    ] = "",
    rule: Rule = "tuned",
    threshold: Annotated[float, typer.Option(help="For rule fixed.")] = 0.5,
    k: Annotated[int, typer.Option(help="For rule top-k.")] = 3,
    recall: Annotated[float, typer.Option(help="For rule recall: 0.50, 0.55 ... 0.95.")] = 0.9,
    as_json: Json = False,
) -> None:
    """Scores and labels of photos and/or a caption.

    A photo that cannot be read is reported and the others go on; the exit code is then 2.
    """
    from clipdemo.inputs.captions import clean_caption

    if not photos and not clean_caption(caption):
        raise ClipdemoError("There is nothing to look at: give a photo, a --caption or both.")
    check_rule(rule)
    from clipdemo.model.loading import load

    names = labels.split(",") if labels else None
    classifier = load(backbone, checkpoint=checkpoint or None, labels=names)
    results, failed = [], False
    for photo in photos or [None]:
        try:
            prediction = classifier.predict(photo, caption)
        except PhotoError as error:
            failed = True
            results.append({"photo": photo, "error": str(error)})
            print(f"{photo}: {error}", file=sys.stderr)
            continue
        if not prediction.scores:
            raise ClipdemoError(f"These heads read {_needs(classifier.modes)}.")
        on = {m: prediction.labels(m, rule, threshold, k, recall) for m in prediction.scores}
        found = prediction.to_dict() | {"labels": on, "rule": rule}
        results.append({"photo": photo, "caption": caption} | found)
        if not as_json:
            title = photo or caption
            zero_shot = " (zero-shot, uncalibrated)" if found["head"] == "zero-shot" else ""
            out.print(_score_table(f"{title}{zero_shot}", found))
    if as_json:
        print_json(results)
    if failed:
        raise SystemExit(2)


def _needs(modes: list[str]) -> str:
    """What heads of these modes read, and what to give them."""
    only = {"image": "photos only: give a photo", "text": "captions only: give a --caption"}
    return only.get("".join(modes), "a photo and its caption together: give both")


def _score_table(title: str, found: dict) -> Table:
    """One row per label, one column per mode; labels that are on are bold."""
    table = Table(title=escape(title), title_justify="left")
    table.add_column("label")
    for mode in found["scores"]:
        table.add_column(mode, justify="right")
    scores = found["scores"]
    names = sorted(
        next(iter(scores.values())), key=lambda n: -max(values[n] for values in scores.values())
    )
    for name in names:
        cells = [
            f"[bold]{values[name]:.3f} on[/]" if name in found["labels"][mode]
            else f"{values[name]:.3f}   "
            for mode, values in scores.items()
        ]  # fmt: skip
        table.add_row(escape(name), *cells)
    return table


@app.command()
def table(
    path: Annotated[Path, typer.Argument(metavar="TABLE", help="A label table, in any form.")],
    output: Annotated[
        Path | None, typer.Option("--out", help="Write it here, as well-formed CSV.")
    ] = None,
    photos: Annotated[
        Path | None, typer.Option(help="Folder, zip or tar of its photos, to look for them.")
    ] = None,
    columns: Columns = "",
    unlabelled: Unlabelled = "keep",
    strict: Strict = False,
    as_json: Json = False,
) -> None:
    """Read a label table in any form; say what is in it, and what was left out or repaired."""
    from clipdemo.inputs.photo_source import PhotoSource
    from clipdemo.tables.account import photo_reason
    from clipdemo.tables.label_table import read_label_table, target_matrix, write_label_table

    found = read_label_table(path, None, **reading(columns, unlabelled, strict))
    if photos:
        source, missing = PhotoSource(photos), {}
        if strict:
            found.check_photos(source, path)
        for row, name in enumerate(found.frame["ImageID"]):
            try:
                source.find(name)
            except PhotoError as error:
                missing[row] = photo_reason(str(error))
        found = found.leave_out(missing) if missing else found
        found.note_photos(source)
    if output:
        write_label_table(found.frame, output)
    counts = target_matrix(found.frame, found.labels).sum(0).astype(int).tolist()
    account = found.account.to_dict()
    report = {
        "rows": len(found.frame),
        "labels": dict(zip(found.labels.names, counts, strict=True)),
        "account": account,
    }
    if as_json:
        print_json(report)
        return
    shown = Table("label", "photos")
    for name, rows in report["labels"].items():
        shown.add_row(name, str(rows))
    out.print(shown)
    show_account(account)


@app.command()
def evaluate(
    table: Annotated[Path, typer.Option(help="A label table.")],
    photos: Annotated[
        Path | None, typer.Option(help="Folder, zip or tar; without it, text only.")
    ] = None,
    backbone: BackboneId = "auto",
    checkpoint: Checkpoint = "",
    rule: Rule = "tuned",
    threshold: Annotated[float, typer.Option(help="For rule fixed.")] = 0.5,
    k: Annotated[int, typer.Option(help="For rule top-k.")] = 3,
    recall: Annotated[float, typer.Option(help="For rule recall: 0.50, 0.55 ... 0.95.")] = 0.9,
    zero_shot: Annotated[bool, typer.Option(help="From the labels' names, without heads.")] = False,
    columns: Columns = "",
    unlabelled: Unlabelled = "keep",
    strict: Strict = False,
    output: Annotated[Path | None, typer.Option("--out", help="Write the report here.")] = None,
    as_json: Json = False,
) -> None:
    """Score a labelled table and compare with its labels."""
    check_rule(rule)
    from clipdemo.inputs.photo_source import PhotoSource
    from clipdemo.inspection.evaluation import evaluate_table
    from clipdemo.model.loading import load
    from clipdemo.tables.label_table import read_label_table

    classifier = load(backbone, checkpoint=checkpoint or None)
    if zero_shot:
        classifier = classifier.zero_shot(classifier.card.labels)
    options = reading(columns, unlabelled, strict)
    found = read_label_table(table, classifier.card.labels, **options)
    source = PhotoSource(photos) if photos else None
    if source and strict:
        found.check_photos(source, table)
    with bar() as progress:
        task = progress.add_task("scoring", total=len(found.frame))
        report = evaluate_table(
            classifier, found, source, rule, threshold, k,
            lambda rows: progress.advance(task, rows), recall,
        )  # fmt: skip
    if not report["modes"]:
        raise ClipdemoError(
            f"These heads read {', '.join(classifier.modes)}, and no row of {table} has that: give "
            "--photos, or a table with captions."
        )
    if output:
        output.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    if as_json:
        print_json(report)
        return
    shown = Table("mode", "rows", "samples-F1", "micro-F1", "macro-F1", "mAP")
    for mode, m in report["modes"].items():
        figures = [m[key] for key in ("samples_f1", "micro_f1", "macro_f1", "map")]
        cells = ["-" if f is None else f"{f:.3f}" for f in figures]
        shown.add_row(mode, str(m["n"]), *cells)
    out.print(shown)
    show_account(report["account"])


for command in (
    batch.batch, explain.explain, hub.backbones, hub.fetch, captioner.caption,
    captioner.train_captioner, captioner.measure_captions, encode.encode, inspect.score,
    heads.train, heads.calibrate, study.sweep, study.baselines, report.report, reproduce.reproduce,
    upkeep.train_backbone, upkeep.measure, upkeep.scenes, upkeep.screenshots, upkeep.bench,
):  # fmt: skip
    app.command()(command)
app.add_typer(data.app, name="data")
