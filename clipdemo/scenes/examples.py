"""The example scenes, composed by hand for 4:3 pictures; their captions omit some objects."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

from clipdemo.scenes.drawing import props
from clipdemo.scenes.drawing.backdrops import Mood, hills, lane, pavement, peaks, sea, sky, town
from clipdemo.scenes.drawing.pen import Pen, clear, tone
from clipdemo.scenes.places import airfield, bare_room, station
from clipdemo.scenes.stage import Scene, Stage

Size = tuple[int, int]
EXAMPLES: dict[str, Callable[[Size], Scene]] = {}


def example(name: str, mood: str, seed: int, caption: str) -> Callable:
    """Register the decorated function, which draws a scene on a stage, in `EXAMPLES`."""

    def register(draw: Callable[[Stage, Pen, Mood, Random], None]) -> Callable:
        def build(size: Size) -> Scene:
            stage = Stage(size, mood, seed)
            draw(stage, stage.pen, stage.mood, stage.rng)
            return stage.finish(caption)

        EXAMPLES[name] = build
        return draw

    return register


@example("beach", "morning", 3, "A woman walks past a bench and a striped parasol at the beach.")
def beach(stage: Stage, pen: Pen, mood: Mood, rng: Random) -> None:
    """A parasol, a bench, a person and a dog by the sea, with a boat."""
    sky(pen, mood, rng, 0.56)
    hills(pen.at(0.75, 0), 0.545, 0.06, mood.far((110, 150, 150), 0.5), rng)
    sea(pen, 0.34, 0.56, mood, rng)
    stage.add("boat", 0.22, 0.44, 0.31, "sailboat", "red")
    for rise, colour in ((0.03, tone("sand", 0.6)), (0, "sand")):
        shore = [(0.0, 0.36), (0.35, 0.385), (0.8, 0.345), (1.4, 0.375)]
        pen.blob([(-0.4, -0.4), (-0.4, 0.3), *((x, y + rise) for x, y in shore), (1.8, 0.3),
                  (1.8, -0.4)], colour)  # fmt: skip
    props.palm(pen.at(1.2, 0.28, 0.66, flip=True), rng)
    props.parasol(pen.at(0.93, 0.2, 0.5), rng, "red")
    stage.add("bench", 0.85, 0.15, 0.19, "bench", "teal")
    stage.add("person", 0.5, 0.1, 0.42, "woman", "yellow", pose="walk")
    stage.add("dog", 0.24, 0.06, 0.2, "dog", "brown", flip=True)
    props.ball(pen.at(1.12, 0.05, 0.075), rng)
    for x, y in ((0.1, 0.2), (0.66, 0.05), (1.26, 0.16), (0.4, 0.24)):
        pen.disc(x, y, 0.006, tone("sand", -0.25))


@example("harbour", "day", 11, "Two boats in a small harbour with colourful houses.")
def harbour(stage: Stage, pen: Pen, mood: Mood, rng: Random) -> None:
    """Boats in front of painted houses; a bicycle and a bird on the quay."""
    sky(pen, mood, rng, 0.5)
    hills(pen, 0.5, 0.2, mood.far((104, 150, 140), 0.5), rng)
    for i, height in enumerate((0.2, 0.25, 0.21, 0.24, 0.2, 0.23)):
        props.house(pen.at(0.08 + i * 0.235, 0.5, height), rng)
    pen.box(0, 0.478, pen.width, 0.505, tone("paving", -0.25))
    sea(pen, 0.12, 0.48, mood, rng)
    stage.add("boat", 0.3, 0.36, 0.42, "sailboat", "teal")
    stage.add("boat", 0.86, 0.27, 0.36, "fishing boat", "red", flip=True)
    _quay(pen)
    stage.add("bicycle", 0.38, 0.05, 0.25, paint="yellow")
    stage.add("bird", 1.1, 0.19, 0.1, paint="white", flip=True, shadow=False)
    stage.add("bird", 0.66, 0.8, 0.09, paint="white", pose="fly", turn=8)


def _quay(pen: Pen) -> None:
    pen.box(0, 0, pen.width, 0.15, tone("paving", -0.06))
    pen.box(0, 0.105, pen.width, 0.125, tone("paving", -0.28))
    for x in (0.1, 0.6, 1.1):
        post = pen.at(x, 0.12)
        post.box(-0.02, 0, 0.02, 0.06, tone("ink", 0.1), 0.01)
        post.box(-0.03, 0.05, 0.03, 0.075, tone("ink", 0.1), 0.012)


@example("crossing", "day", 5, "A city bus waits at a traffic light.")
def crossing(stage: Stage, pen: Pen, mood: Mood, rng: Random) -> None:
    """A busy city crossing."""
    sky(pen, mood, rng, 0.4)
    town(pen, 0.43, 0.7, 0.84, mood, rng)
    pen.box(0, 0.39, pen.width, 0.44, "paving")
    for x in (0.12, 1.22):
        props.tree(pen.at(x, 0.42, 0.3), rng)
    lane(pen, 0.13, 0.4, mood)
    for i in range(7):
        x = 0.62 + i * 0.055
        pen.shape([(x, 0.14), (x + 0.034, 0.14), (x + 0.052, 0.385), (x + 0.026, 0.385)],
                  tone("white", -0.05))  # fmt: skip
    stage.add("bus", 0.3, 0.3, 0.27, "bus", "orange")
    stage.add("car", 1.14, 0.26, 0.16, "car", "teal", flip=True)
    stage.add("person", 0.8, 0.21, 0.36, "man", "blue", pose="walk")
    pavement(pen, 0.13, mood)
    stage.add("bicycle", 0.42, 0.045, 0.28, paint="red")
    stage.add("traffic light", 1.12, 0.06, 0.66, paint="black")


@example("station", "morning", 21, "Two people wait on the platform as a train arrives.")
def platform(stage: Stage, pen: Pen, mood: Mood, rng: Random) -> None:
    """A train comes in; people and a dog wait next to a bench."""
    station(pen, mood, rng)
    stage.add("train", 0.62, 0.245, 0.33, "train", "red")
    stage.add("bench", 0.3, 0.06, 0.18, paint="brown")
    stage.add("person", 0.82, 0.06, 0.44, "woman", "teal", pose="wave")
    suitcase = pen.at(0.93, 0.06)
    suitcase.line([(-0.025, 0.1), (-0.025, 0.15), (0.025, 0.15), (0.025, 0.1)], 0.008, "ink")
    suitcase.box(-0.05, 0, 0.05, 0.12, "orange", 0.015)
    suitcase.line([(-0.05, 0.06), (0.05, 0.06)], 0.008, tone("orange", -0.3))
    stage.add("person", 1.12, 0.04, 0.43, "man", "yellow", pose="stand", flip=True)
    stage.add("dog", 0.6, 0.03, 0.17, "dog", "golden")


@example("airport", "dusk", 8, "An airplane stands at the airport in the evening.")
def airport(stage: Stage, pen: Pen, mood: Mood, rng: Random) -> None:
    """One airplane on the ground, another one in the air, a truck and a worker."""
    airfield(pen, mood, rng)
    stage.add("airplane", 0.5, 0.74, 0.14, "jet", "teal", turn=10, pose="fly")
    stage.add("airplane", 0.59, 0.215, 0.33, "jet", "orange")
    stage.add("truck", 1.08, 0.045, 0.19, "delivery truck", "blue", flip=True)
    stage.add("person", 0.24, 0.06, 0.27, "man", "orange", pose="wave")
    for x in (0.46, 0.54):
        cone = pen.at(x, 0.07, 0.06)
        cone.box(-0.4, 0, 0.4, 0.12, tone("orange", -0.2))
        cone.shape([(-0.28, 0.1), (0.28, 0.1), (0.06, 1), (-0.06, 1)], "orange")
        cone.shape([(-0.2, 0.4), (0.2, 0.4), (0.13, 0.66), (-0.13, 0.66)], "cream")


@example("farm", "day", 14, "A brown horse behind a wooden fence on a farm.")
def farm(stage: Stage, pen: Pen, mood: Mood, rng: Random) -> None:
    """A horse at the fence, a pickup truck, a dog and a bird in front of a barn."""
    sky(pen, mood, rng, 0.44)
    hills(pen, 0.46, 0.16, mood.far((120, 172, 140), 0.5), rng)
    hills(pen, 0.42, 0.1, mood.far((140, 186, 116), 0.2), rng)
    pen.box(0, 0, pen.width, 0.41, (156, 196, 116))
    for i in range(6):
        x = 0.5 + i * 0.16
        pen.shape([(x, 0.41), (x + 0.05, 0.41), (x * 1.5 - 0.15, 0.3), (x * 1.5 - 0.27, 0.3)],
                  (172, 206, 122))  # fmt: skip
    _barn(pen.at(0.3, 0.37, 0.38))
    props.tree(pen.at(0.68, 0.38, 0.32), rng)
    props.tree(pen.at(0.04, 0.37, 0.26), rng)
    pen.blob([(-0.2, 0.2), (0.3, 0.27), (0.7, 0.25), (1.5, 0.3), (1.5, 0.19), (0.7, 0.14),
              (0.3, 0.15), (-0.2, 0.1)], (214, 186, 140))  # fmt: skip
    stage.add("truck", 0.42, 0.19, 0.21, "pickup truck", "teal", flip=True)
    stage.add("horse", 0.98, 0.12, 0.5, "horse", "brown", flip=True)
    props.fence(pen.at(0.64, 0.04, 0.17), 4.2)
    stage.add("bird", 0.3, 0.752, 0.085, paint="white", shadow=False)
    stage.add("dog", 0.36, 0.05, 0.19, "spotted dog", "white")
    _flowers(pen, ((0.06, 0.05), (0.13, 0.09), (0.6, 0.1), (0.56, 0.03), (0.2, 0.02)))


def _barn(pen: Pen) -> None:
    red = tone("red", -0.08)
    pen.shadow(0.6, 0.03)
    pen.shape([(-0.55, 0), (0.55, 0), (0.55, 0.52), (0.36, 0.82), (0, 0.98), (-0.36, 0.82),
               (-0.55, 0.52)], red)  # fmt: skip
    for i in range(7):
        x = -0.46 + i * 0.15
        pen.line([(x, 0.01), (x, 0.54)], 0.008, tone(red, -0.2))
    pen.line([(-0.62, 0.46), (-0.38, 0.84), (0, 1.01), (0.38, 0.84), (0.62, 0.46)], 0.055,
             tone("brown", -0.3))  # fmt: skip
    pen.box(-0.24, 0, 0.24, 0.42, tone(red, -0.18))
    for points in ([(-0.24, 0), (-0.24, 0.42), (0.24, 0.42), (0.24, 0)],
                   [(-0.24, 0), (0.24, 0.42)], [(-0.24, 0.42), (0.24, 0)]):  # fmt: skip
        pen.line(points, 0.028, "cream")
    pen.box(-0.12, 0.58, 0.12, 0.76, "cream", 0.02)
    pen.box(-0.09, 0.6, 0.09, 0.74, tone("ink", 0.1))


def _flowers(pen: Pen, spots: tuple[tuple[float, float], ...]) -> None:
    for i, (x, y) in enumerate(spots):
        pen.line([(x, y - 0.03), (x, y)], 0.005, tone("green", -0.2))
        for dx, dy in ((0.008, 0), (-0.008, 0), (0, 0.008), (0, -0.008)):
            pen.disc(x + dx, y + dy, 0.007, ("pink", "cream", "yellow")[i % 3])
        pen.disc(x, y, 0.005, "orange")


@example("living-room", "day", 6, "A ginger cat sits on the rug in a cosy living room.")
def room(stage: Stage, pen: Pen, mood: Mood, rng: Random) -> None:
    """A cat on the rug, a dog, and someone next to the lamp."""
    bare_room(pen, (170, 200, 192), tone("brown", 0.38))
    props.window(pen.at(0.36, 0.5, 0.42), (178, 218, 232))
    props.frame(pen.at(0.8, 0.68, 0.22), rng)
    props.frame(pen.at(1.04, 0.72, 0.15), rng)
    pen.oval(0.66, 0.12, 0.58, 0.085, tone("yellow", 0.35))
    pen.oval(0.66, 0.12, 0.5, 0.07, tone("yellow", 0.15))
    props.sofa(pen.at(0.88, 0.27, 0.3), tone("teal", -0.1))
    props.floor_lamp(pen.at(0.47, 0.29, 0.5))
    props.plant(pen.at(0.08, 0.23, 0.36), rng)
    stage.add("person", 0.26, 0.12, 0.56, "woman", "orange", pose="stand")
    stage.add("dog", 0.96, 0.055, 0.26, "dog", "golden", flip=True)
    stage.add("cat", 0.6, 0.1, 0.23, "tabby cat", "ginger")


@example("corner", "morning", 2, "A red fire hydrant on a street corner near a parked car.")
def corner(stage: Stage, pen: Pen, mood: Mood, rng: Random) -> None:
    """A parked car, a hydrant, a meter, a stop sign and a cat on a street corner."""
    sky(pen, mood, rng, 0.4)
    town(pen, 0.42, 0.66, 0.8, mood, rng)
    pen.box(0, 0.385, pen.width, 0.44, "paving")
    props.tree(pen.at(1.16, 0.42, 0.36), rng)
    props.bush(pen.at(0.12, 0.42, 0.06), rng)
    lane(pen, 0.2, 0.39, mood)
    stage.add("car", 0.72, 0.225, 0.25, "car", "yellow")
    pavement(pen, 0.2, mood)
    stage.add("stop sign", 0.22, 0.13, 0.64)
    stage.add("parking meter", 1.12, 0.1, 0.45, paint="teal")
    stage.add("fire hydrant", 0.46, 0.07, 0.27, paint="red")
    stage.add("cat", 0.78, 0.04, 0.19, "cat", "grey", flip=True)


@example(
    "rainy-night",
    "wet night",
    9,
    "Someone with a red umbrella stands at a traffic light on a rainy night.",
)
def rainy_night(stage: Stage, pen: Pen, mood: Mood, rng: Random) -> None:
    """Someone with an umbrella, lights on a wet street."""
    sky(pen, mood, rng, 0.4)
    town(pen, 0.42, 0.64, 0.8, mood, rng)
    pen.box(0, 0.385, pen.width, 0.43, "paving")
    for x in (0.1, 0.98):
        props.street_lamp(pen.at(x, 0.41, 0.44), rng)
    lane(pen, 0.15, 0.39, mood)
    for x, y, colour in ((0.4, 0.33, "yellow"), (1.09, 0.33, "yellow"), (0.72, 0.2, "orange"),
                         (0.2, 0.24, "teal"), (1.2, 0.22, "red")):  # fmt: skip
        for i in range(5):
            half = 0.07 - i * 0.006
            pen.box(
                x - half, y - i * 0.026, x + half, y - i * 0.026 + 0.01, clear(colour, 70), 0.005
            )
    stage.add("motorcycle", 0.94, 0.24, 0.2, paint="red", flip=True)
    stage.add("car", 0.31, 0.2, 0.2, "taxi", "yellow")
    pavement(pen, 0.15, mood)
    stage.add("person", 0.66, 0.05, 0.46, "woman", "teal", pose="wave")
    props.umbrella(pen.at(0.766, 0.47, 0.38), "red")
    stage.add("traffic light", 1.2, 0.05, 0.68, paint="black")


@example("mountains", "dusk", 12, "A motorcycle parked on a mountain road at sunset.")
def mountains(stage: Stage, pen: Pen, mood: Mood, rng: Random) -> None:
    """A motorcycle on a mountain road; a train passes in the valley."""
    sky(pen, mood, rng, 0.46)
    peaks(pen, 0.46, mood, rng)
    hills(pen, 0.44, 0.08, mood.far((92, 140, 118), 0.3), rng)
    pen.box(0, 0, pen.width, 0.45, (128, 168, 116))
    stage.add("train", 0.46, 0.385, 0.13, "steam train", "red")
    for x, y, height in ((0.06, 0.32, 0.3), (0.2, 0.31, 0.22), (1.26, 0.31, 0.34),
                         (1.12, 0.32, 0.24), (0.98, 0.33, 0.19)):  # fmt: skip
        props.pine(pen.at(x, y, height), rng)
    lane(pen, 0.09, 0.3, mood)
    stage.add("motorcycle", 0.84, 0.145, 0.35, "motorcycle", "teal")
    stage.add("person", 0.14, 0.13, 0.34, "man", "red", pose="wave")
    pen.box(0, 0, pen.width, 0.1, (150, 182, 116))
    for i in range(8):
        pen.box(0.04 + i * 0.18, 0.06, 0.065 + i * 0.18, 0.15, "cream", 0.005)
    pen.box(0, 0.105, pen.width, 0.13, tone("grey", 0.4))
    stage.add("bird", 1.03, 0.76, 0.1, paint="blue", pose="fly", flip=True, turn=-6)
    _flowers(pen, ((0.14, 0.05), (0.32, 0.035), (0.9, 0.05), (1.16, 0.04), (1.26, 0.055)))


def example_scenes(size: tuple[int, int] = (960, 720)) -> dict[str, Scene]:
    """The hand-composed scenes by name."""
    return {name: build(size) for name, build in EXAMPLES.items()}


def export_examples(folder: Path) -> None:
    """Write every example as WebP with a thumbnail, and `scenes.json` with captions and labels."""
    folder.mkdir(parents=True, exist_ok=True)
    index = {}
    for name, scene in example_scenes().items():
        scene.image.save(folder / f"{name}.webp", quality=88, method=6)
        scene.image.resize((240, 180)).save(folder / f"{name}.thumb.webp", quality=80, method=6)
        index[name] = {"caption": scene.caption, "labels": list(scene.labels)}
    (folder / "scenes.json").write_text(json.dumps(index, indent=1) + "\n", "utf-8")
