"""What the tests of the Inspect tab share: its opened tab, and what it must show."""

import pytest
from support.driver import open_inspect

from clipdemo.inspection.scored_table import ScoredTable


@pytest.fixture(scope="module")
def drawn(classifier, tmp_path_factory):
    """The predictions that the tab must show: the drawn scenes', made in this process."""
    table = ScoredTable(classifier.card, "", "", tmp_path_factory.mktemp("drawn"))
    return table.predictions(lambda: classifier)


@pytest.fixture
def tab(page):
    """The tab, opened, with its first photos."""
    open_inspect(page)
    return page
