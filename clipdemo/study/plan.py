"""What `reproduce` will download, and the disk, memory and time that it will need."""

import logging
import shutil
import time
from io import BytesIO
from pathlib import Path

from clipdemo.errors import ClipdemoError
from clipdemo.hub import catalog
from clipdemo.hub.memory import LOADING, available
from clipdemo.inputs.ahead import cores
from clipdemo.study.reproduce import Study
from clipdemo.tables.coco import ANNOTATIONS, PHOTOS, addresses
from clipdemo.tables.coco_zips import is_checked
from clipdemo.tables.http_download import content_length
from clipdemo.tables.label_table import read_label_table

SIZES = {
    ANNOTATIONS: 252_907_541,
    "val2017.zip": 815_585_330,
    "train2017.zip": 19_336_861_798,
}
"""Sizes of COCO's files in bytes, used if the server does not report them."""
WIDTH = 1024  # assumed of an embedding if it is not known; most are narrower
PROCESS = 0.7e9  # bytes of a process with torch
TRAINED = 0.4
"""Average time of a run of the sweep, as a share of training the largest head for all epochs: with
`tiny`, runs ended after 16 of 30 epochs, and most heads of the grid are smaller."""
LINE = 10e6  # assumed bytes a second of the network


def plan(study: Study) -> dict:
    """What to download, and the disk, memory and time that the study needs; JSON-ready.

    Times are extrapolated from a few photos and rows on this machine; until there is a label table,
    they are for all photos of the part. `seconds` is None for a stage that cannot be timed yet.
    """
    from clipdemo.study.captions_alone import DRAWN

    fetches = [*downloads(study), _backbone(study)]
    missing = sum(f["bytes"] for f in fetches if not f["here"])
    photos = _rows(study)
    speed = _tried(study)
    width = speed["width"] or WIDTH
    store = 6 * photos * width * 4  # photo, caption, generated caption; twice during encoding
    weights = next(f["bytes"] for f in fetches if f["what"] == study.backbone)
    rows = 4 * photos * width * 4  # both embeddings of a row, twice while rows are selected
    memory = max(LOADING * weights, cores() * (PROCESS + rows))
    seconds = {
        f"download at {LINE / 1e6:.0f} MB a second": missing / LINE,
        "caption": _times(photos, speed["caption"]),
        "encode": _times(photos, _sum(speed["photo"], speed["text"], speed["text"])),
        "sweep and baselines": _sum(_times(photos, speed["sweep"]), _times(DRAWN, speed["text"])),
    }
    return {
        "fetch": fetches,
        "disk": {"needed": missing + store, "free": _free(study.out)},
        "memory": {"needed": int(memory), "free": available()},
        "photos": photos,
        "seconds": seconds,
    }


def check_disk(found: dict, out: Path) -> None:
    """Raise ClipdemoError if a plan needs more disk than is free."""
    needed, free = found["disk"]["needed"], found["disk"]["free"]
    if needed > free:
        raise ClipdemoError(
            f"{out} needs about {needed / 1e9:.1f} GB of disk and {free / 1e9:.1f} GB are free: "
            "free some, or choose another --out."
        )


def downloads(study: Study) -> list[dict]:
    """COCO's zips, each with its size, whether it is here and verified, and whether the size is
    known from disk or server (`told`) and not from `SIZES`.

    A server that does not answer costs 4 seconds for each.
    """
    found = []
    for name, url in addresses(study.photos, study.base_url).items():
        path = study.data / name
        if path.is_file():
            size, told = path.stat().st_size, True
        else:
            size = _remote_size(url)
            told = size is not None
        here = is_checked(path)
        found.append({"what": name, "bytes": size or SIZES[name], "here": here, "told": told})
    return found


def _rows(study: Study) -> int:
    """The number of rows of the label table; until there is one, of all photos of the part."""
    if not study.table.is_file():
        return PHOTOS[study.photos]
    return len(read_label_table(study.table, None).frame)


def _remote_size(url: str) -> int | None:
    """Size of a file on a server; None if the server does not answer."""
    try:
        return content_length(url, silence=4.0)
    except ClipdemoError:
        return None


def _backbone(study: Study) -> dict:
    """Size of the weights according to the hub, else estimated from the number of parameters."""
    from clipdemo.hub.locate import locate

    state, offer = locate(study.backbone), catalog.offer(study.backbone)
    size = state.bytes or (4 * offer.parameters if offer else 0)
    here = state.state in ("bundled", "cached", "local")
    told = state.bytes is not None
    return {"what": study.backbone, "bytes": size, "here": here, "told": told}


def _tried(study: Study) -> dict:
    """Seconds per photo, caption and row of the study, each timed briefly; and width D."""
    found = {"photo": None, "text": None, "width": None}
    model = _model(study)
    if model:
        found |= _encoding(*model)
        del model
    found["caption"] = _captioning(study)
    found["sweep"] = _fitting(found["width"] or WIDTH)
    return found


def _model(study: Study):
    """The backbone; if it is not here, its architecture with random weights; None if unknown."""
    import open_clip

    from clipdemo.hub.locate import locate_local
    from clipdemo.hub.memory import check_memory
    from clipdemo.model.backbones import Backbone, open_clip_name, pick_device

    if locate_local(study.backbone):
        loaded = Backbone(study.backbone, study.device, "fp32")
        return loaded.model, loaded.preprocess, loaded.tokenizer, loaded.device
    name, pretrained = open_clip_name(study.backbone)
    offer, device = catalog.offer(study.backbone), pick_device(study.device)
    if not pretrained:
        return None
    check_memory(4 * offer.parameters if offer else 0)
    logging.disable(logging.WARNING)  # about the missing weights
    try:
        model, _, preprocess = open_clip.create_model_and_transforms(name, device=device)
    finally:
        logging.disable(logging.NOTSET)
    return model.eval(), preprocess, open_clip.get_tokenizer(name), device


def _encoding(model, preprocess, tokenizer, device: str, count: int = 3) -> dict:
    """Seconds per photo, including JPEG decoding, and per caption."""
    import torch
    from PIL import Image

    file = BytesIO()
    Image.effect_noise((640, 480), 60).convert("RGB").save(file, "JPEG")

    def photos() -> torch.Tensor:
        opened = [Image.open(file).convert("RGB") for _ in range(count)]
        return model.encode_image(torch.stack([preprocess(p) for p in opened]).to(device))

    def captions() -> torch.Tensor:
        texts = ["Two people ride bicycles along a street with parked cars"] * count
        return model.encode_text(tokenizer(texts).to(device))

    with torch.inference_mode():
        width = photos().shape[1]  # also warms up
        captions()
        photo = _seconds(lambda: photos().cpu()) / count
        text = _seconds(lambda: captions().cpu()) / count
    return {"photo": photo, "text": text, "width": width}


def _captioning(study: Study, count: int = 2) -> float | None:
    """Seconds per generated caption; None if the captioner is not here yet."""
    from clipdemo.model.captioners.choice import load_captioner
    from clipdemo.scenes import random_scene

    try:
        captioner = load_captioner(study.captioner, device=study.device)
    except ClipdemoError:
        return None
    photos = [random_scene(seed, (640, 480)).image for seed in range(count)]
    captioner.suggest(photos[0], 1)
    return _seconds(lambda: [captioner.suggest(photo, 1) for photo in photos]) / count


def _fitting(width: int, rows: int = 512) -> float:
    """Seconds per photo of all the sweep's runs together."""
    from dataclasses import replace

    import numpy as np

    from clipdemo.study.fit import fit_head
    from clipdemo.study.runs import SEEDS
    from clipdemo.study.sweep import FINAL, HIDDEN, RATES

    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(rows, 2 * width)).astype(np.float32)
    targets = (rng.random((rows, 18)) < 0.2).astype(np.float32)
    once = replace(FINAL, epochs=1)

    def fit(count: int) -> None:
        fit_head(inputs[:count], targets[:count], None, inputs[:64], targets[:64], once)

    fit(FINAL.batch)  # the first steps of a process are slow
    spent = _seconds(lambda: fit(rows))
    runs = (len(HIDDEN) * len(RATES) + 12) * len(SEEDS)  # a dozen ablations beside the grid
    return spent / rows * FINAL.epochs * runs * TRAINED


def _seconds(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _sum(*parts: float | None) -> float | None:
    return None if None in parts else sum(parts)


def _times(photos: int, each: float | None) -> float | None:
    return None if each is None else photos * each


def _free(folder: Path) -> int:
    there = next(p for p in (folder.resolve(), *folder.resolve().parents) if p.exists())
    return shutil.disk_usage(there).free
