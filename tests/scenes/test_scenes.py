"""Drawn scenes: the same seed gives the same picture, boxes fit, captions name nothing absent."""

import json
import re
from collections import Counter
from random import Random

import numpy as np
import pytest
from PIL import ImageChops
from support.paths import SCENES

from clipdemo.inputs.labels import COCO18
from clipdemo.scenes import example_scenes, random_scene
from clipdemo.scenes.drawing.objects import DRAWINGS
from clipdemo.scenes.stage import Stage

WORDS = {
    "person": "person people man men woman women child children boy girl kid guy lady someone",
    "bicycle": "bicycle bicycles bike bikes cyclist",
    "car": "car cars taxi taxis cab sedan",
    "motorcycle": "motorcycle motorcycles motorbike motorbikes scooter",
    "airplane": "airplane airplanes aeroplane plane planes jet jets aircraft",
    "bus": "bus buses coach",
    "train": "train trains locomotive tram",
    "truck": "truck trucks lorry pickup van",
    "boat": "boat boats sailboat sailboats ship ships yacht",
    "traffic light": "traffic signal signals",
    "fire hydrant": "hydrant hydrants",
    "stop sign": "stop sign signs",
    "parking meter": "parking meter meters",
    "bench": "bench benches",
    "bird": "bird birds gull seagull",
    "cat": "cat cats kitten tabby",
    "dog": "dog dogs puppy puppies",
    "horse": "horse horses pony ponies",
}
COUNT = 400


def named(caption: str) -> set[str]:
    """Labels whose words occur in a caption."""
    words = set(re.findall(r"[a-z]+", caption.lower()))
    return {label for label, synonyms in WORDS.items() if words & set(synonyms.split())}


@pytest.fixture(scope="module")
def scenes():
    return [random_scene(seed, (96, 72)) for seed in range(COUNT)]


@pytest.fixture(scope="module")
def examples():
    return example_scenes((240, 180))


def test_a_seed_gives_one_scene_of_any_size():
    first, again, other = random_scene(7), random_scene(7), random_scene(8)
    assert first.image.size == (192, 144)
    assert first.image.mode == "RGB"
    assert first.image.tobytes() == again.image.tobytes()
    assert (first.objects, first.caption) == (again.objects, again.caption)
    assert first.image.tobytes() != other.image.tobytes()
    assert random_scene(3, (120, 120)).image.size == (120, 120)


def test_boxes_lie_inside_the_picture_and_labels_are_in_logit_order(scenes, examples):
    for scene in [*scenes, *examples.values()]:
        labels = {label for label, _ in scene.objects}
        assert scene.labels == tuple(name for name in COCO18.names if name in labels)
        assert labels <= set(COCO18.names)
        for _, (x0, y0, x1, y1) in scene.objects:
            assert 0 <= x0 < x1 <= 1
            assert 0 <= y0 < y1 <= 1


@pytest.mark.parametrize("label", COCO18.names)
@pytest.mark.parametrize("flip", [False, True])
def test_a_box_covers_what_was_drawn_and_no_more(label, flip):
    height = min(0.6, 0.9 / DRAWINGS[label].wide)

    def picture(with_object: bool):
        stage = Stage((320, 240), "grey", 1)
        stage.pen.box(0, 0, 2, 1, (200, 0, 200))
        if with_object:
            stage.add(label, 0.66, 0.2, height, flip=flip, shadow=False)
        return stage.finish("")

    scene = picture(True)
    ((name, box),) = scene.objects
    difference = ImageChops.difference(scene.image, picture(False).image).convert("L")
    drawn = np.array(difference.point(lambda v: 255 * (v > 12)).getbbox()) / (320, 240, 320, 240)
    assert name == label
    # Translucent parts (steam, foam) do not belong to the box: they extend slightly beyond it.
    assert np.abs(drawn - box).max() < 0.06


def test_an_object_that_is_hidden_or_outside_the_picture_is_not_listed():
    stage = Stage((192, 144), "day", 0)
    stage.add("cat", 0.6, 0.2, 0.15)
    stage.add("bus", 0.6, 0.1, 0.5)
    stage.add("dog", 3, 0.2, 0.3)
    assert stage.finish("").labels == ("bus",)


def test_labels_occur_about_equally_often_and_some_scenes_have_none(scenes):
    counts = Counter(label for scene in scenes for label in scene.labels)
    assert set(counts) == set(COCO18.names)
    assert max(counts.values()) < 3 * min(counts.values())
    objects = Counter(len(scene.objects) for scene in scenes)
    assert max(objects) == 5
    assert 0.04 < objects[0] / COUNT < 0.2


def test_captions_never_name_an_absent_label(scenes, examples):
    for scene in [*scenes, *examples.values()]:
        assert named(scene.caption) <= set(scene.labels), scene.caption


def test_captions_leave_labels_out_and_vary(scenes):
    full = [scene for scene in scenes if scene.labels]
    share = sum(len(named(s.caption)) for s in full) / sum(len(s.labels) for s in full)
    assert 0.4 < share < 0.8
    assert any(not named(scene.caption) for scene in full)
    assert len({scene.caption for scene in scenes}) > 0.7 * COUNT
    for scene in scenes:
        assert re.fullmatch(r"[A-Z][a-z ,-]+\.", scene.caption), scene.caption
        assert "  " not in scene.caption


def test_the_committed_examples_match_the_code_and_cover_all_labels(examples):
    committed = json.loads((SCENES / "scenes.json").read_text())
    drawn = {n: {"caption": s.caption, "labels": list(s.labels)} for n, s in examples.items()}
    assert drawn == committed
    assert {label for scene in examples.values() for label in scene.labels} == set(COCO18.names)
    for scene in examples.values():
        assert 0 < len(named(scene.caption)) < len(scene.labels)


@pytest.mark.parametrize("label", COCO18.names)
def test_every_kind_paint_and_pose_can_be_drawn(label):
    drawing, rng = DRAWINGS[label], Random(0)
    for kind in drawing.kinds:
        for pose in (*drawing.poses, "fly"):
            stage = Stage((96, 72), "night", rng.getrandbits(16))
            for i, paint in enumerate(drawing.paints):
                stage.add(label, 0.1 * i, 0.1, 0.2, kind, paint, pose=pose)
            assert stage.finish("").image.size == (96, 72)
