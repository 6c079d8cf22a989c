"""The training loop: an interrupted run resumes, another run starts from the beginning."""

import json

import pytest
import torch
from torch import nn

from clipdemo.tiny.training import LoopRecipe, train

RECIPE = LoopRecipe(steps=5, rate=0.1)


class Batches(torch.utils.data.Dataset):
    """Random rows by step; the run is interrupted at the step `stop`."""

    def __init__(self, stop: int = -1) -> None:
        self.stop = stop

    def __getitem__(self, step: int) -> torch.Tensor:
        if step == self.stop:
            raise KeyboardInterrupt
        return torch.randn(8, 4, generator=torch.Generator().manual_seed(step))


def run(work, stop=-1, recipe=RECIPE, version="") -> torch.Tensor:
    """The averaged weights of a whole run."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5), nn.BatchNorm1d(4))

    def losses(module, batch):
        return {"total": module(batch).pow(2).mean()}

    def check(module, step):
        return {"training": float(module.training)}

    trained = train(module, Batches(stop), losses, check, recipe, work, "toy", 0.0, version)
    return torch.cat([value.flatten().float() for value in trained.state_dict().values()])


def steps(work) -> list[int]:
    return [json.loads(line)["step"] for line in (work / "log.jsonl").open()]


def test_an_interrupted_run_ends_with_the_weights_of_an_undisturbed_one(tmp_path):
    (tmp_path / "whole").mkdir()
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, stop=3)
    assert steps(tmp_path) == [1, 2, 3]
    assert torch.equal(run(tmp_path), run(tmp_path / "whole"))
    assert steps(tmp_path) == [1, 2, 3, 4, 5]
    assert torch.equal(run(tmp_path), run(tmp_path / "whole")), "finished runs train no further"


@pytest.mark.parametrize("change", [{"recipe": LoopRecipe(steps=6, rate=0.1)}, {"version": "b"}])
def test_with_another_recipe_or_backbone_it_starts_from_the_beginning(tmp_path, change):
    run(tmp_path)
    run(tmp_path, **change)
    assert steps(tmp_path).count(1) == 2


def test_the_average_is_checked_as_it_is_used(tmp_path):
    run(tmp_path)
    entries = [json.loads(line) for line in (tmp_path / "log.jsonl").open()]
    assert all(entry["training"] == 0 for entry in entries)
