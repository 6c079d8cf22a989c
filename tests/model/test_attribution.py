"""Explanations: effects of words and regions equal those of leaving each out by itself."""

import json
from itertools import count

import numpy as np
import pytest
from PIL import Image

import clipdemo
from clipdemo.errors import ClipdemoError, PhotoError
from clipdemo.model import attribution
from clipdemo.page.compare.words_and_regions import words_of
from clipdemo.scenes import random_scene

CAPTION = "Two dogs, one “brown” bus & a tree"
SPOKEN = CAPTION.split()


@pytest.fixture(params=["vit_folder", "resnet_folder", "tiny"])
def load(request, fresh):
    """Loads a new classifier of a small vision transformer, of a small ResNet, or `tiny`."""
    if request.param == "tiny":
        return lambda: clipdemo.load("tiny", device="cpu")
    folder = request.getfixturevalue(request.param)
    return lambda: fresh(folder=folder)


@pytest.fixture
def cropping(vit_folder, tmp_path):
    """Changes how a small CLIP makes a photo square."""

    def write(mode: str):
        changed = tmp_path / mode
        changed.mkdir()
        for path in vit_folder.iterdir():
            (changed / path.name).write_bytes(path.read_bytes())
        config = json.loads((changed / "open_clip_config.json").read_text())
        config["preprocess_cfg"]["resize_mode"] = mode
        (changed / "open_clip_config.json").write_text(json.dumps(config))
        return changed

    return write


def test_words_equal_captions_without_them_that_are_scored_alone(load, photos):
    classifier, alone = load(), load()
    found = attribution.words(classifier, photos[0], CAPTION)
    assert [word.word for word in found] == SPOKEN
    before = alone.predict(photos[0], CAPTION).scores
    for i, word in enumerate(found):
        after = alone.predict(photos[0], " ".join(SPOKEN[:i] + SPOKEN[i + 1 :])).scores
        assert set(word.effects) == set(classifier.modes) - {"image"}
        for mode, effects in word.effects.items():
            for label, effect in effects.items():
                assert effect == pytest.approx(before[mode][label] - after[mode][label], abs=1e-4)


def test_words_are_encoded_in_one_batch_and_once(fresh, photos, calls):
    classifier = fresh()
    texts, images = (
        calls(classifier.backbone.model.ln_final),
        calls(classifier.backbone.model.visual),
    )
    attribution.words(classifier, photos[0], CAPTION)
    assert texts == [len(SPOKEN) + 1]
    assert images == [1]
    attribution.words(classifier, photos[0], f" {CAPTION}\n")
    assert (texts, images) == ([len(SPOKEN) + 1], [1])


def test_the_only_word_of_a_caption_has_no_effect_of_its_own(tiny, photos):
    """Without it there is no caption, so text and concat have no score to compare with."""
    assert attribution.words(tiny, photos[0], "dog") == [attribution.Word("dog", True, {})]
    assert attribution.words(tiny, photos[0], " ") == attribution.words(tiny, photos[0], None) == []


def test_words_beyond_what_the_backbone_reads_are_named_and_not_scored(tiny):
    caption = "a dog and a cat " * 40
    found = attribution.words(tiny, None, caption)
    assert len(found) == 200
    read = [word for word in found if word.read]
    assert 20 < len(read) < 45
    assert found[: len(read)] == read
    assert all(set(word.effects) == {"text"} for word in read), "there is no photo"
    assert all(word.effects == {} for word in found[len(read) :])
    before = tiny.predict(None, caption).scores["text"]["dog"]
    after = tiny.predict(None, caption.replace("dog ", "", 1)).scores["text"]["dog"]
    assert read[1].effects["text"]["dog"] == pytest.approx(before - after, abs=1e-4)


def by_hand(classifier, photo, caption, mode, label) -> np.ndarray:
    """The map, with each covered photo encoded alone."""
    backbone, cells, side = classifier.backbone, attribution.CELLS, attribution.SIDE
    cut = np.asarray(backbone.cut(photo))
    edges = [round(i * len(cut) / cells) for i in range(cells + 1)]
    before = classifier.predict(photo, caption).scores[mode][label]
    effects = np.zeros((cells, cells))
    for top in range(cells - side + 1):
        for left in range(cells - side + 1):
            pixels = cut.copy()
            place = np.s_[edges[top] : edges[top + side], edges[left] : edges[left + side]]
            pixels[place] = cut.reshape(-1, 3).mean(0).round()
            after = classifier.predict(Image.fromarray(pixels), caption).scores[mode][label]
            for y in range(top, top + side):
                for x in range(left, left + side):
                    effects[y, x] += (before - after) / side**2
    return effects


def test_regions_equal_covered_photos_that_are_scored_alone(load, photos):
    classifier, alone = load(), load()
    photo, label = photos[0], classifier.card.labels.names[0]
    for mode in set(classifier.modes) - {"text"}:
        found = attribution.regions(classifier, photo, CAPTION, mode, label)
        score = alone.predict(photo, CAPTION).scores[mode][label]
        assert found.score == pytest.approx(score, abs=1e-4)
        expected = by_hand(alone, photo, CAPTION, mode, label)
        np.testing.assert_allclose(found.effects, expected, rtol=0, atol=1e-4)


def test_a_photo_is_covered_once_for_every_label_mode_and_caption(fresh, photos, calls):
    classifier = fresh()
    images = calls(classifier.backbone.model.visual)
    seen = []
    attribution.regions(
        classifier, photos[0], None, "image", "dog", lambda *step: seen.append(step)
    )
    total = len(attribution.windows())
    assert sum(images) == total + 1
    assert seen[0] == (0, total)
    assert seen[-1] == (total, total)
    attribution.regions(classifier, photos[0], None, "image", "cat")
    attribution.regions(classifier, photos[0], "a dog", "concat", "tree")
    assert sum(images) == total + 1


def test_it_can_be_cancelled_and_resumes(fresh, photos, calls):
    classifier = fresh()
    images = calls(classifier.backbone.model.visual)

    class Enough(Exception):
        pass

    def watch(done: int, total: int) -> None:
        if done:
            raise Enough

    with pytest.raises(Enough):
        attribution.regions(classifier, photos[0], None, "image", "dog", watch)
    assert sum(images) == attribution.BATCH
    attribution.regions(classifier, photos[0], None, "image", "dog")
    assert sum(images) == len(attribution.windows()) + 1


@pytest.mark.parametrize(
    ("mode", "seen"),
    [
        ("squash", (0, 0, 1, 1)),
        ("shortest", (1 / 3, 0, 2 / 3, 1)),
        ("longest", (0, -1, 1, 2)),
    ],
)
def test_the_map_lies_where_the_backbone_looks(fresh, cropping, mode, seen):
    """Of a wide photo, the backbone sees a centre crop, or all of it, padded or squashed."""
    classifier = fresh(folder=cropping(mode))
    wide = Image.new("RGB", (300, 100), "white")
    left, top, right, bottom = (200 + 25, 25, 200 + 75, 75)
    assert attribution.regions(classifier, wide, None, "image", "dog").seen == pytest.approx(seen)
    wide.paste((0, 0, 0), (left, top, right, bottom))
    cut = np.asarray(classifier.backbone.cut(wide)).min(2)
    x = ((left + right) / 2 / 300 - seen[0]) / (seen[2] - seen[0]) * cut.shape[1]
    y = (0.5 - seen[1]) / (seen[3] - seen[1]) * cut.shape[0]
    if 0 <= x < cut.shape[1]:
        assert cut[int(y), int(x)] < 60
    else:
        assert cut.min() > 200


def test_the_hottest_cell_is_given_in_fractions_of_the_photo():
    effects = np.zeros((attribution.CELLS, attribution.CELLS))
    effects[2, 5] = 0.5
    found = attribution.Regions("image", "dog", 0.9, (0.25, 0, 0.75, 1), effects)
    [(effect, box)] = found.hottest()
    assert effect == 0.5
    assert box == pytest.approx((0.25 + 0.5 * 5 / 8, 2 / 8, 0.25 + 0.5 * 6 / 8, 3 / 8))


def test_the_hottest_cell_lies_on_the_object(tiny):
    """Its middle does, in most drawn scenes of one object that the image mode finds."""
    on_it = []
    for scene in map(random_scene, count()):
        if len(scene.objects) != 1:
            continue
        [(label, (left, top, right, bottom))] = scene.objects
        if label not in tiny.predict(scene.image).labels("image"):
            continue
        [(_, cell)] = attribution.regions(tiny, scene.image, None, "image", label).hottest()
        x, y = (cell[0] + cell[2]) / 2, (cell[1] + cell[3]) / 2
        on_it.append(left <= x <= right and top <= y <= bottom)
        if len(on_it) == 6:
            break
    assert sum(on_it) >= 5


@pytest.mark.parametrize(
    ("mode", "label", "caption"),
    [
        ("text", "dog", "a dog"),
        (None, "dog", "a dog"),
        ("image", None, None),
        ("concat", "dog", " "),
    ],
)
def test_what_cannot_be_mapped_is_one_sentence(tiny, photos, is_sentence, mode, label, caption):
    with pytest.raises(ClipdemoError) as refused:
        attribution.regions(tiny, photos[0], caption, mode, label)
    assert is_sentence(refused.value)


def test_a_bad_photo_is_a_photo_error(tiny):
    for ask in (
        lambda: attribution.regions(tiny, b"no photo", None, "image", "dog"),
        lambda: attribution.words(tiny, b"no photo", "a dog"),
        lambda: attribution.fit(tiny, b"no photo", "a dog"),
    ):
        with pytest.raises(PhotoError):
            ask()


def test_fit_is_the_cosine_placed_among_the_cards_pairs(tiny, photos):
    photo, caption = photos[0], "a dog on a bench"
    image = tiny.backbone.encode_photos([photo])[0]
    text = tiny.backbone.encode_captions([caption])[0]
    found = attribution.fit(tiny, photo, caption)
    assert found.similarity == pytest.approx(float(image @ text), abs=1e-4)
    line = np.array(tiny.card.content["fit"]["matching"])
    assert found.better_than == pytest.approx((line < found.similarity).mean(), abs=0.011)
    assert attribution.fit(tiny, None, caption) is None
    assert attribution.fit(tiny, photo, " ") is None


def test_without_measured_pairs_the_fit_is_not_placed(fresh, photos):
    found = attribution.fit(fresh(), photos[0], "a dog")
    assert -1 <= found.similarity <= 1
    assert found.better_than is None


def test_the_cards_percentiles_are_those_of_the_pairs():
    """Matching pairs are similar, and each photo's mismatched caption is from another one."""
    random = np.random.default_rng(0)
    image = random.normal(size=(50, 8)).astype(np.float32)
    image /= np.linalg.norm(image, axis=1, keepdims=True)
    found = attribution.fit_of_pairs(image, image)
    assert found["n"] == 50
    assert found["matching"] == pytest.approx([1] * 101, abs=1e-4)
    others = [float(image[i] @ image[(i + 25) % 50]) for i in range(50)]
    assert found["mismatched"][50] == pytest.approx(float(np.median(others)), abs=1e-4)
    assert found["mismatched"] == sorted(found["mismatched"])


def test_on_the_command_line(clipdemo_cli, tiny, photos, tmp_path, is_sentence):
    photos[0].save(tmp_path / "photo.png")
    photo, caption = tmp_path / "photo.png", "a dog on a bench"
    code, out, _ = clipdemo_cli(
        "explain", photo, "--caption", caption, "--label", "dog", "--mode", "concat", "--json"
    )
    assert code == 0
    found = json.loads(out)
    words = attribution.words(tiny, photo, caption)
    assert [word["word"] for word in found["words"]] == caption.split()
    for word, expected in zip(found["words"], words, strict=True):
        assert word["effect"] == pytest.approx(expected.effects["concat"]["dog"], abs=1e-4)
    regions = attribution.regions(tiny, photo, caption, "concat", "dog")
    np.testing.assert_allclose(found["regions"]["effects"], regions.effects, rtol=0, atol=1e-4)
    assert found["hottest"][0]["box"] == pytest.approx(regions.hottest()[0][1])
    assert clipdemo_cli("explain", photo)[0] == 0
    for wrong in (["--label", "dragon"], ["--mode", "text"], ["--mode", "text\n"]):
        code, out, err = clipdemo_cli("explain", photo, *wrong)
        assert (code, out) == (2, "")
        assert is_sentence(err)
    assert clipdemo_cli("explain")[0] == 2


def test_the_panel_has_own_labels_and_passes_over_a_bad_photo(tiny, photos, tmp_path):
    """The board reports that the photo cannot be read."""
    bad, good = tmp_path / "bad.png", tmp_path / "good.png"
    bad.write_bytes(b"no photo")
    photos[0].save(good)
    found = words_of(tiny, bad, "a red bus", "umbrella; dog")
    assert "fit" not in found
    assert [list(word["effects"]) for word in found["words"]] == [["text"]] * 3
    assert list(found["words"][0]["effects"]["text"]) == [*tiny.card.labels.names, "umbrella"]
    found = words_of(tiny, good, "a red bus", None)
    assert found["fit"]["n"] == 604
    assert list(found["words"][0]["effects"]) == ["text", "concat"]
