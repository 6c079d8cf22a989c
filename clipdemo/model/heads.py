"""Heads: from embeddings to one logit per label."""

import torch
from torch import nn


class MLPHead(nn.Module):
    """The study's classifier: `len(hidden)` hidden layers with ReLU and dropout, then logits.

    Embeddings are L2-normalised, so their entries are about 1/sqrt(D). The head scales them to
    about 1, so that one learning rate works for every backbone.
    """

    def __init__(
        self, inputs: int, hidden: tuple[int, ...], labels: int, dropout: float = 0.3
    ) -> None:
        super().__init__()
        self.scale = inputs**0.5
        layers: list[nn.Module] = []
        for width in hidden:
            layers += [nn.Linear(inputs, width), nn.ReLU(), nn.Dropout(dropout)]
            inputs = width
        self.layers = nn.Sequential(*layers, nn.Linear(inputs, labels))

    def forward(self, embeddings: torch.Tensor) -> torch.Tensor:
        """Logits [N, L] of embeddings [N, inputs]."""
        return self.layers(embeddings * self.scale)


class MutanHead(nn.Module):
    """MUTAN: a bilinear form of low rank of photo and caption, then logits.

    With both embeddings projected, v and q, the fusion is z_k = sum_ij T_ijk v_i q_j. Each slice of
    T has rank R, T_ijk = sum_r M_rik N_rjk, so that z = sum_r (v M_r) * (q N_r) (Ben-younes et al.
    2017, sections 3.2 and 3.3; as there, only the projections go through tanh).
    """

    def __init__(
        self, width: int, projected: int, fused: int, rank: int, labels: int, dropout: float = 0.3
    ) -> None:
        """Sizes of an embedding, its projection and z; R; and the number of labels."""
        super().__init__()
        self.scale, self.shape = width**0.5, (rank, fused)
        self.image = nn.Linear(width, projected)
        self.text = nn.Linear(width, projected)
        self.image_factors = nn.Linear(projected, rank * fused, bias=False)  # M
        self.text_factors = nn.Linear(projected, rank * fused, bias=False)  # N
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(fused, labels)

    def forward(self, embeddings: torch.Tensor) -> torch.Tensor:
        """Logits [N, L] of concatenated image and text embeddings [N, 2 * width]."""
        image, text = (embeddings * self.scale).chunk(2, dim=1)
        image = self.dropout(torch.tanh(self.image(image)))
        text = self.dropout(torch.tanh(self.text(text)))
        return self.output(self.dropout(self.fuse(image, text)))

    def fuse(self, image: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
        """z [N, fused] of projected image and text embeddings [N, projected] each."""
        product = self.image_factors(image) * self.text_factors(text)
        return product.unflatten(1, self.shape).sum(1)


class SumHead(nn.Module):
    """Late fusion: a weighted sum of the logits of three heads, for photo, caption and both.

    Negative logits of the caption's head have an extra weight: a caption that does not mention an
    object says less than one that does. The weights are shared by all labels, since a few hundred
    pairs are too few to learn them for each label.
    """

    def __init__(self, image: nn.Module, text: nn.Module, both: nn.Module) -> None:
        super().__init__()
        self.image, self.text, self.both = image, text, both
        self.weights = nn.Parameter(torch.tensor([1.0, 1.0, 1.0, 0.0]) / 3)
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, embeddings: torch.Tensor) -> torch.Tensor:
        """Logits [N, L] of concatenated image and text embeddings [N, 2 * D]."""
        return self.parts(embeddings) @ self.weights + self.bias

    def parts(self, embeddings: torch.Tensor) -> torch.Tensor:
        """[N, L, 4]: logits of photo, caption and both, and the caption's negative logits."""
        image, text = embeddings.chunk(2, dim=1)
        caption = self.text(text)
        logits = self.image(image), caption, self.both(embeddings), caption.clamp(max=0)
        return torch.stack(logits, dim=2)


class ZeroShotHead(nn.Module):
    """Untrained: the probability that a label's prompt fits better than any background prompt.

    The logit is the label's scaled cosine similarity minus the log-sum-exp of the background's, so
    that its sigmoid is CLIP's softmax over the label and the background (Radford et al. 2021,
    section 3.1), for each label independently.
    """

    def __init__(self, prompts: torch.Tensor, background: torch.Tensor, scale: float) -> None:
        """Normalised embeddings [L, D] and [B, D], and the backbone's logit scale."""
        super().__init__()
        self.register_buffer("prompts", prompts)
        self.register_buffer("background", background)
        self.scale = scale

    def forward(self, embeddings: torch.Tensor) -> torch.Tensor:
        """Logits [N, L] of embeddings [N, D]."""
        background = self.scale * embeddings @ self.background.T
        return self.scale * embeddings @ self.prompts.T - background.logsumexp(1, keepdim=True)


class SigmoidHead(nn.Module):
    """Untrained, for photos and backbones with a sigmoid loss: the probability by that loss that
    photo and label match (Zhai et al. 2023, "Sigmoid Loss for Language Image Pre-Training", section
    3.2)."""

    def __init__(self, prompts: torch.Tensor, scale: float, bias: float) -> None:
        """Normalised embeddings [L, D], and the backbone's logit scale and bias."""
        super().__init__()
        self.register_buffer("prompts", prompts)
        self.scale, self.bias = scale, bias

    def forward(self, embeddings: torch.Tensor) -> torch.Tensor:
        """Logits [N, L] of embeddings [N, D]."""
        return self.scale * embeddings @ self.prompts.T + self.bias


class MeanHead(nn.Module):
    """The mean of the logits of a head for photos and one for captions."""

    def __init__(self, image: nn.Module, text: nn.Module) -> None:
        super().__init__()
        self.image, self.text = image, text

    def forward(self, embeddings: torch.Tensor) -> torch.Tensor:
        """Logits [N, L] of embeddings [N, 2 * D]."""
        image, text = embeddings.chunk(2, dim=1)
        return (self.image(image) + self.text(text)) / 2


def new_head(entry: dict, labels: int, dropout: float = 0.3) -> nn.Module:
    """A head of the shape that a card's entry describes, with random weights."""
    if entry.get("kind", "mlp") == "mutan":
        sizes = (entry["projected"], entry["fused"], entry["rank"])
        return MutanHead(entry["inputs"] // 2, *sizes, labels, dropout)
    both = MLPHead(entry["inputs"], tuple(entry["hidden"]), labels, dropout)
    if entry.get("kind") != "sum":
        return both
    alone = (
        MLPHead(entry["inputs"] // 2, tuple(entry[f"{mode}_hidden"]), labels, dropout)
        for mode in ("image", "text")
    )
    return SumHead(*alone, both)


def head_input(
    mode: str, image: torch.Tensor | None, text: torch.Tensor | None
) -> torch.Tensor | None:
    """The input of a mode's head, from embeddings [N, D]; None when a part is missing."""
    if mode == "image":
        return image
    if mode == "text":
        return text
    if image is None or text is None:
        return None
    return torch.cat([image, text], dim=1)
