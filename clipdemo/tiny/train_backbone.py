"""`clipdemo train-backbone`: all stages, each kept on disk, so that a killed run goes on."""

import json
from dataclasses import asdict
from datetime import date
from pathlib import Path

import numpy as np
from safetensors.torch import load_file

from clipdemo.hub.catalog import CHECKPOINTS
from clipdemo.inputs.labels import COCO18
from clipdemo.model import checkpoints
from clipdemo.model.backbones import TINY, Backbone
from clipdemo.study.fit import FitSettings
from clipdemo.tiny import bundle
from clipdemo.tiny import joint_model as joint
from clipdemo.tiny import joint_stage as backbone
from clipdemo.tiny.batches import Data, Recipe
from clipdemo.tiny.photo_pack import caption_rows
from clipdemo.tiny.text_stage import TextRecipe, train_text

SETTINGS = {
    "image": FitSettings(hidden=(512, 256), epochs=8),
    "text": FitSettings(hidden=(512, 256), epochs=4),
    "concat": FitSettings(hidden=(128,), epochs=4, rate=3e-4, dropout=0.6),
}

LOOKS = 1  # at each training photo, for the heads: as it is, then mirrored, then crops

SUMMARY = "A small CLIP trained by this project, not OpenAI's: it runs anywhere and errs often."
DESCRIPTION = (
    "The bundled backbone was trained on public photos with captions and on drawn scenes, and "
    "distilled in part from two pretrained COCO detectors (NanoDet-Plus). It is far smaller than "
    "OpenAI's CLIP and knows far less: it is here so that everything runs without a download."
)
LICENCES = (
    "Weights: MIT, as the rest of the project; research use advised, for they were trained on "
    "COCO photos (Flickr, each under its own licence), COCO annotations and captions (CC BY 4.0), "
    "Flickr8k (research and education), Pascal VOC (Flickr terms), Open Images (photos CC BY 2.0, "
    "annotations CC BY 4.0), and on targets by NanoDet-Plus (Apache-2.0), which had itself seen "
    "COCO train2017."
)


def train_backbone(
    data_dir: Path,
    work: Path,
    out: Path,
    recipe: Recipe,
    text_recipe: TextRecipe,
    every: float = 240.0,
    start: Path | None = None,
) -> checkpoints.Card:
    """Train image and text tower jointly, then the text tower alone, then the heads.

    With `start` only the image tower is trained, beside the text tower as it is, then the heads.

    Args:
        data_dir: photos, captions and teacher files (see `pack`).
        work: where the run keeps its state and log; a later call goes on from there.
        out: where weights, heads and card go.
        every: seconds between two saved states.
        start: an earlier checkpoint that a new run goes on from.
    """
    data = backbone.train(data_dir, work, recipe, every, start)
    staged = work / "bundle"
    model = bundle.export(work / "state.pt", work / "model", staged, recipe.serve_size)
    train_views = bundle.views(model, data.pack, data.train, LOOKS)
    if start is None:
        text_weights = work / "text.safetensors"
        if not text_weights.is_file():
            model.text = joint.new_model(work / "model").text
            train_text(model, train_views[0][0], data, text_recipe, work / "log.jsonl")
            bundle.save_text(model, text_weights)
        model.load_state_dict(load_file(text_weights), strict=False)
        bundle.save_model(model, staged)
    seen = [json.loads(line).get("photos", 0) for line in (work / "log.jsonl").open()]
    record = {"recipe": asdict(recipe), "photos_seen": max(seen, default=0)}
    if start is None:
        record["text_recipe"] = asdict(text_recipe)
    else:
        before = checkpoints.read_card(start).content["training"]
        record["start"] = {k: v for k, v in before.items() if k not in ("heads", "history")}
        record["photos_seen"] += before["photos_seen"]
    return finish(data_dir, data, train_views, staged, out, record)


def finish(
    data_dir: Path,
    data: Data,
    train_views: list[tuple[np.ndarray, np.ndarray]],
    staged: Path,
    out: Path,
    record: dict,
) -> checkpoints.Card:
    """Fit the heads on the staged backbone and write everything to `out`.

    `record`: what the card says of the backbone's training.
    """
    bundle.copy_model(staged, out)
    frozen = Backbone(TINY if out == CHECKPOINTS / TINY else f"local-dir:{out}", "cpu")
    captions = caption_rows(data_dir, data.pack)
    heads, logits, histories = bundle.fit_heads(frozen, data, captions, SETTINGS, train_views)
    content = {
        "backbone": frozen.id,
        "summary": SUMMARY,
        "description": DESCRIPTION,
        "licences": LICENCES,
        "trained": date.today().isoformat(),
        "width": frozen.width,
        "image_size": frozen.image_size,
        "parameters": sum(p.numel() for p in frozen.model.parameters()),
        "labels": list(COCO18.names),
        "label_ids": list(COCO18.ids),
        "modes": bundle.card_modes(heads, logits, SETTINGS),
        "training": {
            **record,
            "heads": {mode: asdict(s) for mode, s in SETTINGS.items()},
            "validation": "comp5329 and coco photos with number % 6 == 1; "
            "for text also rows 28000 to 29999 of captions.csv",
            "history": histories,
        },
        "metrics": {},
    }
    return checkpoints.save_heads(out, heads, content)
