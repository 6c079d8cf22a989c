"""Random crops of packed photos, and the labels that are visible in each."""

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torchvision.transforms import v2

from clipdemo.tiny.photo_pack import GRID, Pack

MEAN = (0.5, 0.5, 0.5)
STD = (0.25, 0.25, 0.25)

normalise = v2.Normalize(MEAN, STD)  # the backbone's input from images in 0..1
erase = v2.RandomErasing(0.2, scale=(0.03, 0.16), ratio=(0.4, 2.5))


def random_boxes(rng: np.random.Generator, count: int, smallest: float) -> np.ndarray:
    """[N, 4] boxes x0, y0, x1, y1 in 0..1 with area `smallest` to 1 and sides up to 4:3."""
    area = rng.uniform(smallest, 1.0, count)
    aspect = np.exp(rng.uniform(-0.3, 0.3, count))
    width = np.minimum(np.sqrt(area * aspect), 1)
    height = np.minimum(np.sqrt(area / aspect), 1)
    x0 = rng.uniform(0, 1, count) * (1 - width)
    y0 = rng.uniform(0, 1, count) * (1 - height)
    return np.stack([x0, y0, x0 + width, y0 + height], 1).astype(np.float32)


def cut(photos: list[np.ndarray], boxes: np.ndarray, flip: np.ndarray, size: int) -> torch.Tensor:
    """[N, 3, size, size] in 0..1: each photo [H, W, 3] cut to its box, mirrored where `flip`."""
    side = photos[0].shape[0]
    out = np.empty((len(photos), size, size, 3), np.uint8)
    for i, (photo, box) in enumerate(zip(photos, boxes, strict=True)):
        crop = Image.fromarray(photo).resize(
            (size, size), Image.Resampling.BILINEAR, box=tuple(box * side)
        )
        out[i] = np.asarray(crop)[:, ::-1] if flip[i] else np.asarray(crop)
    return torch.from_numpy(out).permute(0, 3, 1, 2).float().div_(255)


def whole(photos: list[np.ndarray], size: int) -> torch.Tensor:
    """The backbone's input [N, 3, size, size] from whole photos [H, W, 3]."""
    boxes = np.tile(np.array([0, 0, 1, 1], np.float32), (len(photos), 1))
    return normalise(cut(photos, boxes, np.zeros(len(photos), bool), size))


def augment(images: torch.Tensor) -> torch.Tensor:
    """The backbone's input from images in 0..1, with random colours and some partly covered.

    Brightness, contrast and saturation of all images [N, 3, S, S] are changed at once, in a third
    of the time that one by one would take. The covering rectangles (random erasing, Zhong et al.
    2017) are grey. Random numbers come from torch.
    """
    shape = (len(images), 1, 1, 1)
    brightness, contrast, saturation = (
        torch.empty(shape).uniform_(1 - most, 1 + most) for most in (0.35, 0.4, 0.4)
    )
    saturation *= torch.rand(shape) >= 0.05
    images = images * brightness
    grey = images.mean(1, keepdim=True)
    images = grey + saturation * (images - grey)
    mean = grey.mean((2, 3), keepdim=True)
    images = normalise((mean + contrast * (images - mean)).clamp(0, 1))
    return torch.stack([erase(image) for image in images])


def label_targets(
    pack: Pack, rows: np.ndarray, boxes: np.ndarray, teacher: float = 0.0
) -> np.ndarray:
    """[N, L] probability that each label is visible in the crop.

    A label that is not in the photo is not in the crop. For one that is, the probability is the
    teacher's evidence inside the crop relative to that in the whole photo, or depends on the crop's
    area where the teacher missed the label. Labels without annotation keep the teacher's
    probability, which also has the share `teacher` in the other targets (Hinton et al. 2015).
    """
    grid = pack.grid[rows]
    centre = (np.arange(GRID) + 0.5) / GRID
    in_x = (centre >= boxes[:, :1]) & (centre <= boxes[:, 2:3])
    in_y = (centre >= boxes[:, 1:2]) & (centre <= boxes[:, 3:])
    inside = (grid * (in_y[:, None, :, None] & in_x[:, None, None, :])).max((2, 3))
    whole = grid.max((2, 3))
    area = ((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))[:, None]
    kept = np.where(whole > 0.1, inside / np.maximum(whole, 1e-6), np.sqrt(area))
    known = pack.labels[rows]
    soft = pack.soft[rows] * np.clip(inside / np.maximum(whole, 1e-6), 0, 1)
    mixed = (1 - teacher) * known * kept + teacher * soft
    return np.where(np.isnan(known), soft, mixed).astype(np.float32)


def side_boxes(boxes: np.ndarray, flip: np.ndarray, share: float, left: bool) -> np.ndarray:
    """[N, 4] the photo's part in the left `share` of each crop, or in the rest on the right."""
    x0, width = boxes[:, 0], boxes[:, 2] - boxes[:, 0]
    cut = np.where(flip, 1 - share, share)
    low = left != flip  # a mirrored crop's left is the photo's right
    side = boxes.copy()
    side[:, 0] = np.where(low, x0, x0 + cut * width)
    side[:, 2] = np.where(low, x0 + cut * width, x0 + width)
    return side


def grid_targets(
    grid: torch.Tensor, boxes: torch.Tensor, flip: torch.Tensor, cells: int
) -> torch.Tensor:
    """[N, L, cells, cells]: the part of the photo's grid [N, L, G, G] inside the crop."""
    fine = 2 * cells
    steps = (torch.arange(fine) + 0.5) / fine
    x = boxes[:, 0:1] + steps * (boxes[:, 2:3] - boxes[:, 0:1])
    y = boxes[:, 1:2] + steps * (boxes[:, 3:4] - boxes[:, 1:2])
    x = torch.where(flip[:, None], x.flip(1), x)
    where = torch.stack(
        [x[:, None, :].expand(-1, fine, -1), y[:, :, None].expand(-1, -1, fine)], -1
    )
    sampled = F.grid_sample(grid, where * 2 - 1, padding_mode="border", align_corners=False)
    return F.max_pool2d(sampled, 2)
