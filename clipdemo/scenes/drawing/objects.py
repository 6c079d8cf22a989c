"""The 18 labelled objects: the function that draws each, its kinds, colours, size and places."""

from collections.abc import Callable
from dataclasses import dataclass

from clipdemo.scenes.drawing import animals, crafts, street, vehicles
from clipdemo.scenes.drawing.pen import Colour, tone

PAINTS: dict[str, Colour] = {
    "white": tone("white", -0.04), "black": tone("ink", 0.1), "dark brown": tone("brown", -0.4),
    "golden": (222, 168, 98), "ginger": (232, 150, 80), "cream": tone("cream", -0.06),
}  # fmt: skip
"""Colours of objects that the palette lacks, or whose names mean another shade there."""


@dataclass(frozen=True)
class Drawing:
    """How one label is drawn: `draw(pen, paint, look)` fills a box 1 high and `wide` wide.

    Attributes:
        zones: the parts of a place where it can stand.
        weight: how likely a random scene includes it; compensates for few places suiting a boat
            and most suiting a dog.
        height: its usual height in a picture that is 1 high, in the foreground.
        foot: the width of its shadow, if not `wide`.
    """

    draw: Callable
    zones: tuple[str, ...]
    weight: float
    wide: float
    height: float
    kinds: tuple[str, ...]
    paints: tuple[str, ...]
    mirror: bool = True
    foot: float = 0
    poses: tuple[str, ...] = ("stand",)


CARS = ("red", "blue", "yellow", "green", "orange", "white", "grey", "teal")
DRAWINGS: dict[str, Drawing] = {
    "person": Drawing(animals.person, ("walk",), 0.66, 0.4, 0.5, ("man", "woman", "child"),
                      ("red", "blue", "yellow", "green", "orange", "white", "teal", "pink"),
                      poses=("stand", "walk", "walk", "wave")),
    "bicycle": Drawing(vehicles.bicycle, ("walk", "road"), 0.78, 1.75, 0.32, ("bicycle", "bike"),
                       ("red", "blue", "yellow", "green", "orange", "teal", "pink")),
    "car": Drawing(vehicles.car, ("road",), 1.18, 2.65, 0.26, ("car", "car", "taxi"), CARS),
    "motorcycle": Drawing(vehicles.motorcycle, ("road",), 1.13, 1.85, 0.33,
                          ("motorcycle", "motorbike"),
                          ("red", "blue", "yellow", "green", "orange", "teal", "black")),
    "airplane": Drawing(crafts.airplane, ("sky", "apron"), 0.73, 3.2, 0.24,
                        ("airplane", "plane", "jet"),
                        ("red", "blue", "yellow", "orange", "teal", "green")),
    "bus": Drawing(vehicles.bus, ("road",), 1.34, 2.45, 0.4, ("bus", "city bus"),
                   ("red", "blue", "yellow", "green", "orange", "teal", "white")),
    "train": Drawing(crafts.train, ("rail",), 1.68, 3.8, 0.34,
                     ("train", "passenger train", "steam train"),
                     ("red", "blue", "yellow", "green", "orange", "teal")),
    "truck": Drawing(vehicles.truck, ("road",), 1.29, 2.55, 0.38,
                     ("truck", "delivery truck", "pickup truck"),
                     ("red", "blue", "green", "orange", "teal", "grey")),
    "boat": Drawing(crafts.boat, ("water",), 1.36, 1.3, 0.4,
                    ("sailboat", "fishing boat", "sailboat"),
                    ("red", "blue", "green", "orange", "teal", "brown", "yellow")),
    "traffic light": Drawing(street.traffic_light, ("kerb",), 0.92, 0.3, 0.62, ("traffic light",),
                             ("yellow", "black", "green"), foot=0.22),
    "fire hydrant": Drawing(street.fire_hydrant, ("kerb",), 0.85, 0.8, 0.3,
                            ("fire hydrant", "hydrant"),
                            ("red", "red", "yellow", "orange", "blue")),
    "stop sign": Drawing(street.stop_sign, ("kerb",), 1.11, 0.58, 0.55, ("stop sign",), ("red",),
                         mirror=False, foot=0.2),
    "parking meter": Drawing(street.parking_meter, ("kerb",), 0.88, 0.36, 0.46, ("parking meter",),
                             ("grey", "blue", "green", "teal", "black"),
                             mirror=False, foot=0.3),
    "bench": Drawing(street.bench, ("walk",), 0.81, 2.05, 0.26, ("bench", "wooden bench"),
                     ("brown", "orange", "green", "teal", "golden")),
    "bird": Drawing(animals.bird, ("walk", "sky"), 0.65, 1.45, 0.16, ("bird",),
                    ("red", "blue", "yellow", "white", "grey", "teal", "black")),
    "cat": Drawing(animals.cat, ("walk",), 0.72, 1.0, 0.26, ("cat", "tabby cat", "cat"),
                   ("ginger", "grey", "black", "white", "cream", "brown")),
    "dog": Drawing(animals.dog, ("walk",), 0.72, 1.65, 0.29, ("dog", "spotted dog", "dog"),
                   ("brown", "golden", "black", "white", "cream", "grey")),
    "horse": Drawing(animals.horse, ("walk",), 0.98, 1.45, 0.5, ("horse", "saddled horse", "pony"),
                     ("brown", "dark brown", "golden", "white", "grey", "black")),
}  # fmt: skip
