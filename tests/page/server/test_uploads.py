"""Files kept on disk: those of this run, for an hour or while a page shows them."""

import os
import signal
import time
from pathlib import Path

import pytest
from support.asking import Stranger, file_data
from support.driver import give_photo, photo_name, serving, until, visit
from support.paths import SCENES

from clipdemo.page.server.uploads import KEPT, Uploads

# The app, with a clock that is ahead by the number of seconds in the last line of its input, and
# with constant sweeps for files to delete.
CLOCK = """
import sys, threading, time
import app
from clipdemo.page.server import server
server.SWEEP = 0.05
real, ahead = time.time, [0.0]
time.time = lambda: real() + ahead[0]
def listen():
    for line in sys.stdin:
        ahead[0] = float(line)
threading.Thread(target=listen, daemon=True).start()
app.main()
"""
PHOTO = SCENES / "farm.webp"


def kept(folder: Path) -> list[Path]:
    """All files of all runs."""
    runs = folder.glob("clipdemo-uploads-*/")
    return [Path(place, name) for run in runs for place, _, names in os.walk(run) for name in names]


def wait(process, seconds: float) -> None:
    """Move the app's clock that far ahead of the real one."""
    process.stdin.write(f"{seconds}\n".encode())
    process.stdin.flush()


def test_after_an_hour_only_shown_files_are_left(tmp_path, visitor):
    with serving(tmp_path, ("-c", CLOCK)) as (url, process):
        guest = Stranger(url)
        page = visitor.new_page()
        page.clock.install()
        visit(page, url)
        give_photo(page, PHOTO)
        until(lambda: photo_name(page) == "farm.webp")
        page.get_by_role("tab", name="Batch").click()
        page.locator("#batch-choose").set_input_files(SCENES / "harbour.webp")
        until(lambda: {path.name for path in kept(tmp_path)} >= {"farm.webp", "harbour.webp"})
        for number in range(40):
            path = guest.upload(f"{number}.webp", PHOTO.read_bytes() + bytes([number]))
            if number % 10 == 0:
                assert guest.run("predict", [file_data(path), None])[0]
        assert len(kept(tmp_path)) == 42
        wait(process, KEPT - 600)
        with page.expect_response("**/parts/*"):
            page.clock.fast_forward((KEPT - 600) * 1000)  # the page sends a heartbeat
        last = guest.upload("last.webp", PHOTO.read_bytes() + b"last")
        os.utime(last, (time.time() + KEPT - 600,) * 2)  # as the moved clock would have written it
        wait(process, KEPT + 60)
        until(lambda: len(kept(tmp_path)) <= 3)
        assert {path.name for path in kept(tmp_path)} == {"farm.webp", "harbour.webp", "last.webp"}
        page.reload()  # the page that showed them is gone, and the new one shows nothing
        page.close()
        os.utime(last, (time.time() + 2 * KEPT,) * 2)
        wait(process, 2 * KEPT)
        until(lambda: {path.name for path in kept(tmp_path)} <= {"last.webp"})
        assert list(tmp_path.glob("clipdemo-uploads-*/*/")) == [Path(last).parent]
    assert kept(tmp_path) == []
    assert not list(tmp_path.glob("clipdemo-uploads-*"))


def test_a_killed_run_leaves_nothing_and_running_ones_share_a_folder_with_others(tmp_path):
    (tmp_path / "of another program").write_text("stays")
    (tmp_path / "a1b2").mkdir()
    with serving(tmp_path) as (url, process):
        Stranger(url).upload("a.webp", PHOTO.read_bytes())
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert len(kept(tmp_path)) == 1
    with serving(tmp_path) as (first, _):
        assert kept(tmp_path) == []
        assert len(list(tmp_path.glob("clipdemo-uploads-*/"))) == 1
        path = Stranger(first).upload("a.webp", PHOTO.read_bytes())
        (tmp_path / "2").mkdir()
        with serving(tmp_path / "2", GRADIO_TEMP_DIR=str(tmp_path)) as (second, _):
            assert Path(path).is_file()
            went_well, told = Stranger(second).run("predict", [file_data(path), None])
            assert not went_well, told
        assert Stranger(first).run("predict", [file_data(path), None])[0]
    assert (tmp_path / "of another program").read_text() == "stays"
    assert (tmp_path / "a1b2").is_dir()


def test_use_keeps_a_file(tmp_path, monkeypatch):
    uploads = Uploads(tmp_path)
    old = time.time() - KEPT - 1
    for name in ("used", "unused"):
        (uploads.folder / name).touch()
        os.utime(uploads.folder / name, (old, old))
    assert uploads.find(f"{uploads.folder}/used") == uploads.folder / "used"
    uploads.sweep()
    assert [path.name for path in uploads.folder.iterdir()] == ["used"]
    uploads.close()


def test_other_users_of_the_machine_cannot_read_the_folder(tmp_path):
    uploads = Uploads(tmp_path)
    assert uploads.folder.stat().st_mode & 0o077 == 0
    uploads.close()


@pytest.mark.parametrize("name", ["../../up.webp", "a" * 300 + ".webp", "con\n.webp", "."])
def test_a_name_of_any_kind_stays_in_the_folder(app, owner, name):
    path = Path(owner.upload(name, PHOTO.read_bytes() + name.encode()))
    assert path.resolve().is_relative_to(app[1])
    assert owner.run("predict", [file_data(path), None])[0]
