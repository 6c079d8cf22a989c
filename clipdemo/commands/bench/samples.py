"""Inputs for benchmarks: drawn photos, and backbones of any size with random weights."""

import itertools
import json
import logging
import multiprocessing
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

from clipdemo.errors import ClipdemoError
from clipdemo.scenes import random_scene

PHOTO_SIZE = (640, 480)


def photos() -> Iterator[tuple[bytes, str]]:
    """Drawn photos as JPEG, each with its caption; all different."""
    return map(_photo, itertools.count())


@cache
def _photo(seed: int) -> tuple[bytes, str]:
    scene, file = random_scene(seed, PHOTO_SIZE), BytesIO()
    scene.image.save(file, "JPEG", quality=90)
    return file.getvalue(), f"{scene.caption} {seed}"


def write_random(name: str, folder: Path) -> str:
    """Write one of open_clip's models with random weights to a folder; return its backbone id.

    Runs in another process, since later child processes inherit this one's peak memory.

    Raises:
        ClipdemoError: open_clip has no such model, or it cannot be made here.
    """
    configs = Path(find_spec("open_clip").origin).with_name("model_configs")
    if not (configs / f"{name}.json").is_file():
        raise ClipdemoError(f"There is no model {name!r}: name one of open_clip, like ViT-B-32.")
    process = multiprocessing.get_context("spawn").Process(target=_write, args=(name, folder))
    process.start()
    process.join()
    if process.exitcode:
        raise ClipdemoError(f"{name} cannot be made with random weights here: name a smaller one.")
    return f"local-dir:{folder}"


def _write(name: str, folder: Path) -> None:
    from safetensors.torch import save_file

    from clipdemo.model.without_compiler import without_compiler

    with without_compiler():
        import open_clip

    logging.disable(logging.WARNING)  # that the weights are random
    model, config = open_clip.create_model(name), open_clip.get_model_config(name)
    (folder / "open_clip_config.json").write_text(
        json.dumps({"model_cfg": config, "preprocess_cfg": {}})
    )
    if "hf_tokenizer_name" in config["text_cfg"]:
        from clipdemo.tiny.joint_model import save_tokenizer, train_tokenizer

        captions = [random_scene(seed).caption for seed in range(200)]
        tokenizer = train_tokenizer(captions, min(1000, config["text_cfg"]["vocab_size"]))
        save_tokenizer(folder, tokenizer, config["text_cfg"]["context_length"])
    weights = {k: v.contiguous() for k, v in model.state_dict().items()}
    save_file(weights, folder / "open_clip_model.safetensors")
