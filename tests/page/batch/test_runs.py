"""Runs belong to the server: they outlive the connection, the page and other runs."""

import io
import threading
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from support.cut_line import cut_line
from support.driver import eventually, serving, until, visit
from support.paths import SCENES

from clipdemo.errors import ClipdemoError
from clipdemo.page.batch.jobs import KEPT, OF_SAME, OVER, Job, Jobs
from page.batch.test_batch import begin, download, says

pytestmark = pytest.mark.browser

# The app, but getting its model waits until there is a file.
HELD_UP = """
import os
import time
import app
from clipdemo.page.shared.models import BackgroundModel

get = BackgroundModel.get

def wait_and_get(self):
    while not os.path.exists(os.environ["GO"]):
        time.sleep(0.1)
    return get(self)

BackgroundModel.get = wait_and_get
app.main()
"""


@pytest.fixture(scope="module")
def large(tmp_path_factory) -> Path:
    """A zip of 400 different photos."""
    path = tmp_path_factory.mktemp("large") / "large.zip"
    with zipfile.ZipFile(path, "w") as file:
        for i in range(400):
            content = io.BytesIO()
            Image.new("RGB", (640, 480), (i % 256, i // 2 % 256, 90)).save(content, "PNG")
            file.writestr(f"{i}.png", content.getvalue())
    return path


def test_a_run_outlives_its_connection_and_its_page_and_gives_the_same(browser, url, large):
    with browser.new_context() as mine, browser.new_context() as other, cut_line(url) as found:
        address, line = found
        page = mine.new_page()
        visit(page, address)
        begin(page, large)
        page.locator("#batch tbody tr").first.wait_for()
        line.cut()
        says(page, "The connection is lost")
        neighbour = other.new_page()
        visit(neighbour, url)
        begin(neighbour, large)
        line.mend()
        eventually(page, lambda: assert_under_way(page))
        page.reload()
        page.get_by_role("tab", name="Batch").click()
        eventually(page, lambda: assert_under_way(page))
        page.close()
        again = mine.new_page()
        visit(again, address)
        again.get_by_role("tab", name="Batch").click()
        says(again, "Done: 400")
        says(neighbour, "Done: 400")
        assert download(again, "CSV") == download(neighbour, "CSV")


def assert_under_way(page) -> None:
    text = page.locator("#batch [role=status]").inner_text()
    assert " of 400" in text or "Done: 400" in text


def test_a_waiting_visitor_sees_the_place_in_the_queue_and_can_leave_it(browser, tmp_path):
    go = tmp_path / "go"
    with serving(tmp_path, ("-c", HELD_UP), GO=str(go)) as (url, _):
        contexts = [browser.new_context() for _ in range(4)]
        pages = [context.new_page() for context in contexts]
        for page, photo in zip(pages, sorted(SCENES.glob("*.thumb.webp")), strict=False):
            visit(page, url)
            begin(page, photo)
        says(pages[2], "Number 1 in the queue")
        says(pages[3], "Number 2 in the queue")
        for page in pages[:1:-1]:
            page.get_by_role("button", name="Cancel").click()
            says(page, "Cancelled: ")
        go.touch()
        for page in pages[:2]:
            says(page, "Done: 1")
        for context in contexts:
            context.close()


def test_a_run_is_visible_only_by_its_id(url):
    import httpx

    for path in ("batch/", "batch/none", "batch/..%2fx", "batch/none/stop"):
        method = "POST" if path.endswith("stop") else "GET"
        answer = httpx.request(method, url + path)
        assert answer.status_code in (400, 404), path
        assert "Traceback" not in answer.text


def run_of(files: list[Path], tiny) -> Job:
    return Job(files, "", lambda: tiny, None, 10)


def test_nobody_elses_runs_push_out_one_that_is_still_viewed(tiny):
    jobs, photo = Jobs(10), SCENES / "farm.webp"
    mine = run_of([photo], tiny)
    jobs.start(mine)
    until(lambda: mine.state == "done")
    for _ in range(KEPT + 10):  # of no files, which end at once
        other = run_of([], tiny)
        jobs.start(other)
        until(lambda job=other: job.state == "failed")
    assert jobs.find(mine.id) is mine
    with pytest.raises(ClipdemoError):
        jobs.find("none")


def test_the_same_files_take_only_a_few_places_in_the_queue(tiny, is_sentence):
    jobs, photos = Jobs(10), [SCENES / "farm.webp", SCENES / "beach.webp"]
    ready = threading.Event()

    def slow():
        ready.wait()
        return tiny

    mine = [Job(photos, "", slow, None, 10) for _ in range(OF_SAME)]
    for job in mine:
        jobs.start(job)
    with pytest.raises(ClipdemoError) as refused:
        jobs.start(run_of(photos, tiny))
    assert is_sentence(refused.value)
    mine[0].stop()
    jobs.start(run_of(photos, tiny))
    jobs.start(run_of(photos[:1], tiny))
    ready.set()
    until(lambda: all(job.state in OVER for job in mine))
