"""A clothed human body from a stance: joints first, then limbs, clothes and props.

Who the body is comes in as `Build` (from `rig`) and `Look`; `people` has those.
"""

from __future__ import annotations

import math

from kinogate.engines.preview.canvas import Color, mix
from kinogate.engines.preview.subjects.figure import Figure, chance, cycle
from kinogate.engines.preview.subjects.heads import draw_back_hair, draw_head
from kinogate.engines.preview.subjects.look import Look
from kinogate.engines.preview.subjects.rig import Build, Joints, grounding, solve
from kinogate.engines.preview.subjects.shapes import (
    Point,
    Tube,
    between,
    closed_curve,
    tube,
)
from kinogate.engines.preview.subjects.stances import Stance


def draw_body(fig: Figure, build: Build, look: Look, stance: Stance) -> Joints:
    """Add a whole person; returns the joints in the units of `fig` for what the hands hold."""
    joints = solve(build, stance)
    dx, dy = grounding(build, stance, joints)
    if stance.prop in ("bench", "book"):
        _bench(fig, joints, (dx, dy))
    pen = fig.part(dx, dy, angle=-stance.turn)
    if stance.prop == "pillow":
        _pillow(pen, joints, build)
    head = pen.part(*joints.head, scale=build.head, angle=joints.head_angle)
    draw_back_hair(head, look.hair_style, look.hair)
    _arm(pen, build, look, stance, joints, side=1)
    if look.backpack:
        _backpack(pen, look, joints)
    _leg(pen, build, look, joints, 1)
    _leg(pen, build, look, joints, 0)
    pen.tube(
        [joints.neck, between(joints.neck, joints.shoulder, 1.3)],
        [0.027 * build.girth, 0.034 * build.girth],
        pen.dark(look.skin, 0.18),
    )
    _torso(pen, build, look, stance, joints)
    draw_head(head, look, stance.shut)
    if look.scarf:
        _scarf(pen, look, joints, stance)
    _arm(pen, build, look, stance, joints, side=0)
    if stance.prop == "book":
        _book(pen, look, joints)
    cos, sin = math.cos(-stance.turn), math.sin(-stance.turn)

    def moved(point: Point) -> Point:
        return point[0] * cos - point[1] * sin + dx, point[0] * sin + point[1] * cos + dy

    return Joints(
        moved(joints.hip),
        moved(joints.shoulder),
        moved(joints.neck),
        moved(joints.head),
        joints.head_angle,
        (moved(joints.hips[0]), moved(joints.hips[1])),
        (moved(joints.knees[0]), moved(joints.knees[1])),
        (moved(joints.ankles[0]), moved(joints.ankles[1])),
        joints.feet,
        (moved(joints.shoulders[0]), moved(joints.shoulders[1])),
        (moved(joints.elbows[0]), moved(joints.elbows[1])),
        (moved(joints.hands[0]), moved(joints.hands[1])),
    )


def _leg(pen: Figure, build: Build, look: Look, joints: Joints, side: int) -> None:
    far = side == 1
    bare = look.outfit in ("dress", "skirt")
    cloth = look.skin if bare or look.outfit == "shorts" else look.bottom
    cloth = pen.dark(cloth, 0.32) if far else cloth
    hip, knee, ankle = joints.hips[side], joints.knees[side], joints.ankles[side]
    slim = build.girth * (0.74 if bare else 1.0)
    sole = between(knee, ankle, 1.02)
    radii = [0.056 * slim, 0.046 * slim, 0.036 * slim, 0.031 * slim, 0.023 * slim]
    path = [hip, between(hip, knee, 0.55), knee, between(knee, ankle, 0.45), sole]
    made = pen.tube(path, radii, cloth, shade=None if far else pen.dark(cloth, 0.22), edge=-0.35)
    if look.outfit == "shorts":
        shorts = pen.dark(look.bottom, 0.3) if far else look.bottom
        pen.fill(made.band(-1.22, 1.22, 0.0, 0.42), shorts)
    _shoe(
        pen,
        ankle,
        joints.feet[side],
        pen.dark(look.shoes, 0.35) if far else look.shoes,
        build,
    )


def _shoe(pen: Figure, ankle: Point, pitch: float, color: Color, build: Build) -> None:
    foot = pen.part(*ankle, angle=pitch, scale=build.ankle / 0.036)
    foot.blob(
        [
            (-0.030, 0.012),
            (0.022, 0.016),
            (0.046, -0.006),
            (0.082, -0.018),
            (0.086, -0.036),
            (0.030, -0.037),
            (-0.030, -0.036),
            (-0.036, -0.014),
        ],
        color,
        samples=3,
    )


def _torso(pen: Figure, build: Build, look: Look, stance: Stance, joints: Joints) -> None:
    wide = stance.open
    g = build.girth
    top, hip = joints.shoulder, joints.hip
    if look.outfit not in ("dress", "coat"):
        pelvis = 0.057 * g + 0.020 * wide
        color = look.bottom
        pen.ellipse(hip[0], hip[1] + 0.012, pelvis, 0.058 * g, color)
    waist = between(top, hip, 0.62)
    chest = between(top, hip, 0.24)
    low = between(top, hip, 1.10)
    radii = [
        (0.040 + 0.048 * wide) * g,
        (0.060 + 0.030 * wide) * g,
        (0.052 + 0.018 * wide) * g * build.waist,
        (0.058 + 0.020 * wide) * g,
    ]
    shade = pen.dark(look.top, 0.30)
    trunk = tube([top, chest, waist, low], radii)
    collar = tube([top, chest], radii[:2])
    pen.fill(collar.outline(), look.top)
    pen.fill(trunk.band(-1.0, 1.0), look.top)
    if pen.pixels >= 24.0:
        pen.fill(trunk.band(-1.0, -0.40), shade, rimmed=False)
    if look.outfit == "metal":
        _panel(pen, look, trunk)
    elif look.outfit == "fur":
        belly = between(top, hip, 0.60)
        pen.ellipse(belly[0] + 0.014, belly[1], radii[2] * 0.70, 0.105, look.skin)
    elif look.outfit in ("dress", "skirt", "coat"):
        _skirt(pen, build, look, stance, joints)
    if pen.pixels >= 110.0 and look.outfit == "coat":
        front = 0.35 + 0.1 * wide
        seam = tube([top, chest, waist, low], radii)
        points = [seam.at(0.12, front), seam.at(0.5, front), seam.at(1.0, front)]
        pen.line(points, pen.dark(look.top, 0.45), 0.007)


def _panel(pen: Figure, look: Look, trunk: Tube) -> None:
    """A robot's chest: a plate with two lamps that take turns, and a belt."""
    steel = pen.dark(look.top, 0.45)
    pen.fill(trunk.band(-0.55, 0.75, 0.18, 0.62), steel, rimmed=False)
    pen.fill(trunk.band(-1.0, 1.0, 0.84, 1.0), steel, rimmed=False)
    if pen.pixels < 50.0:
        return
    for index, across in enumerate((0.35, -0.15)):
        lit = cycle(pen.pose.t, 0.6, index * 0.5) > 0.0
        x, y = trunk.at(0.34, across)
        pen.ellipse(x, y, 0.014, 0.014, look.accent if lit else pen.dark(look.accent, 0.6))
    pen.line([trunk.at(0.52, -0.3), trunk.at(0.52, 0.55)], mix(look.top, steel, 0.3), 0.008)


def _skirt(pen: Figure, build: Build, look: Look, stance: Stance, joints: Joints) -> None:
    """Dress, skirt or coat-tail: hangs from the waist, is pushed by the knees and swings."""
    g = build.girth
    length = {"dress": 0.80, "skirt": 0.52, "coat": 0.30}[look.outfit]
    color = look.bottom if look.outfit == "skirt" else look.top
    waist = between(joints.shoulder, joints.hip, 0.66)
    half = (0.052 + 0.018 * stance.open) * g * build.waist
    knees = [between(joints.hips[side], joints.knees[side], length * 1.12) for side in (0, 1)]
    left, right = min(k[0] for k in knees), max(k[0] for k in knees)
    low = max(
        min(k[1] for k in knees),
        joints.hip[1] - length * build.thigh * 1.12,
    )
    sway = 0.018 * cycle(pen.pose.t, 1.1, chance(pen.pose.seed, 11))
    flare = {"dress": 0.060, "skirt": 0.056, "coat": 0.050}[look.outfit] * g
    if abs(stance.turn) > 0.5:
        flare *= 0.6
    back = (left - flare - 0.02 + sway, low + 0.012)
    front = (right + flare + sway, low + 0.006)
    hip_half = (0.066 + 0.020 * stance.open) * g
    outline = [
        (waist[0] - half, waist[1]),
        (waist[0] + half, waist[1]),
        (max(joints.hip[0] + hip_half, right * 0.45), joints.hip[1] + 0.004),
        between((joints.hip[0] + hip_half, joints.hip[1]), front, 0.66),
        front,
        (front[0] - 0.01, front[1] - 0.012),
        between(front, back, 0.5),
        (back[0] + 0.01, back[1] - 0.012),
        back,
        between((joints.hip[0] - hip_half, joints.hip[1]), back, 0.60),
        (min(joints.hip[0] - hip_half, left * 0.45), joints.hip[1] + 0.004),
    ]
    middle = between(front, back, 0.5)
    outline[6] = (middle[0] + sway, min(front[1], back[1]) - 0.022)
    pen.blob(outline, color, samples=4)
    if pen.pixels >= 50.0:
        fold = pen.dark(color, 0.26)
        pen.fill(
            closed_curve(
                [
                    (waist[0] - half * 0.8, waist[1] - 0.03),
                    (waist[0] - half * 0.2, waist[1] - 0.05),
                    between(back, middle, 0.45),
                    (back[0] + 0.014, back[1] - 0.004),
                    (joints.hip[0] - hip_half * 0.86, joints.hip[1] - 0.01),
                ],
                4,
            ),
            fold,
            rimmed=False,
        )
        if look.outfit != "coat":
            sash = tube(
                [(waist[0] - half * 1.06, waist[1]), (waist[0] + half * 1.06, waist[1])],
                [0.012, 0.012],
            )
            pen.fill(sash.band(-1.0, 1.0), look.accent, rimmed=False)


def _arm(
    pen: Figure, build: Build, look: Look, stance: Stance, joints: Joints, *, side: int
) -> None:
    far = side == 1 and stance.open < 0.85
    sleeve = pen.dark(look.top, 0.36) if far else mix(look.top, pen.pose.shade, 0.10)
    skin = pen.dark(look.skin, 0.22) if far else look.skin
    shoulder, elbow, hand = (
        joints.shoulders[side],
        joints.elbows[side],
        joints.hands[side],
    )
    g = build.girth * 0.92
    short = look.outfit in ("dress", "shorts", "skirt")
    palm = pen.part(*hand)
    path = [
        shoulder,
        between(shoulder, elbow, 0.5),
        elbow,
        between(elbow, hand, 0.5),
        hand,
    ]
    radii = [0.033 * g, 0.031 * g, 0.026 * g, 0.023 * g, 0.018 * g]
    if short:
        radii = [r * 0.80 for r in radii]
    palm.ellipse(0.0, 0.0, 0.023 * g, 0.023 * g, skin)
    angle = math.atan2(hand[1] - elbow[1], hand[0] - elbow[0])
    finger = (hand[0] + 0.026 * math.cos(angle), hand[1] + 0.026 * math.sin(angle))
    pen.tube([hand, finger], [0.018 * g, 0.012 * g], skin)
    made = pen.tube(path, radii, skin if short else sleeve)
    if short:
        cap = tube([shoulder, between(shoulder, elbow, 0.45)], [0.034 * g, 0.031 * g])
        pen.fill(cap.outline(), sleeve)
    elif pen.pixels >= 24.0:
        pen.fill(made.band(-1.0, -0.30), pen.dark(sleeve, 0.28), rimmed=False)


def _scarf(pen: Figure, look: Look, joints: Joints, stance: Stance) -> None:
    t, seed = pen.pose.t, pen.pose.seed
    base = between(joints.neck, joints.shoulder, 0.35)
    back, front = (base[0] - 0.050, base[1] - 0.004), (base[0] + 0.052, base[1] - 0.012)
    wind = 0.9 if abs(stance.thigh[0] - stance.thigh[1]) > 0.25 else 0.25
    wave = 0.020 * cycle(t, 1.6, chance(seed, 12))
    tail = [
        (back[0] + 0.015, back[1]),
        (back[0] - 0.055 * wind, back[1] - 0.030 + wave * 0.5),
        (back[0] - 0.105 * wind - 0.01, back[1] - 0.075 + 0.045 * wind - wave),
        (back[0] - 0.165 * wind - 0.01, back[1] - 0.130 + 0.075 * wind + wave),
    ]
    pen.tube(tail, [0.020, 0.021, 0.022, 0.020], pen.dark(look.accent, 0.25))
    pen.tube([back, (base[0], base[1] - 0.014), front], [0.024, 0.027, 0.023], look.accent)


def _backpack(pen: Figure, look: Look, joints: Joints) -> None:
    top = between(joints.shoulder, joints.hip, 0.12)
    low = between(joints.shoulder, joints.hip, 0.78)
    pack = [(top[0] - 0.085, top[1]), (low[0] - 0.100, low[1])]
    pen.tube(
        pack,
        [0.045, 0.060],
        pen.dark(look.accent, 0.1),
        shade=pen.dark(look.accent, 0.4),
    )


def _bench(fig: Figure, joints: Joints, moved: Point) -> None:
    seat = moved[1] + joints.hip[1] - 0.062
    if seat < 0.08:
        return
    wood = fig.tone((139, 98, 66))
    dark = fig.dark(wood, 0.45)
    x = moved[0] + joints.hip[0]
    for leg in (-0.10, 0.17):
        fig.fill(
            [
                (x + leg - 0.016, seat),
                (x + leg + 0.016, seat),
                (x + leg + 0.012, 0.0),
                (x + leg - 0.012, 0.0),
            ],
            dark,
        )
    fig.tube([(x - 0.15, seat - 0.012), (x + 0.22, seat - 0.012)], [0.018, 0.018], wood)


def _pillow(pen: Figure, joints: Joints, build: Build) -> None:
    x, y = joints.head
    pen.blob(
        [
            (x - 0.16, y - 0.05),
            (x - 0.09, y - 0.07),
            (x - 0.045, y),
            (x - 0.06, y + 0.10),
            (x - 0.16, y + 0.09),
            (x - 0.15, y + 0.02),
        ],
        pen.tone((236, 232, 222)),
    )


def _book(pen: Figure, look: Look, joints: Joints) -> None:
    x, y = joints.hands[0]
    page, cover = pen.tone((246, 240, 224)), look.accent
    flick = 0.012 * max(0.0, cycle(pen.pose.t, 0.31, 0.2)) ** 4
    pen.fill(
        [
            (x - 0.035, y + 0.075),
            (x + 0.012, y - 0.02),
            (x + 0.085, y + 0.035),
            (x + 0.05, y + 0.12),
        ],
        cover,
    )
    pen.fill(
        [
            (x - 0.022, y + 0.085 + flick),
            (x + 0.010, y + 0.0),
            (x + 0.066, y + 0.045),
            (x + 0.045, y + 0.118 + flick),
        ],
        page,
    )
