"""Refit a finished checkpoint: the thresholds of all modes, and concat as a sum of heads."""

import copy
import json
from pathlib import Path

from clipdemo.model import checkpoints
from clipdemo.model.backbones import Backbone
from clipdemo.model.classifier import load_card
from clipdemo.study import fit
from clipdemo.study.calibrate import calibrated
from clipdemo.study.encode import encode_table
from clipdemo.study.feature_store import read_store
from clipdemo.study.report import NAME, judged_heads, rounded, write_report
from clipdemo.tiny.heads import check_rows, sum_head
from clipdemo.tiny.photo_pack import caption_rows, load_pack

SPLIT = "every:6:1"


def fuse(data: Path, work: Path, folder: Path) -> checkpoints.Card:
    """Make a checkpoint's concat head a sum of its heads, and evaluate all modes in its report.

    Backbone and single heads keep their weights. Thresholds are tuned on the validation photos and
    captions (see `heads.check_rows`); the report's runs stay as they are.

    Args:
        data: photos, captions and teacher files.
        work: where decoded photos and embeddings are kept.
        folder: the checkpoint.
    """
    card = checkpoints.read_card(folder)
    backbone = Backbone(card.backbone, "cpu")
    pack = load_pack(data, work / "cache")
    checks = check_rows(backbone, pack, caption_rows(data, pack))
    heads = checkpoints.load_heads(card, backbone.id, backbone.width)
    heads["concat"] = getattr(heads["concat"], "both", heads["concat"])
    content = copy.deepcopy(card.content)
    entries = content["modes"]
    for mode in ("image", "text"):
        inputs, truth = checks[mode]
        entries[mode] |= calibrated(fit.logits(heads[mode], inputs), truth)
    heads["concat"], entries["concat"] = sum_head(heads, entries, *checks["concat"])
    card = checkpoints.save_heads(folder, heads, content)
    store = work / "store"
    encode_table(backbone, data / "captions.csv", store, data / "photos" / "comp5329.zip")
    report = json.loads((folder / NAME).read_text("utf-8"))
    judged = judged_heads(read_store(store), SPLIT, load_card(card, backbone.id))
    report["about"] |= judged.pop("about")
    write_report(folder, rounded(report | judged))
    return card
