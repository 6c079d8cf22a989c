"""Requirements that every captioner must meet."""

from collections.abc import Callable

import pytest

from clipdemo.errors import CaptionerError
from clipdemo.inputs.captions import clean_caption
from clipdemo.model.captioners.captioner import Captioner, distinct
from clipdemo.model.captioners.choice import load_captioner


@pytest.fixture
def refused(is_sentence) -> Callable[[object], str]:
    """Loads a captioner by its name or folder, which must fail, and gives the sentence."""

    def load(name: object) -> str:
        with pytest.raises(CaptionerError) as caught:
            load_captioner(str(name), device="cpu")
        assert is_sentence(caught.value), caught.value
        return str(caught.value)

    return load


@pytest.fixture
def suggests_three(photos) -> Callable[[Captioner], None]:
    """Checks that a captioner gives three different cleaned captions, or the requested number."""

    def check(captioner: Captioner) -> None:
        for photo in photos:
            captions = captioner.suggest(photo)
            assert len(captions) == 3
            assert distinct(captions) == captions
            assert [clean_caption(c) for c in captions] == captions
        assert len(captioner.suggest(photos[0], 1)) == 1

    return check
