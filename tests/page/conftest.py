"""Real servers for all tests here, and a newly opened page for each."""

import pytest
from support.driver import serving, visit


@pytest.fixture(scope="session")
def url(tmp_path_factory):
    """Address of a running app whose model is loaded."""
    from gradio_client import Client

    with serving(tmp_path_factory.mktemp("server")) as (address, _):
        Client(address, verbose=False).predict(None, "a dog", api_name="/predict")
        yield address


@pytest.fixture(scope="session")
def opening_url(tmp_path_factory):
    """Address of an app whose page opens with a scene, as it does without any settings."""
    with serving(tmp_path_factory.mktemp("opening"), CLIPDEMO_START="crossing") as (address, _):
        yield address


@pytest.fixture
def page(visitor, url):
    """The newly opened page."""
    tab = visitor.new_page()
    visit(tab, url)
    return tab
