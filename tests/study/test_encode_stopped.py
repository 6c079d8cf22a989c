"""encode, stopped anywhere: it resumes when started again, and gives the same bytes."""

import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from multiprocessing import Process

import psutil
import pytest
from support.labelled import STORE_FILES, files_of, start_encode, write_labelled

from clipdemo.errors import TableError
from clipdemo.model.backbones import Backbone
from clipdemo.study.encode import encode_table
from clipdemo.study.feature_store import READY, read_store

PHOTOS, BATCH, KILLS = 160, 4, 6


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    return write_labelled(tmp_path_factory.mktemp("labelled") / "many", PHOTOS)


@pytest.fixture(scope="module")
def backbone(vit_folder):
    return Backbone(f"local-dir:{vit_folder}", "cpu")


@pytest.fixture(scope="module")
def start(labelled, backbone):
    """Starts encoding all of it to a folder."""
    table, photos = labelled
    options = ["--table", table, "--photos", photos, "--backbone", backbone.id, "--device", "cpu"]
    return lambda out, **more: start_encode(*options, "--batch", BATCH, "--out", out, **more)


@pytest.fixture(scope="module")
def undisturbed(start, tmp_path_factory):
    out = tmp_path_factory.mktemp("undisturbed") / "store"
    process = start(out)
    process.join()
    assert process.exitcode == 0
    return out


def wait_until(condition: Callable[[], bool], process: Process) -> bool:
    """Whether the condition became true while the process ran."""
    while not condition() and process.is_alive():
        time.sleep(0.001)
    return condition()


def parts(out) -> int:
    return len(list(out.glob("parts/*-*.npy")))


def test_killed_at_random_moments_it_ends_with_the_same_bytes(start, undisturbed, tmp_path):
    """At random moments within batches of both photos and captions."""
    moments, out = random.Random(), tmp_path / "store"
    total, killed = 2 * PHOTOS // BATCH, 0
    for kill in range(KILLS):
        process = start(out)
        wait_until(lambda past=kill * total // (KILLS + 3): parts(out) > past, process)
        time.sleep(moments.uniform(0, 0.01))
        process.kill()
        process.join()
        killed += process.exitcode == -signal.SIGKILL and parts(out) < total
    assert killed > KILLS // 2, "too few to say anything"
    process = start(out)
    process.join()
    assert process.exitcode == 0
    assert files_of(out) == files_of(undisturbed)
    assert {path.name for path in out.iterdir()} == {*STORE_FILES, ".lock"}


def test_photos_are_encoded_once_whenever_the_run_was_killed(
    start, labelled, backbone, undisturbed, tmp_path
):
    """What a killed run had encoded is not encoded again."""
    process = start(tmp_path)
    wait_until(lambda: parts(tmp_path) > 10, process)
    process.kill()
    process.join()
    with pytest.raises(TableError):
        read_store(tmp_path)
    there = parts(tmp_path) * BATCH
    table, photos = labelled
    report = encode_table(backbone, table, tmp_path, photos, batch=BATCH)
    assert report["encoded"] == {"photos": PHOTOS - there, "captions": PHOTOS}


@pytest.mark.parametrize("moved", range(len(STORE_FILES) + 1))
def test_killed_while_the_files_are_moved_into_place(
    labelled, backbone, undisturbed, tmp_path, moved
):
    """New files next to old ones of the same size are not used."""
    out, (table, photos) = tmp_path / "store", labelled
    lines = table.read_text().splitlines()
    (tmp_path / "table.csv").write_text("\n".join([lines[0], *reversed(lines[1:])]))
    encode_table(backbone, tmp_path / "table.csv", out, photos, batch=BATCH)
    shutil.copytree(undisturbed, out / READY)
    (out / READY / ".lock").unlink()
    for name in STORE_FILES[:moved]:
        (out / READY / name).replace(out / name)
    with pytest.raises(TableError):
        read_store(out)
    report = encode_table(backbone, table, out, photos, batch=BATCH)
    assert report["encoded"] == {"photos": 0, "captions": 0}
    assert files_of(out) == files_of(undisturbed)


@pytest.mark.parametrize("keep", [0, 50, 300])
def test_a_truncated_part_is_encoded_again(start, labelled, backbone, undisturbed, tmp_path, keep):
    """As can happen in a power failure."""
    process = start(tmp_path)
    wait_until(lambda: parts(tmp_path) > 3, process)
    process.kill()
    process.join()
    last = max(tmp_path.glob("parts/image-*.npy"))
    last.write_bytes(last.read_bytes()[:keep])
    table, photos = labelled
    encode_table(backbone, table, tmp_path, photos, batch=BATCH)
    assert files_of(tmp_path) == files_of(undisturbed)


def test_no_process_outlives_a_killed_run(start, tmp_path):
    process = start(tmp_path)
    wait_until(lambda: parts(tmp_path) > 0, process)
    workers = psutil.Process(process.pid).children(recursive=True)
    assert workers
    process.kill()
    process.join()
    gone, alive = psutil.wait_procs(workers, timeout=60)
    assert len(gone) == len(workers)
    assert not alive


def test_a_second_encode_to_the_same_folder_is_refused(
    start, labelled, backbone, tmp_path, is_sentence
):
    """One after a killed run is not refused."""
    process = start(tmp_path)
    wait_until(lambda: parts(tmp_path) > 0, process)
    table, photos = labelled
    os.kill(process.pid, signal.SIGSTOP)
    with pytest.raises(TableError) as caught:
        encode_table(backbone, table, tmp_path, photos, batch=BATCH)
    assert is_sentence(caught.value)
    assert str(tmp_path) in str(caught.value)
    process.kill()
    process.join()
    encode_table(backbone, table, tmp_path, photos, batch=BATCH)


def test_ctrl_c_ends_in_one_line(start, tmp_path):
    """A terminal sends it to the worker processes, too."""
    process = start(tmp_path / "store", log=tmp_path / "log")
    assert wait_until(lambda: parts(tmp_path / "store") > 3, process)
    os.killpg(process.pid, signal.SIGINT)
    process.join()
    assert process.exitcode == 130
    lines = [line for line in (tmp_path / "log").read_text().splitlines() if line.strip()]
    assert lines[-1].startswith("Stopped")
    assert "resume" in lines[-1]
    assert len([line for line in lines if "encoding" not in line]) == 1
