"""Embeddings projected to a plane."""

import numpy as np


def project(embeddings: np.ndarray) -> np.ndarray:
    """Positions [N, 2] in [-1, 1] of embeddings [N, D], with most neighbours kept together.

    t-SNE (van der Maaten and Hinton 2008) on cosine distances; large distances mean nothing. Rows
    with nan stay nan.
    """
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    known = ~np.isnan(embeddings).any(1)
    positions = np.full((len(embeddings), 2), np.nan, np.float32)
    if known.sum() < 4:  # too few for t-SNE
        positions[known] = 0
        return positions
    perplexity = min(30, (known.sum() - 1) / 3)
    model = TSNE(perplexity=perplexity, metric="cosine", init="random", random_state=0)
    with threadpool_limits(1):  # faster than more threads, which mostly wait for each other
        found = model.fit_transform(embeddings[known].astype(np.float32))
    positions[known] = found / np.abs(found).max()
    return positions
