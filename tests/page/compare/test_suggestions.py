"""Captions by a model: three to use or to add; the board follows."""

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from support.driver import eventually, give_photo, notices, serving, shows, visit, write_caption
from support.paths import SCENES
from support.small_captioners import write_vit_gpt2

import clipdemo
from clipdemo.model.captioners.choice import load_captioner

pytestmark = pytest.mark.browser

PHOTO = SCENES / "station.webp"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A captioner of the study's kind with random weights."""
    return write_vit_gpt2(tmp_path_factory.mktemp("captioner") / "vit-gpt2")


@pytest.fixture(scope="module")
def address(folder, tmp_path_factory):
    """Address of an app with that captioner."""
    place = tmp_path_factory.mktemp("app")
    with serving(place, ("app.py", "--captioner", str(folder))) as (url, _):
        yield url


@pytest.fixture
def page(visitor, address):
    tab = visitor.new_page()
    visit(tab, address)
    return tab


def suggested(page) -> list[str]:
    return page.locator("#suggestions li span").all_inner_texts()


def caption(page) -> str:
    return page.locator("#caption textarea").input_value()


def ask(page, folder) -> list[str]:
    """Suggest captions for the photo; returns those that the page must offer."""
    expected = load_captioner(str(folder), device="cpu").suggest(PHOTO)
    page.locator("#photo img").wait_for()
    page.locator("#suggest").click()
    eventually(page, lambda: assert_suggested(page, expected))
    return expected


def assert_suggested(page, expected: list[str]) -> None:
    assert suggested(page) == expected


def test_a_suggestion_can_be_taken_or_added_and_goes_with_its_photo(page, folder):
    classifier = clipdemo.load("tiny", device="cpu")
    give_photo(page, PHOTO)
    first, second, _ = ask(page, folder)
    assert len({*suggested(page)}) == 3
    page.locator("#suggestions li").nth(0).get_by_role("button", name="use").click()
    assert caption(page) == first
    shows(page, classifier.predict(PHOTO, first))
    page.locator("#suggestions li").nth(1).get_by_role("button", name="add").click()
    assert caption(page).startswith(first)
    assert caption(page).endswith(second)
    shows(page, classifier.predict(PHOTO, caption(page)))
    write_caption(page, "  ")
    page.locator("#suggestions li").nth(1).get_by_role("button", name="add").click()
    assert caption(page) == second
    page.locator("#scenes button").first.click()
    eventually(page, lambda: assert_suggested(page, []))


def test_a_missing_or_bad_photo_is_one_sentence(page, tmp_path, is_sentence):
    def sentence() -> str:
        return page.locator("#suggestions p").inner_text()

    def assert_says(words: str) -> None:
        assert words in sentence()

    page.locator("#suggest").click()
    eventually(page, lambda: assert_says("no photo"))
    assert is_sentence(sentence())
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"not a photo")
    give_photo(page, bad)
    eventually(page, lambda: assert_noticed(page))
    page.locator("#suggest").click()
    eventually(page, lambda: assert_says("not a photo"))
    assert is_sentence(sentence())


def assert_noticed(page) -> None:
    assert notices(page)


def test_the_endpoint_gives_the_captions_of_a_photo(address, folder, tmp_path, is_sentence):
    client = Client(address, verbose=False, download_files=tmp_path)
    expected = load_captioner(str(folder), device="cpu").suggest(PHOTO)
    assert client.predict(handle_file(PHOTO), api_name="/caption") == expected
    with pytest.raises(AppError) as refused:
        client.predict(None, api_name="/caption")
    assert is_sentence(refused.value)
