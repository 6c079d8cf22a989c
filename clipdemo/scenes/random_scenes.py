"""Random scenes: objects of the 18 labels, placed where they belong."""

from random import Random
from typing import NamedTuple

from clipdemo.scenes.captions import caption
from clipdemo.scenes.drawing.backdrops import MOODS
from clipdemo.scenes.drawing.objects import DRAWINGS
from clipdemo.scenes.places import PLACES, Zones
from clipdemo.scenes.stage import Scene, Stage

INDOORS = ("cat", "dog", "person", "bird", "bicycle")
OUTDOOR_MOODS = (*MOODS, "day", "day")
COUNTS = (1, 1, 1, 2, 2, 2, 3, 3, 4, 5)
EMPTY_SHARE, ODD_SHARE = 0.1, 0.06


def random_scene(seed: int, size: tuple[int, int] = (192, 144)) -> Scene:
    """The scene of this seed: 1 to 5 objects of the 18 labels, or none in one of ten scenes."""
    rng = Random(seed)
    wanted = (
        []
        if rng.random() < EMPTY_SHARE
        else rng.choices(list(DRAWINGS), [d.weight for d in DRAWINGS.values()])
    )
    place = PLACES[_place(wanted, rng)]
    stage = Stage(size, "day" if place.indoors else rng.choice(OUTDOOR_MOODS), rng.getrandbits(32))
    zones = place.draw(stage.pen, stage.mood, rng)
    if wanted:
        fitting = [label for label in DRAWINGS if _fits(label, zones, place.indoors)]
        weights = [DRAWINGS[label].weight for label in fitting]
        for _ in range(rng.choice(COUNTS) - 1):
            odd = rng.random() < ODD_SHARE
            wanted += [rng.choice(list(DRAWINGS))] if odd else rng.choices(fitting, weights)
            if rng.random() < 0.1:
                wanted[-1] = wanted[0]
    _place_all(stage, wanted, zones, rng)
    seen = stage.visible()
    return stage.finish(caption(seen, place, stage.mood, rng), seen)


def _fits(label: str, zones: Zones, indoors: bool) -> bool:
    return label in INDOORS if indoors else any(zone in zones for zone in DRAWINGS[label].zones)


def _place(wanted: list[str], rng: Random) -> str:
    """A place that suits the first object, or in a few scenes any place."""
    if not wanted or rng.random() < ODD_SHARE:
        return rng.choice(list(PLACES))
    homes = {"water": ("beach", "harbour", "harbour", "mountains"), "rail": ("station",),
             "road": ("street", "street", "country", "mountains", "airfield"),
             "kerb": ("street", "street", "street", "country", "station", "park"),
             "sky": ("airfield", "airfield", "beach", "country", "mountains", "park"),
             "apron": ("airfield",)}  # fmt: skip
    zone = rng.choice(DRAWINGS[wanted[0]].zones)
    if zone != "walk":
        return rng.choice(homes[zone])
    if wanted[0] == "cat":
        return rng.choice(("living room", "living room", "kitchen", "park", "country", "street"))
    places = [name for name, p in PLACES.items() if not p.indoors or wanted[0] in INDOORS]
    return rng.choice(places)


def _place_all(stage: Stage, wanted: list[str], zones: Zones, rng: Random) -> None:
    """Find a spot with little overlap for each object, then draw them from far to near."""
    zoom, spots = rng.uniform(0.75, 1.25), []
    for label in wanted:
        tries = [_spot(label, zones, stage.pen.width, zoom, rng) for _ in range(14)]
        crowds = [max((_overlap(spot.box, s.box) for s in spots), default=0) for spot in tries]
        if min(crowds) < 0.35:
            spots.append(tries[crowds.index(min(crowds))])
    for spot in sorted(spots, key=lambda spot: -spot.y):
        flying, flip = spot.zone == "sky", rng.random() < 0.5
        turn = rng.uniform(-4, 14) * (-1 if flip else 1) if flying else 0
        pose = "fly" if flying else ""
        stage.add(spot.label, spot.x, spot.y, spot.height, flip=flip, turn=turn, pose=pose)


class Spot(NamedTuple):
    """Where an object may stand: the middle of its base, its height, and the zone."""

    label: str
    x: float
    y: float
    height: float
    zone: str

    @property
    def box(self) -> tuple[float, float, float, float]:
        half = self.height * DRAWINGS[self.label].wide / 2
        return self.x - half, self.y, self.x + half, self.y + self.height


def _spot(label: str, zones: Zones, width: float, zoom: float, rng: Random) -> Spot:
    drawing = DRAWINGS[label]
    at_home = [zone for zone in DRAWINGS[label].zones if zone in zones]
    zone = rng.choice(at_home or [zone for zone in zones if zone != "sky"])
    y = rng.uniform(*zones[zone])
    near = 1.1 if zone in ("sky", "apron") else 1.05 - 1.1 * y
    height = min(drawing.height * near * zoom * rng.uniform(0.85, 1.15), 0.97 - y)
    height = min(height, width * (0.95 if label == "train" else 0.62) / drawing.wide)
    # One in ten may extend beyond the picture.
    edge = height * drawing.wide / 2 * (0.7 if rng.random() < 0.1 else 1) + 0.01
    x = rng.uniform(edge, width - edge) if width > 2 * edge else width / 2
    return Spot(label, x, y, height, zone)


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    """Area of the intersection as a fraction of the smaller box."""
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    least = min((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return max(w, 0) * max(h, 0) / least
