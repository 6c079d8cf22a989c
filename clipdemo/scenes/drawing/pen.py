"""A pen for flat illustrations: nested coordinates, smooth shapes, and an owner per pixel."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

import numpy as np
from PIL import Image, ImageDraw

Colour = tuple[int, ...] | str  # a name of the palette, or RGB with or without alpha
Points = list[tuple[float, float]]

PALETTE: dict[str, tuple[int, ...]] = {
    "ink": (41, 46, 68), "cream": (250, 242, 226), "white": (252, 250, 245),
    "red": (217, 78, 70), "orange": (238, 138, 74), "yellow": (244, 190, 84),
    "green": (98, 158, 112), "teal": (58, 146, 148), "blue": (74, 122, 184),
    "pink": (242, 166, 154), "brown": (150, 100, 72), "grey": (142, 150, 164),
    "glass": (188, 220, 232), "tyre": (52, 55, 72), "steel": (176, 184, 194),
    "lamp": (255, 240, 190), "glint": (255, 255, 255, 90),
    "road": (104, 110, 128), "paving": (214, 206, 196), "sand": (240, 214, 168),
    "sea": (86, 160, 190), "earth": (206, 176, 130),
}  # fmt: skip
SKIN = ((246, 205, 176), (226, 172, 134), (168, 116, 84), (116, 78, 60))

FINE = 3
CIRCLE = np.exp(2j * np.pi * np.arange(36) / 36)
CORNER = np.exp(0.5j * np.pi * np.arange(6) / 5)


def rgb(colour: Colour) -> tuple[int, ...]:
    """RGB of a colour, with alpha if it has one."""
    return PALETTE[colour] if isinstance(colour, str) else colour


def tone(colour: Colour, amount: float) -> Colour:
    """Lighter towards cream (amount > 0) or darker towards ink (amount < 0)."""
    return mix(colour, "cream" if amount > 0 else "ink", abs(amount))


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """Colour `a` with `share` of colour `b` in it."""
    return tuple(round(x + (y - x) * share) for x, y in zip(rgb(a)[:3], rgb(b)[:3], strict=True))


def clear(colour: Colour, alpha: int) -> Colour:
    """The colour, translucent: alpha is 0 to 255."""
    return (*rgb(colour), alpha)


def smooth(points: np.ndarray, closed: bool, steps: int = 6) -> np.ndarray:
    """Catmull-Rom curve through complex points."""
    if closed:
        p = np.concatenate([points[-1:], points, points[:2]])
    else:
        p = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    p0, p1, p2, p3 = (p[i : len(p) - 3 + i, None] for i in range(4))
    t = np.arange(steps) / steps
    curve = p1 + 0.5 * t * (
        p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * (3 * (p1 - p2) + p3 - p0))
    )
    return curve.ravel() if closed else np.append(curve.ravel(), points[-1])


class Canvas:
    """A picture drawn `FINE` times larger than it ends up, and a map of each pixel's owner.

    Owner 0 is everything except labelled objects; translucent paint does not change owners.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self.size, self.owner = size, 0
        self.image = Image.new("RGB", (size[0] * FINE, size[1] * FINE), PALETTE["cream"])
        self.owners = Image.new("L", size, 0)
        self._solid, self._clear = ImageDraw.Draw(self.image), ImageDraw.Draw(self.image, "RGBA")
        self._own = ImageDraw.Draw(self.owners)
        self.lights: list[tuple[int, int, float, Colour, Colour]] = []

    def fill(self, points: np.ndarray, colour: Colour) -> None:
        """Polygon through complex pixel positions, y upwards."""
        colour = rgb(colour)
        pixels = np.conj(points) + 1j * self.size[1]
        draw = self._solid if len(colour) == 3 else self._clear
        draw.polygon((pixels * FINE).view(np.float64).tolist(), colour)
        if draw is self._solid:
            self._own.polygon(pixels.view(np.float64).tolist(), self.owner)

    def stroke(self, points: np.ndarray, width: float, colour: Colour) -> None:
        """Line of `width` pixels with round joints and ends."""
        colour = rgb(colour)
        pixels = np.conj(points) + 1j * self.size[1]
        thick = max(1, round(width * FINE))
        fine = (pixels * FINE).view(np.float64).tolist()
        draw = self._solid if len(colour) == 3 else self._clear
        draw.line(fine, colour, thick, "curve" if thick > 2 else None)
        if draw is self._solid:
            if thick > 3:
                for end in (fine[:2], fine[-2:]):
                    draw.circle(end, thick / 2 - 0.5, colour)
            self._own.line(pixels.view(np.float64).tolist(), self.owner, max(1, round(width)))

    def finish(self, tint: Colour | None = None) -> Image.Image:
        """The picture at its final size; a tint darkens it for the night and shows the lights."""
        image = self.image.reduce(FINE)
        if tint is None:
            return image
        image = image.point([v * t // 255 for t in tint for v in range(256)])
        glow = Image.radial_gradient("L").point([max(0, 255 - v * 14 // 10) for v in range(256)])
        for x, y, radius, colour, before in self.lights:
            r, now = round(radius), self._pixel(x, y)
            covered = sum(abs(a - b) for a, b in zip(before, now, strict=True)) > 60
            if r > 0 and not covered:
                mask = glow.resize((2 * r, 2 * r)).point(lambda v: v * v * 200 // 65025)
                image.paste(colour, (x - r, y - r), mask)
        return image

    def light(self, place: complex, radius: float, colour: Colour) -> None:
        """Remember a glow; it is not shown if its place is painted over later."""
        x, y = round(place.real), round(self.size[1] - place.imag)
        self.lights.append((x, y, radius, rgb(colour), self._pixel(x, y)))

    def _pixel(self, x: int, y: int) -> Colour:
        inside = 0 <= x < self.size[0] and 0 <= y < self.size[1]
        return self.image.getpixel((x * FINE, y * FINE)) if inside else PALETTE["cream"]

    def area(self, owner: int) -> int:
        """The number of pixels that an object owns so far."""
        return self.owners.histogram()[owner]

    def box(self, owner: int) -> tuple[float, float, float, float]:
        """Box of the pixels an object owns, as fractions of the picture."""
        lut = [0] * 256
        lut[owner] = 255
        x0, y0, x1, y1 = self.owners.point(lut).getbbox()
        width, height = self.size
        return x0 / width, y0 / height, x1 / width, y1 / height


@dataclass(frozen=True)
class Look:
    """What varies in a drawing besides its colour: kind, pose and a random generator."""

    kind: str
    pose: str
    rng: Random


@dataclass(frozen=True)
class Pen:
    """Draws in its own coordinates: y points up; maps z to `a*z + c*conj(z) + b` in pixels."""

    canvas: Canvas
    a: complex
    b: complex = 0j
    c: complex = 0j
    scale: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "scale", abs(self.a) + abs(self.c))

    @classmethod
    def over(cls, canvas: Canvas) -> Pen:
        """Pen for the whole picture: bottom left is (0, 0) and the picture is 1 high."""
        return cls(canvas, complex(canvas.size[1]))

    @property
    def width(self) -> float:
        """Width of the picture, in units of its height."""
        return self.canvas.size[0] / self.canvas.size[1]

    def at(self, x: float, y: float, scale: float = 1, flip: bool = False, turn: float = 0) -> Pen:
        """Pen whose origin lies at (x, y) of this one, scaled, mirrored, turned (in degrees)."""
        m = scale * np.exp(1j * np.radians(turn))
        p, q = (0, -m) if flip else (m, 0)
        return Pen(
            self.canvas,
            self.a * p + self.c * np.conj(q),
            self._map(complex(x, y)),
            self.a * q + self.c * np.conj(p),
        )

    def _map(self, z):
        return self.a * z + self.c * np.conj(z) + self.b

    def shape(self, points: Points, colour: Colour) -> None:
        """Polygon."""
        self.canvas.fill(self._map(_complex(points)), colour)

    def blob(self, points: Points, colour: Colour) -> None:
        """Closed smooth curve through the points."""
        self.canvas.fill(self._map(smooth(_complex(points), closed=True)), colour)

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: Colour, r: float = 0) -> None:
        """Upright box with corners of radius `r`."""
        if not r:
            return self.shape([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], colour)
        r = min(r, abs(x1 - x0) / 2, abs(y1 - y0) / 2)
        centres = ((x1 - r, y1 - r), (x0 + r, y1 - r), (x0 + r, y0 + r), (x1 - r, y0 + r))
        z = np.concatenate([complex(*o) + r * CORNER * 1j**i for i, o in enumerate(centres)])
        return self.canvas.fill(self._map(z), colour)

    def oval(
        self, x: float, y: float, rx: float, ry: float, colour: Colour, turn: float = 0
    ) -> None:
        """Ellipse, turned by degrees."""
        z = (CIRCLE.real * rx + 1j * CIRCLE.imag * ry) * np.exp(1j * np.radians(turn))
        self.canvas.fill(self._map(z + complex(x, y)), colour)

    def disc(self, x: float, y: float, r: float, colour: Colour) -> None:
        """Circle."""
        self.canvas.fill(self._map(CIRCLE * r + complex(x, y)), colour)

    def dome(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        """Upper half of an ellipse (lower when `ry` is negative)."""
        half = CIRCLE[:19]
        self.canvas.fill(self._map(half.real * rx + 1j * half.imag * ry + complex(x, y)), colour)

    def ring(self, x: float, y: float, r: float, width: float, colour: Colour) -> None:
        """Outline of a circle."""
        z = np.append(CIRCLE, 1) * r + complex(x, y)
        self.canvas.stroke(self._map(z), width * self.scale, colour)

    def line(self, points: Points, width: float, colour: Colour) -> None:
        """Straight strokes."""
        self.canvas.stroke(self._map(_complex(points)), width * self.scale, colour)

    def curve(self, points: Points, width: float, colour: Colour) -> None:
        """Smooth stroke through the points."""
        z = smooth(_complex(points), closed=False)
        self.canvas.stroke(self._map(z), width * self.scale, colour)

    def light(self, x: float, y: float, r: float, colour: Colour = (255, 226, 160)) -> None:
        """A glow that shows when the picture is finished with a night tint."""
        self.canvas.light(self._map(complex(x, y)), r * self.scale, colour)

    def shadow(self, half: float, depth: float = 0.05) -> None:
        """Soft shadow on the ground under the origin."""
        for grow in (1.0, 0.82):
            self.oval(0, 0, half * grow, depth * grow, clear("ink", 34))


def _complex(points: Points) -> np.ndarray:
    return np.array(points, dtype=np.float64).view(np.complex128).ravel()
