"""A user's table on the Inspect tab: findings survive a restart, hostile text stays text."""

import csv
import json
import urllib.error
import urllib.request

import pandas as pd
import pytest
from support.driver import eventually, open_inspect, serving, visit

from clipdemo.inputs.labels import COCO18
from clipdemo.page.shared.modules import address
from clipdemo.scenes import random_scene
from clipdemo.tables.label_table import read_label_table, write_label_table
from page.inspect.test_inspect import NAMES, total

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=\"document.title='hacked'\"> ${7*7} {{7*7}}"


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A table with markup in its captions, its photos, and a folder for a server's files."""
    folder = tmp_path_factory.mktemp("own")
    rows = []
    for number in range(12):
        scene, name = random_scene(500 + number, (96, 72)), f"<b>{number}.png"
        (folder / "photos").mkdir(exist_ok=True)
        scene.image.save(folder / "photos" / name)
        ids = tuple(COCO18.ids[NAMES.index(label)] for label in scene.labels) or ("1",)
        rows.append((name, ids, f"{HOSTILE} {number}"))
    write_label_table(
        pd.DataFrame(rows, columns=["ImageID", "Labels", "Caption"]), folder / "t.csv"
    )
    return folder


def serve_own(own):
    flags = ("--table", str(own / "t.csv"), "--photos", str(own / "photos"))
    return serving(own, ("app.py", *flags))


def test_findings_survive_a_restart_and_a_hostile_table_stays_text(visitor, own):
    with serve_own(own) as (url, _):
        page = visitor.new_page()
        visit(page, url)
        open_inspect(page)
        assert "t.csv: 12 rows" in page.locator("#inspect .head").inner_text()
        page.get_by_role("button", name="Clear filters").click()
        total(page, 12)
        card = page.locator("#inspect .card").nth(2)
        name = card.get_attribute("data-id")
        card.get_by_label(f"Finding about {name}").select_option("caption wrong")
        card.get_by_label(f"Note about {name}").fill('=1+1, says "nobody"')
        card.get_by_label(f"Note about {name}").press("Enter")
        page.get_by_text("Download 1 finding").wait_for()
        captions = page.locator("#inspect .card .caption").all_inner_texts()
        assert all(text.startswith(HOSTILE) for text in captions)
        page.locator("#inspect .map summary").click()
        page.locator("#inspect .map .nsewdrag").first.wait_for()
        assert page.title() == "clipdemo"
        assert page.locator("#inspect img[src=x], #inspect .card b").count() == 0
        page.close()
    with serve_own(own) as (url, _):
        page = visitor.new_page()
        visit(page, url)
        open_inspect(page)
        page.get_by_role("button", name="Clear filters").click()
        total(page, 12)
        page.locator("#inspect .filters").get_by_text("marked").click()
        total(page, 1)
        card = page.locator("#inspect .card")
        eventually(page, lambda: one_card(page))
        assert card.get_attribute("data-id") == name
        assert card.get_by_label(f"Finding about {name}").input_value() == "caption wrong"
        with page.expect_download() as download:
            page.locator("#inspect .download").click()
        [row] = csv.DictReader(download.value.path().open(newline=""))
        assert (row["ImageID"], row["finding"]) == (name, "caption wrong")
        assert row["note"] == '\'=1+1, says "nobody"'
        assert page.locator("#inspect .corrected").is_hidden()
        row = int(name.removeprefix("<b>").removesuffix(".png"))
        correct(url, row, own)
        refused(url)
        opens_others(page, own)
        assert_counts_photos_that_could_not_be_used(page, url)


def correct(url: str, row: int, own) -> None:
    """A label found to be wrong is corrected in the downloaded table."""
    finding = {"finding": "label wrong", "label": "horse", "mode": "concat"}
    post(url, "mark", json.dumps({"row": row, "finding": finding}), "application/json")
    with urllib.request.urlopen(f"{url}inspect/label-studio.json", timeout=30) as answer:
        (own / "tasks.json").write_bytes(answer.read())
    (task,) = read_label_table(own / "tasks.json").frame.itertuples()
    with urllib.request.urlopen(f"{url}inspect/corrected", timeout=30) as answer:
        assert "t-corrected.csv" in answer.headers["Content-Disposition"]
        (own / "corrected.csv").write_bytes(answer.read())
    old, new = (read_label_table(own / name).frame for name in ("t.csv", "corrected.csv"))
    changed = [r for r in range(len(old)) if set(old["Labels"][r]) != set(new["Labels"][r])]
    assert changed == [row]
    assert (task.ImageID, task.Caption) == (new["ImageID"][row], new["Caption"][row])
    assert set(task.Labels) == set(new["Labels"][row])
    horse = COCO18.ids[NAMES.index("horse")]
    assert set(old["Labels"][row]) ^ set(new["Labels"][row]) == {horse}
    assert new["Caption"].tolist() == old["Caption"].tolist()


def opens_others(page, own) -> None:
    """After one that cannot be read the one before is offered; one without photos opens in Text."""
    (own / "bad.csv").write_text("a,b\n1,2\n")
    (own / "captions.csv").write_bytes(b"ImageID,Labels,Caption\r\n1.jpg,1,a man\r\n")
    open_table(page, own / "bad.csv")
    refused = "bad.csv has no column of photo names (found: a, b); name it ImageID."
    page.locator("#inspect .head").get_by_text(refused, exact=True).wait_for()
    page.get_by_role("button", name="Back to t.csv").click()
    page.locator("#inspect .head", has_text="t.csv: 12 rows").wait_for()
    open_table(page, own / "captions.csv")
    told = "scored by tiny. 1 of 1 rows are used. Repaired: CRLF line endings, 2 times."
    page.locator("#inspect .head", has_text=told).wait_for()
    page.locator('#inspect .modes [data-mode="text"][aria-pressed="true"]').wait_for()
    page.locator('#inspect .modes [data-mode="concat"]').click()
    page.locator("#inspect .tally").get_by_text("no rows with photo and caption").wait_for()


def open_table(page, path) -> None:
    page.locator("#inspect .opener summary").click()
    page.get_by_label("Table: path").fill(str(path))
    page.get_by_role("button", name="Open", exact=True).click()


def assert_counts_photos_that_could_not_be_used(page, url: str) -> None:
    headline = "([script, state]) => import(script).then((module) => module.headline(state))"
    for skipped, words in (
        (1, "1 photo could not be used: No."),
        (2, "2 photos could not be used; "),
    ):
        state = {"name": "t", "rows": 9, "known": {}, "skipped": skipped, "first_skipped": "No."}
        assert words in page.evaluate(headline, [url + address("inspect/inspect.js"), state])


def one_card(page) -> None:
    assert page.locator("#inspect .card").count() == 1


def refused(url: str) -> None:
    """Any other request gets one sentence, and no traceback."""
    for path, body in (
        ("rows", {}), ("rows", {"mode": "image"}), ("rows", []), ("rows", "x"),
        ("mark", {"row": 99, "finding": None}), ("mark", {"row": -1, "finding": {}}),
        ("mark", {"row": 0, "finding": {"finding": "note", "note": "x" * 999}}),
    ):  # fmt: skip
        with pytest.raises(urllib.error.HTTPError) as error:
            post(url, path, json.dumps(body), "application/json")
        assert error.value.code == 400
        notice = json.loads(error.value.read())["notice"]
        assert 10 < len(notice) < 200
    with pytest.raises(urllib.error.HTTPError):
        post(url, "mark", '{"row": 0, "finding": {"finding": "note"}}', "text/plain")


def post(url: str, path: str, body: str, kind: str) -> None:
    request = urllib.request.Request(
        f"{url}inspect/{path}", body.encode(), {"Content-Type": kind}, method="POST"
    )
    urllib.request.urlopen(request, timeout=30).close()
