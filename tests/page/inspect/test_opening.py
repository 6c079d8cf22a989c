"""Rows of Inspect opened on the Compare board, one after another, and reviewed by keys."""

import csv

import pytest
from support.driver import eventually, give_photo, remove_photo, shows, until, write_caption
from support.paths import SCENES

from page.inspect.test_inspect import NAMES, shown_rows, total

pytestmark = pytest.mark.browser


def test_a_photo_opens_on_the_board_and_back_restores_the_position(tab, drawn, classifier):
    tab.locator('#inspect tr[data-label=""] td[data-figure="missed"] button').click()
    tab.locator('#inspect .modes [data-mode="text"]').click()
    with tab.expect_response(lambda answer: answer.request.post_data_json["text"] == "a"
                             if answer.url.endswith("inspect/rows") else False):  # fmt: skip
        tab.locator("#inspect .filters").get_by_label("Text in the caption").fill("a")
    tab.wait_for_timeout(600)
    cards, text = shown_rows(tab), tab.locator("#inspect .tally").inner_text()
    tab.locator("#inspect .card .open").nth(20).scroll_into_view_if_needed()
    place = tab.evaluate("scrollY")
    assert place > 200
    tab.locator("#inspect .card .open").nth(20).click()
    marked(tab, drawn.true_of(cards[20]))
    assert tab.locator("#caption textarea").input_value() == drawn.captions[cards[20]]
    assert tab.evaluate("scrollY") == 0
    tab.get_by_label("Next row").click()
    marked(tab, drawn.true_of(cards[21]))
    tab.get_by_label("Previous row").click()
    marked(tab, drawn.true_of(cards[20]))
    tab.get_by_label("Back to Inspect").click()
    tab.locator("#inspect .card").first.wait_for()
    eventually(tab, lambda: at(tab, place))
    assert (shown_rows(tab), tab.locator("#inspect .tally").inner_text()) == (cards, text)
    assert tab.locator("#inspect .filters").get_by_label("Outcome").input_value() == "missed"


def at(page, place: float) -> None:
    assert abs(page.evaluate("scrollY") - place) < 2


def marked(page, labels: list[str]) -> None:
    """Wait until the board marks exactly these as true."""

    def check() -> None:
        rows = page.locator("#board .row.true").evaluate_all("(r) => r.map((e) => e.dataset.label)")
        assert set(rows) == set(labels)
        scored = page.locator('#board .cell[data-mode="image"]:not([data-score=""])')
        assert scored.count() == len(NAMES)

    eventually(page, check)


def test_stepping_through_rows_keeps_them_although_thresholds_move(tab):
    """Next and previous step through the rows as they were when the first one was opened."""
    tab.locator("#inspect .card .open").nth(2).click()
    names = tab.locator("#inspect .card").evaluate_all("(c) => c.map((e) => e.dataset.id)")
    walk = tab.locator("#walk")
    eventually(tab, lambda: at_row(walk, names[2]))
    tab.locator("#threshold input").evaluate(
        "(s) => { s.value = 0.7; s.dispatchEvent(new Event('input', {bubbles: true})); }"
    )
    tab.wait_for_timeout(500)
    tab.get_by_label("Next row").click()
    eventually(tab, lambda: at_row(walk, names[3]))
    tab.get_by_label("Back to Inspect").click()
    eventually(tab, lambda: other_rows(tab, names))


def at_row(walk, name: str) -> None:
    assert walk.inner_text().replace("\n", " ").split(", ")[-1].startswith(name)


def other_rows(page, names: list[str]) -> None:
    now = page.locator("#inspect .card").evaluate_all("(c) => c.map((e) => e.dataset.id)")
    assert now != names


def test_an_opened_photo_brings_its_label_its_true_labels_and_its_finding(tab):
    tab.locator('#inspect tr[data-label="dog"] td[data-figure="missed"] button').click()
    tab.locator("#inspect .by-mode").first.wait_for()
    tab.locator("#inspect .card .open").first.click()
    tab.locator('#board [data-label="dog"] .name[aria-pressed="true"]').wait_for()
    assert "dog, missed: 1 of" in tab.locator("#walk").inner_text()
    tab.locator("#walk select").select_option("hard to see")
    tab.get_by_label("Back to Inspect").click()
    card = tab.locator("#inspect .card select").first
    until(lambda: card.input_value() == "hard to see")
    card.select_option("")
    tab.locator("#inspect .download").wait_for(state="hidden")
    tab.locator("#inspect .card .open").first.click()
    tab.locator("#board .row.true").first.wait_for()
    tab.locator("#scenes button").nth(3).click()
    tab.locator("#board .row.true").first.wait_for(state="detached")


def view_of(page) -> tuple[str, str, str]:
    box = page.locator("#inspect .filters")
    return (
        box.get_by_label("Label", exact=True).locator("option:checked").inner_text(),
        box.get_by_label("Outcome").input_value(),
        box.get_by_label("Text in the caption").input_value(),
    )


def test_the_filter_and_the_open_row_are_in_the_address(tab, drawn):
    """A link, a reload and the browser's back and forward restore the view."""
    first = tab.url
    confused = tab.locator("#inspect .confused tbody tr").first
    missed, other, photos = confused.locator("button").all_inner_texts()
    confused.locator("button").last.click()
    total(tab, int(photos))
    assert f"instead: {other}" in tab.locator("#inspect .filters .instead").inner_text()
    tab.locator("#inspect .filters").get_by_label("Text in the caption").fill("A")
    tab.wait_for_function("location.search.includes('text=A')")
    chosen = tab.url, view_of(tab), tab.locator("#inspect .tally").inner_text()
    assert chosen[1] == (missed, "missed", "A")
    tab.locator("#inspect .card .open").first.click()
    walk = tab.locator("#walk")
    eventually(
        tab, lambda: at_row(walk, tab.locator("#inspect .card").first.get_attribute("data-id"))
    )
    row, text = tab.url, walk.locator("span").inner_text()
    assert "row=" in row
    tab.reload()
    eventually(tab, lambda: walks(walk, text))
    tab.go_back()
    tab.locator("#inspect .card").first.wait_for()
    assert (tab.url, view_of(tab)) == chosen[:2]
    eventually(tab, lambda: tallies(tab, chosen[2]))
    tab.go_back()
    eventually(tab, lambda: views(tab, ("any label", "error", "")))
    assert tab.url == first
    tab.go_forward()
    eventually(tab, lambda: views(tab, chosen[1]))
    tab.get_by_role("tab", name="Compare").click()
    tab.wait_for_function("!location.search.includes('inspect')")


def walks(walk, text: str) -> None:
    assert walk.locator("span").inner_text() == text


def tallies(page, text: str) -> None:
    assert page.locator("#inspect .tally").inner_text() == text


def views(page, view: tuple) -> None:
    assert view_of(page) == view


def test_a_review_by_keys(tab):
    """As with a screen reader: the list is an application, and each step is announced."""
    total(tab, 37)
    ids = tab.locator("#inspect .card").evaluate_all("(c) => c.map((e) => e.dataset.id)")
    kinds = tab.locator("#inspect .card .mark select")
    said = tab.locator("#inspect .said")
    assert tab.get_by_role("application").count() == 0
    tab.get_by_role("button", name="Review by keys").click()
    tab.get_by_role("application").wait_for()
    for key, told in (
        ("n", f"2 of 37: {ids[1]}"), ("w", f"{ids[1]}: wrong. 3 of 37: {ids[2]}"),
        ("r", f"{ids[2]}: right. 4 of 37: {ids[3]}"), ("p", f"3 of 37: {ids[2]}"),
        ("u", f"Undone. 3 of 37: {ids[2]}"),
    ):  # fmt: skip
        tab.keyboard.press(key)
        eventually(tab, lambda told=told: says(said, told))
    focused = "document.activeElement.closest('.card').dataset.id"
    assert tab.evaluate(focused) == ids[2]
    assert [kinds.nth(i).input_value() for i in range(4)] == ["", "label wrong", "", ""]
    tab.keyboard.press("o")
    tab.locator("#walk").get_by_text("any label wrong: 3 of 37").wait_for()
    tab.go_back()
    eventually(tab, lambda: goes_on(tab, focused, ids[2]))
    tab.keyboard.press("p")
    eventually(tab, lambda: says(said, f"2 of 37: {ids[1]}"))
    tab.keyboard.press("n")
    eventually(tab, lambda: says(said, f"3 of 37: {ids[2]}"))
    tab.evaluate(SLOW, "wrong, sure")
    tab.locator("#inspect .card .mark input").nth(1).fill("wrong, sure")
    assert kinds.nth(1).input_value() == "label wrong", "typing is no review"
    tab.locator("#inspect .card .open").nth(2).focus()
    with tab.expect_request_finished(lambda request: "wrong, sure" in (request.post_data or "")):
        tab.keyboard.press("u")
    tab.locator("#inspect .download").wait_for(state="hidden")
    tab.reload()
    total(tab, 37)
    assert tab.locator("#inspect .download").is_hidden(), "the slow note did not overtake the undo"
    tab.get_by_role("button", name="Review by keys").click()
    tab.get_by_role("application").wait_for()
    tab.keyboard.press("Escape")
    assert tab.get_by_role("application").count() == 0


def goes_on(tab, focused: str, name: str) -> None:
    assert tab.evaluate(focused.replace("closest('.card')", "closest('.card')?")) == name


# Holds requests with a text back.
SLOW = """(text) => {
  const send = window.fetch;
  window.fetch = async (url, options) => {
    if (options?.body?.includes(text)) await new Promise((done) => setTimeout(done, 300));
    return send(url, options);
  };
}"""


def says(said, text: str) -> None:
    assert said.inner_text().startswith(text)


def test_findings_are_saved_or_say_that_they_are_not(tab, url):
    assert_a_note_typed_during_saving_stays(tab)
    assert_enter_saves_a_note_again(tab)
    assert_an_unsaved_finding_does_not_look_saved(tab)
    assert_a_note_keeps_the_label(tab, url)


def assert_a_note_keeps_the_label(tab, url) -> None:
    """The corrected table changes that label, not the one that is chosen while a note is typed."""
    tab.locator('#inspect tr[data-label="dog"] td[data-figure="missed"] button').click()
    tab.locator("#inspect .by-mode").first.wait_for()
    name = tab.locator("#inspect .card").first.get_attribute("data-id")
    card = tab.locator(f'#inspect .card[data-id="{name}"]')
    card.locator("select").select_option("label wrong")
    tab.locator("#inspect .download").wait_for()
    tab.get_by_role("button", name="Clear filters").click()
    tab.locator("#inspect .filters").get_by_text("marked").click()
    total(tab, 1)
    with tab.expect_response("**/inspect/mark"):
        card.get_by_label(f"Note about {name}").fill("sure")
        card.get_by_label(f"Note about {name}").press("Enter")
    [row] = csv.DictReader(tab.request.get(f"{url}inspect/findings.csv").text().splitlines())
    assert (row["label"], row["note"]) == ("dog", "sure")
    card.locator("select").select_option("")
    tab.locator("#inspect .download").wait_for(state="hidden")


def assert_a_note_typed_during_saving_stays(tab) -> None:
    waiting = []
    tab.route("**/inspect/mark", lambda route: waiting.append(route))
    card = tab.locator("#inspect .card").first
    note = card.locator(".mark input")
    with tab.expect_request("**/inspect/mark"):
        card.locator("select").select_option("note")
    note.fill("too dark to tell")
    with tab.expect_response("**/inspect/mark"):
        waiting.pop().continue_()
    tab.locator("#inspect .download").wait_for()
    assert note.input_value() == "too dark to tell"
    tab.unroute("**/inspect/mark")
    with tab.expect_response("**/inspect/mark") as saved:
        note.press("Enter")
    assert saved.value.request.post_data_json["finding"]["note"] == "too dark to tell"
    card.locator("select").select_option("")
    tab.locator("#inspect .download").wait_for(state="hidden")


def assert_enter_saves_a_note_again(tab) -> None:
    """One that could not be saved."""
    card = tab.locator("#inspect .card").first
    card.locator("select").select_option("note")
    tab.locator("#inspect .download").wait_for()
    tab.route("**/inspect/mark", lambda route: route.abort())
    note = card.locator(".mark input")
    note.fill("too dark to tell")
    note.press("Enter")
    card.get_by_text("Not saved.").wait_for()
    tab.unroute("**/inspect/mark")
    with tab.expect_response("**/inspect/mark") as saved:
        note.press("Enter")
    assert saved.value.request.post_data_json["finding"]["note"] == "too dark to tell"
    card.get_by_text("Not saved.").wait_for(state="hidden")
    card.locator("select").select_option("")
    tab.locator("#inspect .download").wait_for(state="hidden")


def assert_an_unsaved_finding_does_not_look_saved(tab) -> None:
    tab.route("**/inspect/mark", lambda route: route.abort())
    card = tab.locator("#inspect .card").first
    card.locator("select").select_option("hard to see")
    card.get_by_text("Not saved.").wait_for()
    assert card.locator("select").input_value() == ""
    tab.unroute("**/inspect/mark")
    card.locator("select").select_option("hard to see")
    tab.locator("#inspect .download").wait_for()
    assert card.get_by_text("Not saved.").count() == 0
    card.locator("select").select_option("")
    tab.locator("#inspect .download").wait_for(state="hidden")


def test_an_own_photo_ends_the_steps_through_the_rows(tab, classifier):
    """Then a reload brings the photo back, not the row."""
    tab.locator("#inspect .card .open").first.click()
    tab.locator("#board .row.true").first.wait_for()
    write_caption(tab, "")
    remove_photo(tab)
    give_photo(tab, SCENES / "harbour.webp")
    shows(tab, classifier.predict(SCENES / "harbour.webp"))
    tab.get_by_label("Back to Inspect").wait_for(state="hidden")
    assert "row=" not in tab.url
    tab.reload()
    shows(tab, classifier.predict(SCENES / "harbour.webp"))
