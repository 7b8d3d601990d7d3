"""Trees, grass, flowers and rocks as polygons, added to a `ShapeBuilder`.

Sizes are world units; colours are given already lit, dark to light.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kinogate.engines.preview.canvas import Color, Points, mix
from kinogate.engines.preview.layers import ShapeBuilder

Tones = tuple[Color, Color, Color]
"""Dark, middle and light."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brush:
    """What one kind of plant is painted with.

    Attributes:
        out: Where the polygons go.
        rng: Source of variation.
        tones: Leaf colours, lit.
        trunk: Bark colour, lit.
        side: Where the light comes from, +1 right, -1 left.
    """

    out: ShapeBuilder
    rng: np.random.Generator
    tones: Tones
    trunk: Color = (60, 44, 40)
    side: float = 1.0


def _open(brush: Brush) -> tuple[ShapeBuilder, np.random.Generator, Tones, Color, float]:
    return brush.out, brush.rng, brush.tones, brush.trunk, brush.side


def blob(  # noqa: PLR0917 - a shape and its place read best in a row
    x: float, y: float, width: float, height: float, rng: np.random.Generator, bumps: int = 9
) -> Points:
    """A leafy outline: an ellipse with soft scallops."""
    count = bumps * 3
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    turn = rng.uniform(0, 2 * np.pi)
    rough = 1.0 + 0.10 * np.abs(np.sin(angle * bumps / 2 + turn)) + rng.uniform(-0.03, 0.03, count)
    return np.stack([x + np.cos(angle) * width * rough, y + np.sin(angle) * height * rough], 1)


def ellipse(x: float, y: float, width: float, height: float, count: int = 18) -> Points:
    """A plain ellipse with half-axes `width` and `height`."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([x + np.cos(angle) * width, y + np.sin(angle) * height], 1)


def quad(x0: float, y0: float, x1: float, y1: float) -> Points:
    """An upright rectangle."""
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], dtype=np.float64)


def pine(brush: Brush, x: float, base: float, height: float, *, detail: bool = True) -> None:
    """A conifer of drooping tiers, its light side turned to `side`."""
    out, rng, tones, trunk, side = _open(brush)
    half = height * rng.uniform(0.20, 0.26)
    tiers = 6 if detail else 4
    out.add(quad(x - height * 0.018, base - height * 0.14, x + height * 0.018, base), trunk)
    right: list[tuple[float, float]] = []
    top = base - height
    foot = base - height * 0.08
    for tier in range(tiers):
        share = (tier + 1) / tiers
        y = top + (foot - top) * share**0.92
        reach = half * share**0.95 * rng.uniform(0.88, 1.08)
        right.append((reach, y))
        right.append((reach * 0.52, y - (foot - top) / tiers * 0.16))
    right.pop()
    left = [(-reach * rng.uniform(0.9, 1.08), y) for reach, y in right]
    outline = [(0.0, top), *right, *reversed(left)]
    sway = height * 0.006
    out.add(np.array([(x + dx, y) for dx, y in outline]), tones[0], sway)
    if detail:
        bright = [(dx, y) for dx, y in (right if side > 0 else left)]
        inner = [(dx * 0.30, y - height * 0.012) for dx, y in reversed(bright)]
        out.add(np.array([(x + dx, y) for dx, y in [(0.0, top), *bright, *inner]]), tones[1], sway)


def broadleaf(brush: Brush, x: float, base: float, height: float, *, detail: int = 7) -> None:
    """A round-crowned tree: forked trunk, dark mass, lit clumps."""
    out, rng, tones, trunk, side = _open(brush)
    girth = height * 0.035
    crown_y, crown_w, crown_h = base - height * 0.66, height * 0.34, height * 0.32
    out.add(
        np.array(
            [
                (x - girth * 1.5, base),
                (x - girth * 0.7, base - height * 0.25),
                (x - girth * 2.6, base - height * 0.55),
                (x - girth * 1.6, base - height * 0.56),
                (x, base - height * 0.38),
                (x + girth * 2.0, base - height * 0.60),
                (x + girth * 2.9, base - height * 0.58),
                (x + girth * 0.8, base - height * 0.28),
                (x + girth * 1.4, base),
            ]
        ),
        trunk,
    )
    sway = height * 0.010
    spots = [
        (rng.uniform(-0.62, 0.62), rng.uniform(-0.55, 0.55), rng.uniform(0.42, 0.62))
        for _ in range(detail)
    ]
    out.add(blob(x, crown_y, crown_w, crown_h, rng, 11), tones[0], sway, rigid=True)
    for dx, dy, size in spots:
        clump = blob(x + dx * crown_w, crown_y + dy * crown_h, crown_w * size, crown_h * size, rng)
        out.add(clump, tones[0], sway, rigid=True)
    for dx, dy, size in sorted(spots, key=lambda spot: spot[1]):
        cx = x + dx * crown_w + side * crown_w * 0.10
        cy = crown_y + dy * crown_h - crown_h * 0.12
        clump = blob(cx, cy, crown_w * size * 0.78, crown_h * size * 0.74, rng, 7)
        out.add(clump, mix(tones[1], tones[0], 0.30 + 0.35 * dy), sway * 1.1, rigid=True)
    for dx, dy, size in spots if detail > 4 else ():
        if dy < 0.25:
            cx = x + dx * crown_w + side * crown_w * 0.20
            cy = crown_y + dy * crown_h - crown_h * 0.26
            clump = blob(cx, cy, crown_w * size * 0.42, crown_h * size * 0.36, rng, 5)
            out.add(clump, mix(tones[2], tones[1], 0.35), sway * 1.2, rigid=True)


def poplar(brush: Brush, x: float, base: float, height: float) -> None:
    """A slender tree, one flame of leaves."""
    out, rng, tones, _, _ = _open(brush)
    wide = height * rng.uniform(0.09, 0.13)
    out.add(blob(x, base - height * 0.52, wide, height * 0.48, rng, 11), tones[0], height * 0.006)
    out.add(
        blob(x + wide * 0.2, base - height * 0.56, wide * 0.6, height * 0.38, rng, 9),
        tones[1],
        height * 0.006,
    )


def bush(brush: Brush, x: float, base: float, size: float) -> None:
    """A low clump of leaves."""
    out, rng, tones, _, side = _open(brush)
    for dx, scale, tone in ((-0.5, 0.7, 0), (0.55, 0.62, 0), (0.0, 1.0, 0), (0.12, 0.62, 1)):
        lift = size * 0.45 * scale + (size * 0.16 if tone else 0.0)
        place = x + (dx + (0.1 * side if tone else 0.0)) * size
        out.add(
            blob(place, base - lift, size * 0.62 * scale, size * 0.5 * scale, rng, 7),
            tones[tone],
            size * 0.02,
            rigid=True,
        )


def palm(brush: Brush, x: float, base: float, height: float, lean: float = 0.25) -> None:
    """A leaning palm with feathered fronds."""
    out, rng, tones, trunk, _ = _open(brush)
    share = np.linspace(0, 1, 9)
    spine_x = x + lean * height * share**1.8
    spine_y = base - height * share
    girth = height * (0.030 - 0.014 * share)
    outline = np.concatenate(
        [np.stack([spine_x - girth, spine_y], 1), np.stack([spine_x + girth, spine_y], 1)[::-1]]
    )
    out.add(outline, trunk, height * 0.008)
    top_x, top_y = float(spine_x[-1]), float(spine_y[-1])
    for index, angle in enumerate((-2.9, -0.25, -2.45, -0.7, -2.0, -1.15, -1.6, 2.9, 0.25)):
        length = height * rng.uniform(0.36, 0.46)
        along = np.linspace(0, 1, 8)
        droop = 0.55 * length * along**2.2
        fx = top_x + np.cos(angle) * length * along
        fy = top_y + np.sin(angle) * length * along * 0.8 + droop
        wide = length * 0.13 * np.sin(np.pi * np.clip(along * 0.92 + 0.08, 0, 1))
        saw = np.where(np.arange(8) % 2 == 0, 1.0, 0.72)
        frond = np.concatenate(
            [np.stack([fx, fy - wide * 0.35], 1), np.stack([fx, fy + wide * saw], 1)[::-1]]
        )
        out.add(frond, tones[0] if index < 4 or index > 6 else tones[1], height * 0.012, rigid=True)


def tuft(brush: Brush, x: float, base: float, height: float, blades: int = 5) -> None:
    """Some blades of grass, in the first two tones."""
    rng = brush.rng
    groups: tuple[list[Points], list[Points]] = ([], [])
    for index in range(blades):
        root = x + rng.uniform(-0.5, 0.5) * height * 0.7
        tall = height * rng.uniform(0.55, 1.0)
        lean = rng.uniform(-0.35, 0.35) * tall
        wide = height * 0.045
        groups[index % 2].append(
            np.array(
                [
                    (root - wide, base),
                    (root + lean * 0.35 - wide * 0.6, base - tall * 0.6),
                    (root + lean, base - tall),
                    (root + lean * 0.35 + wide * 0.8, base - tall * 0.55),
                    (root + wide, base),
                ]
            )
        )
    # Blades of one tone go out in one call; where two cross, a hair of light shows through.
    for blades_of_tone, tone in zip(groups, brush.tones, strict=False):
        brush.out.add_many(blades_of_tone, tone, height * 0.08)


def bloom(brush: Brush, x: float, base: float, height: float) -> None:
    """One flower on a stem; the tones are stem, petals and heart."""
    blooms([(brush, x, base, height)])


def blooms(flowers: Sequence[tuple[Brush, float, float, float]]) -> None:
    """Many flowers: `(brush, x, base, height)` each, far ones first.

    All stems go out in one call and all hearts in another, so a bed costs little more than its
    petals.
    """
    stems: list[Points] = []
    petals: list[Points] = []
    hearts: list[Points] = []
    for brush, x, base, height in flowers:
        rng = brush.rng
        top, lean = base - height, rng.uniform(-0.15, 0.15) * height
        wide = max(0.0012, height * 0.03)
        foot, head = (x - wide, base), (x + lean, top)
        stems.append(np.array([head, foot, (x + wide, base), (x + lean + wide, top)]))
        size = height * rng.uniform(0.16, 0.22)
        angle = np.linspace(0, 2 * np.pi, 20, endpoint=False) + rng.uniform(0, 2 * np.pi)
        radius = size * np.where(np.arange(20) % 4 == 0, 0.62, 1.0)
        petal = np.stack([x + lean + np.cos(angle) * radius, top + np.sin(angle) * radius * 0.8], 1)
        petals.append(petal)
        hearts.append(ellipse(x + lean, top, size * 0.28, size * 0.24, 8))
    if not flowers:
        return
    first = flowers[0][0]
    sway = 0.08 * max(height for *_, height in flowers)
    first.out.add_many(stems, first.tones[0], sway)
    for petal, (brush, *_) in zip(petals, flowers, strict=True):
        brush.out.add(petal, brush.tones[1], sway, rigid=True)
    first.out.add_many(hearts, first.tones[2], sway, rigid=True)


def rock(brush: Brush, x: float, base: float, size: float) -> None:
    """A boulder with a lit facet."""
    out, rng, tones, _, side = _open(brush)
    count = 7
    angle = np.linspace(np.pi, 2 * np.pi, count)
    radius = size * rng.uniform(0.8, 1.1, count)
    outline = np.stack([x + np.cos(angle) * radius, base + np.sin(angle) * radius * 0.72], 1)
    outline[0, 1] = outline[-1, 1] = base
    out.add(outline, tones[0])
    middle = np.array([x + side * size * 0.15, base - size * 0.25])
    facet = outline[2:6] if side > 0 else outline[1:5]
    out.add(np.vstack([facet, middle[None, :]]), tones[1])


def mirrored(points: Points, around: float) -> Points:
    """The same outline, left and right exchanged about x = `around`."""
    flipped = points.copy()
    flipped[:, 0] = 2 * around - flipped[:, 0]
    return flipped
