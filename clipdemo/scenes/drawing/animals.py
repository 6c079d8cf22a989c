"""The person and the animals as drawings: facing right, one unit high, standing on y = 0."""

from clipdemo.scenes.drawing.pen import SKIN, Colour, Look, Pen, tone

HAIR = ("ink", tone("brown", -0.45), "brown", (196, 140, 74), (190, 186, 180))
TROUSERS = (tone("blue", -0.4), "ink", tone("brown", 0.1), (112, 118, 136), tone("teal", -0.4))


def person(pen: Pen, paint: Colour, look: Look) -> None:
    """A man, woman or child who stands, walks or waves."""
    skin, hair, legs = look.rng.choice(SKIN), look.rng.choice(HAIR), look.rng.choice(TROUSERS)
    if look.kind == "child":
        head, r, hip, neck = 0.865, 0.115, 0.38, 0.74
    else:
        head, r, hip, neck = 0.895, 0.085, 0.47, 0.79
    walks = look.pose == "walk"
    for foot, colour in ((-0.17 if walks else -0.045, tone(legs, -0.25)),
                         (0.16 if walks else 0.055, legs)):  # fmt: skip
        lift = 0.035 if walks and foot < 0 else 0.03
        pen.line([(0, hip), (foot * 0.55 + 0.02, hip * 0.52), (foot, lift + 0.02)], 0.085, colour)
        pen.blob([(foot - 0.045, 0.0), (foot - 0.04, 0.055), (foot + 0.02, 0.055),
                  (foot + 0.085, 0.022), (foot + 0.085, 0.0)], "ink")  # fmt: skip
    swing = 0.12 if walks else 0.03
    pen.line([(0, neck - 0.06), (-swing, hip + 0.14), (-swing * 0.9, hip + 0.01)], 0.06,
             tone(paint, -0.3))  # fmt: skip
    if look.kind == "woman":
        pen.blob([(-0.06, hip + 0.14), (-0.035, hip - 0.04), (-0.05, head - 0.02),
                  (-0.1, head - 0.18), (-0.06, neck - 0.12)], hair)  # fmt: skip
        pen.shape([(-0.07, neck), (0.06, neck), (0.08, hip + 0.08), (0.14, hip - 0.16),
                   (-0.14, hip - 0.16), (-0.08, hip + 0.08)], paint)  # fmt: skip
    pen.box(-0.1, hip - 0.03, 0.1, neck + 0.015, paint, 0.06)
    pen.box(-0.03, neck - 0.03, 0.04, head, tone(skin, -0.12))
    pen.disc(0.015, head, r, skin)
    if look.kind == "woman":
        up = pen.at(0, head)
        up.blob([(0.06, 0.05), (0, 0.1), (-0.08, 0.06), (-0.1, -0.05), (-0.08, -0.17),
                 (-0.03, -0.1), (-0.03, 0.02)], hair)  # fmt: skip
    else:
        pen.blob([(r, head + r * 0.35), (r * 0.5, head + r * 1.15), (-r * 0.6, head + r * 1.05),
                  (-r, head), (-r * 0.55, head - r * 0.35), (-r * 0.2, head + r * 0.4)],
                 hair)  # fmt: skip
    if look.pose == "wave":
        arm = [(0.03, neck - 0.05), (0.17, neck - 0.12), (0.23, head + 0.08)]
    else:
        arm = [(0.01, neck - 0.06), (swing, hip + 0.13), (swing * 1.35, hip + 0.01)]
    pen.line(arm, 0.062, tone(paint, -0.12))
    pen.disc(*arm[-1], 0.034, skin)


def bird(pen: Pen, paint: Colour, look: Look) -> None:
    """A bird that stands, or one that flies."""
    belly = tone(paint, 0.55)
    if look.pose == "fly":
        pen.blob([(0.0, 0.42), (0.16, 0.8), (0.02, 1.0), (-0.2, 0.75), (-0.26, 0.5)],
                 tone(paint, -0.35))  # fmt: skip
        pen.shape([(-0.4, 0.42), (-0.85, 0.5), (-0.82, 0.38), (-0.88, 0.3), (-0.4, 0.3)],
                  tone(paint, -0.2))  # fmt: skip
        pen.blob([(-0.55, 0.38), (-0.1, 0.52), (0.3, 0.52), (0.5, 0.5), (0.5, 0.36), (0.2, 0.22),
                  (-0.2, 0.24)], paint)  # fmt: skip
        pen.blob([(-0.2, 0.3), (0.15, 0.34), (0.4, 0.34), (0.2, 0.22), (-0.1, 0.23)], belly)
        pen.disc(0.46, 0.47, 0.14, paint)
        pen.shape([(0.57, 0.52), (0.8, 0.44), (0.57, 0.41)], "orange")
        pen.disc(0.5, 0.51, 0.028, "ink")
        pen.blob([(0.14, 0.42), (-0.05, 0.85), (-0.4, 0.98), (-0.45, 0.7), (-0.3, 0.42)],
                 tone(paint, -0.15))  # fmt: skip
        return
    for x in (-0.04, 0.1):
        pen.line([(x, 0.32), (x + 0.02, 0.03), (x + 0.12, 0.01)], 0.035, "orange")
    pen.shape([(-0.3, 0.5), (-0.8, 0.3), (-0.72, 0.2), (-0.2, 0.3)], tone(paint, -0.35))
    pen.blob([(-0.42, 0.42), (-0.2, 0.66), (0.1, 0.78), (0.36, 0.72), (0.42, 0.5), (0.2, 0.26),
              (-0.14, 0.24)], paint)  # fmt: skip
    pen.blob([(0.1, 0.3), (0.28, 0.62), (0.41, 0.56), (0.36, 0.38), (0.2, 0.26)], belly)
    pen.disc(0.26, 0.8, 0.2, paint)
    pen.shape([(0.43, 0.86), (0.66, 0.77), (0.44, 0.72)], "orange")
    pen.disc(0.32, 0.85, 0.04, "white")
    pen.disc(0.33, 0.85, 0.026, "ink")
    pen.blob([(-0.5, 0.34), (-0.2, 0.58), (0.08, 0.6), (0.12, 0.44), (-0.1, 0.32)],
             tone(paint, -0.25))  # fmt: skip


def cat(pen: Pen, paint: Colour, look: Look) -> None:
    """A sitting cat: pointed ears, whiskers, a tail that curls up."""
    dark, light = tone(paint, -0.22), tone(paint, 0.6)
    pen.curve([(-0.22, 0.08), (-0.5, 0.08), (-0.6, 0.28), (-0.48, 0.46), (-0.56, 0.58)], 0.1, dark)
    pen.blob([(-0.38, 0.02), (-0.42, 0.24), (-0.24, 0.5), (0.0, 0.66), (0.24, 0.6), (0.28, 0.3),
              (0.26, 0.02)], paint)  # fmt: skip
    pen.blob([(-0.36, 0.02), (-0.34, 0.24), (-0.16, 0.3), (-0.04, 0.14), (0, 0.01)], dark)
    pen.blob([(0.06, 0.52), (0.22, 0.52), (0.24, 0.3), (0.14, 0.2), (0.06, 0.34)], light)
    for x in (0.07, 0.22):
        pen.line([(x, 0.36), (x, 0.06)], 0.1, paint)
        pen.oval(x + 0.02, 0.04, 0.08, 0.04, light)
    for side in (-1, 1):
        p = pen.at(0.12, 0.72, flip=side < 0)
        p.shape([(0.03, 0.15), (0.22, 0.29), (0.235, 0.02)], paint)
        p.shape([(0.09, 0.14), (0.19, 0.22), (0.2, 0.06)], (236, 160, 150))
    pen.oval(0.12, 0.71, 0.25, 0.2, paint)
    pen.oval(0.14, 0.63, 0.13, 0.09, light)
    for x in (0.03, 0.22):
        pen.oval(x, 0.74, 0.04, 0.05, (120, 160, 92))
        pen.oval(x, 0.74, 0.016, 0.045, "ink")
    pen.shape([(0.1, 0.68), (0.17, 0.68), (0.135, 0.645)], (220, 120, 116))
    for side in (-1, 1):
        p = pen.at(0.135, 0.63, flip=side < 0)
        p.curve([(0, 0.015), (0.02, -0.02), (0.06, -0.015)], 0.014, "ink")
        p.line([(0.1, 0.02), (0.3, 0.05)], 0.012, "ink")
        p.line([(0.1, 0.0), (0.29, -0.02)], 0.012, "ink")
    if look.kind == "tabby cat":
        for x, top in ((0.06, 0.9), (0.12, 0.91), (0.18, 0.9)):
            pen.line([(x, top - 0.02), (x, top - 0.09)], 0.028, dark)
        for y in (0.38, 0.46):
            pen.curve([(-0.3, y - 0.05), (-0.18, y + 0.02), (-0.1, y - 0.03)], 0.035, dark)


def dog(pen: Pen, paint: Colour, look: Look) -> None:
    """A standing dog: long muzzle, hanging ear, raised tail, collar."""
    dark, light = tone(paint, -0.28), tone(paint, 0.5)
    pen.curve([(-0.5, 0.6), (-0.68, 0.7), (-0.74, 0.9)], 0.09, paint)
    for x in (-0.36, 0.3):
        pen.line([(x, 0.42), (x - 0.02, 0.05), (x + 0.04, 0.04)], 0.1, dark)
    pen.blob([(-0.56, 0.54), (-0.4, 0.66), (0, 0.64), (0.28, 0.72), (0.46, 0.62), (0.42, 0.42),
              (0.2, 0.31), (-0.16, 0.38), (-0.44, 0.34), (-0.56, 0.42)], paint)  # fmt: skip
    pen.line([(-0.46, 0.46), (-0.5, 0.28), (-0.46, 0.05), (-0.4, 0.04)], 0.11, paint)
    pen.line([(0.38, 0.5), (0.4, 0.05), (0.46, 0.04)], 0.11, paint)
    pen.blob([(0.3, 0.4), (0.45, 0.58), (0.46, 0.44), (0.34, 0.34)], light)
    pen.line([(0.3, 0.58), (0.42, 0.82)], 0.22, paint)
    pen.blob([(0.28, 0.86), (0.36, 1.0), (0.54, 1.0), (0.64, 0.9), (0.84, 0.84), (0.86, 0.75),
              (0.74, 0.7), (0.5, 0.7), (0.34, 0.74)], paint)  # fmt: skip
    pen.blob([(0.6, 0.8), (0.82, 0.8), (0.84, 0.74), (0.72, 0.7), (0.56, 0.71)], light)
    pen.oval(0.85, 0.83, 0.045, 0.035, "ink")
    pen.disc(0.6, 0.89, 0.028, "ink")
    pen.blob([(0.32, 0.96), (0.44, 0.97), (0.42, 0.8), (0.36, 0.64), (0.24, 0.66), (0.22, 0.8)],
             dark)  # fmt: skip
    pen.line([(0.26, 0.62), (0.46, 0.66)], 0.06, "red")
    pen.disc(0.44, 0.6, 0.035, "yellow")
    if look.kind == "spotted dog":
        pen.oval(-0.22, 0.56, 0.15, 0.09, dark)
        pen.oval(0.12, 0.52, 0.08, 0.06, dark)


def horse(pen: Pen, paint: Colour, look: Look) -> None:
    """A standing horse: arched neck, mane and tail."""
    dark, mane = tone(paint, -0.25), tone(paint, -0.62)
    pen.blob([(-0.5, 0.6), (-0.6, 0.58), (-0.68, 0.4), (-0.66, 0.16), (-0.58, 0.24), (-0.54, 0.44)],
             mane)  # fmt: skip
    for points in (
        [(-0.32, 0.45), (-0.3, 0.28), (-0.34, 0.05)],
        [(0.22, 0.42), (0.3, 0.26), (0.24, 0.05)],
    ):
        pen.line(points, 0.075, dark)
        pen.line([points[-1], (points[-1][0] + 0.02, 0.03)], 0.08, "ink")
    pen.blob([(-0.52, 0.56), (-0.44, 0.66), (-0.2, 0.64), (0.05, 0.62), (0.26, 0.68), (0.36, 0.56),
              (0.3, 0.4), (0.05, 0.36), (-0.2, 0.38), (-0.44, 0.4)], paint)  # fmt: skip
    pen.blob([(0.08, 0.6), (0.22, 0.76), (0.36, 0.92), (0.5, 0.94), (0.48, 0.8), (0.42, 0.66),
              (0.36, 0.5), (0.2, 0.46)], paint)  # fmt: skip
    for points in (
        [(-0.44, 0.5), (-0.48, 0.3), (-0.45, 0.05)],
        [(0.3, 0.48), (0.31, 0.26), (0.33, 0.05)],
    ):
        pen.line([points[0], points[1]], 0.1, paint)
        pen.line(points[1:], 0.07, paint)
        pen.line([points[-1], (points[-1][0] + 0.02, 0.03)], 0.085, "ink")
    pen.blob([(0.38, 0.9), (0.44, 0.97), (0.56, 0.93), (0.72, 0.78), (0.76, 0.7), (0.7, 0.65),
              (0.6, 0.7), (0.48, 0.76)], paint)  # fmt: skip
    pen.blob(
        [(0.66, 0.77), (0.74, 0.75), (0.76, 0.69), (0.7, 0.65), (0.64, 0.69)], tone(paint, -0.4)
    )
    pen.shape([(0.39, 0.93), (0.44, 1.0), (0.49, 0.93)], paint)
    pen.disc(0.55, 0.85, 0.018, "ink")
    pen.blob([(0.44, 0.95), (0.34, 0.95), (0.2, 0.8), (0.06, 0.64), (0.14, 0.6), (0.26, 0.72),
              (0.36, 0.84)], mane)  # fmt: skip
    pen.blob([(0.4, 0.96), (0.5, 0.93), (0.52, 0.86), (0.45, 0.88)], mane)
    if look.kind == "saddled horse":
        pen.blob([(-0.2, 0.64), (-0.1, 0.68), (0.02, 0.65), (0.04, 0.5), (-0.16, 0.5)], "red")
        pen.blob([(-0.18, 0.66), (-0.06, 0.67), (0.06, 0.7), (0.0, 0.6), (-0.1, 0.6)],
                 tone("brown", -0.3))  # fmt: skip
    elif look.kind == "horse" and look.rng.random() < 0.3:
        pen.blob([(0.52, 0.91), (0.64, 0.82), (0.6, 0.79), (0.53, 0.86)], "cream")
