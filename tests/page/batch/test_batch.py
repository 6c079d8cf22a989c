"""The Batch tab: many photos are scored, listed, sorted, opened and downloaded."""

import csv
import io
import json
import zipfile
from pathlib import Path

import pytest
from support.driver import eventually, notices, shows, visit
from support.looks import untidy
from support.paths import SCENES

from clipdemo.inspection.batch import gather, predict_items
from clipdemo.inspection.batch_files import Rule, entry, write_results

pytestmark = pytest.mark.browser

SCRIPT = "<img src=x onerror=window.__pwned=1>"
CAPTIONS = {
    "beach.webp": "a dog at the sea, and a boat",
    "station.webp": "",
    "gone.webp": "a horse in a field",
}


@pytest.fixture(scope="module")
def packed(tmp_path_factory) -> Path:
    """A zip of three scenes, another file, and a name that is markup."""
    path = tmp_path_factory.mktemp("batch") / "photos.zip"
    with zipfile.ZipFile(path, "w") as file:
        for name in ("beach", "station", "farm"):
            file.write(SCENES / f"{name}.webp", f"trip/{name}.webp")
        file.write(SCENES / "corner.webp", f"=1 {SCRIPT} ${{window.__pwned=1}} {{{{7*7}}}}.webp")
        file.writestr("notes.txt", "no photo")
        file.writestr("__MACOSX/._beach.webp", b"")
    return path


@pytest.fixture(scope="module")
def table(packed) -> Path:
    path = packed.parent / "captions.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("ImageID", "Caption"), *CAPTIONS.items()])
    return path


@pytest.fixture(scope="module")
def many(packed) -> Path:
    """A table with more captions than rows that the page shows at first."""
    path = packed.parent / "many.csv"
    path.write_text("ImageID,Caption\n" + "".join(f"{i}.png,{i} dogs\n" for i in range(220)))
    return path


def begin(page, *files: Path) -> None:
    """Open the tab, give it files and start."""
    give(page, *files)
    page.locator("#batch-start").click()


def give(page, *files: Path) -> None:
    page.get_by_role("tab", name="Batch").click()
    page.locator("#batch-files input[type=file]").set_input_files(files)
    page.locator("#batch-files").get_by_text("Ready: ").wait_for()


def says(page, text: str) -> None:
    def told() -> None:
        assert page.locator("#batch [role=status]").inner_text().startswith(text)

    eventually(page, told)


def finish(page, *files: Path) -> None:
    begin(page, *files)
    says(page, "Done: ")


def names(page) -> list[str]:
    """The photos from top to bottom."""
    return page.locator("#batch tbody tr").evaluate_all("rows => rows.map(r => r.dataset.photo)")


def download(page, kind: str) -> str:
    with page.expect_download() as found:
        page.get_by_role("button", name=f"Download {kind}").click()
    return Path(found.value.path()).read_text("utf-8")


def chips(page, photo: str, mode: str) -> list[str]:
    cell = page.locator(f'#batch tr[data-photo="{photo}"] td[data-mode={mode}]')
    return [text.rsplit(" ", 1)[0] for text in cell.locator(".chip").all_inner_texts()]


def test_a_zip_gives_what_predict_gives_and_its_table_can_be_sorted(page, classifier, packed):
    finish(page, packed)
    found = {entry["photo"]: entry for entry in json.loads(download(page, "JSON"))["photos"]}
    assert len(found) == 4
    passed_over = "1 other file was skipped: notes.txt."
    assert page.locator("#batch .notices li").all_inner_texts() == [passed_over]
    for name, photo in found.items():
        scene = "corner" if name.startswith("=1") else Path(name).stem
        expected = classifier.predict(SCENES / f"{scene}.webp")
        assert list(photo["scores"]) == ["image"]
        assert photo["scores"]["image"] == pytest.approx(expected.scores["image"], abs=1e-4)
        assert photo["labels"]["image"] == expected.labels("image")
    rows = list(csv.reader(io.StringIO(download(page, "CSV"))))
    assert next(row[0] for row in rows if "=1" in row[0]).startswith("'=1")
    assert page.locator("#batch tr small.problem").count() == 0
    assert page.locator("#batch tbody img").count() == 4
    assert page.evaluate("window.__pwned === undefined")
    assert page.locator("img[src=x]").count() == 0
    page.get_by_role("button", name="File", exact=True).click()
    assert names(page) == sorted(names(page), key=str.casefold)
    page.get_by_label("Label whose scores are shown").select_option("dog")
    page.get_by_role("button", name="Image", exact=True).click()
    scores = page.locator("#batch td[data-mode=image] .number").all_inner_texts()
    assert len(scores) == 4
    assert scores == sorted(scores, reverse=True)
    head = page.locator("#batch thead th[data-column=image]")
    assert head.get_attribute("aria-sort") == "descending"
    head.get_by_role("button").click()
    assert page.locator("#batch td[data-mode=image] .number").all_inner_texts() == scores[::-1]


def test_a_table_gives_captions_and_its_rows_open_on_the_compare_board(
    page, classifier, packed, table
):
    finish(page, packed, table)
    assert names(page) == list(CAPTIONS)
    assert "left out: 2" in page.locator("#batch .notices").inner_text()
    assert "gone.webp" in page.locator("#batch tr small.problem").inner_text()
    expected = classifier.predict(SCENES / "beach.webp", CAPTIONS["beach.webp"])
    for mode in ("image", "text", "concat"):
        assert chips(page, "beach.webp", mode) == expected.labels(mode)
    gone = classifier.predict(None, CAPTIONS["gone.webp"])
    assert chips(page, "gone.webp", "text") == gone.labels("text")
    page.locator('#batch tr[data-photo="beach.webp"] button').click()
    page.locator("#board").wait_for()
    shows(page, expected)
    assert page.locator("#caption textarea").input_value() == CAPTIONS["beach.webp"]
    back = page.get_by_role("button", name="Back to Batch").click

    def by_the_tab_and_both() -> None:
        """The tab leaves an entry in the history, which must not send the button elsewhere."""
        page.get_by_role("tab", name="Batch").click()
        page.go_back()
        page.locator('#batch tr[data-photo="beach.webp"] button').click()
        back()

    for way in (page.go_back, back, by_the_tab_and_both):
        way()
        page.locator("#batch tr button:focus").wait_for()
        assert (
            page.locator("#batch tr:has(button:focus)").get_attribute("data-photo") == "beach.webp"
        )
        page.keyboard.press("Enter")
        page.locator("#board").wait_for()
    page.get_by_role("tab", name="Batch").click()
    page.get_by_role("button", name="Gallery").click()
    page.locator("#batch button.tile").last.click()  # a caption whose photo is missing
    page.locator("#board").wait_for()
    shows(page, gone)


def test_its_csv_is_that_of_the_command_line(page, classifier, packed, table, tmp_path):
    """The page itself applies the rule to finished results, without a request."""
    finish(page, packed, table)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    beach = classifier.predict(SCENES / "beach.webp", CAPTIONS["beach.webp"])
    results = [r for part in predict_items(classifier, gather([packed], table)[0]) for r in part]
    for rule, scores in ((Rule(), False), (Rule("fixed", 0.3), True), (Rule("top-k", k=2), True)):
        page.get_by_label("with scores").set_checked(scores)
        page.get_by_label("Rule for all photos").select_option(rule.rule)
        if rule.rule == "fixed":
            page.get_by_label("Threshold for all photos").fill(str(rule.threshold))
        if rule.rule == "top-k":
            page.locator("#batch").get_by_label("k: how many labels").fill(str(rule.k))
        expected = beach.labels("concat", rule.rule, rule.threshold, rule.k)
        eventually(page, lambda expected=expected: assert_chips(page, expected))
        entries = [entry(result, rule) for result in results]
        write_results(tmp_path / "r.csv", entries, classifier.card, rule, scores)
        ours, theirs = (
            list(csv.reader(io.StringIO(text)))
            for text in (download(page, "CSV"), (tmp_path / "r.csv").read_text("utf-8"))
        )
        assert ours[0] == theirs[0]
        for a, b in zip(ours[1:], theirs[1:], strict=True):
            assert [number(cell) for cell in a[:-1]] == [number(cell) for cell in b[:-1]]
            assert bool(a[-1]) == bool(b[-1])
    assert [url for url in asked if not url.startswith("blob:")] == []


def assert_chips(page, expected: list[str]) -> None:
    assert chips(page, "beach.webp", "concat") == expected


def number(cell: str) -> object:
    """Scores may differ in the last of their four decimals, as batches differ."""
    try:
        return pytest.approx(float(cell), abs=2e-4)
    except ValueError:
        return cell


def test_the_model_writes_a_caption_that_the_board_is_given_too(page, classifier):
    page.get_by_role("tab", name="Batch").click()
    page.get_by_label("Write missing captions with the model").check()
    finish(page, SCENES / "farm.webp")
    (entry,) = json.loads(download(page, "JSON"))["photos"]
    assert entry["caption_by"] == "model"
    expected = classifier.predict(SCENES / "farm.webp", entry["caption"])
    assert entry["scores"]["concat"] == pytest.approx(expected.scores["concat"], abs=1e-4)
    page.locator("#batch button.photo").click()
    shows(page, expected)
    assert page.locator("#caption textarea").input_value() == entry["caption"]
    page.reload()
    page.get_by_role("tab", name="Batch").click()
    says(page, "Done: ")
    eventually(page, lambda: assert_ticked(page))


def assert_ticked(page) -> None:
    assert page.get_by_label("Write missing captions with the model").is_checked()


def test_scrolling_adds_the_rest_of_many_rows_and_they_follow_the_rule(page, many):
    finish(page, many)
    assert len(names(page)) == 200
    page.get_by_label("Rule").locator("visible=true").select_option("top-k")

    def scrolled() -> None:
        page.locator("#batch .table").evaluate("table => { table.scrollTop = 1e7; }")
        assert len(names(page)) == 220

    eventually(page, scrolled)
    last = page.locator("#batch tbody tr").last
    last.scroll_into_view_if_needed()
    eventually(page, lambda: _holds(last.locator(".chip").count() == 3))
    page.get_by_role("button", name="File", exact=True).click()
    assert names(page) == [f"{i}.png" for i in range(200)]


def _holds(so: bool) -> None:
    assert so


def test_two_visitors_do_not_see_each_others(browser, page, url, packed, table):
    finish(page, packed)
    with browser.new_context() as context:
        other = context.new_page()
        visit(other, url)
        other.get_by_role("tab", name="Batch").click()
        assert other.locator("#batch tbody tr").count() == 0
        finish(other, table)
        assert names(other) == list(CAPTIONS)
    assert len(names(page)) == 4


def test_unreadable_files_give_one_sentence_and_captions_alone_are_enough(
    page, tmp_path, is_sentence, classifier, table
):
    for name, content in {"a.csv": b"a,b\n1,2\n", "a.zip": b"no zip", "b.csv": b"\n"}.items():
        (tmp_path / name).write_bytes(content)
        begin(page, tmp_path / name)
        page.locator("#batch .notices li", has_text=name).wait_for()
        sentence = page.locator("#batch .notices li").inner_text()
        assert is_sentence(sentence)
        assert sentence.startswith(name)  # not its path on the server
        assert notices(page) == []
        page.locator("#batch-files").get_by_role("button", name="Clear").click()
    finish(page, table)
    expected = classifier.predict(None, CAPTIONS["beach.webp"])
    assert chips(page, "beach.webp", "text") == expected.labels("text")
    assert page.locator("#batch tr small.problem").count() == 0
    (tmp_path / "bad.jpg").write_bytes(b"no photo")
    (tmp_path / "t.xlsx").write_bytes(b"a workbook")
    page.locator("#batch-files").get_by_role("button", name="Clear").click()
    page.locator("#batch-choose").set_input_files(tmp_path / "t.xlsx")
    refused = "t.xlsx cannot be read here: save it as CSV and choose that file."
    assert page.locator("#batch-files .notices li").all_inner_texts() == [refused]
    assert page.locator("#batch-files [role=status]").inner_text() == ""
    page.locator("#batch-files").get_by_role("button", name="Clear").click()
    begin(page, tmp_path / "bad.jpg", SCENES / "farm.webp")
    says(page, "Done: 2 (1 without a readable photo).")


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_it_can_be_read_and_fits_a_phone(visitor, url, packed, table, width, theme):
    """The table scrolls in its own box, with a fixed head and first column."""
    page = visitor.new_page()
    page.set_viewport_size({"width": width, "height": 844})
    visit(page, f"{url}?__theme={theme}")
    finish(page, packed, table)
    assert untidy(page) == []
    if width == 390:
        box = page.locator("#batch .table")
        assert box.evaluate("box => box.scrollWidth > box.clientWidth")
        first = page.locator("#batch tbody th").first
        before = first.bounding_box()["x"]
        box.evaluate("box => { box.scrollLeft = 200; }")
        assert abs(first.bounding_box()["x"] - before) < 1


def test_own_labels_are_scored_besides_the_heads_and_marked_as_zero_shot(page, classifier, packed):
    page.get_by_role("tab", name="Batch").click()
    page.locator("#batch-labels textarea, #batch-labels input").fill("lighthouse, Dog, LIGHTHOUSE")
    finish(page, packed)
    photos = {found["photo"]: found for found in json.loads(download(page, "JSON"))["photos"]}
    found = photos["trip/beach.webp" if "trip/beach.webp" in photos else "beach.webp"]
    scores = found["scores"]["image"]
    assert list(scores) == [*classifier.card.labels.names, "lighthouse"]
    alone = classifier.zero_shot(["lighthouse"]).predict(SCENES / "beach.webp")
    assert scores["lighthouse"] == pytest.approx(alone.scores["image"]["lighthouse"], abs=1e-4)
    page.get_by_label("Rule for all photos").select_option("top-k")
    page.locator("#batch").get_by_label("k: how many labels").fill("19")
    marked = page.locator("#batch .chip.zero-shot").all_inner_texts()
    assert len(marked) == 4
    assert all(text.startswith("lighthouse") for text in marked)
