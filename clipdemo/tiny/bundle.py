"""From a trained backbone to `checkpoints/tiny`: weights, heads, thresholds, card."""

import json
import shutil
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from clipdemo.inputs.labels import MODES
from clipdemo.model.backbones import Backbone
from clipdemo.study import fit
from clipdemo.study.calibrate import calibrated
from clipdemo.tiny import crops
from clipdemo.tiny import joint_model as joint
from clipdemo.tiny.batches import Data
from clipdemo.tiny.photo_pack import Pack

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


def without_words(captions: list[str], chance: float = 0.25, seed: int = 1) -> list[str]:
    """The captions, each word left out with this chance.

    A text tower knows the captions it was trained on better than others; with words missing they
    are again something new for the heads.
    """
    rng, out = np.random.default_rng(seed), []
    for caption in captions:
        words = caption.split()
        kept = [
            w for w, keep in zip(words, rng.uniform(size=len(words)) >= chance, strict=True) if keep
        ]
        out.append(" ".join(kept) or caption)
    return out


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
    pack, train = data.pack, data.train
    texts, text_labels, check_texts, check_labels = captions
    pairs = [(i, c) for i, r in enumerate(train) for c in pack.captions[r]]
    photo = np.array([i for i, _ in pairs])
    paired = [c for _, c in pairs]
    rows = _training_rows(
        train_views,
        photo,
        pack.sets[train],
        (text_labels, [encode_captions(backbone, c) for c in (texts, without_words(texts))]),
        [encode_captions(backbone, c) for c in (paired, without_words(paired))],
    )

    checks = check_rows(backbone, pack, check_texts, check_labels)
    heads, logits, histories = {}, {}, {}
    for mode in MODES:
        heads[mode], histories[mode] = fit.fit_head(*rows[mode], *checks[mode], settings[mode])
        heads[mode] = heads[mode].half().float()  # as they are stored
        logits[mode] = (fit.logits(heads[mode], checks[mode][0]), checks[mode][1])
        print(mode, [round(h["map"], 4) for h in histories[mode]], flush=True)
    return heads, logits, histories


def check_rows(
    backbone: Backbone, pack: Pack, texts: list[str], labels: np.ndarray
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Per mode what its head reads of the validation photos and captions, and the truth.

    `texts`, with their `labels` [M, L]: validation captions without a photo.
    """
    check = np.flatnonzero(pack.validation)
    (images, truth), *_ = views(backbone.model, pack, check, 1)
    captioned = np.array([bool(pack.captions[r]) for r in check])
    first = encode_captions(backbone, [pack.captions[r][0] for r in check[captioned]])
    alone = encode_captions(backbone, texts)
    return {
        "image": (images, truth),
        "text": (np.concatenate([alone, first]), np.concatenate([labels, truth[captioned]])),
        "concat": (np.concatenate([images[captioned], first], 1), truth[captioned]),
    }


def _training_rows(
    looks: list[tuple[np.ndarray, np.ndarray]],
    photo: np.ndarray,
    sets: np.ndarray,
    alone: tuple[np.ndarray, list[np.ndarray]],
    paired: list[np.ndarray],
) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Inputs, targets and weights per mode.

    Args:
        looks: embeddings [N, D] and targets [N, L] of the photos.
        photo: [P] the photo of each paired caption.
        sets: [N] the set of each photo; those annotated with all labels weigh most.
        alone: labels [M, L] of the captions without photo, and their embeddings [M, D] as they are
            and with words missing.
        paired: embeddings [P, D] of the photos' captions, likewise.
    """
    weight = np.select([np.isin(sets, ("comp5329", "coco")), sets == "drawn"], [1.0, 0.5], 0.4)
    annotated = weight[photo] == 1.0
    labels, texts = alone
    image = (
        *(np.concatenate(part) for part in zip(*looks, strict=True)),
        np.tile(weight, len(looks)),
    )
    text_inputs = [np.concatenate([t, p[annotated]]) for t, p in zip(texts, paired, strict=True)]
    text_targets = np.concatenate([labels, looks[0][1][photo[annotated]]])
    text = (
        np.concatenate(text_inputs),
        np.concatenate([text_targets] * len(texts)),
        np.ones(len(texts) * len(text_targets)),
    )
    # Captions alone and photos alone, beside zeros, teach concat what the other two heads know.
    parts = [
        (
            np.concatenate([looks[0][0][photo], p], 1),
            looks[0][1][photo],
            np.where(annotated, 1, 0.3),
        )
        for p in paired
    ]
    parts += [(_beside(t, left=True), labels, np.ones(len(t))) for t in texts]
    parts += [(_beside(e, left=False), t, 0.3 * weight) for e, t in looks]
    concat = tuple(np.concatenate(part) for part in zip(*parts, strict=True))
    return {"image": image, "text": text, "concat": concat}


def _beside(embeddings: np.ndarray, left: bool) -> np.ndarray:
    """[N, 2 * D] with zeros on the left or on the right."""
    zeros = np.zeros_like(embeddings)
    return np.concatenate([zeros, embeddings] if left else [embeddings, zeros], 1)


def card_modes(heads: dict, logits: dict, settings: dict[str, fit.FitSettings]) -> dict:
    """The card's entry per mode: its shape, and what its calibration found."""
    return {
        mode: settings[mode].shape(heads[mode].layers[0].in_features) | calibrated(*logits[mode])
        for mode in MODES
    }


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
