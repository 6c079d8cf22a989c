"""The whole study against a server on a loopback port: started, cut off, killed and resumed."""

import json
import os
import shutil
import signal
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from support.coco_server import CocoServer, DrawnCoco
from support.processes import start
from support.small_captioners import write_vit_gpt2
from support.small_tiny import write_small_tiny

import clipdemo
from clipdemo.hub.catalog import CHECKPOINTS
from clipdemo.inputs.labels import COCO18, MODES
from clipdemo.inputs.photo_source import PhotoSource
from clipdemo.model import checkpoints
from clipdemo.page.report.file import report_html
from clipdemo.study import baselines, captions_alone, sweep
from clipdemo.study.fit import FitSettings
from clipdemo.study.plan import check_disk, downloads
from clipdemo.study.reproduce import Study, install, reproduce
from clipdemo.study.stages import Stages
from clipdemo.tables.label_table import read_label_table

SMALL = FitSettings(hidden=(16,), epochs=3, batch=16, keep="samples_f1")
STAGES = ["caption", "encode", "sweep", "baselines", "train", "calibrate", "evaluate", "report"]


@pytest.fixture(scope="module")
def server():
    with CocoServer(DrawnCoco(36).files) as server:
        yield server


@pytest.fixture(scope="module")
def begun(server, tmp_path_factory) -> tuple[Study, int, str]:
    """A study whose download was interrupted, and which was then killed during encoding.

    Also the exit code and the output of its process.
    """
    folder = tmp_path_factory.mktemp("reproduce")
    clip = f"local-dir:{write_small_tiny(folder / 'clip')}"
    captioner = str(write_vit_gpt2(folder / "captioner"))
    server.faults["/zips/val2017.zip"] = "stutter"
    study = Study(
        clip, folder / "out", base_url=server.url, captioner=captioner, validation="every:3:1"
    )
    process = start(reproduce_until_killed, study, log=folder / "log", errors=folder / "errors")
    process.join()
    return study, process.exitcode, (folder / "log").read_text()


def reproduce_until_killed(study: Study) -> None:
    def progress(what: str, done: int, total: int | None) -> None:
        if what == "encoding captions":
            os.kill(os.getpid(), signal.SIGKILL)

    reproduce(study, str, progress, partial(print, flush=True))


@pytest.fixture
def small(monkeypatch) -> None:
    """Few and small runs, all in this process."""
    for module in (sweep, captions_alone, baselines):
        monkeypatch.setattr(module, "FINAL", SMALL)
    monkeypatch.setattr(sweep, "HIDDEN", ((16,),))
    monkeypatch.setattr(sweep, "RATES", (7e-4,))
    monkeypatch.setattr(captions_alone, "DRAWN", 50)
    monkeypatch.setattr(baselines, "TREES", 10)
    monkeypatch.setattr(baselines, "NEIGHBOURS", (2, 4))
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0})


def names_of(told: list[str]) -> list[str]:
    """The stages that were executed."""
    return [line for line in told if line in STAGES]


def test_stopped_anywhere_it_resumes_and_ends_with_heads_that_predict(
    begun, server, small, clipdemo_cli
):
    """Nothing is downloaded, captioned or encoded twice; every later stage runs once."""
    study, exitcode, printed = begun
    assert exitcode == -signal.SIGKILL
    assert printed.split() == ["data", "backbone", "caption", "encode"]
    ranges = [
        r for method, path, r in server.asked if (method, path) == ("GET", "/zips/val2017.zip")
    ]
    assert len(ranges) == 2
    assert ranges[1] is not None, "the photos went on where they were cut"
    asked, journal = len(server.asked), study.generated.with_name("generated.csv.jsonl")
    captioned = journal.read_bytes()
    parts = {path: path.read_bytes() for path in (study.store / "parts").rglob("image*")}

    def stop(what: str, done: int, total: int | None) -> None:
        if what == "evaluating":
            raise KeyboardInterrupt

    told = []
    with pytest.raises(KeyboardInterrupt):
        reproduce(study, report_html, stop, told.append)
    assert names_of(told) == STAGES[1:7]
    heads = {p: p.stat().st_mtime_ns for p in study.checkpoint.glob("*.safetensors")}
    told = []
    result = reproduce(study, report_html, tell=told.append)
    assert names_of(told) == ["evaluate", "report"]
    assert len(server.asked) == asked, "what is here is not asked for again"
    assert journal.read_bytes() == captioned
    assert parts, "it was killed after the photos were encoded"
    assert {p: p.stat().st_mtime_ns for p in study.checkpoint.glob("*.safetensors")} == heads
    code, printed, said = clipdemo_cli(
        "reproduce", "--backbone", study.backbone, "--out", study.out, "--base-url", server.url,
        "--captioner", study.captioner, "--validation", study.validation, "--yes", "--json",
        "--heads", study.out / "heads",
    )  # fmt: skip
    assert code == 0, said
    assert json.loads(printed) == result | {"installed": str(study.out / "heads")}
    assert "Resuming" in said
    assert "Measuring" not in said
    assert all(entry["here"] for entry in downloads(study))
    assert all(f"{name}: done before" in said.splitlines() for name in STAGES)

    rows = read_label_table(study.table).frame
    held = rows["ImageID"].str[:12].astype(int) % 3 == 1
    evaluation = json.loads(study.evaluation.read_text())
    assert evaluation["n"] == held.sum()
    assert set(result["modes"]) == set(MODES)
    assert json.loads((study.checkpoint / "report.json").read_text())["runs"]
    assert study.report.read_text().startswith("<!doctype html>")

    classifier = clipdemo.load(checkpoint=study.checkpoint, device="cpu")
    photo = PhotoSource(study.zip).read(rows["ImageID"][0])
    prediction = classifier.predict(photo, rows["Caption"][0])
    assert set(prediction.scores) == set(MODES)
    assert all(set(scores) == set(COCO18.names) for scores in prediction.scores.values())


def test_the_heads_are_found_without_a_flag_and_no_others_are_replaced(tmp_path, monkeypatch):
    made, shelf = CHECKPOINTS / "tiny", tmp_path / "shelf"
    shutil.copytree(made, shelf / "bundled")
    before = (shelf / "bundled" / "card.json").read_bytes()
    assert not install(made, shelf / "bundled")
    assert (shelf / "bundled" / "card.json").read_bytes() == before
    for _ in range(2):  # its own are replaced
        assert install(made, shelf / "tiny")
    monkeypatch.setattr(checkpoints, "CHECKPOINTS", shelf)
    assert checkpoints.has_card("tiny")
    card = checkpoints.find_card("tiny")
    checkpoints.verify(card)
    assert card.modes == checkpoints.read_card(made).modes
    assert {path.name for path in shelf.iterdir()} == {"bundled", "tiny"}
    (shelf / "file").write_text("in the way")
    assert not install(made, shelf / "file" / "tiny")


def test_another_study_is_not_put_into_the_same_folder(begun, is_sentence):
    study, *_ = begun
    with pytest.raises(clipdemo.ClipdemoError) as caught:
        reproduce(replace(study, labels="80"), str)
    assert is_sentence(caught.value)
    assert "--labels '18'" in str(caught.value)


def test_a_label_alone_cannot_be_learned(begun, server, is_sentence):
    """A table has no photo without any of its labels."""
    before = len(server.asked)
    with pytest.raises(clipdemo.LabelError) as caught:
        reproduce(replace(begun[0], labels="dog"), str)
    assert is_sentence(caught.value)
    assert len(server.asked) == before


def test_the_plan_says_what_the_server_has_and_fetches_nothing(
    begun, server, vit_folder, tmp_path, clipdemo_cli
):
    before = len(server.asked)
    code, printed, _ = clipdemo_cli(
        "reproduce", "--backbone", f"local-dir:{vit_folder}", "--out", tmp_path / "out",
        "--captioner", begun[0].captioner, "--base-url", server.url, "--plan", "--json",
    )  # fmt: skip
    assert code == 0
    found = json.loads(printed)
    sizes = {Path(path).name: len(content) for path, content in server.files.items()}
    told = {f["what"]: f["bytes"] for f in found["fetch"] if not f["here"]}
    assert told == sizes
    assert {method for method, _, _ in server.asked[before:]} == {"HEAD"}
    assert not (tmp_path / "out").exists()
    assert found["disk"]["needed"] > sum(sizes.values())
    assert all(seconds > 0 for seconds in found["seconds"].values())


def test_a_server_out_of_reach_has_the_sizes_that_are_known(tmp_path):
    found = downloads(Study("tiny", tmp_path, "train", base_url="http://127.0.0.1:9"))
    assert [entry["bytes"] for entry in found] == [252_907_541, 19_336_861_798]
    assert not any(entry["told"] or entry["here"] for entry in found)


def test_a_disk_too_small_is_one_sentence(tmp_path, is_sentence):
    with pytest.raises(clipdemo.ClipdemoError) as caught:
        check_disk({"disk": {"needed": 20_000_000_000, "free": 5_000_000_000}}, tmp_path)
    assert is_sentence(caught.value)
    assert "20.0 GB" in str(caught.value)


def test_without_a_terminal_to_confirm_nothing_is_started(
    server, tmp_path, clipdemo_cli, is_sentence
):
    before = len(server.asked)
    options = "--backbone", "tiny", "--out", tmp_path / "out", "--base-url", server.url
    code, printed, said = clipdemo_cli("reproduce", *options)
    assert (code, printed) == (2, "")
    assert is_sentence(said)
    assert "--yes" in said
    assert not (tmp_path / "out").exists()
    assert len(server.asked) == before


def test_a_stage_is_repeated_when_its_inputs_change(tmp_path):
    """Or if its output is gone, or if it was stopped; a damaged state file only costs work."""
    made, states, done = tmp_path / "made", tmp_path / "stages.json", []

    def work() -> None:
        done.append(1)
        made.touch()

    def run(inputs: object) -> int:
        Stages(states).run("name", inputs, [made], work)
        return len(done)

    assert [run("a"), run("a"), run("b"), run("b")] == [1, 1, 2, 2]
    made.unlink()
    assert run("b") == 3
    states.write_text("half a li")
    assert run("b") == 4

    def stopped() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Stages(states).run("other", "a", [], stopped)
    Stages(states).run("other", "a", [], work)
    assert len(done) == 5
