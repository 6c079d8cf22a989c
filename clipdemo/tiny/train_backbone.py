"""`clipdemo train-backbone`: both stages and the heads, each resumable, to a checkpoint."""

import shutil
from dataclasses import asdict
from datetime import date
from pathlib import Path

from clipdemo.hub.catalog import CHECKPOINTS, TINY
from clipdemo.inputs.labels import COCO18
from clipdemo.model import checkpoints
from clipdemo.model.backbones import Backbone
from clipdemo.tiny import heads
from clipdemo.tiny import joint_model as joint
from clipdemo.tiny.batches import Recipe, prepare
from clipdemo.tiny.joint_stage import copy_model_files, train_joint
from clipdemo.tiny.text_stage import TextRecipe, train_text

SUMMARY = (
    "A small CLIP trained by this project, not OpenAI's: it runs anywhere and makes mistakes often."
)
DESCRIPTION = (
    "The bundled backbone was trained on public photos with captions and on drawn scenes, and "
    "distilled in part from two pretrained COCO detectors (NanoDet-Plus). It is far smaller than "
    "OpenAI's CLIP and knows far less: it is here so that everything runs without a download."
)
LICENCES = (
    "Weights: MIT, as the rest of the project; research use advised, because they were trained on "
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

    With `start`, only the image tower is trained, next to the frozen text tower, then the heads.

    Args:
        data_dir: photos, captions and teacher files (see `photo_pack`).
        work: has the run's state and log; a later call resumes from there.
        out: where weights, heads and card go.
        recipe: settings of the joint stage.
        text_recipe: settings of the text stage.
        every: seconds between two saved states.
        start: an earlier checkpoint that a new run continues.

    Raises:
        TableError: the data folder is incomplete.
    """
    work.mkdir(parents=True, exist_ok=True)
    if start is not None:
        copy_model_files(start, work)
    data = prepare(data_dir, work, recipe)
    model = train_joint(data, work, recipe, every, start).model
    staged = work / "bundle"
    joint.export(model, work / "model", staged, recipe.serve_size)
    images = heads.encode_photos(Backbone(f"local-dir:{staged}", "cpu"), data.pack, data.train)
    record = {"recipe": asdict(recipe), "photos_seen": recipe.steps * recipe.batch}
    if start is None:
        version = checkpoints.sha256(staged / joint.WEIGHTS)
        trained = train_text(data, images, work, text_recipe, every, version)
        model.text, model.logit_scale = trained.text, trained.logit_scale
        joint.export(model, work / "model", staged, recipe.serve_size)
        record["text_recipe"] = asdict(text_recipe)
    else:
        before = checkpoints.read_card(start).content["training"]
        record["start"] = {k: v for k, v in before.items() if k not in ("heads", "history")}
        record["photos_seen"] += before["photos_seen"]

    out.mkdir(parents=True, exist_ok=True)
    for earlier in (*out.glob("*.safetensors"), *out.glob("*.json")):
        earlier.unlink()
    shutil.copytree(staged, out, dirs_exist_ok=True)
    backbone = Backbone(TINY if out == CHECKPOINTS / TINY else f"local-dir:{out}", "cpu")
    found, entries, histories = heads.fit_heads(backbone, data, images)
    content = {
        "backbone": backbone.id,
        "summary": SUMMARY,
        "description": DESCRIPTION,
        "licences": LICENCES,
        "trained": date.today().isoformat(),
        "width": backbone.width,
        "image_size": backbone.image_size,
        "parameters": sum(p.numel() for p in backbone.model.parameters()),
        "labels": list(COCO18.names),
        "label_ids": list(COCO18.ids),
        "modes": entries,
        "training": {
            **record,
            "heads": {mode: asdict(settings) for mode, settings in heads.SETTINGS.items()},
            "validation": "comp5329 and coco photos with number % 6 == 1; "
            "for text also rows 28000 to 29999 of captions.csv",
            "history": histories,
        },
        "metrics": {},
    }
    return checkpoints.save_heads(out, found, content)
