"""One real server and one real browser for all tests here, and a fresh visitor for each."""

import shutil

import pytest

import clipdemo

from .driver import PATIENCE, serving, visit

SYSTEM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="session")
def browser():
    """The system's Chromium, else Playwright's own; without either the tests are skipped."""
    api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    found = next(filter(None, map(shutil.which, SYSTEM)), None)
    with api.sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(executable_path=found, args=ARGS)
        except api.Error as error:
            reason = str(error).strip().splitlines()[0]
            pytest.skip(f"no Chromium to drive the page with: {reason}")
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def url(tmp_path_factory):
    """Address of a running app whose model is loaded."""
    from gradio_client import Client

    with serving(tmp_path_factory.mktemp("server")) as (address, _):
        Client(address, verbose=False).predict(None, "a dog", api_name="/predict")
        yield address


@pytest.fixture(scope="session")
def classifier():
    """The same classifier in this process: what the page must show."""
    return clipdemo.load("auto")


@pytest.fixture
def visitor(browser):
    """Opens tabs of one fresh visitor; fails the test when a script of the page fails."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE * 1000)
    failures = []
    context.on("weberror", lambda error: failures.append(str(error.error)))
    yield context
    context.close()
    assert failures == []


@pytest.fixture
def page(visitor, url):
    """The page, just opened."""
    tab = visitor.new_page()
    visit(tab, url)
    return tab
