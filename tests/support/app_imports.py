"""Imports everything that the app and its model import, and draws the scenes that Inspect shows."""

import sklearn.manifold  # noqa: F401
from cleanlab.multilabel_classification import filter  # noqa: F401

import clipdemo.model.classifier
from clipdemo.page.server.stubs import without_stubs
from clipdemo.scenes import drawn_table

with without_stubs():
    import clipdemo.page.server.server  # noqa: F401

drawn_table()
