"""The command `table`: read a label table and say what is in it."""

from pathlib import Path
from typing import Annotated

import typer

from clipdemo.commands import options
from clipdemo.commands.terminal import print_account, print_json, print_table, read_table


def table(
    path: Annotated[Path, typer.Argument(metavar="TABLE", help="A label table, in any form.")],
    output: Annotated[
        Path | None, typer.Option("--out", help="Write it here as well-formed CSV.")
    ] = None,
    photos: Annotated[
        Path | None, typer.Option(help="Folder, zip or tar in which to look for its photos.")
    ] = None,
    columns: options.Columns = "",
    unlabelled: options.Unlabelled = "keep",
    strict: options.Strict = False,
    as_json: options.Json = False,
) -> None:
    """Read a label table in any form; report its content, and what was left out or repaired."""
    from clipdemo.inputs.photo_source import PhotoSource
    from clipdemo.tables.label_table import target_matrix, write_label_table

    found = read_table(path, None, **options.reading(columns, unlabelled, strict))
    if photos:
        source = PhotoSource(photos)
        found.match_photos(source, path, strict)
        found = found.without_photos(source)
        found.note_photos(source)
    if output:
        write_label_table(found.frame, output)
    counts = target_matrix(found.frame, found.labels).sum(0).astype(int).tolist()
    report = {
        "rows": len(found.frame),
        "labels": dict(zip(found.labels.names, counts, strict=True)),
        "account": found.account.to_dict(),
    }
    if as_json:
        return print_json(report)
    print_table(["label", "photos"], report["labels"].items())
    print_account(report["account"])
