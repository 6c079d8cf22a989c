"""The command `table`: read a label table and say what is in it."""

from pathlib import Path
from typing import Annotated

import typer

from clipdemo.commands import options
from clipdemo.commands.terminal import out, print_json, print_table


def table(
    path: Annotated[Path, typer.Argument(metavar="T.csv", help="A label table.")],
    output: Annotated[
        Path | None, typer.Option("--out", help="Write it here, well-formed.")
    ] = None,
    strict: Annotated[bool, typer.Option(help="Refuse the file if a row is refused.")] = False,
    as_json: options.Json = False,
) -> None:
    """Read a label table, however loose; say what is in it and what was repaired or refused."""
    from clipdemo.inputs.labels import COCO18
    from clipdemo.tables.label_table import (
        labels_of,
        read_label_table,
        target_matrix,
        write_label_table,
    )

    found = read_label_table(path)
    labels = labels_of(path) if found.frame.empty else COCO18
    if strict or found.frame.empty:
        found = read_label_table(path, labels, strict)
    if output:
        write_label_table(found.frame, output)
    counts = target_matrix(found.frame, labels).sum(0).astype(int).tolist()
    report = {
        "rows": len(found.frame),
        "labels": dict(zip(labels.names, counts, strict=True)),
        "repaired": found.repaired,
        "refused": [vars(r) for r in found.refused],
    }
    if as_json:
        return print_json(report)
    out.print(f"{report['rows']} rows")
    print_table(["label", "rows"], report["labels"].items())
    for what, times in found.repaired.items():
        out.print(f"repaired: {what}, {times} times")
    for refusal in found.refused:
        out.print(f"refused: line {refusal.line}, {refusal.image_id}: {refusal.reason}")
