"""A wider or deeper image tower that begins as a smaller, trained one."""

import torch
from torch import nn


@torch.no_grad()
def grow(model: nn.Module, smaller: dict[str, torch.Tensor]) -> None:
    """Give `model` the weights of a smaller one, so that it computes the same.

    As in Net2Net (Chen et al. 2016), except that new channels are not copies: they begin at random
    and what was there before does not read them, so that no two channels learn the same. Blocks
    that the smaller model lacks add nothing at first.

    Args:
        model: an open_clip model with a CLIP ResNet; changed in place.
        smaller: state of a model with the same text tower, no wider and no deeper.

    Raises:
        ValueError: a weight of `smaller` has no place in the model.
    """
    grown = model.state_dict()
    for name, old in smaller.items():
        new = grown.get(name)
        if new is None or any(n < o for n, o in zip(new.shape, old.shape, strict=True)):
            raise ValueError(f"{name} of the smaller model has no place in this one.")
        if name.endswith("bn3.weight"):
            new.fill_(1)
        elif new.dim() > 1:
            new[: len(old), old.shape[1] :] = 0
        new[tuple(slice(n) for n in old.shape)] = old
    for name in grown.keys() - smaller.keys():
        if name.endswith("bn3.weight"):
            grown[name].zero_()
    model.load_state_dict(grown)
