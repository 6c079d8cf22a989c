"""Crops: they show the right part of a photo, and the targets match it."""

import numpy as np
import pytest
import torch
from PIL import Image

from clipdemo.scenes import random_scene
from clipdemo.tiny import crops
from clipdemo.tiny.photo_pack import GRID, drawn_pack

FULL = np.array([[0, 0, 1, 1]], np.float32)


@pytest.fixture(scope="module")
def pack():
    return drawn_pack(12)


@pytest.fixture(scope="module")
def square():
    return np.asarray(random_scene(3, (96, 96)).image)


def pixels(image: torch.Tensor) -> np.ndarray:
    return (image * 255).round().byte().permute(1, 2, 0).numpy()


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize(
    ("box", "size"), [((0, 0, 1, 1), 96), ((0.25, 0.5, 0.5, 0.75), 24)], ids=["whole", "part"]
)
def test_a_crop_is_that_part_of_the_photo(square, box, size, flip):
    """Also with a flip: the box refers to the unflipped photo."""
    x0, y0, x1, y1 = (round(96 * value) for value in box)
    part = square[y0:y1, x0:x1]
    out = crops.cut([square] * 2, np.array([box] * 2, np.float32), np.array([flip, False]), size)
    assert out.shape == (2, 3, size, size)
    assert np.array_equal(pixels(out[0]), part[:, ::-1] if flip else part)
    assert np.array_equal(pixels(out[1]), part)


def test_random_boxes_lie_inside_and_keep_their_area():
    for seed in range(20):
        boxes = crops.random_boxes(np.random.default_rng(seed), 200, 0.3)
        x0, y0, x1, y1 = boxes.T
        assert (boxes >= 0).all()
        assert (boxes <= 1).all()
        area = (x1 - x0) * (y1 - y0)
        assert area.min() >= 0.3 - 1e-4
        assert area.max() > 0.8
        assert ((x1 - x0) / (y1 - y0)).max() <= 4 / 3 + 0.02


def test_augmented_images_differ_and_repeat_with_their_seed(square):
    images = crops.cut([square] * 8, FULL.repeat(8, 0), np.zeros(8, bool), 48)
    first, again, other = (
        crops.augment(images.clone()) for seed in (5, 5, 6) if torch.manual_seed(seed)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert len({image.sum().item() for image in first}) == 8
    assert first.abs().max() <= crops.normalise(torch.ones(3, 1, 1)).max()


def test_normalising_is_what_the_backbone_does_when_it_serves(square, tiny):
    """Training and serving must see the same numbers."""
    size = tiny.backbone.image_size
    photo = random_scene(3, (size, size)).image
    mine = crops.normalise(crops.cut([np.asarray(photo)], FULL, np.array([False]), size))[0]
    torch.testing.assert_close(mine, tiny.backbone.preprocess(photo), atol=1e-5, rtol=0)


def test_the_whole_photo_has_exactly_its_labels_and_a_crop_no_others(pack):
    rows, rng = np.arange(12), np.random.default_rng(0)
    assert pack.labels.any()
    assert np.array_equal(crops.label_targets(pack, rows, FULL.repeat(12, 0)), pack.labels)
    for _ in range(20):
        targets = crops.label_targets(pack, rows, crops.random_boxes(rng, 12, 0.05))
        assert (targets[pack.labels == 0] == 0).all()
        assert ((targets >= 0) & (targets <= 1)).all()


def test_a_label_is_gone_where_its_object_was_cut_away():
    """Evidence in the left half only."""
    part = drawn_pack(1)
    part.labels[:] = 0
    part.labels[0, 4] = 1
    part.grid[:] = 0
    part.grid[0, 4, :, : GRID // 2] = 0.8
    halves = np.array([[0, 0, 0.5, 1], [0.5, 0, 1, 1]], np.float32)
    left, right = (crops.label_targets(part, np.array([0]), box[None])[0, 4] for box in halves)
    assert left == 1
    assert right == 0


def test_the_teacher_has_its_share_of_annotated_targets_and_all_of_the_others():
    part = drawn_pack(1)
    part.labels[0] = np.arange(18) % 2
    part.labels[0, 4] = np.nan
    part.soft[0], part.grid[:] = 0.6, 0.6
    target = crops.label_targets(part, np.array([0]), FULL, teacher=0.5)[0]
    assert target[1] == pytest.approx(0.8)
    assert target[2] == pytest.approx(0.3)
    assert target[4] == pytest.approx(0.6)


@pytest.mark.parametrize("flip", [False, True])
def test_the_sides_of_a_crop_are_what_its_pixels_show(square, flip):
    """Joined crops get the labels of the visible part of each, mirrored or not."""
    box, mirror = np.array([[0.25, 0.0, 0.75, 1.0]], np.float32), np.array([flip])
    whole = crops.cut([square], box, mirror, 48)[0]
    for left, columns in ((True, slice(0, 12)), (False, slice(12, 48))):
        side = crops.side_boxes(box, mirror, 0.25, left)
        shown = whole[:, :, columns]
        cut = crops.cut([square], side, mirror, 48)
        cut = torch.nn.functional.interpolate(cut, (48, shown.shape[2]), mode="area")[0]
        assert (cut - shown).abs().mean() < 0.05
        assert (cut - whole.flip(2)[:, :, columns]).abs().mean() > 0.05


@pytest.mark.parametrize("evidence", [0.0, 0.5])
def test_unknown_labels_and_missing_evidence_never_give_nan(evidence):
    part = drawn_pack(2)
    part.labels[:, ::2] = np.nan
    part.labels[:, 1::2] = 1
    part.grid[:] = evidence
    part.soft[:] = 0.3
    boxes = np.array([[0, 0, 1, 1], [0.41, 0.41, 0.44, 0.44]], np.float32)
    targets = crops.label_targets(part, np.arange(2), boxes)
    assert not np.isnan(targets).any()
    assert (targets[0, 1::2] == 1).all()
    assert (targets[:, ::2] <= 0.3 + 1e-6).all()


def test_grid_targets_of_the_whole_photo_are_where_the_object_is():
    """Evidence in one corner stays in that corner, and a crop without it has none."""
    grid = torch.zeros(1, 1, GRID, GRID)
    grid[0, 0, :2, :2] = 1
    whole = crops.grid_targets(grid, torch.tensor(FULL), torch.tensor([False]), 5)[0, 0]
    assert whole[0, 0] == pytest.approx(1, abs=0.01)
    assert whole[1:].max() < 0.6
    assert whole[2:, 2:].max() == 0
    away = torch.tensor([[0.5, 0.5, 1.0, 1.0]])
    assert crops.grid_targets(grid, away, torch.tensor([False]), 5).max() == 0


def test_grid_and_picture_are_cropped_alike():
    """For a picture that is bright where its grid is, both still agree after crop and flip."""
    rng = np.random.default_rng(1)
    cells = (rng.uniform(size=(GRID, GRID)) > 0.5).astype(np.float32)
    picture = Image.fromarray((cells * 255).astype(np.uint8)).resize((160, 160), 0).convert("RGB")
    box, flip = np.array([[0.2, 0.4, 0.8, 1.0]] * 2, np.float32), np.array([True, False])
    seen = crops.cut([np.asarray(picture)] * 2, box, flip, 6)[:, 0]
    grid = torch.tensor(cells).expand(2, 1, GRID, GRID)
    target = crops.grid_targets(grid, torch.tensor(box), torch.tensor(flip), 6)[:, 0]
    assert torch.equal(seen > 0.5, target > 0.5)
