"""Where the joints of a human body are: proportions and a stance in, points out.

Nothing is drawn here; `body` clothes the joints.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from kinogate.engines.preview.subjects.shapes import Point, along
from kinogate.engines.preview.subjects.stances import Stance


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """Proportions in heights; the defaults are a grown person."""

    head: float = 0.158
    neck: float = 0.038
    torso: float = 0.295
    shoulders: float = 0.092
    hips: float = 0.050
    thigh: float = 0.235
    shin: float = 0.222
    ankle: float = 0.036
    upper_arm: float = 0.150
    forearm: float = 0.128
    girth: float = 1.0
    waist: float = 1.0
    stoop: float = 0.0


@dataclass(frozen=True, slots=True)
class Joints:
    """Where a body is; near before far, in the body's own (possibly turned) units."""

    hip: Point
    shoulder: Point
    neck: Point
    head: Point
    head_angle: float
    hips: tuple[Point, Point]
    knees: tuple[Point, Point]
    ankles: tuple[Point, Point]
    feet: tuple[float, float]
    shoulders: tuple[Point, Point]
    elbows: tuple[Point, Point]
    hands: tuple[Point, Point]


def solve(build: Build, stance: Stance) -> Joints:
    """Where the joints are when the hip is the origin."""
    hip = (0.0, 0.0)
    lean = stance.lean + build.stoop
    shoulder = along(hip, math.pi - lean, build.torso)
    tilt = lean * 0.6 + stance.head
    neck = along(shoulder, math.pi - tilt * 0.7 - build.stoop, build.neck)
    head = along(neck, math.pi - tilt - 0.25 * build.stoop, build.head * 0.47)
    spread, width = stance.open * build.hips, stance.open * build.shoulders
    hips = ((-spread, 0.0), (spread, 0.0))
    across = (math.cos(lean), -math.sin(lean))
    slope = -0.012
    shoulders = (
        (shoulder[0] - width * across[0], shoulder[1] - width * across[1] + slope),
        (
            shoulder[0] + (width + 0.012) * across[0],
            shoulder[1] + (width + 0.012) * across[1] + slope,
        ),
    )
    knees, ankles, elbows, hands = [], [], [], []
    for side in (0, 1):
        knee = along(hips[side], stance.thigh[side], build.thigh)
        shin = stance.thigh[side] - stance.knee[side]
        knees.append(knee)
        ankles.append(along(knee, shin, build.shin))
        upper = stance.arm[side] + lean * 0.5
        elbow = along(shoulders[side], upper, build.upper_arm)
        elbows.append(elbow)
        hands.append(along(elbow, upper + stance.elbow[side], build.forearm))
    return Joints(
        hip,
        shoulder,
        neck,
        head,
        -tilt,
        hips,
        (knees[0], knees[1]),
        (ankles[0], ankles[1]),
        (
            _foot_angle(stance, 0),
            _foot_angle(stance, 1),
        ),
        shoulders,
        (elbows[0], elbows[1]),
        (hands[0], hands[1]),
    )


def _foot_angle(stance: Stance, side: int) -> float:
    """Pitch of a foot: follows a shin that is far from upright, flat otherwise."""
    shin = stance.thigh[side] - stance.knee[side]
    follow = (
        (shin - math.copysign(0.45, shin)) * 0.8 if abs(shin) > 0.45 and stance.turn == 0.0 else 0.0
    )
    return stance.foot[side] + follow


def grounding(build: Build, stance: Stance, joints: Joints) -> Point:
    """How far to move the body so that its lowest point touches the ground."""
    cos, sin = math.cos(stance.turn), math.sin(stance.turn)
    spots: list[tuple[Point, float]] = [
        (joints.hip, 0.07 * build.girth),
        (joints.shoulder, 0.05),
        (joints.head, build.head * 0.45),
        *((knee, 0.04) for knee in joints.knees),
    ]
    for ankle, pitch in zip(joints.ankles, joints.feet, strict=True):
        toe = (ankle[0] + 0.06 * math.cos(pitch), ankle[1] + 0.06 * math.sin(pitch))
        heel = (ankle[0] - 0.02 * math.cos(pitch), ankle[1] - 0.02 * math.sin(pitch))
        spots += [(toe, build.ankle), (heel, build.ankle)]
    low = min(-x * sin + y * cos - radius for (x, y), radius in spots)
    xs = [x * cos + y * sin for (x, y), _ in spots]
    shift = -0.5 * (min(xs) + max(xs)) if abs(stance.turn) > 0.5 else 0.0
    tall = stance.tall * (build.thigh + build.shin + build.ankle)
    return shift, max(-low, tall) + stance.lift
