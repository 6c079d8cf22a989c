"""The command `report`: runs and heads next to the published figures."""

from pathlib import Path
from typing import Annotated

import typer

from clipdemo.commands import options
from clipdemo.commands.terminal import out, print_json

OUTCOMES = {True: "holds here", False: "the other way here"}


def report(
    runs: Annotated[Path, typer.Option(help="Folder that sweep and baselines wrote.")],
    store: options.StoreFolder,
    validation: Annotated[
        str | None, typer.Option(help="Validation rows for the heads; default: those of the runs.")
    ] = None,
    checkpoint: options.Checkpoint = "",
    output: Annotated[
        Path | None, typer.Option("--out", help="Also write it here, as one HTML file.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Make the report for the page's Report tab: runs and heads next to the study's figures."""
    from clipdemo.model.checkpoints import find_card
    from clipdemo.model.classifier import load_card
    from clipdemo.page.report.file import report_html
    from clipdemo.study.feature_store import read_store
    from clipdemo.study.report import make_report, write_report
    from clipdemo.study.runs import read_runs

    found = read_store(store)
    rule = validation or read_runs(runs)[2]["validation"]
    classifier = load_card(find_card(found.backbone, checkpoint or None), found.backbone)
    content = make_report(runs, found, rule, classifier)
    path = write_report(classifier.card.folder, content)
    if output:
        output.write_text(report_html(content), "utf-8")
    if as_json:
        return print_json(content)
    for claim in content["orderings"]:
        out.print(f"{claim['claim']}: {OUTCOMES.get(claim['holds'], claim['holds'])}")
    written = f"{path} ({path.stat().st_size / 1000:.0f} KB)"
    out.print(f"written: {written}{f' and {output}' if output else ''}")
