"""Things around the labelled objects: trees, houses, furniture and other distractors."""

from random import Random

from clipdemo.scenes.drawing.pen import Colour, Pen, mix, tone

WALLS = ((226, 150, 122), (238, 202, 150), (160, 186, 196), (214, 178, 160), (176, 196, 170),
         (232, 222, 204), (146, 160, 184))  # fmt: skip
LEAVES = ("green", tone("green", -0.18), (132, 172, 104), (82, 146, 120))


def tree(pen: Pen, rng: Random, snow: bool = False) -> None:
    """A round tree, one unit high."""
    leaf = mix(rng.choice(LEAVES), "white", 0.55 * snow)
    pen.shadow(0.3, 0.03)
    pen.shape([(-0.045, 0), (0.045, 0), (0.025, 0.5), (-0.025, 0.5)], tone("brown", -0.2))
    pen.line([(0, 0.3), (0.12, 0.46)], 0.03, tone("brown", -0.2))
    for x, y, r in ((-0.16, 0.52, 0.19), (0.17, 0.54, 0.18), (0, 0.72, 0.27), (0, 0.5, 0.2)):
        pen.disc(x, y, r, leaf)
    for x, y, r in ((-0.06, 0.8, 0.14), (-0.18, 0.56, 0.1)):
        pen.disc(x, y, r, tone(leaf, 0.2))


def pine(pen: Pen, rng: Random, snow: bool = False) -> None:
    """A conifer, one unit high."""
    leaf = mix(tone(rng.choice(LEAVES), -0.22), "white", 0.25 * snow)
    pen.shadow(0.22, 0.03)
    pen.box(-0.035, 0, 0.035, 0.2, tone("brown", -0.3))
    for y, half in ((0.14, 0.28), (0.36, 0.22), (0.58, 0.16)):
        pen.shape([(-half, y), (half, y), (0, y + 0.42)], leaf)
        pen.shape([(-half, y), (-half * 0.3, y), (0, y + 0.42)], tone(leaf, 0.14))
        if snow:
            pen.shape([(-half * 0.45, y + 0.23), (half * 0.45, y + 0.23), (0, y + 0.42)], "white")


def palm(pen: Pen, rng: Random) -> None:
    """A palm tree, one unit high."""
    pen.shadow(0.2, 0.03)
    pen.curve([(-0.06, 0), (-0.03, 0.4), (0.06, 0.78)], 0.05, tone("brown", 0.15))
    leaf = rng.choice(LEAVES)
    for turn, shade in ((150, -0.2), (15, -0.2), (95, 0), (55, 0.1), (178, 0.1), (-15, 0)):
        frond = pen.at(0.06, 0.78, 0.36, flip=turn > 90, turn=turn - 180 if turn > 90 else turn)
        frond.blob([(0, 0.04), (0.5, 0.2), (1, -0.15), (0.5, 0.02), (0, -0.04)], tone(leaf, shade))
    for x in (0.03, 0.09):
        pen.disc(x, 0.75, 0.028, tone("brown", -0.3))


def house(pen: Pen, rng: Random, snow: bool = False) -> None:
    """A cottage, one unit high."""
    wall = rng.choice(WALLS[1:2] + WALLS[5:6] + ("cream", tone("pink", 0.4)))
    roof = rng.choice(("red", tone("brown", -0.1), tone("teal", -0.2), "orange"))
    pen.shadow(0.62, 0.03)
    pen.box(0.2, 0.66, 0.32, 0.98, tone("brown", 0.1))
    pen.box(-0.52, 0, 0.52, 0.58, wall)
    pen.box(-0.52, 0, 0.52, 0.06, tone(wall, -0.15))
    pen.shape([(-0.62, 0.56), (-0.42, 0.94), (0.42, 0.94), (0.62, 0.56)], "white" if snow else roof)
    pen.shape([(-0.62, 0.56), (0.62, 0.56), (0.6, 0.61), (-0.6, 0.61)], tone(roof, -0.25))
    pen.box(-0.1, 0, 0.1, 0.36, tone(roof, -0.3), 0.02)
    pen.disc(0.06, 0.17, 0.015, "yellow")
    for x in (-0.42, 0.2):
        pen.box(x, 0.2, x + 0.22, 0.44, "white")
        pen.box(x + 0.02, 0.22, x + 0.2, 0.42, "glass")
        pen.line([(x + 0.11, 0.22), (x + 0.11, 0.42)], 0.015, "white")
        pen.light(x + 0.11, 0.32, 0.22)


def building(pen: Pen, width: float, wall: Colour, rng: Random) -> None:
    """A town house `width` wide and one unit high, with rows of windows."""
    pen.box(0, 0, width, 1, wall)
    pen.box(0, 0.965, width, 1, tone(wall, -0.2))
    pen.box(0, 0, width, 0.2, tone(wall, -0.16))
    columns, rows = max(2, round(width / 0.17)), rng.choice((3, 4))
    step = width / columns
    for i in range(columns):
        for j in range(rows):
            x, y, tall = (i + 0.25) * step, 0.27 + j * 0.68 / rows, 0.4 / rows
            lit = rng.random() < 0.3
            pen.box(
                x, y, x + step * 0.5, y + tall, tone("yellow", 0.4) if lit else tone("glass", -0.3)
            )
            if lit:
                pen.light(x + step * 0.25, y + tall / 2, tall * 0.9)
    awning = rng.choice(("red", "teal", "orange", "blue"))
    pen.box(width * 0.1, 0.02, width * 0.9, 0.13, tone("glass", -0.4))
    for i in range(6):
        x = width * (0.08 + i * 0.14)
        pen.box(x, 0.12, x + width * 0.14, 0.18, awning if i % 2 else "cream")


def street_lamp(pen: Pen, rng: Random) -> None:
    """A curved lamp post, one unit high."""
    pen.curve([(0, 0), (0, 0.8), (0.06, 0.95), (0.2, 0.97)], 0.025, tone("ink", 0.15))
    pen.box(-0.035, 0, 0.035, 0.06, tone("ink", 0.15), 0.01)
    pen.box(0.14, 0.94, 0.28, 0.975, tone("ink", 0.15), 0.015)
    pen.oval(0.21, 0.94, 0.05, 0.018, (255, 236, 180))
    pen.light(0.21, 0.9, 0.34)


def parasol(pen: Pen, rng: Random, paint: Colour | None = None) -> None:
    """A striped beach umbrella, one unit high, tilted."""
    paint = paint or rng.choice(("red", "teal", "yellow", "blue", "orange"))
    pen.shadow(0.45, 0.04)
    top = pen.at(0, 0, turn=-7)
    top.line([(0, 0), (0, 0.98)], 0.025, tone("brown", 0.2))
    top.dome(0, 0.62, 0.56, 0.34, paint)
    for x0, x1 in ((-0.36, -0.12), (0.12, 0.36)):
        top.blob([(x0, 0.62), (x0 * 0.55 + 0.02, 0.86), (0, 0.955), (x1 * 0.55 - 0.02, 0.86),
                  (x1, 0.62), ((x0 + x1) / 2, 0.62)], "cream")  # fmt: skip
    top.disc(0, 0.97, 0.025, "cream")


def umbrella(pen: Pen, paint: Colour) -> None:
    """An open rain umbrella, its handle's end at the origin."""
    pen.line([(0, 0), (0, 0.62)], 0.03, "ink")
    pen.dome(0, 0.5, 0.52, 0.42, paint)
    for x in (-0.35, 0, 0.35):
        pen.dome(x, 0.49, 0.175, 0.07, tone(paint, -0.3))
    pen.line([(0, 0.9), (0, 0.98)], 0.03, "ink")


def ball(pen: Pen, rng: Random) -> None:
    """A striped ball, one unit high."""
    paint = rng.choice(("red", "blue", "teal"))
    pen.shadow(0.5, 0.12)
    pen.disc(0, 0.5, 0.5, "cream")
    for turn in (20, 140, 260):
        pen.at(0, 0.5, turn=turn).blob([(0, 0), (0.3, 0.4), (0.49, 0.1), (0.44, -0.15)], paint)
    pen.disc(0, 0.5, 0.1, "yellow")


def cloud(pen: Pen, rng: Random, colour: Colour) -> None:
    """A flat-bottomed cloud, about two units wide."""
    for x, r in ((-0.55, 0.28), (-0.15, 0.45), (0.32, 0.36), (0.65, 0.22)):
        pen.dome(x, 0, r * rng.uniform(0.95, 1.1), r * rng.uniform(1.1, 1.5), colour)
    pen.box(-0.85, -0.06, 0.88, 0.12, colour, 0.09)


def fence(pen: Pen, width: float) -> None:
    """A wooden fence `width` wide; posts one unit high."""
    for y in (0.35, 0.7):
        pen.box(0, y, width, y + 0.12, tone("cream", -0.1))
    for i in range(round(width / 1.2) + 1):
        pen.box(i * 1.2, 0, i * 1.2 + 0.2, 1, "cream", 0.05)


def bush(pen: Pen, rng: Random, snow: bool = False) -> None:
    """A low bush with a few blossoms, one unit high."""
    leaf = mix(tone(rng.choice(LEAVES), -0.08), "white", 0.5 * snow)
    for x, r in ((-0.7, 0.5), (0.65, 0.55), (0, 0.8)):
        pen.dome(x, 0, r, r * 1.2, leaf)
    for _ in range(0 if snow else 6):
        pen.disc(
            rng.uniform(-0.8, 0.8), rng.uniform(0.15, 0.6), 0.07, rng.choice(("pink", "cream"))
        )


def sofa(pen: Pen, paint: Colour) -> None:
    """A two-seat sofa, one unit high."""
    pen.shadow(1.25, 0.06)
    for x in (-0.95, 0.87):
        pen.box(x, 0, x + 0.08, 0.15, tone("brown", -0.2))
    pen.box(-1.0, 0.3, 1.0, 1.0, tone(paint, -0.12), 0.16)
    pen.line([(0, 0.5), (0, 0.95)], 0.02, tone(paint, -0.3))
    pen.box(-1.0, 0.1, 1.0, 0.32, tone(paint, -0.2), 0.05)
    for x in (-0.96, 0.02):
        pen.box(x, 0.3, x + 0.94, 0.54, tone(paint, 0.12), 0.08)
    for x in (-1.22, 0.96):
        pen.box(x, 0.1, x + 0.26, 0.7, paint, 0.12)
    pen.at(-0.66, 0.54, turn=8).box(-0.2, 0, 0.2, 0.36, "yellow", 0.07)


def floor_lamp(pen: Pen) -> None:
    """A standing lamp, one unit high."""
    pen.oval(0, 0.015, 0.13, 0.02, "ink")
    pen.line([(0, 0), (0, 0.8)], 0.02, "ink")
    pen.shape([(-0.19, 0.72), (0.19, 0.72), (0.11, 1), (-0.11, 1)], tone("yellow", 0.3))
    pen.light(0, 0.85, 0.6)


def plant(pen: Pen, rng: Random) -> None:
    """A potted plant, one unit high."""
    leaf = rng.choice(LEAVES)
    pen.shadow(0.3, 0.04)
    for turn, length in ((-50, 0.5), (50, 0.52), (-25, 0.66), (28, 0.64), (0, 0.72)):
        stem = pen.at(0, 0.28, length, turn=turn)
        stem.blob([(0, 0), (0.17, 0.5), (0, 1), (-0.17, 0.5)], tone(leaf, -0.2 + length / 3))
    pen.shape([(-0.2, 0.34), (0.2, 0.34), (0.14, 0), (-0.14, 0)], "orange")
    pen.box(-0.22, 0.29, 0.22, 0.36, tone("orange", -0.12), 0.02)


def window(pen: Pen, sky: Colour) -> None:
    """A curtained window, one unit high."""
    pen.box(-0.46, 0, 0.46, 1, "white", 0.02)
    pen.box(-0.41, 0.05, 0.41, 0.95, sky)
    pen.shape([(-0.41, 0.05), (-0.41, 0.25), (-0.1, 0.36), (0.41, 0.2), (0.41, 0.05)], "green")
    pen.line([(0, 0.05), (0, 0.95)], 0.03, "white")
    pen.line([(-0.41, 0.55), (0.41, 0.55)], 0.03, "white")
    pen.box(-0.52, -0.05, 0.52, 0.01, tone("cream", -0.15))
    for side in (-1, 1):
        drape = pen.at(0, 0, flip=side < 0)
        drape.shape([(0.3, 1.03), (0.62, 1.03), (0.6, -0.1), (0.46, -0.1)], tone("pink", 0.25))
        drape.line([(0.46, 1), (0.53, -0.08)], 0.015, tone("pink", 0.05))
    pen.box(-0.66, 1.02, 0.66, 1.06, "brown", 0.02)


def frame(pen: Pen, rng: Random) -> None:
    """A framed abstract print, one unit high."""
    pen.box(-0.4, 0, 0.4, 1, tone("brown", -0.1), 0.02)
    pen.box(-0.35, 0.05, 0.35, 0.95, "cream")
    a, b = rng.sample(("red", "teal", "yellow", "blue", "pink"), 2)
    pen.disc(0.05, 0.6, 0.18, a)
    pen.dome(-0.05, 0.15, 0.22, 0.3, b)


def kitchen(pen: Pen, paint: Colour) -> None:
    """A kitchen unit with an oven, a tap and shelves above; the worktop is one unit high."""
    pen.box(-2.2, 0, 2.2, 0.1, tone(paint, -0.5))
    pen.box(-2.2, 0.08, 2.2, 0.94, paint)
    pen.box(-2.25, 0.92, 2.25, 1.0, tone("brown", 0.3))
    for i in range(4):
        x = -2.15 + i * 1.08
        pen.box(x, 0.14, x + 1.0, 0.88, tone(paint, 0.14), 0.03)
        pen.line([(x + 0.35, 0.78), (x + 0.65, 0.78)], 0.035, "steel")
    pen.box(0.06, 0.14, 0.98, 0.88, tone("ink", 0.2), 0.04)
    pen.box(0.16, 0.22, 0.88, 0.64, tone("ink", -0.1), 0.04)
    for i in range(4):
        pen.disc(0.2 + i * 0.2, 0.76, 0.045, "steel")
    pen.box(0.25, 1.02, 0.75, 1.26, "red", 0.05)
    pen.line([(0.75, 1.18), (1.0, 1.24)], 0.04, "ink")
    pen.curve([(-1.0, 1), (-1.0, 1.3), (-0.85, 1.4), (-0.74, 1.28)], 0.05, "steel")
    pen.box(-1.9, 1.72, 1.9, 1.78, "brown")
    for i, colour in enumerate(("teal", "orange", "yellow", "grey", "pink")):
        pen.box(-1.6 + i * 0.55, 1.78, -1.3 + i * 0.55, 2.05 + 0.08 * (i % 2), colour, 0.05)
