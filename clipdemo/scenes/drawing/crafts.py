"""Airplane, train and boat as drawings: side view, facing right, one unit high."""

from clipdemo.scenes.drawing.pen import Colour, Look, Pen, tone
from clipdemo.scenes.drawing.vehicles import wheel


def airplane(pen: Pen, paint: Colour, look: Look) -> None:
    """A jet in side view: fin, near wing and engine; wheels down unless it flies."""
    body, base = "white", 0 if look.pose == "fly" else 0.16
    if base:
        for x in (-0.15, 0.98):
            pen.line([(x, 0.2), (x, 0.05)], 0.03, "grey")
            pen.disc(x, 0.06, 0.06, "tyre")
            pen.disc(x + 0.1, 0.06, 0.06, "tyre")
    p = pen.at(0, base, 1 - base)
    p.shape([(-1.2, 0.44), (-1.5, 0.98), (-1.25, 1.0), (-0.72, 0.5)], paint)
    p.shape([(0.1, 0.42), (-0.28, 0.76), (-0.12, 0.76), (0.45, 0.46)], tone("grey", 0.4))
    p.blob(
        [(-1.62, 0.48), (-1.2, 0.53), (0, 0.55), (0.95, 0.54), (1.35, 0.42), (1.46, 0.3),
         (1.3, 0.21), (0.9, 0.17), (-0.4, 0.17), (-1.1, 0.32), (-1.6, 0.44)], body,
    )  # fmt: skip
    p.blob(
        [(-1.3, 0.4), (-0.4, 0.26), (0.6, 0.25), (1.42, 0.28), (1.3, 0.21), (0.9, 0.17),
         (-0.4, 0.17), (-1.1, 0.32)], tone("grey", 0.62),
    )  # fmt: skip
    p.line([(-1.1, 0.36), (1.33, 0.345)], 0.025, paint)
    for i in range(12):
        p.box(-0.85 + i * 0.15, 0.41, -0.785 + i * 0.15, 0.48, tone("glass", -0.35), 0.02)
    p.shape([(1.06, 0.42), (1.1, 0.5), (1.24, 0.46), (1.35, 0.4)], tone("glass", -0.5))
    p.blob(
        [(0.06, 0.09), (0.1, 0.2), (0.36, 0.21), (0.42, 0.13), (0.34, 0.06), (0.12, 0.06)], paint
    )
    p.oval(0.4, 0.135, 0.025, 0.07, "ink")
    p.shape([(0.34, 0.3), (-0.62, 0.0), (-0.82, 0.0), (-0.25, 0.3)], tone("grey", 0.25))
    p.shape([(-1.05, 0.42), (-1.62, 0.3), (-1.72, 0.32), (-1.36, 0.46)], tone("grey", 0.25))


def train(pen: Pen, paint: Colour, look: Look) -> None:
    """A locomotive and a carriage on a piece of track."""
    for i in range(13):
        x = -1.75 + i * 0.29
        pen.box(x, 0.0, x + 0.14, 0.045, tone("brown", -0.2))
    pen.box(-1.82, 0.04, 1.95, 0.07, "grey")
    (_steam if look.kind == "steam train" else _electric)(pen, paint)


def _electric(pen: Pen, paint: Colour) -> None:
    for x in (-1.55, -0.75, 0.15, 0.95):
        pen.box(x - 0.08, 0.1, x + 0.38, 0.22, "ink", 0.04)
        for dx in (0.03, 0.27):
            pen.disc(x + dx, 0.14, 0.085, tone("ink", 0.2))
    pen.box(-0.36, 0.26, -0.1, 0.8, "ink")
    pen.box(-1.8, 0.18, -0.28, 0.9, "white", 0.06)
    nose = [(-0.18, 0.18), (-0.18, 0.9), (1.1, 0.9), (1.35, 0.84), (1.65, 0.62), (1.84, 0.4),
            (1.86, 0.24), (1.78, 0.18)]  # fmt: skip
    pen.shape(nose, "white")
    pen.shape([(-0.18, 0.18), (-0.18, 0.4), (1.84, 0.4), (1.86, 0.24), (1.78, 0.18)], paint)
    pen.box(-1.8, 0.18, -0.28, 0.4, paint, 0.03)
    pen.shape([(-0.18, 0.84), (-0.18, 0.9), (1.1, 0.9), (1.3, 0.85)], tone(paint, -0.2))
    pen.box(-1.8, 0.84, -0.28, 0.9, tone(paint, -0.2), 0.03)
    for x in (-1.44, -1.1, -0.76, 0.26, 0.6):
        pen.box(x, 0.5, x + 0.28, 0.76, tone("glass", -0.3), 0.04)
        pen.shape([(x + 0.05, 0.5), (x + 0.15, 0.76), (x + 0.22, 0.76), (x + 0.12, 0.5)], "glint")
    for x in (-1.72, -0.06, 0.95):
        pen.box(x, 0.24, x + 0.2, 0.78, tone(paint, 0.25), 0.03)
        pen.box(x + 0.05, 0.52, x + 0.15, 0.72, tone("glass", -0.3), 0.02)
    pen.shape([(1.24, 0.56), (1.24, 0.78), (1.36, 0.78), (1.66, 0.54)], "ink")
    pen.oval(1.74, 0.4, 0.07, 0.04, "lamp", -30)
    pen.light(1.78, 0.4, 0.45)
    pen.line([(0.3, 0.9), (0.48, 0.97), (0.3, 1.0), (0.62, 1.0)], 0.02, "ink")


def _steam(pen: Pen, paint: Colour) -> None:
    for x, y, r in ((1.28, 0.98, 0.1), (1.08, 1.06, 0.13), (0.8, 1.13, 0.16), (0.45, 1.19, 0.13)):
        pen.disc(x, y, r, (255, 255, 255, 190))
    pen.box(-1.78, 0.24, -0.55, 0.84, tone(paint, 0.15), 0.04)
    pen.box(-1.84, 0.82, -0.49, 0.9, "ink", 0.04)
    for x in (-1.68, -1.31, -0.94):
        pen.box(x, 0.46, x + 0.28, 0.72, "glass", 0.04)
    for x in (-1.5, -0.85):
        wheel(pen, x, 0.17)
    pen.box(-0.6, 0.22, -0.3, 0.28, "ink")
    pen.box(-0.35, 0.24, 0.25, 0.88, paint, 0.02)
    pen.box(-0.22, 0.54, 0.12, 0.8, "glass", 0.03)
    pen.box(-0.44, 0.86, 0.32, 0.94, "ink", 0.04)
    pen.box(0.2, 0.34, 1.5, 0.7, tone("ink", 0.12), 0.1)
    for x in (0.5, 0.85, 1.18):
        pen.box(x, 0.34, x + 0.04, 0.7, "yellow")
    pen.shape([(1.2, 0.68), (1.38, 0.68), (1.46, 0.95), (1.12, 0.95)], "ink")
    pen.dome(0.68, 0.69, 0.13, 0.13, "yellow")
    pen.box(-0.35, 0.22, 1.55, 0.34, paint, 0.03)
    pen.shape([(1.5, 0.32), (1.5, 0.1), (1.85, 0.1)], "red")
    pen.disc(1.5, 0.52, 0.08, "lamp")
    pen.light(1.55, 0.52, 0.5)
    for x, r in ((-0.05, 0.2), (0.4, 0.2), (0.82, 0.2), (1.24, 0.13)):
        wheel(pen, x, r, "red")
    pen.line([(-0.05, 0.14), (0.82, 0.14)], 0.035, "steel")


def boat(pen: Pen, paint: Colour, look: Look) -> None:
    """A sailing boat or a small fishing boat, with its wake on the waterline."""
    if look.kind == "sailboat":
        pen.line([(0.02, 0.12), (0.02, 0.99)], 0.022, "brown")
        pen.shape([(-0.02, 0.22), (-0.02, 0.97), (-0.2, 0.6), (-0.42, 0.22)], "cream")
        pen.shape([(-0.02, 0.36), (-0.02, 0.5), (-0.27, 0.5), (-0.345, 0.36)], tone(paint, 0.25))
        pen.shape([(0.06, 0.22), (0.06, 0.9), (0.2, 0.56), (0.38, 0.22)], tone("cream", -0.1))
        pen.shape([(0.02, 1.0), (0.02, 0.94), (0.13, 0.97)], "red")
        hull = [(-0.5, 0.17), (0.56, 0.17), (0.42, 0.05), (0.34, 0.0), (-0.34, 0.0), (-0.44, 0.06)]
        pen.shape(hull, paint)
        pen.shape([(-0.5, 0.17), (0.56, 0.17), (0.52, 0.135), (-0.485, 0.135)], "cream")
        foam = 0.46
    else:
        pen = pen.at(0, 0, 0.76)
        pen.line([(-0.3, 0.5), (-0.3, 0.98)], 0.03, "brown")
        pen.line([(-0.3, 0.94), (0.8, 0.5)], 0.012, "ink")
        pen.line([(-0.3, 0.94), (-0.85, 0.4)], 0.012, "ink")
        pen.box(-0.4, 0.36, 0.22, 0.72, "cream", 0.03)
        pen.box(-0.46, 0.68, 0.28, 0.76, "red", 0.03)
        for x in (-0.3, -0.05):
            pen.box(x, 0.48, x + 0.18, 0.63, tone("glass", -0.25), 0.03)
        pen.blob([(-0.9, 0.4), (-0.86, 0.05), (-0.7, 0.0), (0.6, 0.0), (0.74, 0.1), (0.96, 0.5),
                  (0.6, 0.38), (0, 0.34)], paint)  # fmt: skip
        pen.curve([(-0.88, 0.36), (0, 0.3), (0.6, 0.34), (0.9, 0.45)], 0.04, "cream")
        for x in (-0.55, -0.1, 0.35):
            pen.ring(x, 0.2, 0.06, 0.03, "cream")
        foam = 0.9
    pen.blob([(-foam, 0.01), (-foam * 0.5, 0.03), (0, 0.01), (foam * 0.5, 0.03), (foam, 0.01),
              (foam * 0.6, -0.03), (-foam * 0.6, -0.03)], (255, 255, 255, 170))  # fmt: skip
