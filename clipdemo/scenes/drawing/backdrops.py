"""Parts of backgrounds: light and weather, sky, hills, water, roads, rows of houses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from clipdemo.scenes.drawing import props
from clipdemo.scenes.drawing.pen import Colour, Pen, mix, tone


@dataclass(frozen=True)
class Mood:
    """Light and weather of a picture; `said`: phrases for it at the end of a caption."""

    high: Colour
    low: Colour
    said: tuple[str, ...] = ("",)
    tint: Colour | None = None
    weather: str = ""

    def ground(self, colour: Colour) -> Colour:
        """A ground colour, white under snow."""
        return mix(colour, (238, 242, 248), 0.78) if self.weather == "snow" else colour

    def far(self, colour: Colour, share: float = 0.5) -> Colour:
        """A distant colour, paler than up close."""
        return mix(colour, self.low, share)


MOODS: dict[str, Mood] = {
    "day": Mood((116, 186, 220), (220, 240, 240), ("", "", "on a sunny day", "under a blue sky")),
    "morning": Mood((136, 200, 226), (255, 238, 216), ("", "in the morning", "on a clear morning")),
    "dusk": Mood((112, 112, 170), (250, 184, 140), ("at sunset", "in the evening", "at dusk", "")),
    "grey": Mood((168, 184, 198), (224, 226, 224), ("", "on a cloudy day", "under a grey sky")),
    "rain": Mood((138, 154, 172), (200, 208, 212), ("in the rain", "on a rainy day"), None, "rain"),
    "snow": Mood((176, 198, 214), (232, 238, 242), ("in the snow", "in winter"), None, "snow"),
    "night": Mood((54, 66, 128), (168, 146, 190), ("at night", "late at night"), (176, 178, 226)),
    "wet night": Mood((54, 66, 112), (130, 134, 170), ("on a rainy night",), (176, 180, 222),
                      "rain"),
}  # fmt: skip


def sky(pen: Pen, mood: Mood, rng: Random, horizon: float) -> None:
    """Sky from the top down to the horizon, with sun, moon or clouds."""
    w, bands = pen.width, 10 + pen.canvas.size[1] // 12
    for i in range(bands):
        y = horizon + (1 - horizon) * (1 - i / bands)
        pen.box(0, horizon, w, y, mix(mood.high, mood.low, i / (bands - 1)))
    x, y = rng.uniform(0.12, 0.88) * w, rng.uniform(0.8, 0.92)
    if mood.tint and not mood.weather:
        for _ in range(22):
            star = rng.uniform(0, w), rng.uniform(horizon + 0.1, 1)
            pen.disc(*star, rng.uniform(0.002, 0.005), (255, 252, 235))
            pen.light(*star, 0.012)
        pen.disc(x, y, 0.05, (255, 246, 214))
        pen.light(x, y, 0.16, (255, 246, 214))
    elif mood in (MOODS["day"], MOODS["morning"]):
        pen.disc(x, y, 0.085, (255, 244, 206, 110))
        pen.disc(x, y, 0.06, (255, 226, 140))
    elif mood is MOODS["dusk"]:
        pen.disc(x, horizon + 0.07, 0.13, (255, 214, 160, 90))
        pen.disc(x, horizon + 0.07, 0.09, (255, 226, 170))
    white = mix(mood.low, "white", 0.1 if mood.tint else 0.75)
    for _ in range(rng.randint(1, 3)):
        puff = pen.at(rng.uniform(0, w), rng.uniform(0.74, 0.95), rng.uniform(0.06, 0.13))
        props.cloud(puff, rng, white)


def weather(pen: Pen, mood: Mood, rng: Random) -> None:
    """Rain or snow over everything."""
    w = pen.width
    if mood.weather == "rain":
        for _ in range(70):
            x, y, n = rng.uniform(0, w), rng.random(), rng.uniform(0.03, 0.07)
            pen.line([(x, y), (x - n * 0.3, y - n)], 0.003, (235, 244, 255, 110))
    elif mood.weather == "snow":
        for _ in range(80):
            pen.disc(
                rng.uniform(0, w), rng.random(), rng.uniform(0.003, 0.009), (255, 255, 255, 225)
            )


def hills(pen: Pen, y: float, rise: float, colour: Colour, rng: Random) -> None:
    """Rolling hills over the whole width."""
    w = pen.width
    top = [(w * i / 5, y + rise * rng.random()) for i in range(-1, 7)]
    pen.blob([(-w, y - 0.1), *top, (2 * w, y - 0.1)], colour)


def peaks(pen: Pen, y: float, mood: Mood, rng: Random) -> None:
    """A far range and near snowy mountains."""
    w = pen.width
    for i in range(4):
        x, h = w * (i / 3 + rng.uniform(-0.1, 0.1)), rng.uniform(0.2, 0.3)
        pen.shape([(x - 0.4, y), (x, y + h), (x + 0.4, y)], mood.far((120, 140, 176), 0.6))
    for i in range(3):
        x, h = w * (0.15 + i * 0.36 + rng.uniform(-0.06, 0.06)), rng.uniform(0.28, 0.42)
        rock = mood.far((96, 114, 150), 0.25)
        pen.shape([(x - h * 1.1, y), (x, y + h), (x + h * 1.1, y)], rock)
        pen.shape([(x, y + h), (x + h * 1.1, y), (x + h * 0.25, y)], tone(rock, -0.15))
        pen.shape([(x, y + h), (x - h * 0.33, y + h * 0.7), (x - h * 0.12, y + h * 0.76),
                   (x, y + h * 0.66), (x + h * 0.14, y + h * 0.75), (x + h * 0.33, y + h * 0.7)],
                  "white")  # fmt: skip


def lane(pen: Pen, y0: float, y1: float, mood: Mood) -> None:
    """A road between two heights with a broken centre line."""
    w, road = pen.width, mix("road", "white", 0.3 * (mood.weather == "snow"))
    pen.box(0, y0, w, y1, road)
    pen.box(0, y1 - 0.012, w, y1, tone(road, -0.2))
    middle = y0 + (y1 - y0) * 0.46
    for i in range(7):
        x = w * (i + 0.2) / 7
        pen.shape([(x, middle), (x + 0.1, middle), (x + 0.11, middle + 0.012),
                   (x + 0.015, middle + 0.012)], tone("cream", -0.05))  # fmt: skip


def sea(pen: Pen, y0: float, y1: float, mood: Mood, rng: Random) -> None:
    """Water with lighter and darker strokes."""
    w, water = pen.width, mood.far("sea", 0.2)
    pen.box(0, y0, w, y1, water)
    pen.box(0, y1 - 0.02, w, y1, tone(water, 0.2))
    for _ in range(16):
        x, y, n = rng.uniform(0, w), rng.uniform(y0, y1 - 0.02), rng.uniform(0.04, 0.12)
        pen.line([(x, y), (x + n, y)], 0.006, tone(water, rng.choice((0.3, -0.12))))


def town(pen: Pen, y: float, low: float, high: float, mood: Mood, rng: Random) -> None:
    """A far skyline and a row of houses that stand at height `y`."""
    x = -0.05
    while x < pen.width:
        n = rng.uniform(0.08, 0.18)
        pen.box(
            x, y, x + n, y + rng.uniform(high - y, high - y + 0.1), mood.far((150, 160, 184), 0.65)
        )
        x += n
    x = rng.uniform(-0.15, 0)
    while x < pen.width:
        n, top = rng.uniform(0.2, 0.34), rng.uniform(low, high)
        if rng.random() < 0.8:
            wall = mood.far(rng.choice(props.WALLS), 0.12)
            props.building(pen.at(x, y, top - y), n / (top - y), wall, rng)
        x += n + rng.choice((0, 0, 0.05))


def scatter(pen: Pen, draw: Callable, spots: int, y: float, height: float, rng: Random, *rest):
    """Repeat a prop along a line, unevenly."""
    for i in range(spots):
        x = pen.width * (i + rng.uniform(0.1, 0.9)) / spots
        draw(pen.at(x, y + rng.uniform(-0.01, 0.01), height * rng.uniform(0.8, 1.15)), rng, *rest)


def pavement(pen: Pen, y: float, mood: Mood) -> None:
    """A near pavement of slabs, up to a kerb at height `y`."""
    stone = mood.ground("paving")
    pen.box(0, 0, pen.width, y, stone)
    pen.box(0, y - 0.018, pen.width, y, tone(stone, -0.2))
    for i in range(9):
        x = pen.width * i / 8
        pen.line([(x, y - 0.02), (x + (x - pen.width / 2) * 0.25, 0)], 0.003, tone(stone, -0.12))
