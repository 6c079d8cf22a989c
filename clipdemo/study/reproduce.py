"""The whole study on COCO with any backbone: from the download to heads and a report."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from clipdemo.errors import CheckpointError, ClipdemoError, LabelError
from clipdemo.model.checkpoints import CARD, read_card, sha256, write_card
from clipdemo.study.feature_store import INDEX
from clipdemo.study.splits import DEFAULT
from clipdemo.study.stages import Progress, Stages, counted
from clipdemo.tables.coco import HOST, coco, table_path


@dataclass(frozen=True)
class Study:
    """What to reproduce.

    Attributes:
        backbone: a backbone id.
        out: folder for everything but the backbone, which goes to the Hugging Face cache.
        photos: `val` or `train`, of COCO 2017.
        labels: `18`, `80` or names, separated by commas.
        base_url: server of COCO's files.
        captioner: what writes the additional captions (see `captioners.load_captioner`).
        validation: see `splits.held_out`.
        device: `auto`, or a torch device.
    """

    backbone: str
    out: Path
    photos: str = "val"
    labels: str = "18"
    base_url: str = HOST
    captioner: str = "auto"
    validation: str = DEFAULT
    device: str = "auto"

    @property
    def data(self) -> Path:
        """Folder of COCO's zips and their label table."""
        return self.out / "coco"

    @property
    def table(self) -> Path:
        return table_path(self.data, self.photos)

    @property
    def zip(self) -> Path:
        """The photos."""
        return self.data / f"{self.photos}2017.zip"

    @property
    def generated(self) -> Path:
        """The label table with the captioner's captions."""
        return self.out / "generated.csv"

    @property
    def store(self) -> Path:
        return self.out / "store"

    @property
    def runs(self) -> Path:
        return self.out / "runs"

    @property
    def checkpoint(self) -> Path:
        return self.out / "checkpoint"

    @property
    def evaluation(self) -> Path:
        return self.out / "evaluation.json"

    @property
    def report(self) -> Path:
        return self.out / "report.html"

    @property
    def about(self) -> Path:
        """Which study the folder holds."""
        return self.out / "study.json"

    @property
    def begun(self) -> bool:
        return self.about.is_file()


def reproduce(
    study: Study,
    render: Callable[[dict], str],
    progress: Progress = lambda what, done, total: None,
    tell: Callable[[str], object] = lambda line: None,
) -> dict:
    """Download, caption, encode, sweep, train, calibrate, evaluate and report.

    If it is interrupted, a later call resumes: downloads, captions, embeddings and runs are kept.

    Args:
        study: what to reproduce.
        render: renders the report as one HTML file.
        progress: called with the progress of a stage.
        tell: called with a line when a stage begins.

    Returns:
        The report of `reproduce --json`.

    Raises:
        ClipdemoError: one sentence.
    """
    if study.labels not in ("18", "80") and "," not in study.labels:
        raise LabelError(
            f"Every photo of the table would show {study.labels!r}: name two labels or more, with "
            "commas between."
        )
    study = replace(study, out=study.out.resolve())
    _claim(study)
    stages = Stages(study.out / "stages.json", tell)
    tell("data")
    found = coco(study.data, study.photos, study.labels, study.base_url, progress)
    if sum(rows > 0 for rows in found["labels"].values()) < 2:
        raise LabelError(f"{study.table} has fewer than two labels: name more of them.")
    tell("backbone")
    _download(study, progress)
    data = [sha256(study.table), study.zip.stat().st_size]
    stages.run(
        "caption", [*data, study.captioner], [study.generated], lambda: _caption(study, progress)
    )
    captions = sha256(study.generated)
    index = study.store / INDEX
    stages.run(
        "encode", [*data, captions, study.backbone], [index], lambda: _encode(study, progress)
    )
    rows = [sha256(index), study.validation]
    tables = study.runs / "runs.parquet", study.runs / "about.json"
    stages.run("sweep", rows, tables, lambda: _sweep(study, progress))
    stages.run("baselines", rows, tables, lambda: _baselines(study, progress))
    card = study.checkpoint / CARD
    stages.run("train", rows, [card], lambda: _train(study))
    stages.run("calibrate", rows, [card], lambda: _calibrate(study))
    heads = [*rows, sha256(card)]
    stages.run("evaluate", heads, [study.evaluation], lambda: _evaluate(study, progress))
    made = [study.report, study.checkpoint / "report.json"]
    stages.run("report", [*heads, sha256(tables[0])], made, lambda: _report(study, render))
    modes = json.loads(study.evaluation.read_text("utf-8"))["modes"]
    return {
        "backbone": study.backbone,
        "checkpoint": str(study.checkpoint),
        "report": str(study.report),
        "modes": {m: {k: v for k, v in f.items() if k != "per_label"} for m, f in modes.items()},
    }


def install(made: Path, where: Path) -> bool:
    """Copy heads to a folder where `--backbone` and `auto` find them, in one step.

    Returns:
        Whether they are there: heads that neither `reproduce` nor `adapt` made are not replaced.
    """
    try:
        if where.is_dir() and any(where.iterdir()):
            content = read_card(where).content
            if not (content.get("reproduced") or content.get("adapted")):
                return False
        where.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=where.parent) as folder:
            new = Path(folder) / "new"
            shutil.copytree(made, new)
            write_card(new, read_card(new).content | {"reproduced": True})
            if where.exists():
                where.rename(Path(folder) / "old")
            new.rename(where)
    except (CheckpointError, OSError):  # other files, or a folder that cannot be written
        return False
    return True


def _claim(study: Study) -> None:
    """Record in the folder which study it holds.

    Raises:
        ClipdemoError: it holds another one.
    """
    path = study.about
    kept = ("backbone", "photos", "labels")
    wanted = {key: value for key, value in asdict(study).items() if key in kept}
    study.out.mkdir(parents=True, exist_ok=True)
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        found = None
    if found is None:
        path.write_text(json.dumps(wanted, indent=1) + "\n", "utf-8")
    elif found != wanted:
        options = " ".join(f"--{key} {value!r}" for key, value in found.items())
        raise ClipdemoError(
            f"{study.out} holds the study with {options}: continue it, or choose another --out."
        )


def _download(study: Study, progress: Progress) -> None:
    """Download the backbone if it is not here."""
    from clipdemo.hub.fetch import Fetch, ensure_local

    def watch(fetch: Fetch) -> None:
        try:
            while not fetch.wait(0.2):
                progress(f"downloading {study.backbone}", fetch.done, fetch.total or None)
        finally:
            fetch.cancel()

    ensure_local(study.backbone, watch)


def _caption(study: Study, progress: Progress) -> None:
    from clipdemo.inputs.photo_source import PhotoSource
    from clipdemo.model.captioners.choice import load_captioner
    from clipdemo.study.caption_table import caption_table
    from clipdemo.tables.label_table import read_label_table

    table = study.table
    frame = read_label_table(table, None).frame
    model = load_captioner(study.captioner, device=study.device)
    rows = counted(progress, "writing captions", len(frame))
    caption_table(model, frame, PhotoSource(study.zip), study.generated, rows)


def _encode(study: Study, progress: Progress) -> None:
    from clipdemo.model.backbones import Backbone
    from clipdemo.study.encode import encode_table

    encode_table(
        Backbone(study.backbone, study.device), study.table, study.store,
        study.zip, study.generated,
        progress=lambda what, done, total: progress(f"encoding {what}", done, total),
    )  # fmt: skip


def _sweep(study: Study, progress: Progress) -> None:
    from clipdemo.study.experiments import run_sweep

    run_sweep(
        study.store, study.runs, study.validation,
        progress=lambda step, *count: progress(f"{step} of the sweep", *count),
    )  # fmt: skip


def _baselines(study: Study, progress: Progress) -> None:
    from clipdemo.model.loading import load
    from clipdemo.study.experiments import run_baselines

    run_baselines(
        study.store, study.runs, study.validation,
        load(study.backbone, device=study.device),
        progress=lambda step, *count: progress(f"baselines: {step}", *count),
    )  # fmt: skip


def _train(study: Study) -> None:
    """Train the study's head for each mode, on human and generated captions as in the study."""
    from clipdemo.study.feature_store import read_store
    from clipdemo.study.sweep import FINAL
    from clipdemo.study.train import train_heads

    store = read_store(study.store)
    settings = dict.fromkeys(store.modes, FINAL)
    train_heads(store, study.checkpoint, settings, study.validation, "both")


def _calibrate(study: Study) -> None:
    from clipdemo.study.feature_store import read_store
    from clipdemo.study.train import calibrate

    calibrate(_classifier(study), read_store(study.store), study.validation)


def _evaluate(study: Study, progress: Progress) -> None:
    """Score the validation photos as `evaluate` does: from their files, through the classifier."""
    from clipdemo.inputs.photo_source import PhotoSource
    from clipdemo.inspection.evaluation import evaluate_table
    from clipdemo.study.feature_store import read_store
    from clipdemo.study.splits import held_out
    from clipdemo.tables.label_table import read_label_table

    classifier = _classifier(study)
    table = read_label_table(study.table, classifier.card.labels)
    # Split the store's rows: the table may have more, and its split could then differ.
    index = read_store(study.store).index
    held = index["ImageID"][held_out(index, study.validation)]
    trained_on = np.flatnonzero(~table.frame["ImageID"].isin(held)).tolist()
    table = table.leave_out(dict.fromkeys(trained_on, "is not held out for validation"))
    rows = counted(progress, "evaluating", len(table.frame))
    report = evaluate_table(classifier, table, PhotoSource(study.zip), progress=rows)
    study.evaluation.write_text(json.dumps(report, indent=1) + "\n", "utf-8")


def _report(study: Study, render: Callable[[dict], str]) -> None:
    from clipdemo.study.feature_store import read_store
    from clipdemo.study.report import make_report, write_report

    store = read_store(study.store)
    report = make_report(study.runs, store, study.validation, _classifier(study))
    write_report(study.checkpoint, report)
    study.report.write_text(render(report), "utf-8")


def _classifier(study: Study):
    from clipdemo.model.loading import load

    return load(study.backbone, checkpoint=study.checkpoint, device=study.device)
