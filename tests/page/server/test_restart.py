"""A user's work on the page outlives the server, and the page says when the server is down."""

import re

import pytest
from playwright.sync_api import Error
from support.cut_line import cut_line
from support.driver import (
    assert_shows,
    eventually,
    give_photo,
    serving,
    shows,
    visit,
    write_caption,
)
from support.paths import SCENES

pytestmark = pytest.mark.browser

PHOTO = SCENES / "harbour.webp"


def test_photo_caption_and_rule_outlive_the_server_and_then_a_reload(
    visitor, url, classifier, tmp_path
):
    """The restarted server has none of the first one's files; the caption was typed meanwhile."""
    with serving(tmp_path) as (again, _), cut_line(url) as (address, line):
        page = visitor.new_page()
        visit(page, address)
        give_photo(page, PHOTO)
        shows(page, classifier.predict(PHOTO))
        write_caption(page, "a dog on a bench")
        before = classifier.predict(PHOTO, "a dog on a bench")
        shows(page, before)
        after = classifier.predict(PHOTO, "a red boat")
        page.locator("#rule").select_option("top-k")
        line.cut()
        page.get_by_text("The server cannot be reached.").wait_for()
        write_caption(page, "a red boat")
        toast = page.locator("[data-testid=toast-body]").first
        toast.wait_for(state="attached")
        assert not toast.is_visible()  # it would cover the banner
        line.mend(again)
        eventually(page, lambda: assert_is_back(page, after))
        write_caption(page, "a dog on a bench")
        page.reload()  # at once
        eventually(page, lambda: assert_is_back(page, before))
        page.route(re.compile("/file="), hold_back)
        page.reload()
        caption = classifier.predict(None, "a dog on a bench")
        eventually(page, lambda: assert_is_back(page, caption))
        page.unroute_all(behavior="ignoreErrors")
        page.reload()  # before the photo is back
        eventually(page, lambda: assert_is_back(page, before))
        assert page.locator("#rule").input_value() == "top-k"


def test_a_photo_chosen_while_the_line_is_cut_arrives_later(visitor, url, classifier):
    with cut_line(url) as (address, line):
        page = visitor.new_page()
        visit(page, address)
        line.cut()
        page.get_by_text("The server cannot be reached.").wait_for()
        give_photo(page, PHOTO)
        page.wait_for_timeout(1000)  # until the browser has read the file
        line.mend()
        eventually(page, lambda: assert_is_back(page, classifier.predict(PHOTO)))


def hold_back(route) -> None:
    """The question whether the server still has the photo gets no answer."""
    if route.request.method != "HEAD":
        route.continue_()


def assert_is_back(page, expected) -> None:
    """Gradio may reload the page as soon as it reaches the server."""
    try:
        assert page.locator("#frame").inner_text() == ""
        assert_shows(page, expected)
    except Error as reloading:
        raise AssertionError("it is loading") from reloading
