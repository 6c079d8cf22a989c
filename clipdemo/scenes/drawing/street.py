"""Street furniture as drawings: one unit high, standing on y = 0."""

from clipdemo.scenes.drawing.pen import Colour, Look, Pen, tone

STOP = (  # the letters as strokes, each in a box 1 wide and 1 high
    [(0.8, 0.82), (0.5, 1), (0.2, 0.8), (0.3, 0.58), (0.7, 0.42), (0.8, 0.2), (0.5, 0),
     (0.2, 0.18)],
    [(0.1, 1), (0.9, 1), (0.5, 1), (0.5, 0)],
    [(0.5, 1), (0.2, 0.75), (0.2, 0.25), (0.5, 0), (0.8, 0.25), (0.8, 0.75), (0.5, 1)],
    [(0.2, 0), (0.2, 1), (0.65, 1), (0.85, 0.75), (0.65, 0.5), (0.2, 0.5)],
)  # fmt: skip


def traffic_light(pen: Pen, paint: Colour, look: Look) -> None:
    """A post with three lamps, one of them lit."""
    pen.box(-0.025, 0, 0.025, 0.6, tone("grey", -0.35))
    pen.box(-0.07, 0, 0.07, 0.04, "ink", 0.015)
    pen.box(-0.14, 0.47, 0.14, 1.0, "ink", 0.05)
    pen.box(-0.115, 0.495, 0.115, 0.975, paint, 0.04)
    lit = look.rng.randrange(3)
    for i, colour in enumerate(("red", "yellow", (76, 184, 110))):
        y = 0.895 - i * 0.16
        pen.disc(0, y, 0.072, "ink")
        pen.disc(0, y, 0.062, colour if i == lit else tone(colour, -0.68))
        if i == lit:
            pen.disc(-0.02, y + 0.02, 0.02, (255, 255, 255, 150))
            pen.light(0, y, 0.26, colour)
        pen.shape(
            [(-0.08, y + 0.055), (-0.05, y + 0.085), (0.05, y + 0.085), (0.08, y + 0.055)], "ink"
        )


def fire_hydrant(pen: Pen, paint: Colour, look: Look) -> None:
    """Dome, barrel, side caps, base."""
    dark, light = tone(paint, -0.28), tone(paint, 0.35)
    pen.box(-0.3, 0, 0.3, 0.1, dark, 0.03)
    pen.box(-0.36, 0.44, 0.36, 0.62, dark, 0.03)
    for x in (-0.39, 0.31):
        pen.box(x, 0.42, x + 0.08, 0.64, tone(paint, -0.45), 0.02)
    pen.box(-0.22, 0.08, 0.22, 0.72, paint)
    pen.box(-0.16, 0.1, -0.09, 0.68, light, 0.03)
    pen.dome(0, 0.72, 0.22, 0.2, paint)
    pen.box(-0.28, 0.68, 0.28, 0.75, dark, 0.03)
    pen.box(-0.07, 0.9, 0.07, 1.0, dark, 0.02)
    pen.disc(0.03, 0.5, 0.125, dark)
    pen.disc(0.03, 0.5, 0.085, light)
    pen.disc(0.03, 0.5, 0.035, dark)
    pen.box(-0.26, 0.1, 0.26, 0.15, dark, 0.02)


def stop_sign(pen: Pen, paint: Colour, look: Look) -> None:
    """A red octagon on a post."""
    pen.box(-0.025, 0, 0.025, 0.72, "steel", 0.01)
    sign = pen.at(0, 0.74)
    for r, colour in ((0.28, "ink"), (0.27, "white"), (0.245, "red")):
        k = r * 0.4142
        octagon = [(k, r), (r, k), (r, -k), (k, -r), (-k, -r), (-r, -k), (-r, k), (-k, r)]
        sign.shape(octagon, colour)
    for i, letter in enumerate(STOP):
        x = -0.205 + i * 0.105
        sign.line([(x + u * 0.095, -0.075 + v * 0.15) for u, v in letter], 0.026, "white")


def parking_meter(pen: Pen, paint: Colour, look: Look) -> None:
    """A post with a domed head: dial, needle, coin slot."""
    pen.box(-0.035, 0, 0.035, 0.55, tone("grey", -0.1))
    pen.box(-0.1, 0, 0.1, 0.04, tone("grey", -0.4), 0.015)
    pen.box(-0.08, 0.5, 0.08, 0.58, tone(paint, -0.4), 0.02)
    pen.box(-0.17, 0.55, 0.17, 0.84, paint, 0.05)
    pen.dome(0, 0.8, 0.17, 0.2, paint)
    pen.dome(0, 0.81, 0.125, 0.145, "white")
    pen.line([(0, 0.825), (look.rng.uniform(-0.07, 0.07), 0.91)], 0.018, "red")
    for x in (-0.085, 0, 0.085):
        pen.disc(x, 0.925 - abs(x) * 0.55, 0.01, "ink")
    pen.box(-0.11, 0.67, 0.11, 0.77, tone(paint, -0.5), 0.02)
    pen.box(0.05, 0.69, 0.075, 0.75, "steel")
    pen.disc(-0.045, 0.72, 0.03, "steel")
    pen.box(-0.06, 0.59, 0.06, 0.635, "cream", 0.015)


def bench(pen: Pen, paint: Colour, look: Look) -> None:
    """A park bench: slatted back and seat on iron legs."""
    iron = tone("ink", 0.12)
    for x in (-0.78, 0.78):
        pen.line([(x, 0.45), (x, 1.0)], 0.06, iron)
    for y in (0.58, 0.74, 0.9):
        pen.box(-0.95, y, 0.95, y + 0.11, paint, 0.03)
        pen.box(-0.95, y, 0.95, y + 0.03, tone(paint, -0.22), 0.015)
    for x in (-0.78, 0.78):
        pen.line([(x, 0.36), (x, 0.03)], 0.07, iron)
        pen.line([(x - 0.1, 0.02), (x + 0.1, 0.02)], 0.05, iron)
        pen.curve([(x, 0.38), (x * 1.07, 0.56), (x * 1.0, 0.66)], 0.06, iron)
    pen.shape([(-0.92, 0.5), (0.92, 0.5), (1.02, 0.38), (-1.02, 0.38)], tone(paint, 0.16))
    pen.line([(-0.96, 0.445), (0.96, 0.445)], 0.018, tone(paint, -0.3))
    pen.box(-1.02, 0.32, 1.02, 0.39, tone(paint, -0.22), 0.03)
