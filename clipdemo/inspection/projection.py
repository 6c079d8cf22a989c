"""Embeddings on a plane."""

import numpy as np


def on_plane(embeddings: np.ndarray) -> np.ndarray:
    """Places [N, 2] in [-1, 1] of embeddings [N, D]: neighbours there are mostly neighbours here.

    t-SNE (van der Maaten and Hinton 2008) by cosine distance; distances between far places say
    nothing. Rows that are nan get nan.
    """
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    known = ~np.isnan(embeddings).any(1)
    places = np.full((len(embeddings), 2), np.nan, np.float32)
    if known.sum() < 4:  # nothing to lay out
        places[known] = 0
        return places
    perplexity = min(30, (known.sum() - 1) / 3)
    model = TSNE(perplexity=perplexity, metric="cosine", init="random", random_state=0)
    with threadpool_limits(1):  # its threads wait for each other so much that one is faster
        found = model.fit_transform(embeddings[known].astype(np.float32))
    places[known] = found / np.abs(found).max()
    return places
