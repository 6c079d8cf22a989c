"""Runs belong to the server: they outlive the connection, the page and other runs."""

import io
import json
import threading
import zipfile
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest
from PIL import Image
from support.asking import Stranger
from support.cut_line import cut_line
from support.driver import eventually, serving, until, visit
from support.paths import SCENES

from clipdemo.errors import ClipdemoError
from clipdemo.page.batch.jobs import GONE, KEPT, OF_ONE, OF_SAME, OVER, Job, Jobs
from page.batch.test_batch import begin, download, finish, give, says

pytestmark = pytest.mark.browser

# The app, but its runs wait while there is a file: "model..." before they get the model, "rows..."
# after their first photos.
HELD_UP = """
import os
import time
from pathlib import Path
import app
from clipdemo.page.batch import jobs
from clipdemo.page.shared.models import BackgroundModel

get, predict_items = BackgroundModel.get, jobs.predict_items

def wait(name):
    for file in Path(os.environ["HELD"]).glob(name + "*"):
        while file.exists():
            time.sleep(0.05)

def wait_and_get(self):
    wait("model")
    return get(self)

def predict_and_wait(*given):
    for results in predict_items(*given):
        yield results
        wait("rows")

BackgroundModel.get, jobs.predict_items = wait_and_get, predict_and_wait
app.main()
"""
FORGET = """location.protocol === "http:"
  && [localStorage, sessionStorage].forEach((kept) => kept.clear())"""
COUNT = 24  # photos, three times as many as are scored at once


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """The address of such an app, and the folder of the files that hold it up."""
    folder = tmp_path_factory.mktemp("held")
    with serving(folder, ("-c", HELD_UP), HELD=str(folder)) as (url, _):
        yield url, folder


@pytest.fixture
def held(app):
    """The address of the app, and a function that makes a new file of that name."""
    url, folder = app
    files = []

    def hold(name: str) -> Path:
        with NamedTemporaryFile(prefix=name, dir=folder, delete=False) as file:
            files.append(Path(file.name))
        return files[-1]

    yield url, hold
    for file in files:
        file.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def several(tmp_path_factory) -> Path:
    """A zip of different photos."""
    path = tmp_path_factory.mktemp("several") / "several.zip"
    with zipfile.ZipFile(path, "w") as file:
        for i in range(COUNT):
            content = io.BytesIO()
            Image.new("RGB", (64, 48), (10 * i, 250 - 10 * i, 90)).save(content, "PNG")
            file.writestr(f"{i}.png", content.getvalue())
    return path


def test_a_run_outlives_its_connection_and_its_page_and_gives_the_same(browser, held, several):
    url, hold = held
    rows = hold("rows")
    with browser.new_context() as mine, browser.new_context() as other, cut_line(url) as found:
        address, line = found
        page = mine.new_page()
        visit(page, address)
        begin(page, several)
        page.locator("#batch tbody tr").first.wait_for()
        line.cut()
        says(page, "The connection is lost")
        neighbour = other.new_page()
        visit(neighbour, url)
        begin(neighbour, several)
        line.mend()
        eventually(page, lambda: assert_under_way(page))
        page.reload()
        page.get_by_role("tab", name="Batch").click()
        eventually(page, lambda: assert_under_way(page))
        page.close()
        rows.unlink()
        again = mine.new_page()
        visit(again, address)
        again.get_by_role("tab", name="Batch").click()
        says(again, f"Done: {COUNT}")
        says(neighbour, f"Done: {COUNT}")
        assert download(again, "CSV") == download(neighbour, "CSV")


def test_a_restarted_server_leaves_the_rows_and_asks_for_the_files_again(
    visitor, held, several, url
):
    """Those that the page has forgotten in a reload; it uploads others again by itself."""
    first, hold = held
    rows = hold("rows")
    with cut_line(first) as (address, line):
        page = visitor.new_page()
        visit(page, address)
        give(page, several)
        page.reload()
        page.get_by_role("tab", name="Batch").click()
        page.locator("#batch-files").get_by_text("Ready: 1 zip").wait_for()
        page.locator("#batch-start").click()
        page.locator("#batch tbody tr").first.wait_for()
        before = page.locator("#batch tbody tr").count()
        line.cut()
        line.mend(url)
        says(page, f"Stopped: {before} of {COUNT} are kept.")
        assert page.locator("#batch .notices li").all_inner_texts() == [GONE]
        assert page.locator("#batch tbody tr").count() == before
        assert len(json.loads(download(page, "JSON"))["photos"]) == before
        status = page.locator("#batch-files [role=status]")
        asked = "1 file is not on the server: choose the same files again"
        eventually(page, lambda: assert_starts(status, asked))
        page.locator("#batch-start").click()
        page.locator("#batch-start:enabled").wait_for()
        assert_starts(status, asked)
        assert page.locator("#batch .notices li").count() == 0
        finish(page, several)
        assert page.locator("#batch tbody tr").count() == COUNT
    rows.unlink()


def assert_starts(status, text: str) -> None:
    assert status.inner_text().startswith(text)


def assert_under_way(page) -> None:
    assert f" of {COUNT}" in page.locator("#batch [role=status]").inner_text()


def test_cancelling_keeps_the_results(visitor, held, several):
    url, hold = held
    rows = hold("rows")
    page = visitor.new_page()
    visit(page, url)
    begin(page, several)
    page.locator("#batch tbody tr").first.wait_for()
    assert page.locator("#batch-start").is_disabled(), "a new run would replace its results"
    with page.expect_response("**/stop"):
        page.get_by_role("button", name="Cancel").click()
    rows.unlink()
    says(page, "Cancelled: ")
    assert page.locator("#batch-start:focus").is_enabled()
    kept = len(json.loads(download(page, "JSON"))["photos"])
    assert 0 < kept < COUNT
    assert f"{kept} of {COUNT}" in page.locator("#batch [role=status]").inner_text()


def test_a_waiting_visitor_sees_the_place_in_the_queue_and_can_leave_it(browser, visitor, held):
    """One page starts three runs, as a page that has forgotten its run is another visitor's."""
    url, hold = held
    model, page, runs = hold("model"), visitor.new_page(), []
    *first, last = sorted(SCENES.glob("*.thumb.webp"))[:4]
    for photo in first:
        page.evaluate(FORGET)
        visit(page, url)
        begin(page, photo)
        page.locator("#batch progress").wait_for()
        runs.append(json.loads(page.evaluate("localStorage['clipdemo.run']")))
    with browser.new_context() as context:
        other = context.new_page()
        visit(other, url)
        begin(other, last)
        says(page, "Number 1 in the queue")
        says(other, "Number 2 in the queue")
        for waiting in (other, page):
            waiting.get_by_role("button", name="Cancel").click()
            says(waiting, "Cancelled: ")
    model.unlink()
    for run in runs[:2]:
        until(lambda run=run: page.request.get(f"{url}batch/{run}").json()["state"] == "done")


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


# The app, which keeps fewer results.
FEWER = """
import app
from clipdemo.page.batch import jobs
jobs.KEPT_ROWS = 120
app.main()
"""


def test_one_visitors_many_results_push_out_their_own_first(tmp_path):
    with serving(tmp_path, ("-c", FEWER)) as (url, _):
        mine, other = (Stranger(url, **{"X-Forwarded-For": f"203.0.113.{n}"}) for n in (7, 8))
        number = next(e["number"] for e in mine.events() if "checkbox" in e["kinds"])

        def run(who: Stranger) -> str:
            table = "ImageID,Caption\n" + "".join(f",a dog and {n} cats\n" for n in range(50))
            said = {"bag": who.bag(("t.csv", table.encode()))}
            went_well, answer = who.event(number, [False, "", None], said)
            assert went_well
            name = answer[0]["run"]
            until(lambda: who.http.get(f"/batch/{name}").json()["state"] in OVER)
            assert len(who.http.get(f"/batch/{name}").json()["rows"]) == 50
            return name

        kept = run(mine)
        others = [run(other) for _ in range(5)]
        status = [mine.http.get(f"/batch/{name}").status_code for name in (kept, *others)]
        assert status == [200, *[404] * 3, 200, 200]


def test_one_visitor_takes_only_half_of_the_queue(tiny, is_sentence):
    jobs, ready = Jobs(10), threading.Event()

    def slow():
        ready.wait()
        return tiny

    def waiting(number: int, visitor: str) -> Job:
        photos = [SCENES / "farm.webp", Path(f"{number}.webp")]
        return Job(photos, "", slow, None, 10, visitor)

    try:
        jobs.start(waiting(0, "one"))
        jobs.start(waiting(1, "one"))
        for number in range(OF_ONE + 2):
            with suppress(ClipdemoError):
                jobs.start(waiting(number + 2, "one"))
        with pytest.raises(ClipdemoError) as refused:
            jobs.start(waiting(99, "one"))
        assert is_sentence(refused.value)
        jobs.start(waiting(100, "another"))
    finally:
        ready.set()


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
