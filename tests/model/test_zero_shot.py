"""Zero-shot heads: any labels by name, each on its own, and never presented as trained."""

import json

import numpy as np
import pytest
import torch

import clipdemo
from clipdemo.errors import LabelError
from clipdemo.inputs.labels import COCO18
from clipdemo.model.heads import MeanHead, SigmoidHead, ZeroShotHead
from clipdemo.model.zero_shot import BACKGROUND, TEMPLATES, prompts


def unit(rows: np.ndarray) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.from_numpy(rows.astype(np.float32)), dim=-1)


def test_a_score_is_the_softmax_over_the_label_and_the_background():
    rng = np.random.default_rng(0)
    label, background, photo = (unit(rng.normal(size=(n, 8))) for n in (3, 4, 5))
    scores = torch.sigmoid(ZeroShotHead(label, background, 20.0)(photo))
    for row in range(5):
        for column in range(3):
            logits = 20 * photo[row] @ torch.cat([label[column, None], background]).T
            assert scores[row, column].item() == pytest.approx(
                logits.softmax(0)[0].item(), abs=1e-6
            )


def test_a_score_does_not_depend_on_the_other_labels(tiny):
    alone = tiny.zero_shot(["dog"]).predict(None, "a dog runs").scores["text"]["dog"]
    among = tiny.zero_shot(["cat", "dog", "wolf", "puppy"]).predict(None, "a dog runs")
    assert among.scores["text"]["dog"] == pytest.approx(alone, abs=1e-5)


def test_both_is_the_mean_of_the_two_logits():
    rng = np.random.default_rng(1)
    label, background, photo, caption = (unit(rng.normal(size=(n, 8))) for n in (3, 4, 5, 5))
    image, text = SigmoidHead(label, 20.0, -9.0), ZeroShotHead(label, background, 20.0)
    both = MeanHead(image, text)(torch.cat([photo, caption], 1))
    torch.testing.assert_close(both, (image(photo) + text(caption)) / 2)


def test_it_finds_what_a_caption_names(tiny):
    """On the bundled backbone: the named thing above the others, each time."""
    names = ["dog", "bus", "horse", "boat"]
    zero_shot = tiny.zero_shot(names)
    for name in names:
        scores = zero_shot.predict(None, f"there is a {name} outside").scores["text"]
        assert max(scores, key=scores.get) == name


def test_it_shares_the_embeddings_of_the_classifier_it_came_from(tiny, photos, calls):
    tiny.predict(photos[3], "seen by the trained heads")
    seen = calls(tiny.backbone.model.visual)
    found = tiny.zero_shot(["skateboard", "red bus"]).predict(
        photos[3], "seen by the trained heads"
    )
    assert set(found.scores) == {"image", "text", "concat"}
    assert seen == []


def test_a_backbone_without_heads_gets_zero_shot_ones(vit_folder, photos):
    classifier = clipdemo.load(f"local-dir:{vit_folder}", device="cpu")
    found = classifier.predict(photos[0])
    assert found.head == "zero-shot"
    assert list(found.scores) == ["image"]
    assert list(found.scores["image"]) == list(COCO18.names)
    assert set(found.thresholds["image"].values()) == {0.5}


def test_own_labels_can_be_loaded():
    classifier = clipdemo.load("tiny", labels=[" red  bus ", "skateboard", "red bus"], device="cpu")
    assert classifier.card.labels.names == ("red bus", "skateboard")
    found = classifier.predict(None, "a skateboard").to_dict()
    assert found["head"] == "zero-shot"
    assert "uncalibrated" in classifier.card.content["summary"]
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize("names", [[], ["", " \t"], [f"thing {i}" for i in range(21)], ["x" * 61]])
def test_none_too_many_or_too_long_are_refused(tiny, is_sentence, names):
    with pytest.raises(LabelError) as caught:
        tiny.zero_shot(names)
    assert is_sentence(caught.value)


def test_labels_that_differ_only_in_case_are_one(tiny):
    assert tiny.zero_shot(["Kite", "kite", "KITE", "fox"]).card.labels.names == ("Kite", "fox")


def test_more_labels_follow_a_classifiers_own_and_change_nothing_about_them(tiny, photos):
    more = tiny.extended(["kite", "red bus"])
    assert more.card.labels.names == (*COCO18.names, "kite", "red bus")
    whole = more.predict(photos[0], "a kite over a beach")
    own, extra = (
        classifier.predict(photos[0], "a kite over a beach")
        for classifier in (tiny, tiny.zero_shot(["kite", "red bus"]))
    )
    for mode, scores in whole.scores.items():
        assert scores == own.scores[mode] | extra.scores[mode]
        assert whole.thresholds[mode] == own.thresholds[mode] | {"kite": 0.5, "red bus": 0.5}
    assert set(whole.labels("concat", "recall", recall=0.8)) >= set(
        own.labels("concat", "recall", recall=0.8)
    )


def test_prompts_name_the_label_with_its_article():
    assert len(prompts("dog")) == len(TEMPLATES)
    assert all("a dog" in p for p in prompts("dog"))
    assert all("an umbrella" in p for p in prompts("umbrella"))
    assert not any("{" in p for p in (*prompts("cat"), *BACKGROUND))
