"""The README's figures are those of the shipped card, with their intervals."""

from support.paths import ROOT

from clipdemo.hub.catalog import CHECKPOINTS
from clipdemo.model.checkpoints import read_card
from clipdemo.tiny.measure import END, START, figures


def test_the_readme_has_the_figures_of_the_card_that_is_shipped():
    text = (ROOT / "README.md").read_text("utf-8")
    block = text.partition(START)[2].partition(END)[0]
    assert block.strip() == figures(read_card(CHECKPOINTS / "tiny"))


def test_each_figure_lies_in_its_interval():
    photos = read_card(CHECKPOINTS / "tiny").content["metrics"]["photos"]
    for mode, found in photos["intervals"]["modes"].items():
        for name, (low, high) in found.items():
            assert low < photos["modes"][mode][name] < high
