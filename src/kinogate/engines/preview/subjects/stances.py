"""How a human body is held at a moment: joint angles for every action.

Angles are radians; 0 hangs straight down and positive swings forward. Nothing is drawn here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from kinogate.engines.preview.subjects.figure import bump, chance, cycle

Pair = tuple[float, float]
"""One value for the near limb and one for the far limb."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stance:
    """Joint angles of one body.

    Attributes:
        lean: Torso, positive forward.
        head: Extra tilt of the head, positive forward.
        thigh: Upper legs.
        knee: How far each shin is folded back from its thigh.
        foot: Toes up (positive) or down.
        arm: Upper arms.
        elbow: How far each forearm is folded forward from its upper arm.
        open: 0.0 is a side view, 1.0 faces the viewer.
        tall: The hip stays at least this share of a straight leg above the ground.
        lift: Height of the lowest point above the ground, in heights.
        turn: Whole body, positive tips forward.
        prop: What the body needs around it: "", "bench", "book", "pillow".
        shut: Whether the eyes are closed.
    """

    lean: float = 0.0
    head: float = 0.0
    thigh: Pair = (0.0, 0.0)
    knee: Pair = (0.0, 0.0)
    foot: Pair = (0.0, 0.0)
    arm: Pair = (0.0, 0.0)
    elbow: Pair = (0.0, 0.0)
    open: float = 0.0
    tall: float = 0.0
    lift: float = 0.0
    turn: float = 0.0
    prop: str = ""
    shut: bool = False


def _walk_leg(turn: float) -> tuple[float, float, float]:
    """Thigh, knee and foot at `turn` of the walk; heel strike at 0.0, toe-off near 0.55."""
    thigh = 0.05 + 0.43 * math.cos(math.tau * turn)
    knee = 0.07 + 0.92 * bump(turn, 0.72, 0.13) + 0.14 * bump(turn, 0.13, 0.08)
    foot = 0.30 * bump(turn, 0.98, 0.09) - 0.55 * bump(turn, 0.56, 0.09)
    return thigh, knee, foot


def _walk(t: float, seed: int) -> Stance:
    turn = t * WALK_HERTZ + chance(seed, 3)
    near, far = _walk_leg(turn % 1.0), _walk_leg((turn + 0.5) % 1.0)
    swing = math.cos(math.tau * turn)
    return Stance(
        lean=0.05 + 0.015 * math.cos(2 * math.tau * turn),
        head=-0.03 + 0.02 * math.sin(2 * math.tau * turn),
        thigh=(near[0], far[0]),
        knee=(near[1], far[1]),
        foot=(near[2], far[2]),
        arm=(-0.5 * swing - 0.02, 0.5 * swing - 0.02),
        elbow=(0.22 - 0.18 * swing, 0.22 + 0.18 * swing),
        open=0.22,
        tall=0.955,
    )


def _run_leg(turn: float) -> tuple[float, float, float]:
    thigh = 0.26 + 0.72 * math.cos(math.tau * turn)
    knee = 0.28 + 1.65 * bump(turn, 0.70, 0.17) + 0.35 * bump(turn, 0.95, 0.1)
    foot = 0.15 * bump(turn, 0.95, 0.1) - 0.9 * bump(turn, 0.6, 0.16)
    return thigh, knee, foot


def _run(t: float, seed: int) -> Stance:
    turn = t * RUN_HERTZ + chance(seed, 3)
    near, far = _run_leg(turn % 1.0), _run_leg((turn + 0.5) % 1.0)
    swing = math.cos(math.tau * turn)
    return Stance(
        lean=0.20,
        head=-0.10,
        tall=0.93,
        thigh=(near[0], far[0]),
        knee=(near[1], far[1]),
        foot=(near[2], far[2]),
        arm=(-0.95 * swing - 0.1, 0.95 * swing - 0.1),
        elbow=(1.45 - 0.35 * swing, 1.45 + 0.35 * swing),
        open=0.15,
        lift=0.035 * max(0.0, math.sin(2 * math.tau * (turn - 0.08))),
    )


def _stand(t: float, seed: int) -> Stance:
    breath = cycle(t, 0.28, chance(seed, 4))
    shift = cycle(t, 0.11, chance(seed, 5))
    return Stance(
        lean=0.012 * shift,
        head=0.03 * cycle(t, 0.17, chance(seed, 6)),
        thigh=(-0.10, 0.11),
        knee=(-0.04, 0.02),
        arm=(-0.26 - 0.05 * breath, 0.22 + 0.05 * breath),
        elbow=(0.10, 0.06 + 0.04 * breath),
        open=0.62,
    )


def _wave(t: float, seed: int) -> Stance:
    swing = cycle(t, 1.5, chance(seed, 4))
    return replace(
        _stand(t, seed),
        arm=(-0.2, 2.15 + 0.08 * swing),
        elbow=(0.05, 0.62 + 0.42 * swing),
        head=0.05 * swing,
        open=0.9,
    )


_MOVES: tuple[Stance, ...] = (
    Stance(
        lean=0.10,
        head=-0.15,
        thigh=(-0.28, 0.22),
        knee=(0.0, 0.0),
        arm=(-2.6, 2.3),
        elbow=(0.5, -0.2),
        open=1.0,
    ),
    Stance(
        lean=-0.12,
        head=0.10,
        thigh=(-0.55, 0.15),
        knee=(-0.75, 0.1),
        foot=(-0.3, 0.0),
        arm=(-1.5, 2.7),
        elbow=(-0.35, -0.5),
        open=1.0,
        lift=0.02,
    ),
    Stance(
        lean=0.16,
        head=0.05,
        thigh=(-0.10, 1.15),
        knee=(0.02, 0.12),
        foot=(0.0, -0.6),
        arm=(-1.75, 1.9),
        elbow=(0.1, 0.25),
        open=0.7,
    ),
    Stance(
        lean=-0.05,
        head=-0.05,
        thigh=(-0.45, 0.5),
        knee=(-0.55, 0.6),
        arm=(-0.75, 0.75),
        elbow=(1.7, -1.7),
        open=1.0,
    ),
    Stance(
        lean=0.2,
        head=-0.3,
        thigh=(-0.95, 0.08),
        knee=(0.0, 0.0),
        foot=(-0.7, 0.0),
        arm=(-1.2, 2.2),
        elbow=(-0.1, 0.1),
        open=0.55,
        lift=0.01,
    ),
    Stance(
        lean=-0.08,
        head=0.15,
        thigh=(-0.12, 0.62),
        knee=(0.05, 1.35),
        foot=(0.0, -0.5),
        arm=(-2.9, 2.9),
        elbow=(0.35, -0.35),
        open=0.9,
        lift=0.03,
    ),
)


def _dance(t: float, seed: int) -> Stance:
    beat = t * DANCE_HERTZ + chance(seed, 7) * len(_MOVES)
    index = math.floor(beat)
    share = beat - index
    share = min(1.0, share / 0.72)
    share = share * share * (3.0 - 2.0 * share)
    first = _MOVES[(index * 5 + seed) % len(_MOVES)]
    second = _MOVES[((index + 1) * 5 + seed) % len(_MOVES)]
    bounce = 0.5 - 0.5 * math.cos(math.tau * beat)

    def pair(a: Pair, b: Pair) -> Pair:
        return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share

    def one(a: float, b: float) -> float:
        return a + (b - a) * share

    knee = pair(first.knee, second.knee)
    thigh = pair(first.thigh, second.thigh)
    dip = 0.16 * (1.0 - bounce)
    return Stance(
        lean=one(first.lean, second.lean) + 0.03 * cycle(beat, 0.5),
        head=one(first.head, second.head) + 0.05 * cycle(beat, 1.0),
        thigh=(thigh[0] - dip, thigh[1] + dip),
        knee=(knee[0] - 1.6 * dip, knee[1] + 1.6 * dip),
        foot=pair(first.foot, second.foot),
        arm=pair(first.arm, second.arm),
        elbow=pair(first.elbow, second.elbow),
        open=one(first.open, second.open),
        lift=one(first.lift, second.lift) + 0.03 * bump(share, 0.5, 0.2),
    )


def _sit(t: float, seed: int) -> Stance:
    breath = cycle(t, 0.26, chance(seed, 4))
    return Stance(
        lean=-0.04 + 0.015 * breath,
        head=0.06 + 0.05 * cycle(t, 0.13, chance(seed, 5)),
        thigh=(1.50, 1.44),
        knee=(1.52 + 0.12 * cycle(t, 0.5), 1.36),
        arm=(0.28, 0.42 + 0.02 * breath),
        elbow=(0.75, 0.7),
        open=0.18,
        prop="bench",
    )


def _read(t: float, seed: int) -> Stance:
    breath = cycle(t, 0.26, chance(seed, 4))
    return replace(
        _sit(t, seed),
        head=0.30 + 0.03 * cycle(t, 0.19),
        arm=(0.30 + 0.02 * breath, 0.42 + 0.02 * breath),
        elbow=(1.45, 1.40),
        prop="book",
    )


def _drive(t: float, seed: int) -> Stance:
    steer = 0.10 * cycle(t, 0.7, chance(seed, 4))
    return Stance(
        lean=0.10,
        thigh=(1.35, 1.40),
        knee=(0.85, 0.80),
        arm=(0.95 + steer, 1.1 - steer),
        elbow=(0.35, 0.3),
    )


def _sleep(t: float, seed: int) -> Stance:
    breath = cycle(t, 0.22, chance(seed, 4))
    return Stance(
        head=0.10,
        thigh=(0.40 + 0.02 * breath, 0.10),
        knee=(0.75, 0.15),
        foot=(-0.4, -0.4),
        arm=(0.30 + 0.05 * breath, -0.1),
        elbow=(1.0 + 0.05 * breath, 0.1),
        turn=-math.pi / 2,
        prop="pillow",
        shut=True,
    )


def _swim(t: float, seed: int) -> Stance:
    turn = t * 0.75 + chance(seed, 4)
    kick = math.sin(math.tau * turn * 3)
    angle = math.tau * turn
    return Stance(
        lean=-0.05,
        head=-0.45,
        thigh=(0.05 + 0.22 * kick, 0.05 - 0.22 * kick),
        knee=(0.2 - 0.15 * kick, 0.2 + 0.15 * kick),
        foot=(-1.2, -1.2),
        arm=(-angle % math.tau, (math.pi - angle) % math.tau),
        elbow=(0.35, 0.35),
        turn=1.42 + 0.05 * math.sin(angle),
    )


def _fly(t: float, seed: int) -> Stance:
    sway = cycle(t, 0.6, chance(seed, 4))
    return Stance(
        lean=-0.10,
        head=-0.55,
        thigh=(0.02 + 0.05 * sway, -0.12 - 0.05 * sway),
        knee=(0.08, 0.35 + 0.1 * sway),
        foot=(-1.2, -1.2),
        arm=(3.05 + 0.06 * sway, -0.35),
        elbow=(0.05, 0.2),
        turn=1.30 + 0.04 * sway,
        lift=0.06 + 0.03 * sway,
    )


def _float(t: float, seed: int) -> Stance:
    slow = cycle(t, 0.21, chance(seed, 4))
    other = cycle(t, 0.17, chance(seed, 5))
    return Stance(
        lean=0.08 * other,
        head=0.06 * slow,
        thigh=(-0.35 + 0.12 * slow, 0.62 + 0.14 * other),
        knee=(0.25 + 0.12 * other, 0.80 + 0.15 * slow),
        foot=(-0.5, -0.4),
        arm=(-1.05 + 0.20 * other, 1.25 + 0.22 * slow),
        elbow=(-0.35, 0.45 + 0.15 * other),
        open=0.7,
        lift=0.05 + 0.03 * slow,
        turn=0.12 * other,
    )


def _jump(t: float, seed: int) -> Stance:
    share = (t * 0.95 + chance(seed, 4)) % 1.0
    air = max(0.0, math.sin(math.pi * min(1.0, max(0.0, (share - 0.25) / 0.55))))
    squat = bump(share, 0.13, 0.1) + 0.8 * bump(share, 0.87, 0.07)
    return Stance(
        lean=0.25 * squat,
        head=-0.15 * air,
        thigh=(0.8 * squat - 0.5 * air, 0.9 * squat + 0.75 * air),
        knee=(1.5 * squat + 0.75 * air, 1.6 * squat + 1.0 * air),
        foot=(-0.7 * air, -0.5 * air),
        arm=(-0.7 * squat - 2.5 * air - 0.15, -0.6 * squat + 2.5 * air + 0.15),
        elbow=(0.2 - 0.1 * air, 0.2),
        open=0.35 + 0.4 * air,
        lift=0.30 * air,
    )


def _hold(t: float, seed: int) -> Stance:
    """Walking with one hand held up in front: an umbrella, a string."""
    walking = _walk(t, seed)
    return replace(
        walking,
        arm=(0.42 + 0.03 * cycle(t, 2 * WALK_HERTZ), walking.arm[1] * 0.7),
        elbow=(1.75, walking.elbow[1]),
        lean=0.03,
    )


def _hold_still(t: float, seed: int) -> Stance:
    standing = _stand(t, seed)
    return replace(
        standing,
        arm=(0.40 + 0.02 * cycle(t, 0.4), standing.arm[1]),
        elbow=(1.75, standing.elbow[1]),
        open=0.3,
    )


WALK_HERTZ = 0.95
RUN_HERTZ = 1.40
DANCE_HERTZ = 1.7
WALK_SPEED = 0.72
"""Heights per second at which the feet of the walk do not slide."""
RUN_SPEED = 1.9

STANCES: Mapping[str, Callable[[float, int], Stance]] = MappingProxyType(
    {
        "stand": _stand,
        "walk": _walk,
        "run": _run,
        "wave": _wave,
        "dance": _dance,
        "sit": _sit,
        "read": _read,
        "drive": _drive,
        "sleep": _sleep,
        "swim": _swim,
        "fly": _fly,
        "float": _float,
        "jump": _jump,
        "hold": _hold,
        "hold_still": _hold_still,
    }
)


def stance_for(action: str, default: str, t: float, seed: int) -> Stance:
    """The stance for `action`, or for `default` when the word is unknown."""
    return STANCES.get(action, STANCES[default])(t, seed)
