"""Photos come in by every way that people try, and replace the scene that the page opens with."""

import base64
import io

import pytest
from PIL import Image
from support.driver import (
    LABELS,
    eventually,
    give_photo,
    notices,
    photo_name,
    read,
    remove_photo,
    shows,
    until,
    visit,
    write_caption,
)
from support.paths import SCENES

pytestmark = pytest.mark.browser

PHOTO = SCENES / "harbour.webp"
# Pastes or drops files, or a text, on an element; returns whether the browser handles it.
BRING = """(target, { how, files = [], text, html }) => {
  const data = new DataTransfer();
  for (const file of files) {
    const bytes = Uint8Array.from(atob(file.content), (c) => c.charCodeAt(0));
    data.items.add(new File([bytes], file.name, { type: file.type }));
  }
  if (text) data.setData(how === "drop" ? "text/uri-list" : "text/plain", text);
  if (html) data.setData("text/html", html);
  const options = { bubbles: true, cancelable: true, clipboardData: data, dataTransfer: data };
  return target.dispatchEvent(how === "drop" ? new DragEvent("drop", options)
    : new ClipboardEvent("paste", options));
}"""


def file_of(content: bytes, name: str, kind: str) -> dict:
    return {"content": base64.b64encode(content).decode(), "name": name, "type": kind}


def bring(page, selector: str, how: str, file: dict | None = None, **what) -> bool:
    what |= {"files": [file]} if file else {}
    return page.locator(selector).first.evaluate(BRING, {"how": how, **what})


def test_a_photo_can_be_pasted_or_dropped_anywhere(page, classifier):
    photo = file_of(PHOTO.read_bytes(), "harbour.webp", "image/webp")
    for where in ("body", "#caption textarea", "#board", "#photo button"):
        for how in ("paste", "drop"):
            shows(page, classifier.predict(None, None))
            bring(page, where, how, file=photo)
            shows(page, classifier.predict(PHOTO))
            remove_photo(page)


def test_from_another_tab_it_opens_the_board_and_on_batch_it_is_for_the_batch(page, classifier):
    """On Batch also while the tab's files are still being loaded."""
    late = []
    page.route("**/batch/files.js", lambda route: late.append(route))
    photo = file_of(PHOTO.read_bytes(), "harbour.webp", "image/webp")
    page.get_by_role("tab", name="Report").click()
    bring(page, "body", "paste", file=photo)
    page.locator("#board").wait_for()
    shows(page, classifier.predict(PHOTO))
    page.get_by_role("tab", name="Batch").click()
    bring(page, "body", "drop", file=photo)
    until(lambda: page.wait_for_timeout(50) or late)
    late.pop().continue_()
    page.locator("#batch-files").get_by_text("harbour").first.wait_for()


def test_a_table_that_is_dropped_on_compare_goes_to_the_batch(page):
    bring(
        page, "#board", "drop", file=file_of(b"ImageID,Caption\n1.jpg,a dog\n", "t.csv", "text/csv")
    )
    page.locator("#batch-files").get_by_text("t.csv").first.wait_for()


def test_what_is_dropped_on_the_photo_is_taken_as_elsewhere(page, classifier):
    """Gradio would remove the photo, and take one file of a type that it knows, or none."""
    content = io.BytesIO()
    Image.open(PHOTO).convert("RGB").save(content, "HEIF")
    expected = classifier.predict(content.getvalue())
    give_photo(page, SCENES / "beach.webp")
    shows(page, classifier.predict(SCENES / "beach.webp"))
    bring(page, "#photo button", "drop", file=file_of(content.getvalue(), "photo.heic", ""))
    shows(page, expected)
    names = ("first.webp", "second.webp")
    two = [file_of(PHOTO.read_bytes(), name, "image/webp") for name in names]
    for files in ([file_of(b"a dog", "notes.txt", "text/plain")], two):
        bring(page, "#photo button", "drop", files=files)
        for file in files:
            page.locator("#batch-files").get_by_text(file["name"]).first.wait_for()
        page.get_by_role("tab", name="Compare").click()
        assert photo_name(page) == "photo.heic"
    shows(page, expected)
    assert not notices(page)


def test_a_text_that_is_pasted_into_the_caption_stays_a_text(page, classifier):
    """The browser inserts it, and the page does not request it as a link. That from an office
    program comes with a picture of itself.
    """
    assert bring(page, "#caption textarea", "paste", text="http://127.0.0.1:1/dog.jpg")
    write_caption(page, "a dog")
    shows(page, classifier.predict(None, "a dog"))
    assert not notices(page)
    write_caption(page, "")
    give_photo(page, PHOTO)
    shows(page, classifier.predict(PHOTO))
    picture = file_of((SCENES / "beach.webp").read_bytes(), "image.png", "image/webp")
    what = {"how": "paste", "file": picture, "text": "a red boat", "html": "<td>a red boat</td>"}
    assert bring(page, "#caption textarea", **what), "the browser pastes the text"
    assert not bring(page, "body", **what), "elsewhere it is a photo"
    shows(page, classifier.predict(SCENES / "beach.webp"))


def test_a_link_that_cannot_be_fetched_is_one_sentence(page, is_sentence):
    bring(page, "body", "paste", text="http://127.0.0.1:1/dog.jpg")
    toast = page.locator("[data-testid=toast-text]").first
    toast.wait_for()
    assert is_sentence(toast.inner_text())


def test_formats_that_the_browser_cannot_show_are_shown_by_the_server(page, classifier, tmp_path):
    """Also if the system gives such a file no type."""
    other = page.context.new_page()
    visit(other, page.url)
    for name, kind in (("a.heic", "HEIF"), ("a.tif", "TIFF")):
        content = io.BytesIO()
        Image.open(PHOTO).convert("RGB").save(content, kind)
        (tmp_path / name).write_bytes(content.getvalue())
        expected = classifier.predict(tmp_path / name)
        for tab in (page, other):
            shows(tab, classifier.predict(None, None))
            with tab.expect_response(lambda answer: "/preview?path=" in answer.url) as shown:
                if tab == page:
                    bring(tab, "body", "drop", file=file_of(content.getvalue(), name, ""))
                else:
                    give_photo(tab, tmp_path / name)
            assert shown.value.headers["content-type"] == "image/jpeg", name
            shows(tab, expected)
            remove_photo(tab)


@pytest.fixture
def opened(visitor, opening_url, classifier):
    page = visitor.new_page()
    visit(page, opening_url)
    eventually(page, lambda: assert_begun(page))
    shows(page, classifier.predict(SCENES / "crossing.webp", caption(page)))
    return page


def caption(page) -> str:
    return page.locator("#caption textarea").input_value()


def test_the_page_opens_with_a_scene_that_a_rule_and_an_edit_keep(opened, classifier):
    """One on which the modes disagree; a rule that is set beside it outlives a reload."""
    board, said = read(opened), caption(opened)
    on = {mode: {n for n, cells in board.items() if cells[mode][1]} for mode in ("image", "text")}
    assert on["image"] - on["text"]
    assert on["text"] - on["image"]
    verdict = opened.locator("#board .verdict").inner_text()
    assert "(image only)" in verdict
    assert "(text only)" in verdict
    assert 0 < opened.locator("#board [data-label]:visible").count() < len(LABELS)
    opened.locator("#rule").select_option("top-k")
    opened.reload()
    shows(opened, classifier.predict(SCENES / "crossing.webp", said))
    assert opened.locator("#rule").input_value() == "top-k"
    opened.locator("#caption textarea").press("End")
    opened.locator("#caption textarea").press_sequentially(" It rains.")
    shows(opened, classifier.predict(SCENES / "crossing.webp", f"{said} It rains."))
    edited = said.replace("bus", "train")
    write_caption(opened, edited)
    shows(opened, classifier.predict(SCENES / "crossing.webp", edited))


def test_an_own_photo_replaces_the_caption_too(opened, classifier):
    give_photo(opened, PHOTO)
    shows(opened, classifier.predict(PHOTO))
    assert caption(opened) == ""


def test_an_own_caption_replaces_the_photo_too(opened, classifier):
    write_caption(opened, "two dogs on sand")
    shows(opened, classifier.predict(None, "two dogs on sand"))


def test_the_desk_outlives_a_reload(opened, classifier):
    opened.reload()
    eventually(opened, lambda: assert_begun(opened))
    assert photo_name(opened) == "crossing.webp"
    give_photo(opened, PHOTO)
    write_caption(opened, "two boats and a kite")
    opened.locator("#own-labels").locator("input, textarea").fill("kite")
    opened.locator("#rule").select_option("mcut")
    expected = classifier.extended(["kite"]).predict(PHOTO, "two boats and a kite").scores

    def assert_there() -> None:
        board = read(opened)
        assert len(board) == len(LABELS) + 1
        for mode, scores in expected.items():
            for label, score in scores.items():
                assert float(board[label][mode][0] or -1) == pytest.approx(score, abs=1e-4)

    eventually(opened, assert_there)
    opened.reload()
    eventually(opened, assert_there)
    assert opened.locator("#rule").input_value() == "mcut"
    assert caption(opened) == "two boats and a kite"


def assert_begun(page) -> None:
    assert read(page).get("person", {"concat": [""]})["concat"][0]


def test_a_link_with_a_caption_opens_with_that_alone(visitor, opening_url, classifier):
    page = visitor.new_page()
    visit(page, f"{opening_url}#rule=tuned&caption=a+dog")
    shows(page, classifier.predict(None, "a dog"))


@pytest.fixture
def early(visitor, opening_url):
    """A page whose opening scene has not arrived, and what lets it arrive."""
    page = visitor.new_page()
    held = []

    def hold_scene(route) -> None:
        if "withCaption" in (route.request.post_data or ""):
            held.append(route)
        else:
            route.continue_()

    def release() -> None:
        with page.expect_response(lambda answer: "crossing.webp" in answer.url):
            held[0].continue_()

    page.route("**/queue/join*", hold_scene)
    visit(page, opening_url)
    until(lambda: page.wait_for_timeout(50) or held)
    return page, release


def test_a_photo_chosen_before_the_scene_has_arrived_replaces_it(early, classifier):
    page, release = early
    give_photo(page, PHOTO)
    shows(page, classifier.predict(PHOTO))
    release()
    page.wait_for_timeout(500)
    eventually(page, lambda: assert_photo(page, PHOTO.name))
    shows(page, classifier.predict(PHOTO))


def assert_photo(page, name: str) -> None:
    assert photo_name(page) == name


def test_a_caption_typed_before_the_scene_has_arrived_replaces_it(early, classifier):
    page, release = early
    write_caption(page, "a dog on a bench")
    shows(page, classifier.predict(None, "a dog on a bench"))
    release()
    page.wait_for_timeout(500)
    shows(page, classifier.predict(None, "a dog on a bench"))
