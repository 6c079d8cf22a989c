"""Imports everything that the app and its model import."""

import open_clip  # noqa: F401
import sklearn.manifold  # noqa: F401
from cleanlab.multilabel_classification import filter  # noqa: F401

from clipdemo.page.server.stubs import without_stubs

with without_stubs():
    import clipdemo.page.server.server  # noqa: F401
