"""The bench: its comparisons and its output."""

import json
import math
import shutil
import time

import pytest
from support.processes import run_clipdemo

from clipdemo.commands.bench.browser import BROWSERS
from clipdemo.commands.bench.comparison import Comparison, compare
from clipdemo.commands.bench.gpu import measure_pairs
from clipdemo.commands.bench.model import encoding_files
from clipdemo.commands.bench.page import USERS, crowd
from clipdemo.commands.bench.samples import write_random
from clipdemo.commands.bench.tables import both_ways, random_predictions
from clipdemo.hub.catalog import has_cuda
from clipdemo.model.backbones import Backbone

RATIOS = (
    "photo_to_scores_ratio", "caption_edit_ratio", "startup_ratio", "throughput_16_users_ratio",
    "p95_16_users_ratio", "table_ratio", "encode_ratio", "inspect_filter_ratio",
)  # fmt: skip


def test_ours_and_plain_take_turns_and_the_first_is_not_counted():
    calls = []

    def taking(name: str, seconds: list[float]):
        left = iter(seconds)

        def action() -> float:
            calls.append(name)
            return next(left)

        return action

    ours, plain = taking("ours", [90.0, 1.0, 50.0, 2.0]), taking("plain", [70.0, 8.0, 4.0, 0.1])
    found = compare(ours, plain, rounds=3)
    assert calls == ["ours", "plain"] * 4
    assert found == Comparison(ours=2.0, plain=4.0)
    assert found.ratio == 0.5


def test_requests_served_concurrently_do_not_wait_for_each_other():
    """Requests that only wait take as long as one if concurrent, as long as all if sequential."""
    found = crowd(lambda: lambda: time.sleep(0.02), rounds=1)
    assert found["throughput_16_users_ratio"].ratio < 0.5
    assert found["p95_16_users_ratio"].ratio < 0.5
    in_turn = found["p95_16_users_ratio"].plain
    assert 0.02 * USERS * 0.8 < in_turn < found["throughput_16_users_ratio"].plain


def test_both_ways_of_filtering_find_the_same_rows():
    """Otherwise the comparison would be meaningless."""
    ours, plain = both_ways(random_predictions(2000))
    assert ours() == plain()
    assert 20 < len(ours()) < 2000


@pytest.fixture(scope="module")
def printed(vit_folder) -> str:
    found = run_clipdemo(
        "bench", "--json", "--rounds", 1, "--rows", 5000, "--backbone", f"local-dir:{vit_folder}"
    )
    assert found.returncode == 0, found.stderr
    return found.stdout


def test_json_has_every_figure_of_the_contract(printed: str, vit_folder):
    figures = json.loads(printed)
    for name in RATIOS:
        assert math.isfinite(figures[name]), name
        assert figures[name] > 0, name
    assert figures["peak_rss_mb"] > 0
    assert figures["backbone"] == f"local-dir:{vit_folder}"
    assert figures["device"]
    assert figures["runs"] == 1


@pytest.mark.browser
@pytest.mark.skipif(not any(map(shutil.which, BROWSERS)), reason="no browser here")
def test_the_slider_sends_no_requests(printed: str):
    figures = json.loads(printed)
    assert figures["threshold_requests"] == 0
    for name in ("threshold_step_ms", "inspect_step_ms"):
        assert figures[name]["p95"] >= figures[name]["median"] > 0


def test_a_model_of_any_size_can_be_made(tmp_path, photos):
    backbone = Backbone(write_random("ViT-S-32-alt", tmp_path), "cpu")  # open_clip's smallest
    assert backbone.width == 256
    assert backbone.encode_photos(photos[:1]).shape == (1, 256)


def test_encoding_is_compared_with_a_plain_loop(vit_folder):
    found = encoding_files(Backbone(f"local-dir:{vit_folder}", "cpu"), rounds=1, count=4)
    assert found.ours > 0
    assert found.plain > 0


def test_the_whole_encode_command_is_measured(vit_folder, monkeypatch):
    """As `--gpu` does, here on a CPU: rates, the time before the first batch, and the plan."""
    monkeypatch.setattr("clipdemo.commands.bench.gpu.SECONDS", 0.2)
    found = measure_pairs(f"local-dir:{vit_folder}", "cpu", 40)
    assert found["pairs"] == 40
    first, whole = found["seconds_before_first_batch"], found["seconds_for_40000_pairs"]
    assert 0 < first < whole
    for rate in ("photos_per_second", "captions_per_second"):
        assert found[rate] > 0
        assert found[f"bare_{rate}"] > 0
    small, large = found["plan"]["1_million"], found["plan"]["1_billion"]
    assert large["hours"] == pytest.approx(1000 * small["hours"], rel=0.1)
    assert small["store_gb"] == pytest.approx(1e6 * 2 * 4 * 32 / 1e9, abs=0.01)


@pytest.mark.parametrize(
    "flags",
    [
        ("--backbone", "local-dir:/nowhere"),
        ("--random", "no-model"),
        pytest.param(("--gpu",), marks=pytest.mark.skipif(has_cuda(), reason="there is a GPU")),
    ],
)
def test_what_cannot_be_measured_is_one_sentence(flags, clipdemo_cli, is_sentence):
    code, out, err = clipdemo_cli("bench", *flags)
    assert (code, out) == (2, "")
    assert is_sentence(err)
