"""Places: each paints a background and returns the zones where objects can stand in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from clipdemo.scenes.drawing import props
from clipdemo.scenes.drawing.backdrops import (
    Mood,
    hills,
    lane,
    pavement,
    peaks,
    scatter,
    sea,
    sky,
    town,
)
from clipdemo.scenes.drawing.pen import Colour, Pen, tone

Zones = dict[str, tuple[float, float]]


def street(pen: Pen, mood: Mood, rng: Random) -> Zones:
    """A road between houses and a pavement in the foreground."""
    sky(pen, mood, rng, 0.4)
    town(pen, 0.42, 0.62, 0.76, mood, rng)
    pen.box(0, 0.385, pen.width, 0.43, mood.ground("paving"))
    scatter(pen, props.tree, rng.randint(0, 3), 0.415, 0.26, rng, mood.weather == "snow")
    scatter(pen, props.street_lamp, rng.randint(0, 2), 0.41, 0.34, rng)
    lane(pen, 0.17, 0.39, mood)
    pavement(pen, 0.17, mood)
    return {"sky": (0.8, 0.9), "road": (0.19, 0.3), "kerb": (0.1, 0.14), "walk": (0.03, 0.13)}


def park(pen: Pen, mood: Mood, rng: Random) -> Zones:
    """A lawn with trees and a path."""
    grass, w, snow = mood.ground((150, 190, 120)), pen.width, mood.weather == "snow"
    sky(pen, mood, rng, 0.4)
    hills(pen, 0.42, 0.08, mood.far(mood.ground((122, 172, 120)), 0.4), rng)
    pen.box(0, 0, w, 0.42, grass)
    scatter(pen, rng.choice((props.tree, props.pine)), rng.randint(3, 5), 0.4, 0.36, rng, snow)
    pond = rng.random() < 0.4
    if pond:
        pen.oval(w * rng.uniform(0.3, 0.7), 0.335, 0.5, 0.055, mood.far("sea", 0.2))
    pen.blob([(-0.2, 0.1), (w * 0.3, 0.2), (w * 0.7, 0.14), (w * 1.2, 0.22), (w * 1.2, 0.1),
              (w * 0.7, 0.03), (w * 0.3, 0.08), (-0.2, 0.0)], mood.ground("earth"))  # fmt: skip
    scatter(pen, props.bush, rng.randint(0, 3), 0.26, 0.07, rng, snow)
    zones = {"sky": (0.8, 0.9), "walk": (0.04, 0.25), "kerb": (0.05, 0.2)}
    return zones | ({"water": (0.32, 0.34)} if pond else {})


def beach(pen: Pen, mood: Mood, rng: Random) -> Zones:
    """Sea, sand, sometimes a parasol or a palm."""
    w = pen.width
    sky(pen, mood, rng, 0.58)
    sea(pen, 0.36, 0.58, mood, rng)
    sand = mood.ground("sand")
    pen.blob([(-0.3, -0.3), (-0.3, 0.36), (w * 0.25, 0.4), (w * 0.6, 0.35), (w + 0.3, 0.39),
              (w + 0.3, -0.3)], tone(sand, 0.55))  # fmt: skip
    pen.blob([(-0.3, -0.3), (-0.3, 0.34), (w * 0.25, 0.38), (w * 0.6, 0.33), (w + 0.3, 0.37),
              (w + 0.3, -0.3)], sand)  # fmt: skip
    scatter(pen, props.parasol, rng.randint(0, 2), 0.26, 0.34, rng)
    scatter(pen, props.palm, rng.randint(0, 1), 0.3, 0.55, rng)
    scatter(pen, props.ball, rng.randint(0, 1), 0.1, 0.07, rng)
    return {"sky": (0.8, 0.92), "water": (0.42, 0.52), "walk": (0.04, 0.24)}


def harbour(pen: Pen, mood: Mood, rng: Random) -> Zones:
    """Water in front of a row of houses, with a quay."""
    w = pen.width
    sky(pen, mood, rng, 0.5)
    hills(pen, 0.5, 0.1, mood.far((120, 150, 160), 0.6), rng)
    for i in range(6):
        x, h = w * (i + 0.2) / 6, rng.uniform(0.13, 0.19)
        props.house(pen.at(x + 0.08, 0.52, h), rng, mood.weather == "snow")
    pen.box(0, 0.5, w, 0.525, mood.ground(tone("paving", -0.2)))
    sea(pen, 0.15, 0.5, mood, rng)
    stone = mood.ground(tone("paving", -0.06))
    pen.box(0, 0, w, 0.16, stone)
    pen.box(0, 0.115, w, 0.135, tone(stone, -0.25))
    for i in range(5):
        post = pen.at(w * (i + 0.5) / 5, 0.13)
        post.box(-0.014, 0, 0.014, 0.05, tone("ink", 0.1), 0.008)
        post.box(-0.022, 0.042, 0.022, 0.058, tone("ink", 0.1), 0.008)
    return {"sky": (0.78, 0.92), "water": (0.22, 0.42), "walk": (0.03, 0.11), "kerb": (0.06, 0.11)}


def station(pen: Pen, mood: Mood, rng: Random) -> Zones:
    """Tracks and a roof, with a platform in front."""
    w = pen.width
    sky(pen, mood, rng, 0.4)
    town(pen, 0.4, 0.52, 0.62, mood, rng)
    pen.box(0, 0.36, w, 0.42, mood.ground(tone("paving", -0.12)))
    for i in range(4):
        x = w * (i + 0.5) / 4
        pen.box(x - 0.012, 0.4, x + 0.012, 0.7, tone("teal", -0.35))
        pen.line([(x, 0.62), (x + 0.08, 0.69)], 0.012, tone("teal", -0.35))
        pen.line([(x, 0.62), (x - 0.08, 0.69)], 0.012, tone("teal", -0.35))
    pen.shape([(-0.1, 0.69), (w + 0.1, 0.69), (w + 0.1, 0.74), (-0.1, 0.74)], tone("teal", -0.2))
    clock = pen.at(w * 0.5, 0.6)
    clock.disc(0, 0, 0.05, "ink")
    clock.disc(0, 0, 0.042, "cream")
    clock.line([(0, 0.03), (0, 0), (0.02, -0.01)], 0.006, "ink")
    gravel = mood.ground((158, 146, 138))
    pen.box(0, 0.15, w, 0.37, gravel)
    for i in range(18):
        x = w * i / 17
        pen.shape([(x - 0.02, 0.22), (x + 0.02, 0.22), (x + 0.02, 0.33), (x - 0.01, 0.33)],
                  tone("brown", -0.25))  # fmt: skip
    for y in (0.245, 0.3):
        pen.box(0, y, w, y + 0.01, tone("grey", 0.25))
    stone = mood.ground("paving")
    pen.box(0, 0, w, 0.17, stone)
    pen.box(0, 0.13, w, 0.17, tone(stone, -0.22))
    pen.box(0, 0.112, w, 0.124, "yellow")
    return {"sky": (0.82, 0.92), "rail": (0.25, 0.26), "walk": (0.03, 0.1), "kerb": (0.05, 0.1)}


def airfield(pen: Pen, mood: Mood, rng: Random) -> Zones:
    """A runway with a control tower and a low terminal."""
    w = pen.width
    sky(pen, mood, rng, 0.38)
    hills(pen, 0.38, 0.06, mood.far("green", 0.55), rng)
    x = rng.uniform(0.15, 0.8) * w
    pen.shape([(x - 0.03, 0.38), (x + 0.03, 0.38), (x + 0.02, 0.66), (x - 0.02, 0.66)], "cream")
    pen.shape([(x - 0.05, 0.66), (x + 0.05, 0.66), (x + 0.075, 0.74), (x - 0.075, 0.74)], "teal")
    pen.box(x - 0.08, 0.74, x + 0.08, 0.76, "ink", 0.01)
    pen.light(x, 0.7, 0.12)
    hall = pen.at(rng.uniform(0, 0.4) * w, 0.38)
    hall.box(0, 0, 0.6, 0.11, mood.far("white", 0.2))
    hall.box(0.02, 0.03, 0.58, 0.08, tone("teal", 0.2))
    hall.shape([(-0.03, 0.11), (0.63, 0.11), (0.6, 0.14), (0, 0.13)], "orange")
    pen.box(0, 0.3, w, 0.385, mood.ground((150, 188, 124)))
    tar = mood.ground((134, 140, 154))
    pen.box(0, 0, w, 0.32, tar)
    pen.box(0, 0.3, w, 0.31, "cream")
    for i in range(6):
        pen.box(w * (i + 0.2) / 6, 0.16, w * (i + 0.75) / 6, 0.175, "cream")
    pen.box(0, 0.0, w, 0.02, "yellow")
    return {"sky": (0.62, 0.88), "apron": (0.19, 0.27), "road": (0.06, 0.14), "walk": (0.03, 0.12)}


def country(pen: Pen, mood: Mood, rng: Random) -> Zones:
    """Fields and hills, a cottage, a fence and a road."""
    w, snow = pen.width, mood.weather == "snow"
    sky(pen, mood, rng, 0.45)
    hills(pen, 0.46, 0.14, mood.far(mood.ground((128, 176, 140)), 0.5), rng)
    hills(pen, 0.42, 0.1, mood.far(mood.ground((140, 184, 118)), 0.2), rng)
    pen.box(0, 0, w, 0.42, mood.ground((158, 194, 116)))
    if rng.random() < 0.7:
        props.house(pen.at(rng.uniform(0.15, 0.85) * w, 0.4, rng.uniform(0.2, 0.3)), rng, snow)
    scatter(pen, rng.choice((props.tree, props.pine)), rng.randint(1, 4), 0.39, 0.26, rng, snow)
    if rng.random() < 0.5:
        props.fence(pen.at(0, 0.37, 0.075), w / 0.075)
    lane(pen, 0.2, 0.34, mood)
    return {"sky": (0.72, 0.9), "road": (0.215, 0.26), "walk": (0.03, 0.17), "kerb": (0.13, 0.18)}


def mountains(pen: Pen, mood: Mood, rng: Random) -> Zones:
    """Snowy peaks above a lake and a mountain road."""
    sky(pen, mood, rng, 0.45)
    peaks(pen, 0.45, mood, rng)
    hills(pen, 0.42, 0.07, mood.far(mood.ground((104, 152, 118)), 0.25), rng)
    scatter(pen, props.pine, rng.randint(3, 7), 0.43, 0.2, rng, mood.weather == "snow")
    pen.box(0, 0, pen.width, 0.44, mood.ground((140, 180, 116)))
    sea(pen, 0.3, 0.42, mood, rng)
    lane(pen, 0.1, 0.28, mood)
    pen.box(0, 0, pen.width, 0.1, mood.ground((158, 192, 118)))
    return {
        "sky": (0.78, 0.9),
        "water": (0.33, 0.38),
        "road": (0.12, 0.2),
        "walk": (0.03, 0.09),
        "kerb": (0.05, 0.09),
    }


def bare_room(pen: Pen, wall: Colour, floor: Colour) -> None:
    """A wall, a skirting board and floor boards."""
    w = pen.width
    pen.box(0, 0.3, w, 1, wall)
    pen.box(0, 0, w, 0.34, floor)
    for i in range(5):
        pen.line([(0, 0.06 * i), (w, 0.06 * i)], 0.003, tone(floor, -0.12))
    pen.box(0, 0.33, w, 0.365, tone(wall, 0.5))


def living_room(pen: Pen, mood: Mood, rng: Random) -> Zones:
    """A sofa, a window, a lamp and a plant."""
    w = pen.width
    bare_room(pen, rng.choice(((168, 198, 190), (232, 210, 184), (206, 190, 200), (176, 192, 210))),
          tone("brown", rng.uniform(0.25, 0.45)))  # fmt: skip
    pen.oval(w / 2, 0.13, 0.55, 0.09, tone(rng.choice(("red", "teal", "blue")), 0.35))
    side = rng.random() < 0.5
    room = pen.at(w / 2, 0)
    props.window(room.at(0.36 if side else -0.36, 0.52, 0.38), mood.far(mood.high, 0.4))
    props.frame(room.at(-0.2 if side else 0.2, 0.66, 0.2), rng)
    if rng.random() < 0.8:
        props.sofa(
            room.at(-0.25 if side else 0.25, 0.28, 0.26), rng.choice(("teal", "orange", "blue"))
        )
    props.floor_lamp(room.at(0.58 if side else -0.58, 0.29, 0.5))
    if rng.random() < 0.6:
        props.plant(room.at(-0.6 if side else 0.6, 0.24, 0.3), rng)
    return {"walk": (0.04, 0.2)}


def kitchen(pen: Pen, mood: Mood, rng: Random) -> Zones:
    """Cupboards with a worktop, a tiled floor."""
    w = pen.width
    bare_room(
        pen, rng.choice(((240, 228, 206), (206, 222, 216))), rng.choice(((222, 200, 180), "grey"))
    )
    x = rng.uniform(0.42, 0.58) * w
    if rng.random() < 0.5:
        props.window(pen.at(x, 0.66, 0.26), mood.far(mood.high, 0.4))
    props.kitchen(
        pen.at(x, 0.3, 0.26), rng.choice(("teal", tone("blue", 0.2), tone("green", 0.1), "pink"))
    )
    if rng.random() < 0.4:
        props.plant(pen.at(0.1 * w, 0.24, 0.28), rng)
    return {"walk": (0.03, 0.2)}


@dataclass(frozen=True)
class Place:
    """A background, phrases for where things are in it, and phrases for the place itself."""

    draw: Callable[[Pen, Mood, Random], Zones]
    where: tuple[str, ...]
    alone: tuple[str, ...]
    indoors: bool = False


PLACES: dict[str, Place] = {
    "street": Place(street, ("on a city street", "in the city", "in front of some shops",
                             "downtown", "on the street"),
                    ("A city street", "A row of shops", "Buildings along a street",
                     "A quiet street")),
    "park": Place(park, ("in a park", "in the park", "on the grass", "near some trees"),
                  ("A green park", "A path through a park", "Trees in a park")),
    "beach": Place(beach, ("at the beach", "on a sandy beach", "by the sea", "near the ocean"),
                   ("A sandy beach", "A view of the sea", "A beach")),
    "harbour": Place(harbour, ("at the harbour", "by the water", "near the waterfront",
                               "at the harbor"),
                     ("A small harbour", "Houses along the waterfront", "Calm water by a village")),
    "station": Place(station, ("at the station", "by the platform", "at a railway station"),
                     ("A railway platform", "A station with a clock", "A station platform")),
    "airfield": Place(airfield, ("at the airport", "near the runway", "at an airfield"),
                      ("An airport", "A runway with a control tower", "A small airfield")),
    "country": Place(country, ("in the countryside", "on a country road", "by a field",
                               "near the hills"),
                     ("A country road", "Green fields and hills", "A rural landscape")),
    "mountains": Place(mountains, ("in the mountains", "on a mountain road",
                                   "in front of snowy mountains"),
                       ("Snowy mountains", "A road below the mountains", "A mountain landscape")),
    "living room": Place(living_room, ("in a living room", "on the floor", "at home", "indoors"),
                         ("A cosy living room", "A room with a window", "A bright living room"),
                         True),
    "kitchen": Place(kitchen, ("in a kitchen", "in the kitchen", "indoors"),
                     ("A tidy kitchen", "A kitchen with an oven", "A small kitchen"), True),
}  # fmt: skip
