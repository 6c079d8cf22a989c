"""python -m clipdemo ...: the list of all commands.

Each is in the file of its name; those that make the bundled model are in tiny.py.
"""

import os
import sys

import typer

from clipdemo.commands import data
from clipdemo.commands.adapt import adapt
from clipdemo.commands.backbones import backbones
from clipdemo.commands.baselines import baselines
from clipdemo.commands.batch import batch
from clipdemo.commands.bench import bench
from clipdemo.commands.calibrate import calibrate
from clipdemo.commands.caption import caption
from clipdemo.commands.encode import encode
from clipdemo.commands.evaluate import evaluate
from clipdemo.commands.explain import explain
from clipdemo.commands.export import export
from clipdemo.commands.fetch import fetch
from clipdemo.commands.predict import predict
from clipdemo.commands.publish import publish
from clipdemo.commands.report import report
from clipdemo.commands.reproduce import reproduce
from clipdemo.commands.scenes import scenes
from clipdemo.commands.score import score
from clipdemo.commands.screenshots import screenshots
from clipdemo.commands.serve import serve
from clipdemo.commands.sweep import sweep
from clipdemo.commands.table import table
from clipdemo.commands.terminal import settle_console
from clipdemo.commands.tiny import (
    fuse_heads,
    measure,
    measure_captions,
    train_backbone,
    train_captioner,
)
from clipdemo.commands.train import train
from clipdemo.errors import ClipdemoError
from clipdemo.hub.caches import settle_caches

app = typer.Typer(
    help="What a photo says, what its caption says, and what both say together.",
    rich_markup_mode="markdown",  # paragraphs are wrapped to the terminal
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command(
    add_help_option=False,  # its flags are those of app.py, which lists them
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)(serve)
for command in (
    predict, explain, batch, backbones, fetch, export,
    table, evaluate, score,
    adapt, caption, encode, sweep, baselines, train, calibrate, report, reproduce, publish,
    train_backbone, fuse_heads, measure, train_captioner, measure_captions,
    scenes, screenshots, bench,
):  # fmt: skip
    app.command()(command)
app.add_typer(data.app, name="data")


def main() -> None:
    """Run a command; errors for users are printed as one sentence, with exit code 2."""
    settle_console()
    try:
        settle_caches(os.environ.get("CLIPDEMO_CACHE", ""))
        app()
    except ClipdemoError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
    except RuntimeError as error:
        if type(error).__name__ != "OutOfMemoryError":  # torch's, which may not be loaded
            raise
        print(
            "The GPU has too little memory: choose a smaller backbone or --device cpu.",
            file=sys.stderr,
        )
        raise SystemExit(2) from None
    except OSError as error:
        where = error.filename or "A file"
        print(f"{where} cannot be used ({error.strerror}): check the path.", file=sys.stderr)
        raise SystemExit(2) from None
