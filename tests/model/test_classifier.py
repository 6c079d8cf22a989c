"""The classifier: the same scores for any form of input, and nothing invented or done twice."""

import io
import json
import threading

import numpy as np
import pytest
from PIL import Image

import clipdemo
from clipdemo.errors import CheckpointError, PhotoError
from clipdemo.inputs.labels import ALL_MODES
from clipdemo.model.thresholds import RULES, decide

CAPTIONS = ["a dog on a bench", "two buses", "", "a cat sleeps on a red sofa"]


@pytest.fixture(scope="module")
def small(vit_folder, write_heads, tmp_path_factory):
    """A classifier with random heads on a small vision transformer."""
    folder = tmp_path_factory.mktemp("heads")
    write_heads(folder, f"local-dir:{vit_folder}", 32)
    return clipdemo.load("auto", checkpoint=folder, device="cpu")


@pytest.fixture(params=["small", "tiny"])
def classifier(request):
    return request.getfixturevalue(request.param)


def assert_same(one: clipdemo.Prediction, other: clipdemo.Prediction) -> None:
    assert one.scores.keys() == other.scores.keys()
    for mode, scores in one.scores.items():
        assert list(scores) == list(other.scores[mode])
        for name, score in scores.items():
            assert score == pytest.approx(other.scores[mode][name], abs=1e-4), (mode, name)


def test_a_batch_is_the_same_as_one_by_one(fresh, photos, vit_folder, resnet_folder):
    """Every mix of nothing, photo, caption and both, with new models, so that nothing is cached
    from the batch."""
    inputs = [(p, c) for p in [None, *photos] for c in [None, *CAPTIONS]]
    columns = list(zip(*inputs, strict=True))
    for folder in (vit_folder, resnet_folder):
        batch = fresh(ALL_MODES, folder).predict_batch(*columns)
        alone = fresh(ALL_MODES, folder)
        for (photo, caption), found in zip(inputs, batch, strict=True):
            assert_same(found, alone.predict(photo, caption))


def test_a_large_batch_is_the_same_as_one_by_one(photos, tiny):
    """More rows than are encoded at once, on the bundled model."""
    many = [photos[i % 4].rotate(i, expand=False) for i in range(40)]
    captions = [f"{i} dogs" if i % 3 else None for i in range(40)]
    batch = clipdemo.load("tiny", device="cpu").predict_batch(many, captions)
    for i in (0, 1, 31, 32, 39):
        assert_same(batch[i], tiny.predict(many[i], captions[i]))


def test_scores_are_those_of_backbone_head_and_temperature(small, photos):
    """Computed here from the parts, without the classifier."""
    import torch

    heads = clipdemo.model.checkpoints.load_heads(small.card, small.backbone.id, 32)
    image = torch.from_numpy(small.backbone.encode_photos(photos[:1]))
    text = torch.from_numpy(small.backbone.encode_captions(["a dog"]))
    inputs = {"image": image, "text": text, "concat": torch.cat([image, text], 1)}
    found = small.predict(photos[0], "a dog").scores
    assert list(found) == ["image", "text", "concat"]
    for mode, x in inputs.items():
        with torch.inference_mode():
            expected = torch.sigmoid(heads[mode](x) / 1.25)[0].tolist()
        assert list(found[mode].values()) == pytest.approx(expected, abs=1e-5)
        assert list(found[mode]) == ["dog", "cat", "red bus", "tree"]


@pytest.mark.parametrize(
    ("with_photo", "caption", "modes"),
    [
        (True, "a dog", {"image", "text", "concat"}),
        (True, None, {"image"}),
        (False, "a dog", {"text"}),
        (False, None, set()),
        (True, " \n\t\u200b", {"image"}),
        (True, "", {"image"}),
        (False, "  ", set()),
    ],
)
def test_a_mode_without_its_input_is_absent(classifier, photos, with_photo, caption, modes):
    """A blank caption counts as none: it must not be scored as if it had content."""
    found = classifier.predict(photos[0] if with_photo else None, caption)
    assert set(found.scores) == set(found.thresholds) == modes
    assert set(found.to_dict()["labels"]) == modes
    for scores in found.scores.values():
        assert all(0 <= s <= 1 for s in scores.values())
    for mode in {"image", "text", "concat"} - modes:
        with pytest.raises(KeyError):
            found.labels(mode)


def test_path_bytes_and_image_give_the_same(classifier, photos, png, tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(png(photos[0]))
    first = classifier.predict(path)
    for same in (str(path), path.read_bytes(), photos[0], Image.open(path)):
        assert_same(classifier.predict(same), first)
    other = classifier.predict(photos[1]).scores["image"]
    assert other != first.scores["image"]


def test_a_photo_given_twice_is_encoded_once(fresh, photos, png, calls):
    classifier = fresh()
    encoded = calls(classifier.backbone.model.visual)
    classifier.predict_batch([photos[0], photos[1], photos[0], None], [None] * 4)
    assert sum(encoded) == 2
    classifier.predict(photos[1], "a dog")
    assert sum(encoded) == 2
    classifier.predict(png(photos[2]))
    classifier.predict(png(photos[2]), "a cat")
    assert sum(encoded) == 3


def test_a_caption_given_twice_is_encoded_once(fresh, calls):
    classifier = fresh()
    encoded = calls(classifier.backbone.model.ln_final)
    classifier.predict_batch([None] * 3, ["a dog", "a cat", " a dog "])
    classifier.predict(None, "a cat")
    assert sum(encoded) == 2


def palette_image(colour: tuple[int, int, int]) -> Image.Image:
    image = Image.new("P", (64, 64), 0)
    image.putpalette(list(colour) * 256)
    return image


def test_images_that_differ_only_in_their_palette_are_told_apart(tiny):
    red, blue = tiny.predict_batch(
        [palette_image((255, 0, 0)), palette_image((0, 0, 255))], [None] * 2
    )
    assert red.scores != blue.scores
    assert_same(blue, tiny.predict(Image.new("RGB", (64, 64), (0, 0, 255))))


def test_images_that_differ_only_in_their_orientation_are_told_apart(tiny, photos):
    exif = Image.Exif()
    exif[0x0112] = 6
    upright, turned = io.BytesIO(), io.BytesIO()
    photos[2].save(upright, "PNG")
    photos[2].save(turned, "PNG", exif=exif)
    first = tiny.predict(Image.open(upright))
    second = tiny.predict(Image.open(turned))
    assert first.scores != second.scores
    assert_same(second, tiny.predict(turned.getvalue()))


def test_a_damaged_image_is_a_photo_error(small, photos, png, is_sentence):
    """In any form: bytes, an image that Pillow opened but cannot decode, or a path."""
    cut = png(photos[0])[:2000]
    for photo in (cut, Image.open(io.BytesIO(cut)), b"no photo", "nowhere.png"):
        with pytest.raises(PhotoError) as caught:
            small.predict(photo)
        assert is_sentence(caught.value)


def test_the_inputs_of_a_batch_must_pair_up(small, photos):
    with pytest.raises(ValueError, match="4 photos but 1 captions"):
        small.predict_batch(photos, ["a dog"])
    assert small.predict_batch([], []) == []


def test_to_dict_is_json(classifier, photos):
    found = classifier.predict(photos[0], "a dog “quoted” & <b>").to_dict()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["backbone"] == classifier.backbone.id
    assert set(found["scores"]) == set(found["thresholds"]) == set(found["labels"])


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("mode", ["image", "text", "concat"])
def test_labels_are_those_of_the_rule_best_first(classifier, photos, mode, rule):
    found = classifier.predict(photos[1], "a dog and a bus")
    names = list(found.scores[mode])
    values = np.array([list(found.scores[mode].values())])
    entry = classifier.card.modes[mode]
    if rule == "recall" and "recall" not in entry:
        with pytest.raises(clipdemo.CheckpointError, match="no thresholds for a recall"):
            found.labels(mode, rule)
        return
    tuned = np.array(entry["recall"]["0.90"] if rule == "recall" else entry["thresholds"])
    on = decide(values, rule, threshold=0.4, tuned=tuned, k=2)[0]
    labels = found.labels(mode, rule, threshold=0.4, k=2)
    assert set(labels) == {name for name, is_on in zip(names, on, strict=True) if is_on}
    ranks = [found.scores[mode][name] for name in labels]
    assert ranks == sorted(ranks, reverse=True)
    if rule == "tuned":
        assert labels == found.labels(mode) == found.to_dict()["labels"][mode]


@pytest.mark.parametrize("modes", [("image",), ("text",), ("concat",), ("text", "mutan")], ids=str)
def test_heads_of_some_modes_only(fresh, photos, calls, modes):
    classifier = fresh(modes)
    images = calls(classifier.backbone.model.visual)
    texts = calls(classifier.backbone.model.ln_final)
    assert classifier.modes == list(classifier.predict(photos[0], "a dog").scores) == list(modes)
    assert bool(images) == (modes != ("text",)), "what no head reads is not encoded"
    assert bool(texts) == (modes != ("image",))


def test_heads_of_another_backbone_are_refused(vit_folder, resnet_folder, write_heads, tmp_path):
    """The two have the same width."""
    write_heads(tmp_path, f"local-dir:{vit_folder}", 32)
    with pytest.raises(CheckpointError, match="not local-dir:"):
        clipdemo.load(f"local-dir:{resnet_folder}", checkpoint=tmp_path, device="cpu")


def test_a_caption_that_is_cut_is_reported(tiny, fresh, is_sentence):
    long = "a dog and a cat " * 30
    assert tiny.too_long(None) is tiny.too_long("a dog on a bench") is None
    assert is_sentence(tiny.too_long(long))
    assert "tiny" in tiny.too_long(long)
    assert fresh(("image",)).too_long(long) is None, "no head reads it"


def test_threads_get_the_same_as_one(fresh, photos):
    """A page serves several users at once."""
    classifier, alone = fresh(), fresh()
    found = {}

    def ask(i):
        found[i] = classifier.predict(photos[i % 4], f"{i} dogs")

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i in range(12):
        assert_same(found[i], alone.predict(photos[i % 4], f"{i} dogs"))


def test_unseen_parts_of_a_photo_are_reported_for_that_photo_only(tiny, photos, png, tmp_path):
    wide, plain = png(photos[0].resize((300, 100))), png(photos[0].resize((100, 100)))
    (tmp_path / "wide.png").write_bytes(wide)
    assert tiny.notice(None) is None
    tiny.predict_batch([wide, plain], ["a dog", None])
    for photo in (wide, tmp_path / "wide.png"):
        assert "3.0 times as wide as it is high" in tiny.notice(photo)
    assert tiny.notice(plain) is None


def test_other_labels_use_the_backbone_of_a_checkpoint(tmp_path, vit_folder, write_heads):
    backbone = f"local-dir:{vit_folder}"
    write_heads(tmp_path / "heads", backbone, 32)
    classifier = clipdemo.load(checkpoint=tmp_path / "heads", labels=["red bus"], device="cpu")
    assert classifier.backbone.id == backbone
    assert classifier.card.labels.names == ("red bus",)
