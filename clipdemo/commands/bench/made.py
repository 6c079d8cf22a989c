"""What is measured with: drawn photos, as many as are needed, and backbones of any size.

`python -m clipdemo.commands.bench.made NAME FOLDER` writes a backbone with random weights.
"""

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from clipdemo.errors import ClipdemoError
from clipdemo.scenes import random_scene

PHOTO_SIZE = (640, 480)


def photos() -> Iterator[tuple[bytes, str]]:
    """Drawn photos as JPEG, each with its caption; no two are the same."""
    for seed in itertools.count():
        scene, file = random_scene(seed, PHOTO_SIZE), BytesIO()
        scene.image.save(file, "JPEG", quality=90)
        yield file.getvalue(), f"{scene.caption} {seed}"


def write_random(name: str, folder: Path) -> str:
    """Write one of open_clip's models with random weights; its backbone id.

    In a process of its own: what is started here afterwards must not begin with its memory.

    Raises:
        ClipdemoError: open_clip has no such model.
    """
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "clipdemo.commands.bench.made",
        name,
        str(folder),
    ]
    if subprocess.run(command, stderr=subprocess.DEVNULL).returncode:
        raise ClipdemoError(f"{name!r} cannot be made: name a model of open_clip, as ViT-B-32.")
    return f"local-dir:{folder}"


def main(name: str, folder: Path) -> None:
    """See `write_random`."""
    import open_clip
    from safetensors.torch import save_file

    model = open_clip.create_model(name)
    config = {"model_cfg": open_clip.get_model_config(name), "preprocess_cfg": {}}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    weights = {k: v.contiguous() for k, v in model.state_dict().items()}
    save_file(weights, folder / "open_clip_model.safetensors")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
