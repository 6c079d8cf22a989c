"""From a trained backbone to `checkpoints/tiny`: weights, heads, thresholds, card."""

import json
import shutil
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from clipdemo import thresholds
from clipdemo.backbones import Backbone
from clipdemo.labels import MODES
from clipdemo.training import crops, fit, joint
from clipdemo.training.backbone import Data
from clipdemo.training.pack import Pack

MODEL_FILES = ("open_clip_config.json", "tokenizer.json", "tokenizer_config.json")


def export(state: Path, model_folder: Path, out: Path, image_size: int) -> torch.nn.Module:
    """Write the averaged weights of a training state as open_clip loads them.

    The position embeddings of the image tower's pool are interpolated to `image_size` pixels.
    """
    weights = torch.load(state, weights_only=True)["average"]
    weights = {k.removeprefix("model."): v for k, v in weights.items() if k.startswith("model.")}
    pool = "visual.attnpool.positional_embedding"
    weights[pool] = joint.positions(weights[pool], image_size // 32)
    out.mkdir(parents=True, exist_ok=True)
    for name in MODEL_FILES:
        shutil.copyfile(model_folder / name, out / name)
    config = json.loads((out / MODEL_FILES[0]).read_text())
    config["model_cfg"]["vision_cfg"]["image_size"] = image_size
    (out / MODEL_FILES[0]).write_text(json.dumps(config, indent=2) + "\n")
    model = joint.new_model(out)
    model.load_state_dict(weights)
    save_model(model, out)
    return model.eval()


def save_model(model: torch.nn.Module, out: Path) -> None:
    """The model's weights in half precision."""
    weights = {k: v.half().contiguous() for k, v in model.state_dict().items()}
    save_file(weights, out / "open_clip_model.safetensors")


@torch.inference_mode()
def encode_crops(
    model: torch.nn.Module, pack: Pack, rows: np.ndarray, boxes: np.ndarray, flip: np.ndarray
) -> np.ndarray:
    """Embeddings [N, D] of the rows' photos, cut to boxes and mirrored."""
    size, out = model.visual.image_size, []
    for start in range(0, len(rows), 32):  # small enough for the allocator to reuse its memory
        part = slice(start, start + 32)
        photos = [pack.photos[r] for r in rows[part]]
        images = crops.cut(photos, boxes[part], flip[part], size)
        out.append(model.encode_image(crops.normalise(images), normalize=True).numpy())
    return np.concatenate(out)


def views(
    model: torch.nn.Module, pack: Pack, rows: np.ndarray, count: int, seed: int = 0
) -> list[tuple[np.ndarray, np.ndarray]]:
    """`count` looks at each photo: embeddings [N, D] and label targets [N, L] of each look.

    The first is the whole photo; then its mirror image; then random crops.
    """
    rng = np.random.default_rng(seed)
    out = []
    for look in range(count):
        boxes = np.tile(np.array([[0, 0, 1, 1]], np.float32), (len(rows), 1))
        if look > 1:
            boxes = crops.random_boxes(rng, len(rows), 0.4)
        flip = np.full(len(rows), look % 2 == 1)
        embeddings = encode_crops(model, pack, rows, boxes, flip)
        targets = crops.label_targets(pack, rows, boxes)
        known = pack.labels[rows]
        if look < 2:
            targets = np.where(np.isnan(known), pack.soft[rows], known).astype(np.float32)
        out.append((embeddings, targets))
    return out


def encode_captions(backbone: Backbone, captions: list[str]) -> np.ndarray:
    """Embeddings [N, D]."""
    parts = [backbone.encode_captions(captions[i : i + 256]) for i in range(0, len(captions), 256)]
    return np.concatenate(parts)


def fit_heads(
    backbone: Backbone,
    data: Data,
    captions: tuple[list[str], np.ndarray, list[str], np.ndarray],
    settings: dict[str, fit.FitSettings],
    train_views: list[tuple[np.ndarray, np.ndarray]],
) -> tuple[dict, dict, dict]:
    """Heads of the three modes, their validation logits and truth, their histories.

    `train_views`: what `views` gives of the training photos.
    """
    pack, train, looks = data.pack, data.train, len(train_views)
    check = np.flatnonzero(pack.validation)
    text_train, text_labels, text_check, text_check_labels = captions
    (check_image, check_labels), *_ = views(backbone.model, pack, check, 1)
    weight = np.select(
        [np.isin(pack.sets[train], ("comp5329", "coco")), pack.sets[train] == "drawn"],
        [1.0, 0.5], 0.4,
    )  # fmt: skip

    pairs = [(i, c) for i, r in enumerate(train) for c in pack.captions[r]]
    pair_rows = np.array([i for i, _ in pairs])
    pair_text = encode_captions(backbone, [c for _, c in pairs])
    has_caption = [bool(pack.captions[r]) for r in check]
    check_pair_text = encode_captions(backbone, [pack.captions[r][0] for r in check[has_caption]])
    named = weight[pair_rows] == 1.0

    image = (
        np.concatenate([e for e, _ in train_views]),
        np.concatenate([t for _, t in train_views]),
        np.tile(weight, looks),
    )
    text = (
        np.concatenate([encode_captions(backbone, text_train), pair_text[named]]),
        np.concatenate([text_labels, train_views[0][1][pair_rows[named]]]),
        np.ones(len(text_train) + named.sum()),
    )
    turn = np.arange(len(pairs))
    both = []
    for look, (embeddings, targets) in enumerate(train_views):
        rows = turn if look == 0 else turn[named | (turn % looks == look)]
        source = pair_rows[rows]
        both.append(
            (np.concatenate([embeddings[source], pair_text[rows]], 1), targets[source],
             np.where(named[rows], 1.0, 0.15))
        )  # fmt: skip
    concat = tuple(np.concatenate(parts) for parts in zip(*both, strict=True))

    text_inputs = np.concatenate([encode_captions(backbone, text_check), check_pair_text])
    text_truth = np.concatenate([text_check_labels, check_labels[has_caption]])
    checks = {
        "image": (check_image, check_labels),
        "text": (text_inputs, text_truth),
        "concat": (
            np.concatenate([check_image[has_caption], check_pair_text], 1),
            check_labels[has_caption],
        ),
    }
    heads, logits, histories = {}, {}, {}
    for mode, rows in {"image": image, "text": text, "concat": concat}.items():
        heads[mode], histories[mode] = fit.fit_head(*rows, *checks[mode], settings[mode])
        heads[mode] = heads[mode].half().float()  # as they are stored
        logits[mode] = (fit.logits(heads[mode], checks[mode][0]), checks[mode][1])
        print(mode, [round(h["map"], 4) for h in histories[mode]], flush=True)
    return heads, logits, histories


def card_modes(heads: dict, logits: dict, settings: dict[str, fit.FitSettings]) -> dict:
    """The card's entry per mode: shape, temperature, tuned thresholds."""
    modes = {}
    for mode in MODES:
        values, truth = logits[mode]
        temperature = fit.fit_temperature(values, truth)
        scores = 1 / (1 + np.exp(-values / temperature))
        modes[mode] = {
            "inputs": heads[mode].layers[0].in_features,
            "hidden": list(settings[mode].hidden),
            "temperature": temperature,
            "thresholds": [round(float(t), 6) for t in thresholds.tune(scores, truth)],
        }
    return modes


def save_text(model: torch.nn.Module, path: Path) -> None:
    """The text tower's weights and the logit scale, under their names in the whole model."""
    weights = {k: v.contiguous() for k, v in model.state_dict().items() if "visual." not in k}
    save_file(weights, path)


def copy_model(staged: Path, out: Path) -> None:
    """Put the staged backbone into `out`, and nothing of an earlier bundle beside it."""
    out.mkdir(parents=True, exist_ok=True)
    for path in (*out.glob("*.safetensors"), *out.glob("*.json")):
        path.unlink()
    for name in (*MODEL_FILES, "open_clip_model.safetensors"):
        shutil.copyfile(staged / name, out / name)
