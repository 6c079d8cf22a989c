"""Drawn scenes with known objects: random ones in any number, the examples, a labelled table."""

from clipdemo.scenes.examples import example_scenes, export_examples
from clipdemo.scenes.random_scenes import random_scene
from clipdemo.scenes.stage import Scene
from clipdemo.scenes.table import DrawnPhotos, drawn_table

__all__ = [
    "DrawnPhotos", "Scene", "drawn_table", "example_scenes", "export_examples", "random_scene"
]  # fmt: skip
