"""Heads: MUTAN's fusion is the bilinear form of the paper, and each head reads its mode."""

import pytest
import torch

from clipdemo.model.heads import MLPHead, MutanHead, head_input, new_head

WIDTH, PROJECTED, FUSED, RANK, LABELS = 5, 4, 6, 3, 2


@pytest.fixture
def mutan() -> MutanHead:
    torch.manual_seed(0)
    return MutanHead(WIDTH, PROJECTED, FUSED, RANK, LABELS).double().eval()


def core(head: MutanHead) -> torch.Tensor:
    """T [projected, projected, fused]: slice k is the sum of R outer products of rank one."""
    m = head.image_factors.weight.view(RANK, FUSED, PROJECTED)
    n = head.text_factors.weight.view(RANK, FUSED, PROJECTED)
    slices = [sum(torch.outer(m[r, k], n[r, k]) for r in range(RANK)) for k in range(FUSED)]
    return torch.stack(slices, 2)


def direct(head: MutanHead, embeddings: torch.Tensor) -> torch.Tensor:
    """The head's logits by the whole tensor, as the paper's equations write them."""
    image, text = embeddings[:, :WIDTH] * WIDTH**0.5, embeddings[:, WIDTH:] * WIDTH**0.5
    v = torch.tanh(image @ head.image.weight.T + head.image.bias)
    q = torch.tanh(text @ head.text.weight.T + head.text.bias)
    z = torch.einsum("ni,nj,ijk->nk", v, q, core(head))
    return z @ head.output.weight.T + head.output.bias


def unit(rows: int) -> torch.Tensor:
    """Two embeddings side by side [rows, 2 * WIDTH]."""
    parts = torch.randn(2, rows, WIDTH, dtype=torch.float64)
    return torch.cat(list(torch.nn.functional.normalize(parts, dim=-1)), 1)


def test_mutan_is_the_full_bilinear_form_it_factorises(mutan):
    inputs = unit(7)
    torch.testing.assert_close(mutan(inputs), direct(mutan, inputs), rtol=1e-12, atol=1e-12)


def test_mutans_gradients_are_those_of_the_full_bilinear_form(mutan):
    """Of every weight and of the embeddings."""
    inputs, upstream = unit(7).requires_grad_(), torch.randn(7, LABELS, dtype=torch.float64)
    wanted = [inputs, *mutan.parameters()]
    found = torch.autograd.grad((mutan(inputs) * upstream).sum(), wanted)
    expected = torch.autograd.grad((direct(mutan, inputs) * upstream).sum(), wanted)
    assert len(found) == 1 + 2 + 2 + 1 + 1 + 2
    for ours, theirs in zip(found, expected, strict=True):
        assert theirs.abs().sum() > 0
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


def test_mutans_slices_have_the_rank_that_was_asked_for(mutan):
    assert [int(torch.linalg.matrix_rank(part)) for part in core(mutan).unbind(2)] == [RANK] * FUSED


def test_mutan_depends_on_photo_and_caption_only_together(mutan):
    """They are multiplied, not added: if one is zero, the other changes nothing."""
    with torch.no_grad():
        mutan.text.bias.zero_()
        inputs = unit(5)
        inputs[:, WIDTH:] = 0
        torch.testing.assert_close(mutan(inputs), mutan.output.bias.expand(5, LABELS))


def test_a_cards_entry_tells_a_heads_shape():
    mlp = new_head({"inputs": 6, "hidden": [4, 3]}, LABELS)
    assert isinstance(mlp, MLPHead)
    assert [tuple(p.shape) for p in mlp.parameters() if p.ndim == 2] == [(4, 6), (3, 4), (2, 3)]
    sizes = {"projected": PROJECTED, "fused": FUSED, "rank": RANK}
    head = new_head({"kind": "mutan", "inputs": 2 * WIDTH, "hidden": [], **sizes}, LABELS)
    same = MutanHead(WIDTH, PROJECTED, FUSED, RANK, LABELS)
    assert isinstance(head, MutanHead)
    assert {k: v.shape for k, v in head.state_dict().items()} == {
        k: v.shape for k, v in same.state_dict().items()
    }


@pytest.mark.parametrize("mode", ["concat", "mutan"])
def test_what_reads_both_has_them_side_by_side_or_nothing(mode):
    image, text = torch.zeros(1, WIDTH), torch.ones(1, WIDTH)
    assert head_input(mode, image, text).tolist() == [[0.0] * WIDTH + [1.0] * WIDTH]
    assert head_input(mode, image, None) is None
    assert head_input(mode, None, text) is None
