"""The command of the report: `report`."""

from pathlib import Path
from typing import Annotated

import typer

from clipdemo.commands.options import Json, out, print_json
from clipdemo.commands.train import StoreFolder


def report(
    runs: Annotated[Path, typer.Option(help="Folder that sweep and baselines wrote.")],
    store: StoreFolder,
    validation: Annotated[
        str | None, typer.Option(help="Rows to judge the heads by; default: those of the runs.")
    ] = None,
    checkpoint: Annotated[
        str, typer.Option(help="Folder of heads; default: those that come with the backbone.")
    ] = "",
    output: Annotated[
        Path | None, typer.Option("--out", help="Write it here, too, as one HTML file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Put runs and heads together to the report that the page's tab shows, beside the study."""
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
        print_json(content)
        return
    for claim in content["orderings"]:
        out.print(f"{claim['claim']}: {outcome(claim['holds'])}", markup=False)
    written = f"{path} ({path.stat().st_size / 1000:.0f} KB)"
    out.print(f"written: {written}{f' and {output}' if output else ''}", markup=False)


def outcome(holds: bool | str) -> str:
    """Whether the study's claim holds, in words."""
    return {True: "holds here", False: "the other way here"}.get(holds, holds)
