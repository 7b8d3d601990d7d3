"""What flies on wings: a bird, a flock, butterflies. Lowest point at the origin's height."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from kinogate.engines.preview.canvas import Color, mix
from kinogate.engines.preview.subjects.base import SubjectKind
from kinogate.engines.preview.subjects.figure import Figure, blinks, chance, cycle
from kinogate.engines.preview.subjects.shapes import Point


def draw_flying_bird(fig: Figure, hertz: float = 2.6, phase: float = 0.0) -> None:
    """A bird in flight, centred at (0, 0.5), about 1.5 wide."""
    pose = fig.pose
    t = pose.t
    beat = t * hertz + phase
    glide = 0.35 + 0.65 * max(0.0, min(1.0, 0.7 + cycle(t, 0.13, phase) * 1.2))
    flap = math.sin(math.tau * beat) * glide
    lag = math.sin(math.tau * (beat - 0.16)) * glide
    pen = fig.part(0.0, 0.5 - 0.05 * lag, angle=0.06 + 0.03 * cycle(t, 0.4, phase))
    body, belly = pose.body, pose.accent
    dark, far = fig.dark(body, 0.35), fig.dark(body, 0.55)
    lift, bend = 0.25 + 0.95 * flap, -0.1 - 0.65 * (lag - flap * 0.55)
    _wing(pen, (0.10, 0.06), far, span=0.58, chord=0.26, lift=lift * 0.85 + 0.22, bend=bend)
    pen.fill(
        [(-0.26, 0.05), (-0.72, 0.13), (-0.66, 0.03), (-0.74, -0.05), (-0.60, -0.05),
         (-0.26, -0.06)],
        dark,
    )  # fmt: skip
    trunk = pen.tube(
        [(-0.36, 0.02), (-0.10, 0.0), (0.18, 0.0), (0.38, 0.055)],
        [0.05, 0.145, 0.155, 0.10],
        body,
    )
    if fig.pixels >= 16.0:
        pen.fill(trunk.flank(-0.12), belly, rimmed=False)
    _bird_head(pen, 0.46, 0.10, body)
    near = mix(dark, body, 0.45)
    _wing(pen, (0.10, 0.04), near, span=0.62, chord=0.30, lift=lift, bend=bend, tips=dark)


def _wing(
    pen: Figure,
    root: Point,
    color: Color,
    *,
    span: float,
    chord: float,
    lift: float,
    bend: float,
    tips: Color | None = None,
) -> None:
    arm, hand = math.pi / 2 + lift, math.pi / 2 + lift + bend
    wrist = (root[0] + 0.10 * span, root[1] + span * 0.52 * math.sin(lift))
    tip = (
        wrist[0] - span * 0.42 * (0.55 + 0.45 * math.cos(arm)),
        wrist[1] + span * 0.62 * math.sin(lift + bend),
    )
    back = (root[0] - chord, root[1] + 0.01)
    third, two = 0.36, 0.70
    edge = [
        (tip[0] + (back[0] - tip[0]) * s + 0.05 * span, tip[1] + (back[1] - tip[1]) * s)
        for s in (third, two)
    ]
    outline = [
        (root[0] + 0.06, root[1] - 0.01),
        ((root[0] + wrist[0]) / 2 + 0.05, (root[1] + wrist[1]) / 2),
        (wrist[0] + 0.03, wrist[1]),
        ((wrist[0] + tip[0]) / 2 + 0.05 * math.sin(hand), (wrist[1] + tip[1]) / 2 + 0.02),
        tip,
        edge[0],
        edge[1],
        back,
        (root[0] - chord * 0.4, root[1] - 0.05),
    ]
    pen.blob(outline, color, samples=4)
    if tips is not None and pen.pixels >= 30.0:
        inner = [
            ((wrist[0] + 2 * tip[0]) / 3, (wrist[1] + 2 * tip[1]) / 3),
            tip,
            edge[0],
            edge[1],
            ((back[0] + edge[1][0]) / 2, (back[1] + edge[1][1]) / 2),
            ((wrist[0] + edge[0][0]) / 2, (wrist[1] + edge[0][1]) / 2),
        ]
        pen.blob(inner, tips, samples=4)


def _bird_head(pen: Figure, x: float, y: float, color: Color) -> None:
    beak = pen.tone((240, 166, 58))
    pen.fill([(x + 0.09, y + 0.055), (x + 0.27, y - 0.005), (x + 0.09, y - 0.045)], beak)
    pen.ellipse(x, y, 0.125, 0.12, color)
    if pen.pixels >= 26.0:
        ink = pen.tone((32, 28, 36))
        if blinks(pen.pose.t, pen.pose.seed):
            pen.line([(x + 0.02, y + 0.03), (x + 0.08, y + 0.03)], ink, 0.016)
        else:
            pen.ellipse(x + 0.05, y + 0.03, 0.025, 0.028, ink)


def _perched(fig: Figure) -> None:
    """A songbird on its feet: hopping, pecking about, flicking its tail."""
    pose = fig.pose
    t, seed = pose.t, pose.seed
    hops = pose.action in ("walk", "run", "dance", "jump")
    hop = 0.16 * max(0.0, cycle(t, 1.6)) if hops else 0.0
    bob = 0.02 * cycle(t, 0.5, chance(seed, 71))
    peck = max(0.0, cycle(t, 0.21, chance(seed, 72))) ** 8
    leg = fig.tone((198, 130, 62))
    pen = fig.part(0.0, hop)
    for x in (0.02, -0.07):
        color = leg if x > 0 else fig.dark(leg, 0.35)
        pen.line([(x, 0.30), (x - 0.02, 0.15), (x + 0.02, 0.02)], color, 0.028)
        pen.line([(x - 0.05, 0.01), (x + 0.09, 0.01)], color, 0.026)
    body = pen.part(0.0, 0.46 + 0.4 * bob, angle=-0.55 * peck, scale=1.0)
    dark = fig.dark(pose.body, 0.38)
    flick = 0.06 * max(0.0, cycle(t, 0.7)) ** 6 - 0.02 * bob
    body.fill([(-0.26, 0.0), (-0.78, 0.06 + flick), (-0.80, -0.06 + flick), (-0.24, -0.15)], dark)
    made = body.tube(
        [(-0.34, -0.05), (-0.10, 0.0), (0.14, 0.07), (0.26, 0.24)],
        [0.09, 0.22, 0.245, 0.16], pose.body,
    )  # fmt: skip
    body.fill(made.flank(-0.02, 0.05, 1.0), pose.accent, rimmed=False)
    head = body.part(0.26, 0.34 + bob, scale=1.55)
    _bird_head(head, 0.0, 0.0, pose.body)
    body.blob([(0.10, 0.10), (-0.06, 0.16), (-0.36, 0.02), (-0.60, -0.10), (-0.30, -0.13),
               (-0.02, -0.08)], dark)  # fmt: skip


def _bird(fig: Figure) -> None:
    if fig.pose.action in ("stand", "sit", "sleep", "walk", "dance", "jump", "wave", "read"):
        _perched(fig)
    else:
        draw_flying_bird(fig)


def _birds(fig: Figure) -> None:
    """A loose wedge of birds, each with its own beat."""
    pose = fig.pose
    t, seed = pose.t, pose.seed
    for index in range(9):
        rank = (index + 1) // 2
        side = 1.0 if index % 2 else -1.0
        phase = chance(seed, 80 + index)
        x = 0.84 - 0.42 * rank + 0.10 * (phase - 0.5) + 0.04 * cycle(t, 0.17, phase)
        y = 0.60 + side * 0.105 * rank - 0.10 * (index % 2 == 0) * rank * 0.3
        y += 0.05 * (chance(seed, 90 + index) - 0.5) + 0.03 * cycle(t, 0.23, phase)
        size = 0.30 - 0.012 * rank
        _far_bird(fig.part(x, y, scale=size), 2.2 + 0.5 * phase, phase)


def _far_bird(pen: Figure, hertz: float, phase: float) -> None:
    """A bird far off, seen a little from the side: body and two arched wings."""
    beat = pen.pose.t * hertz + phase
    flap = math.sin(math.tau * beat)
    lag = math.sin(math.tau * (beat - 0.15))
    body = pen.pose.body
    far = pen.dark(body, 0.35)
    bob = -0.06 * flap
    for side, color in ((1.0, far), (-1.0, body)):
        wrist = (0.04 + side * 0.22, 0.10 + 0.26 * flap + bob)
        tip = (0.0 + side * 0.62 - 0.10, 0.06 + 0.42 * lag + bob)
        pen.tube([(0.05, 0.02 + bob), wrist, tip], [0.085, 0.075, 0.012], color)
    pen.tube([(-0.34, 0.02 + bob), (0.0, bob), (0.24, 0.04 + bob), (0.38, 0.03 + bob)],
             [0.035, 0.085, 0.065, 0.012], body)  # fmt: skip


def _butterfly(fig: Figure) -> None:
    """Three butterflies that flutter about one another."""
    pose = fig.pose
    t, seed = pose.t, pose.seed
    places = ((0.0, 0.50, 0.62), (-0.52, 0.30, 0.36), (0.50, 0.78, 0.30))
    for index, (x, y, size) in enumerate(places):
        phase = chance(seed, 100 + index)
        dx = 0.07 * cycle(t, 0.33, phase) + 0.03 * cycle(t, 0.91, phase)
        dy = 0.06 * cycle(t, 0.57, phase) + 0.02 * cycle(t, 2.1, phase)
        tilt = -0.45 + 0.25 * cycle(t, 0.4, phase) - 0.2 * index
        color = pose.body if index != 1 else pose.accent
        second = pose.accent if index != 1 else pose.body
        pen = fig.part(x + dx, y + dy, scale=size, angle=tilt)
        _one_butterfly(pen, color, second, 3.1 + 0.8 * phase, phase)


def _one_butterfly(pen: Figure, color: Color, second: Color, hertz: float, phase: float) -> None:
    rest = pen.pose.action in ("sit", "stand", "sleep")
    beat = cycle(pen.pose.t, hertz * (0.25 if rest else 1.0), phase)
    fold = 0.28 + 0.72 * (0.5 + 0.5 * beat)
    ink = mix(pen.dark(color, 0.5), pen.tone((40, 28, 36)), 0.6)
    upper = [(0.0, 0.04), (0.16, 0.36), (0.46, 0.52), (0.62, 0.42), (0.58, 0.18), (0.34, 0.02)]
    lower = [(0.0, 0.02), (0.30, 0.0), (0.50, -0.14), (0.46, -0.36), (0.28, -0.44), (0.08, -0.20)]
    for side, share in ((1.0, 0.82), (-1.0, 1.0)):
        wide = side * fold * share
        main = color if side < 0 else pen.dark(color, 0.20)
        spot = second if side < 0 else pen.dark(second, 0.20)
        for wing in (lower, upper):
            pen.blob([(x * wide, y) for x, y in wing], ink, samples=4)
            pen.blob([(x * wide * 0.86, y * 0.88) for x, y in wing], main, samples=4)
        if pen.pixels >= 14.0:
            pen.ellipse(0.42 * wide, 0.33, 0.075 * abs(wide) + 0.01, 0.075, spot)
            pen.ellipse(0.32 * wide, -0.22, 0.06 * abs(wide) + 0.01, 0.07, spot)
    pen.tube([(0.0, 0.22), (0.0, 0.0), (0.0, -0.24)], [0.045, 0.042, 0.014], ink)
    if pen.pixels >= 20.0:
        pen.line([(0.0, 0.22), (-0.05, 0.36), (-0.12, 0.44)], ink, 0.012)
        pen.line([(0.0, 0.22), (0.05, 0.36), (0.12, 0.44)], ink, 0.012)


KINDS: Mapping[str, SubjectKind] = MappingProxyType(
    {
        "bird": SubjectKind(
            draw=_bird, aspect=1.5, habitat="air", speed=2.2,
            default_colors=((70, 118, 178), (246, 214, 160)), natural_height=0.30,
            default_action="fly",
        ),
        "birds": SubjectKind(
            draw=_birds, aspect=2.1, habitat="air", speed=0.5,
            default_colors=((58, 62, 80), (120, 124, 140)), natural_height=1.0,
            default_action="fly",
        ),
        "butterfly": SubjectKind(
            draw=_butterfly, aspect=1.5, habitat="air", speed=0.45,
            default_colors=((242, 150, 52), (252, 224, 150)), natural_height=0.45,
            default_action="fly",
        ),
    }
)  # fmt: skip
