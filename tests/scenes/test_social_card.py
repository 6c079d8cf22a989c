"""The social card: the committed picture is the one that the code draws."""

import numpy as np
from PIL import Image
from support.paths import ROOT

from clipdemo.scenes.social_card import SIZE, social_card


def test_the_committed_card_matches_the_code():
    drawn = social_card()
    assert drawn.size == SIZE
    with Image.open(ROOT / "assets" / "social.png") as committed:
        difference = np.abs(np.asarray(drawn, float) - np.asarray(committed.convert("RGB"), float))
    assert difference.mean() < 1  # letters may be drawn a little differently elsewhere
