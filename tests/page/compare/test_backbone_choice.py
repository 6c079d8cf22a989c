"""Choosing a backbone on the page: downloaded on demand; the old one is used until then."""

import socket

import pytest
from support.driver import eventually, notices, read, serving, visit, write_caption
from support.hub_server import HubServer
from support.paths import SCENES

import clipdemo
from clipdemo.hub.catalog import OFFERS

pytestmark = pytest.mark.browser

WANTED = "hf-hub:org/vit"


@pytest.fixture(scope="module")
def app(vit_folder, tmp_path_factory):
    """A hub on loopback with one small backbone, and an app with an empty cache that uses it."""
    folder = tmp_path_factory.mktemp("app")
    with HubServer() as server, pytest.MonkeyPatch.context() as patch:
        server.add("org/vit", vit_folder)
        patch.setenv("HF_ENDPOINT", server.url)
        patch.setenv("HF_HOME", str(folder / "cache"))
        patch.setenv("HF_HUB_DOWNLOAD_TIMEOUT", "2")
        patch.delenv("HF_HUB_OFFLINE", raising=False)
        with serving(folder) as (url, _):
            yield server, url


@pytest.fixture
def hub(app):
    """The hub, without a fault."""
    app[0].faults.clear()
    return app[0]


@pytest.fixture
def page(hub, app, visitor):
    """The page of that app, with the scores of a caption."""
    tab = visitor.new_page()
    visit(tab, app[1])
    write_caption(tab, "a dog on a bench")
    eventually(tab, lambda: assert_score(tab, "0.5", above=True))
    return tab


def assert_score(page, limit: str, above: bool) -> None:
    score = read(page)["dog"]["text"][0]
    assert score
    assert (score > limit) == above


def choose(page, backbone: str) -> None:
    page.locator("#backbone input").fill(backbone)
    page.keyboard.press("Enter")


def told(page) -> str:
    return page.locator("#told").inner_text()


def assert_told(page, words: str) -> None:
    assert words in told(page)


def assert_running(page, backbone: str) -> None:
    assert page.locator("#head .badge").inner_text() == backbone
    assert page.locator("#backbone input").input_value().split(" ")[0] == backbone


def still_answers(page) -> None:
    """tiny, as before, scores another caption."""
    eventually(page, lambda: assert_running(page, "tiny"))
    write_caption(page, "a bus in a street")
    eventually(page, lambda: assert_score(page, "0.1", above=False))


def test_a_download_can_be_declined_or_cancelled(page, hub):
    choose(page, WANTED)
    page.locator("#keep").click()
    eventually(page, lambda: assert_running(page, "tiny"))
    hub.faults["open_clip_model.safetensors"] = "hang"
    choose(page, WANTED)
    page.locator("#fetch").click()
    eventually(page, lambda: assert_told(page, "Downloading"))
    page.locator("#cancel").click()
    eventually(page, lambda: assert_told(page, "cancelled"))
    still_answers(page)


WRONG = (
    (WANTED, "hang", "connection was lost"),
    (WANTED, "wrong", "sha256 differs"),
    (WANTED, "huge", "GB of memory"),
    ("hf-hub:org/nothing", None, "org/nothing"),
    ("no-such/backbone", None, "no-such/backbone"),
    ("local-dir:/nowhere", None, "/nowhere"),
)


def test_what_goes_wrong_is_one_sentence_and_the_old_one_answers(page, hub, is_sentence):
    for backbone, fault, words in WRONG:
        hub.faults.clear()
        if fault:
            hub.faults["open_clip_model.safetensors"] = fault
        choose(page, backbone)
        if fault:
            page.locator("#fetch").click()
        eventually(page, lambda words=words: assert_over(page, words))
        assert is_sentence(told(page))
        assert notices(page) == []
        eventually(page, lambda: assert_running(page, "tiny"))
    still_answers(page)


def assert_over(page, words: str) -> None:
    assert words in told(page)
    assert not any(word in told(page) for word in ("Loading", "Downloading", "Looking", "Asking"))
    assert page.locator("#cancel").count() == 0 or page.locator("#cancel").is_hidden()


def test_own_labels_are_on_the_board_and_marked_or_reported(page):
    assert_marked(page)
    assert_reported(page)


def assert_marked(page) -> None:
    photo = SCENES / "harbour.webp"
    page.locator("#photo input[type=file]").set_input_files(photo)
    page.locator("#own-labels").locator("input, textarea").fill("lighthouse, ${7*7}, dog, <b>x</b>")
    expected = clipdemo.load("tiny", device="cpu").zero_shot(["lighthouse", "${7*7}", "<b>x</b>"])
    scores = expected.predict(photo, "a dog on a bench").scores

    def assert_rows() -> None:
        board = read(page)
        assert len(board) == 18 + 3
        for mode, row in scores.items():
            for label, score in row.items():
                assert float(board[label][mode][0] or -1) == pytest.approx(score, abs=1e-4)

    eventually(page, assert_rows)
    marked = page.locator("#board .zero-shot").evaluate_all(
        "rows => rows.map(r => r.dataset.label)"
    )
    assert set(marked) == {"lighthouse", "${7*7}", "<b>x</b>"}
    page.locator("#own-labels").locator("input, textarea").fill("")
    eventually(page, lambda: assert_count(page, 18))


def assert_reported(page) -> None:
    """Those that cannot be scored; the others are there."""
    box = page.locator("#own-labels").locator("input, textarea")
    for text, count, said in (
        ("Kite, kite, KITE", 19, ""),
        (", ".join(f"thing {i}" for i in range(200)), 38, "first 20 of these 200 labels"),
        (f"kite, {'x' * 300}", 19, "over 60 characters"),
    ):
        box.fill(text)
        eventually(page, lambda count=count: assert_count(page, count))
        assert said in page.locator("#board .notice").inner_text()
    box.fill("")
    eventually(page, lambda: assert_count(page, 18))


def assert_count(page, count: int) -> None:
    assert len(read(page)) == count


def test_a_missing_one_is_downloaded_on_confirmation_and_then_used(page, vit_folder):
    choose(page, WANTED)
    page.locator("#fetch").wait_for()
    assert "MB" in told(page)
    assert page.locator("#head .badge").inner_text() == "tiny"
    page.locator("#fetch").click()
    eventually(page, lambda: assert_running(page, WANTED))
    expected = clipdemo.load(f"local-dir:{vit_folder}", device="cpu")
    scores = expected.predict(None, "a dog on a bench").scores["text"]

    def assert_scores() -> None:
        board = read(page)
        for label, score in scores.items():
            assert float(board[label]["text"][0] or -1) == pytest.approx(score, abs=1e-4)

    eventually(page, assert_scores)
    assert "uncalibrated" in page.locator("#board").inner_text()
    choose(page, "tiny")
    still_answers(page)


def test_the_list_shows_width_size_and_state(page):
    """The loopback hub has none of the offered ones; tiny is bundled."""
    page.locator("#backbone input").click()

    def assert_listed() -> None:
        listed = page.locator("#backbone [role=option]").all_inner_texts()
        assert len(listed) == len(OFFERS)
        for text, offer in zip(listed, OFFERS, strict=True):
            state = "bundled" if offer.id == "tiny" else "not reachable"
            assert offer.id in text
            assert f"{offer.width} wide" in text
            assert "MB" in text
            assert state in text

    eventually(page, assert_listed)


def test_a_start_with_an_unavailable_one_says_so_on_the_page(visitor, tmp_path, monkeypatch):
    """The page still works, and another backbone can be chosen."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{nobody.getsockname()[1]}")
        monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
        with serving(tmp_path, ("app.py", "--backbone", "ViT-L-14-quickgelu/openai")) as (url, _):
            page = visitor.new_page()
            visit(page, url)
            eventually(page, lambda: assert_notice(page, "cannot be reached"))
            choose(page, "tiny")
            eventually(page, lambda: assert_running(page, "tiny"))
            write_caption(page, "a dog on a bench")
            eventually(page, lambda: assert_score(page, "0.5", above=True))


def assert_notice(page, words: str) -> None:
    assert any(words in notice for notice in notices(page))
