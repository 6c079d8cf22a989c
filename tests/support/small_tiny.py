"""A folder like `checkpoints/tiny`, smaller and with random weights: backbone, heads, card."""

from pathlib import Path

import torch

from clipdemo.inputs.labels import COCO18, MODES
from clipdemo.model.checkpoints import save_heads
from clipdemo.model.heads import MLPHead
from clipdemo.scenes import random_scene
from clipdemo.tiny import joint_model as joint


def write_small_tiny(folder: Path, seed: int = 0) -> Path:
    """Write the folder; its tokenizer knows the words of drawn scenes."""
    captions = [random_scene(seed).caption for seed in range(60)]
    tokenizer = joint.train_tokenizer(captions, 300)
    joint.write_model_files(folder, tokenizer, width=8, layers=(1, 1, 1, 1), image_size=64)
    torch.manual_seed(seed)
    model = joint.new_model(folder)
    joint.save_weights(model.state_dict(), folder)
    heads, modes = {}, {}
    for mode in MODES:
        inputs = joint.WIDTH * (2 if mode == "concat" else 1)
        heads[mode] = MLPHead(inputs, (8,), len(COCO18))
        modes[mode] = {"inputs": inputs, "hidden": [8], "temperature": 1.0}
        modes[mode]["thresholds"] = [0.5] * len(COCO18)
    content = {"backbone": f"local-dir:{folder}", "width": joint.WIDTH, "modes": modes}
    content |= {"labels": list(COCO18.names), "label_ids": list(COCO18.ids)}
    save_heads(folder, heads, content)
    return folder
