"""A stage puts drawn objects into a picture and finds out which of them are visible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from PIL import Image

from clipdemo.inputs.labels import COCO18
from clipdemo.scenes.drawing.backdrops import MOODS, Mood, weather
from clipdemo.scenes.drawing.objects import DRAWINGS, PAINTS
from clipdemo.scenes.drawing.pen import Canvas, Look, Pen

Box = tuple[float, float, float, float]

MIN_VISIBLE = 0.5
MIN_PIXELS = 20


@dataclass(frozen=True)
class Scene:
    """A drawn picture, the objects in it with their boxes (fractions of it), and a caption."""

    image: Image.Image
    objects: tuple[tuple[str, Box], ...]
    caption: str

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the objects, each once, in the order of `COCO18`."""
        seen = {name for name, _ in self.objects}
        return tuple(name for name in COCO18.names if name in seen)


@dataclass(frozen=True)
class Actor:
    """An object on the stage, with the words a caption may use for it."""

    label: str
    kind: str
    paint: str
    pose: str
    drawn: int
    box: Box | None = None


class Stage:
    """Draws a scene step by step: background with `pen`, objects with `add`, then `finish`."""

    def __init__(self, size: tuple[int, int], mood: str, seed: int) -> None:
        self.canvas = Canvas(size)
        self.pen = Pen.over(self.canvas)
        self.mood: Mood = MOODS[mood]
        self.rng = Random(seed)
        self._actors: list[Actor] = []

    def add(
        self,
        label: str,
        x: float,
        y: float,
        height: float,
        kind: str = "",
        paint: str = "",
        flip: bool = False,
        turn: float = 0,
        pose: str = "",
        shadow: bool = True,
    ) -> None:
        """Place an object at (x, y), in heights of the picture; the rest is random if not given."""
        drawing = DRAWINGS[label]
        kind = kind or self.rng.choice(drawing.kinds)
        paint = paint or self.rng.choice(drawing.paints)
        pose = pose or self.rng.choice(drawing.poses)
        pen = self.pen.at(x, y, height, flip and drawing.mirror, turn)
        if shadow and pose != "fly" and label not in ("boat", "train"):
            self.pen.at(x, y, height).shadow((drawing.foot or drawing.wide) * 0.48, 0.04)
        self.canvas.owner = owner = len(self._actors) + 1
        drawing.draw(pen, PAINTS.get(paint, paint), Look(kind, pose, self.rng))
        self.canvas.owner = 0
        self._actors.append(Actor(label, kind, paint, pose, self.canvas.area(owner)))

    def visible(self) -> list[Actor]:
        """The objects that are not mostly hidden, with their boxes, in order of addition."""
        found = []
        for owner, actor in enumerate(self._actors, 1):
            left = self.canvas.area(owner)
            if left >= max(MIN_PIXELS, MIN_VISIBLE * actor.drawn):
                box = self.canvas.box(owner)
                found.append(replace(actor, drawn=left, box=box))
        return found

    def finish(self, caption: str, actors: Sequence[Actor] | None = None) -> Scene:
        """Add weather and light; return the picture with what is visible in it."""
        actors = self.visible() if actors is None else actors
        weather(self.pen, self.mood, self.rng)
        image = self.canvas.finish(self.mood.tint)
        return Scene(image, tuple((actor.label, actor.box) for actor in actors), caption)
