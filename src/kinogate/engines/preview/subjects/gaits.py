"""How a four-legged body is held at a moment: walk, gallop, stand, sit, lie and jump.

Distances are heights, in the animal's own side view with the head towards +x. Nothing is drawn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from kinogate.engines.preview.subjects.figure import bump, chance, cycle
from kinogate.engines.preview.subjects.shapes import Point


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The measures of an animal that its gait depends on.

    Attributes:
        length: Shoulder to hip.
        spine: Height of the body's centre line.
        hip: Height of the hip and shoulder joints.
        head: Centre of the skull, relative to the shoulder end of the spine.
        stride: Length of one walking stride.
        walk_hertz: Walking strides per second.
        run_hertz: Galloping strides per second.
        flex: How much the spine bends in the gallop.
        pitch: How far chest and rump rock against each other in the gallop.
        rise: How high the feet are thrown in the gallop.
        gallops: Whether it gallops; it walks faster otherwise, as elephants do.
        sits: Whether it sits on its haunches; it lies down otherwise.
    """

    length: float = 0.52
    spine: float = 0.52
    hip: float = 0.50
    head: Point = (0.17, 0.20)
    stride: float = 0.42
    walk_hertz: float = 1.25
    run_hertz: float = 2.3
    flex: float = 1.0
    pitch: float = 0.045
    rise: float = 0.15
    gallops: bool = True
    sits: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Posture:
    """Where everything is: feet are near hind, near front, far hind, far front.

    `lifts` is 0.0 for a foot on the ground to 1.0 in mid-swing; `rest` is "", "sit" or "lie".
    """

    rump: Point
    chest: Point
    arch: float
    head: Point
    nod: float
    feet: tuple[Point, Point, Point, Point]
    lifts: tuple[float, float, float, float]
    tail: float
    wag: float
    ears: float = 0.0
    rest: str = ""
    shut: bool = False
    hop: float = 0.0


_WALK_PHASES = (0.0, 0.25, 0.5, 0.75)
_RUN_PHASES = (0.0, 0.55, 0.10, 0.66)


def _step(turn: float, duty: float, stride: float, rise: float) -> tuple[float, float, float]:
    """Foot position relative to its joint, and how far into the swing it is."""
    if turn < duty:
        return stride * (0.5 - turn / duty), 0.0, 0.0
    share = (turn - duty) / (1.0 - duty)
    smooth = share * share * (3.0 - 2.0 * share)
    up = math.sin(math.pi * share)
    return stride * (smooth - 0.5), rise * up, up


def _strides(
    frame: Frame,
    turn: float,
    phases: tuple[float, ...],
    *,
    duty: float,
    stride: float,
    rise: float,
) -> tuple[list[Point], list[float]]:
    feet: list[Point] = []
    lifts: list[float] = []
    for index, phase in enumerate(phases):
        x, y, up = _step((turn + phase) % 1.0, duty, stride, rise)
        joint = frame.length * (0.5 if index % 2 else -0.5)
        feet.append((joint + x + (0.02 if index > 1 else -0.01), y))
        lifts.append(up)
    return feet, lifts


def _four(feet: list[Point]) -> tuple[Point, Point, Point, Point]:
    return feet[0], feet[1], feet[2], feet[3]


def _lifts(lifts: list[float]) -> tuple[float, float, float, float]:
    return lifts[0], lifts[1], lifts[2], lifts[3]


def walk(frame: Frame, t: float, seed: int) -> Posture:
    """Lateral-sequence walk: each hind foot is followed by the front foot of its side."""
    turn = t * frame.walk_hertz + chance(seed, 51)
    feet, lifts = _strides(frame, turn, _WALK_PHASES, duty=0.64, stride=frame.stride, rise=0.085)
    bob = 0.010 * math.cos(2 * math.tau * turn)
    half = frame.length / 2
    chest = (half, frame.spine + bob)
    nod = 0.05 * math.sin(2 * math.tau * turn)
    return Posture(
        rump=(-half, frame.spine - bob),
        chest=chest,
        arch=0.0,
        head=(chest[0] + frame.head[0], chest[1] + frame.head[1] + 0.012 * math.sin(nod * 20)),
        nod=nod,
        feet=_four(feet),
        lifts=_lifts(lifts),
        tail=0.1 * cycle(t, frame.walk_hertz, 0.2),
        wag=cycle(t, frame.walk_hertz, 0.1),
    )


def gallop(frame: Frame, t: float, seed: int) -> Posture:
    """Transverse gallop: hind pair, front pair, then gathered in the air."""
    if not frame.gallops:
        return walk(frame, t * frame.run_hertz / frame.walk_hertz, seed)
    turn = t * frame.run_hertz + chance(seed, 51)
    feet, lifts = _strides(
        frame, turn, _RUN_PHASES, duty=0.30, stride=frame.stride * 1.75, rise=frame.rise
    )
    swing = math.tau * turn
    reach = 1.0 + 0.05 * frame.flex * math.cos(swing - 1.6)
    bob = 0.045 * math.sin(swing - 2.6)
    pitch = frame.pitch * math.sin(swing - 0.6)
    half = frame.length / 2 * reach
    spine = frame.spine + 0.02 + bob
    chest = (half, spine + pitch)
    return Posture(
        rump=(-half, spine - pitch),
        chest=chest,
        arch=-0.055 * frame.flex * math.cos(swing - 1.6),
        head=(
            chest[0] + frame.head[0] + 0.03,
            chest[1] + frame.head[1] * 0.82 - 0.4 * pitch,
        ),
        nod=-0.10 + 0.10 * math.sin(swing - 0.4),
        feet=_four([(x, max(0.0, y + 0.4 * max(0.0, bob))) for x, y in feet]),
        lifts=_lifts(lifts),
        tail=-0.35 + 0.2 * math.sin(swing - 1.0),
        wag=math.sin(swing),
        ears=-0.5,
    )


def stand(frame: Frame, t: float, seed: int) -> Posture:
    """At ease: breathing, looking about, the tail moving."""
    breath = cycle(t, 0.35, chance(seed, 52))
    look = cycle(t, 0.15, chance(seed, 53))
    half = frame.length / 2
    chest = (half, frame.spine + 0.004 * breath)
    return Posture(
        rump=(-half, frame.spine),
        chest=chest,
        arch=0.004 * breath,
        head=(chest[0] + frame.head[0], chest[1] + frame.head[1] + 0.008 * breath + 0.012 * look),
        nod=0.09 * look,
        feet=(
            (-half - 0.05, 0.0),
            (half - 0.02, 0.0),
            (-half + 0.06, 0.0),
            (half + 0.05, 0.0),
        ),
        lifts=(0.0, 0.0, 0.0, 0.0),
        tail=0.15 * cycle(t, 0.6, chance(seed, 54)),
        wag=cycle(t, 0.8, chance(seed, 55)),
        ears=0.25 * bump((t * 0.3 + chance(seed, 56)) % 1.0, 0.5, 0.06),
    )


def sit(frame: Frame, t: float, seed: int) -> Posture:
    """On the haunches, forelegs straight."""
    ease = stand(frame, t, seed)
    breath = cycle(t, 0.35, chance(seed, 52))
    span = frame.length * 0.86
    rump = (-span * 0.50, frame.spine * 0.36)
    chest = (span * 0.16, frame.spine * 0.98 + 0.004 * breath)
    return replace(
        ease,
        rump=rump,
        chest=chest,
        arch=0.03,
        head=(
            chest[0] + frame.head[0] * 0.72,
            chest[1] + frame.head[1] * 1.02 + 0.008 * breath,
        ),
        feet=(
            (rump[0] + span * 0.36, 0.0),
            (span * 0.27, 0.0),
            (rump[0] + span * 0.44, 0.0),
            (span * 0.36, 0.0),
        ),
        rest="sit",
    )


def lie(frame: Frame, t: float, seed: int, *, asleep: bool) -> Posture:
    """Down on the belly with the legs folded; asleep, the head rests on the forelegs."""
    ease = stand(frame, t, seed)
    breath = cycle(t, 0.24, chance(seed, 52))
    half = frame.length / 2
    low = frame.spine * 0.34
    chest = (half * 0.94, low + 0.02)
    raise_head = 0.02 if asleep else frame.head[1] * 0.95
    return replace(
        ease,
        rump=(-half * 0.90, low),
        chest=chest,
        arch=0.018 + 0.012 * breath,
        head=(chest[0] + frame.head[0] * 1.05, chest[1] + raise_head + 0.004 * breath),
        nod=-0.12 if asleep else ease.nod,
        feet=(
            (-half * 0.25, 0.0),
            (chest[0] + 0.20, 0.0),
            (-half * 0.15, 0.0),
            (chest[0] + 0.27, 0.0),
        ),
        tail=-0.7 + 0.06 * breath,
        rest="lie",
        shut=asleep,
    )


def jump(frame: Frame, t: float, seed: int) -> Posture:
    """One bound after another, with a crouch before each."""
    share = (t * 0.9 + chance(seed, 57)) % 1.0
    air = max(0.0, math.sin(math.pi * min(1.0, max(0.0, (share - 0.22) / 0.6))))
    crouch = bump(share, 0.12, 0.09) + bump(share, 0.90, 0.07)
    pose = stand(frame, t, seed)
    rise = share - 0.5
    pitch = -0.30 * rise * (1.0 if air > 0.0 else 0.0) * frame.length
    half = frame.length / 2
    low = frame.spine * (1.0 - 0.22 * crouch)
    chest = (half * (1 + 0.06 * air), low + pitch)
    spread = 0.5 * air * (1.0 - 2.0 * abs(rise))
    return replace(
        pose,
        rump=(-half * (1 + 0.06 * air), low - pitch),
        chest=chest,
        head=(chest[0] + frame.head[0], chest[1] + frame.head[1] * (1.0 - 0.25 * crouch)),
        nod=-0.5 * pitch,
        feet=(
            (-half - 0.30 * spread - 0.05, 0.10 * air),
            (half + 0.34 * spread, 0.16 * air),
            (-half - 0.22 * spread + 0.06, 0.13 * air),
            (half + 0.26 * spread + 0.05, 0.20 * air),
        ),
        lifts=(air * 0.7, air * 0.5, air * 0.7, air * 0.5),
        tail=0.5 * air - 0.2,
        hop=0.36 * air,
    )


def prance(frame: Frame, t: float, seed: int) -> Posture:
    """A bouncing trot on the spot: how an animal dances."""
    turn = t * 1.6 + chance(seed, 58)
    phases = (0.0, 0.5, 0.5, 0.0)
    feet, lifts = _strides(frame, turn, phases, duty=0.5, stride=frame.stride * 0.25, rise=0.17)
    hop = 0.06 * abs(math.sin(math.tau * turn))
    pose = stand(frame, t, seed)
    tilt = 0.035 * math.sin(math.tau * turn)
    return replace(
        pose,
        rump=(pose.rump[0], pose.rump[1] - tilt),
        chest=(pose.chest[0], pose.chest[1] + tilt),
        head=(pose.head[0] + tilt, pose.head[1] + 1.5 * tilt + 0.02),
        nod=0.30 * math.sin(math.tau * turn),
        feet=_four(feet),
        lifts=_lifts(lifts),
        wag=math.sin(math.tau * turn * 2),
        tail=0.4 + 0.2 * math.sin(math.tau * turn),
        hop=hop,
    )


def posture_for(frame: Frame, action: str, default: str, t: float, seed: int) -> Posture:
    """The posture for an action word; an unknown word gives `default`."""
    word = _ALIASES.get(action, action)
    if word not in _KNOWN:
        word = default
    if word == "sit" and not frame.sits:
        word = "lie"
    if word in ("lie", "sleep"):
        return lie(frame, t, seed, asleep=word == "sleep")
    move = {
        "walk": walk,
        "run": gallop,
        "stand": stand,
        "sit": sit,
        "jump": jump,
        "dance": prance,
    }[word]
    return move(frame, t, seed)


_KNOWN = frozenset(("walk", "run", "stand", "sit", "sleep", "jump", "dance", "lie"))
_ALIASES = {"swim": "walk", "fly": "run", "wave": "sit", "read": "sit", "float": "stand"}
