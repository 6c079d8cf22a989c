"""Embeddings: cached up to a limit of bytes, and encoded together for several threads."""

import threading

import numpy as np
import pytest
import torch

from clipdemo.model.embeddings import BATCH, Batcher, Encoder, RowCache


def row(i: int) -> np.ndarray:
    return np.full(100, i, np.float32)  # 400 bytes


def test_the_latest_rows_are_kept_up_to_the_limit():
    recent = RowCache(limit=3 * 400)
    for i in range(3):
        recent.put(bytes([i]), row(i))
    recent.get(bytes([0]))
    recent.put(bytes([3]), row(3))
    assert [i for i in range(4) if recent.get(bytes([i])) is not None] == [0, 2, 3]
    assert np.array_equal(recent.get(bytes([3])), row(3))


def test_a_row_larger_than_the_limit_is_not_kept_and_harms_nothing():
    recent = RowCache(limit=500)
    recent.put(b"a", row(1))
    recent.put(b"b", np.zeros(1000, np.float32))
    assert recent.get(b"b") is None
    recent.put(b"c", row(2))
    assert np.array_equal(recent.get(b"c"), row(2))


def test_the_bytes_are_counted_once_however_often_a_row_is_put():
    recent = RowCache(limit=2 * 400)
    for _ in range(10):
        recent.put(b"a", row(1))
    recent.put(b"b", row(2))
    assert recent.get(b"a") is not None
    assert recent.get(b"b") is not None


def ask_at_once(together: Batcher, count: int) -> tuple[dict, dict]:
    """Results and errors of `count` threads, thread i asking for i + 1 rows of the number i."""
    found, errors = {}, {}

    def ask(i: int) -> None:
        try:
            found[i] = together(torch.full((i + 1, 2), float(i)))
        except Exception as error:
            errors[i] = error

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found, errors


def test_waiting_requests_are_encoded_in_one_batch():
    """The first is held until the others wait; then one call gives each of them its own rows."""
    sizes, begun, waiting = [], threading.Event(), threading.Event()

    def encode(inputs: torch.Tensor) -> np.ndarray:
        sizes.append(len(inputs))
        begun.set()
        while len(sizes) == 1 and len(together._waiting) < 5:
            waiting.wait(0.01)
        return 10 * inputs.numpy()

    together = Batcher(encode)
    first = threading.Thread(target=together, args=(torch.zeros(1, 2),))
    first.start()
    begun.wait()
    found, errors = ask_at_once(together, 5)
    first.join()
    assert not errors
    assert sizes == [1, 15]
    for i, rows in found.items():
        assert np.array_equal(rows, np.full((i + 1, 2), 10.0 * i))


def test_a_batch_is_never_larger_than_the_limit():
    sizes = []

    def encode(inputs: torch.Tensor) -> np.ndarray:
        sizes.append(len(inputs))
        return inputs.numpy()

    rows = torch.arange(2.0 * BATCH + 3)[:, None]
    assert np.array_equal(Batcher(encode)(rows), rows.numpy())
    assert sizes == [BATCH, BATCH, 3]


def test_an_error_reaches_all_callers_and_the_next_call_works():
    broken = True

    def encode(inputs: torch.Tensor) -> np.ndarray:
        if broken:
            raise RuntimeError("out of memory")
        return inputs.numpy()

    together = Batcher(encode)
    found, errors = ask_at_once(together, 4)
    assert not found
    assert {str(e) for e in errors.values()} == {"out of memory"}
    broken = False
    assert len(together(torch.zeros(2, 2))) == 2


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_agrees_with_full(tiny, precision):
    """On the scenes: to 0.01 in every score, and in every decision at the tuned thresholds."""
    import clipdemo
    from clipdemo.page.compare.tab import SCENES, read_scenes

    half = clipdemo.load("tiny", device="cpu", precision=precision)
    assert half.backbone.precision == precision
    moved = 0.0
    for name, scene in read_scenes().items():
        pair = [c.predict(SCENES / f"{name}.webp", scene["caption"]) for c in (tiny, half)]
        for mode, scores in pair[0].scores.items():
            differences = [abs(s - pair[1].scores[mode][n]) for n, s in scores.items()]
            assert max(differences) < 0.01, (name, mode)
            moved = max(moved, *differences)
            assert set(pair[0].labels(mode)) == set(pair[1].labels(mode)), (name, mode)
    assert moved > 0, "it was not another precision"


def test_an_encoder_gives_none_for_none_and_keeps_order(tiny, photos):
    encoder = Encoder(tiny.backbone)
    rows = encoder.photos([None, photos[1], photos[0], photos[1]])
    assert rows[0] is None
    assert np.array_equal(rows[1], rows[3])
    np.testing.assert_allclose(rows[2], tiny.backbone.encode_photos(photos[:1])[0], atol=1e-5)
    assert encoder.captions([None]) == [None]
