"""The road vehicles as drawings: side view, facing right, one unit high, standing on y = 0."""

from clipdemo.scenes.drawing.pen import Colour, Look, Pen, clear, tone


def wheel(pen: Pen, x: float, r: float, hub: Colour = "steel") -> None:
    """A tyre with its hub, standing on the ground."""
    pen.disc(x, r, r, "tyre")
    pen.disc(x, r, r * 0.56, hub)
    pen.disc(x, r, r * 0.2, "tyre")


def bicycle(pen: Pen, paint: Colour, look: Look) -> None:
    """Two spoked wheels and a diamond frame."""
    back, front, hub = (-0.52, 0.34), (0.54, 0.34), (-0.08, 0.32)
    seat, head = (-0.24, 0.78), (0.36, 0.8)
    for x, y in (back, front):
        for i in range(4):
            spoke = pen.at(x, y, 0.32, turn=i * 45 + 10)
            spoke.line([(-1, 0), (1, 0)], 0.035, clear("grey", 150))
        pen.ring(x, y, 0.32, 0.055, "tyre")
        pen.disc(x, y, 0.04, "tyre")
    frame = tone(paint, -0.08)
    pen.line([back, hub, head], 0.06, frame)
    pen.line([back, (-0.2, 0.7), (0.34, 0.72)], 0.05, frame)
    pen.line([hub, seat], 0.06, frame)
    pen.curve([front, (0.42, 0.6), head, (0.33, 0.92)], 0.055, frame)
    pen.curve([(0.44, 0.9), (0.35, 0.97), (0.2, 0.93)], 0.05, "ink")
    pen.blob([(-0.4, 0.81), (-0.24, 0.84), (-0.08, 0.79), (-0.22, 0.76)], "ink")
    pen.disc(*hub, 0.085, "steel")
    pen.line([(-0.16, 0.2), (0.0, 0.44)], 0.035, "ink")
    if look.rng.random() < 0.4:
        pen.box(0.44, 0.64, 0.72, 0.86, "brown", 0.05)
        pen.line([(0.45, 0.75), (0.7, 0.75)], 0.02, tone("brown", 0.4))


def car(pen: Pen, paint: Colour, look: Look) -> None:
    """A rounded family car, or a taxi."""
    dark = tone(paint, -0.25)
    pen.blob([(-0.95, 0.58), (-0.72, 0.92), (-0.4, 1.0), (0.1, 1.0), (0.4, 0.88), (0.72, 0.58),
              (0, 0.5)], paint)  # fmt: skip
    pen.shape([(-0.8, 0.6), (-0.63, 0.87), (-0.36, 0.92), (-0.18, 0.92), (-0.18, 0.6)], "glass")
    pen.shape([(-0.1, 0.6), (-0.1, 0.92), (0.1, 0.92), (0.33, 0.82), (0.55, 0.6)], "glass")
    pen.shape([(0.02, 0.6), (0.16, 0.9), (0.25, 0.86), (0.13, 0.6)], "glint")
    pen.box(-1.3, 0.22, 1.32, 0.58, paint, 0.17)
    pen.blob([(-1.26, 0.5), (-0.9, 0.62), (0.7, 0.62), (1.2, 0.52), (1.26, 0.4), (0, 0.42)], paint)
    pen.box(-1.3, 0.18, 1.32, 0.32, dark, 0.06)
    pen.line([(-0.14, 0.58), (-0.14, 0.34)], 0.02, dark)
    pen.line([(-0.36, 0.52), (-0.24, 0.52)], 0.03, dark)
    pen.line([(0.3, 0.52), (0.42, 0.52)], 0.03, dark)
    pen.box(1.16, 0.4, 1.31, 0.51, "lamp", 0.05)
    pen.box(-1.3, 0.4, -1.2, 0.52, tone("red", -0.1), 0.04)
    pen.light(1.3, 0.45, 0.55)
    for x in (-0.78, 0.8):
        pen.dome(x, 0.22, 0.29, 0.29, tone(paint, -0.55))
        wheel(pen, x, 0.23)
    if look.kind == "taxi":
        pen.box(-0.28, 0.99, 0.06, 1.12, "white", 0.04)
        for i in range(9):
            pen.box(-0.9 + i * 0.2, 0.36, -0.8 + i * 0.2, 0.42, "ink")


def motorcycle(pen: Pen, paint: Colour, look: Look) -> None:
    """Fat wheels, tank, engine, exhaust and a long fork."""
    for x in (-0.56, 0.6):
        pen.disc(x, 0.31, 0.31, "tyre")
        pen.disc(x, 0.31, 0.2, tone("steel", 0.25))
        for i in range(3):
            pen.at(x, 0.31, turn=60 * i + 15).line([(-0.19, 0), (0.19, 0)], 0.03, "grey")
        pen.disc(x, 0.31, 0.06, "tyre")
    pen.line([(-0.56, 0.31), (-0.1, 0.28), (0.14, 0.3)], 0.08, "ink")
    pen.line([(0.6, 0.31), (0.3, 0.86)], 0.075, "steel")
    pen.shape([(-0.2, 0.24), (0.16, 0.22), (0.26, 0.5), (-0.22, 0.52)], tone("ink", 0.2))
    for i in range(3):
        pen.line([(-0.08, 0.32 + i * 0.07), (0.16, 0.32 + i * 0.07)], 0.025, "steel")
    pen.line([(0.02, 0.24), (-0.3, 0.19), (-0.86, 0.25)], 0.085, "steel")
    pen.curve([(-0.9, 0.42), (-0.74, 0.62), (-0.46, 0.66), (-0.26, 0.56)], 0.09, paint)
    pen.blob([(-0.74, 0.66), (-0.5, 0.75), (-0.16, 0.65), (0.04, 0.62), (-0.1, 0.53), (-0.4, 0.58)],
             tone("ink", 0.05))  # fmt: skip
    pen.blob([(-0.14, 0.56), (-0.08, 0.74), (0.16, 0.82), (0.32, 0.74), (0.28, 0.58), (0.06, 0.52)],
             paint)  # fmt: skip
    pen.blob([(-0.02, 0.68), (0.12, 0.76), (0.26, 0.72), (0.14, 0.68)], tone(paint, 0.35))
    pen.curve([(0.84, 0.54), (0.66, 0.67), (0.46, 0.62)], 0.07, paint)
    pen.curve([(0.08, 0.92), (0.2, 0.98), (0.31, 0.86)], 0.05, "ink")
    pen.disc(0.42, 0.8, 0.1, "ink")
    pen.oval(0.48, 0.8, 0.055, 0.085, "lamp")
    pen.light(0.5, 0.8, 0.4)
    pen.disc(-0.78, 0.63, 0.045, "red")


def bus(pen: Pen, paint: Colour, look: Look) -> None:
    """A city bus: long row of windows, doors, destination board."""
    dark = tone(paint, -0.25)
    pen.box(-1.2, 0.14, 1.2, 1.0, paint, 0.12)
    pen.box(-1.2, 0.14, 1.2, 0.34, dark, 0.06)
    pen.box(-1.2, 0.9, 1.2, 0.96, tone(paint, 0.25))
    pen.box(-1.12, 0.5, 0.92, 0.86, "ink", 0.05)
    for i in range(5):
        if i != 2:
            x = -1.09 + i * 0.405
            pen.box(x, 0.53, x + 0.36, 0.83, "glass", 0.03)
            pen.shape(
                [(x + 0.06, 0.53), (x + 0.2, 0.83), (x + 0.29, 0.83), (x + 0.15, 0.53)], "glint"
            )
    pen.box(-0.29, 0.2, 0.1, 0.86, "ink", 0.03)
    for x in (-0.27, -0.085):
        pen.box(x, 0.23, x + 0.165, 0.82, "glass", 0.02)
    pen.shape([(1.0, 0.46), (1.2, 0.46), (1.2, 0.86), (1.0, 0.86)], "glass")
    pen.box(0.62, 0.87, 1.17, 0.97, "ink", 0.03)
    for i in range(4):
        pen.box(0.68 + i * 0.12, 0.9, 0.76 + i * 0.12, 0.94, "yellow")
    pen.line([(-1.15, 0.42), (1.15, 0.42)], 0.035, "cream")
    pen.box(1.1, 0.25, 1.21, 0.34, "lamp", 0.04)
    pen.box(-1.21, 0.26, -1.14, 0.4, "red", 0.03)
    pen.light(1.2, 0.3, 0.4)
    for x in (-0.7, 0.66):
        pen.dome(x, 0.14, 0.2, 0.21, tone(paint, -0.6))
        wheel(pen, x, 0.16)


def truck(pen: Pen, paint: Colour, look: Look) -> None:
    """A delivery truck with a box, or a pickup."""
    if look.kind == "pickup truck":
        return _pickup(pen, paint)
    load = look.rng.choice(("cream", "white", tone("yellow", 0.4)))
    pen.box(-1.22, 0.16, 1.0, 0.3, "ink", 0.04)
    pen.box(-1.25, 0.27, 0.44, 1.0, load, 0.05)
    pen.box(-1.25, 0.27, 0.44, 0.36, tone(load, -0.18), 0.03)
    pen.box(-1.25, 0.55, 0.44, 0.68, paint)
    for x in (-0.9, -0.5, -0.1):
        pen.line([(x, 0.4), (x, 0.94)], 0.012, tone(load, -0.15))
    pen.shape([(0.52, 0.2), (0.52, 0.84), (0.58, 0.9), (0.92, 0.9), (1.16, 0.54), (1.24, 0.5),
               (1.26, 0.2)], paint)  # fmt: skip
    pen.shape([(0.66, 0.54), (0.66, 0.82), (0.88, 0.82), (1.06, 0.54)], "glass")
    pen.shape([(0.72, 0.54), (0.82, 0.82), (0.88, 0.82), (0.82, 0.54)], "glint")
    pen.box(0.52, 0.16, 1.28, 0.26, tone(paint, -0.3), 0.04)
    pen.line([(0.68, 0.46), (0.78, 0.46)], 0.025, tone(paint, -0.35))
    pen.box(1.16, 0.34, 1.27, 0.43, "lamp", 0.03)
    pen.light(1.26, 0.38, 0.4)
    for x in (-0.9, -0.5, 0.88):
        pen.dome(x, 0.16, 0.2, 0.2, tone("ink", 0.1))
        wheel(pen, x, 0.17)
    return None


def _pickup(pen: Pen, paint: Colour) -> None:
    dark = tone(paint, -0.25)
    for x, h in ((-1.0, 0.12), (-0.7, 0.2), (-0.4, 0.14)):
        pen.box(x - 0.14, 0.6, x + 0.16, 0.62 + h, tone("brown", 0.25), 0.03)
    pen.shape([(-0.22, 0.55), (-0.18, 0.97), (-0.1, 1.0), (0.42, 1.0), (0.74, 0.64)], paint)
    pen.shape([(-0.1, 0.64), (-0.08, 0.92), (0.38, 0.92), (0.58, 0.64)], "glass")
    pen.shape([(0.02, 0.64), (0.16, 0.92), (0.26, 0.92), (0.12, 0.64)], "glint")
    pen.box(-1.28, 0.26, 1.28, 0.66, paint, 0.1)
    pen.box(-1.28, 0.22, 1.3, 0.36, dark, 0.05)
    pen.line([(-0.26, 0.64), (-0.26, 0.38)], 0.02, dark)
    pen.line([(0.5, 0.64), (0.5, 0.38)], 0.02, dark)
    pen.line([(-0.1, 0.55), (0.02, 0.55)], 0.03, dark)
    pen.box(1.15, 0.46, 1.29, 0.57, "lamp", 0.04)
    pen.light(1.27, 0.5, 0.45)
    for x in (-0.8, 0.84):
        pen.dome(x, 0.24, 0.31, 0.31, tone(paint, -0.6))
        wheel(pen, x, 0.26)
