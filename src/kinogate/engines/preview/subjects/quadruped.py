"""Any four-legged animal from a breed and a posture: tail, legs, trunk, coat, neck and head.

Postures come from `gaits`, the heads and tails that tell animals apart from `beast_parts`, the
breeds from `beasts`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from kinogate.engines.preview.canvas import Color, mix
from kinogate.engines.preview.subjects.figure import Figure
from kinogate.engines.preview.subjects.gaits import Frame, Posture, posture_for
from kinogate.engines.preview.subjects.shapes import Point, Tube, between, tube, two_bone


@dataclass(frozen=True, slots=True)
class Coat:
    """The colours of one animal in the light of its pose."""

    fur: Color
    belly: Color
    dark: Color
    far: Color
    mark: Color
    inner: Color
    nose: Color
    ink: Color


HeadArtist = Callable[[Figure, Coat, Posture], None]
TailArtist = Callable[[Figure, Coat, Posture, Point], None]
CoatArtist = Callable[[Figure, Coat, Tube], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Breed:
    """What an animal is built like; lengths in heights.

    Attributes:
        frame: The measures its gait depends on.
        chest: Radius of the trunk at the shoulder.
        waist: Radius of the trunk in the middle.
        rump: Radius of the trunk at the hip.
        leg: Radius of a leg at the top.
        shank: Radius of a leg above the foot.
        hoof: Whether the feet are hooves.
        paw: Half length of a paw.
        neck: Radii of the neck at the trunk and at the skull.
        crest: How far the neck bulges backwards and up.
        skull: Size of the head.
        chin: How far, in skulls, the head reaches below its centre.
        shift: Moves the whole animal forward, to balance a long tail.
        head: Draws the head, in units of `skull`.
        tail: Draws the tail from the root.
        coat: Draws markings on the trunk, or None.
        socks: Whether the legs have the mark colour.
        belly: Whether the belly shows the second colour.
        default: Action for unknown words.
    """

    frame: Frame = field(default_factory=Frame)
    chest: float = 0.145
    waist: float = 0.120
    rump: float = 0.140
    leg: float = 0.075
    shank: float = 0.036
    hoof: bool = False
    paw: float = 0.060
    neck: tuple[float, float] = (0.11, 0.09)
    crest: float = 0.0
    skull: float = 0.44
    chin: float = 0.40
    shift: float = 0.0
    head: HeadArtist
    tail: TailArtist
    coat: CoatArtist | None = None
    socks: bool = False
    belly: bool = True
    default: str = "walk"


def coat_of(fig: Figure) -> Coat:
    """The colours the pose asks for."""
    pose = fig.pose
    return Coat(
        fur=pose.body,
        belly=pose.accent,
        dark=fig.dark(pose.body, 0.30),
        far=fig.dark(pose.body, 0.48),
        mark=pose.accent,
        inner=mix(pose.body, fig.tone((240, 160, 150)), 0.6),
        nose=fig.tone((60, 42, 46)),
        ink=fig.tone((34, 28, 32)),
    )


def draw_quadruped(fig: Figure, breed: Breed) -> None:
    """Add a whole animal in the posture its pose asks for."""
    pose = fig.pose
    posture = posture_for(breed.frame, pose.action, breed.default, pose.t, pose.seed)
    coat = coat_of(fig)
    pen = fig.part(breed.shift - 0.5 * breed.frame.head[0], posture.hop)
    root = _tail_root(breed, posture)
    if posture.rest == "":
        breed.tail(pen, coat, posture, root)
    for index in (3, 2):
        _leg(pen, breed, coat, posture, index)
    middle = between(posture.rump, posture.chest, 0.5)
    middle = (middle[0], middle[1] + posture.arch)
    trunk = tube(
        [posture.rump, between(posture.rump, middle, 0.55), middle, posture.chest],
        [breed.rump, (breed.rump + breed.waist) / 2, breed.waist, breed.chest],
        6,
    )
    behind = breed.frame.head[1] < 0.24
    if not behind:
        _neck(pen, breed, coat, posture)
    pen.fill(trunk.outline(), coat.fur)
    if breed.belly and fig.pixels >= 20.0:
        pen.fill(trunk.flank(-0.42, 0.10, 1.0), mix(coat.fur, coat.belly, 0.75), rimmed=False)
    elif fig.pixels >= 20.0:
        pen.fill(trunk.flank(-0.36, 0.0, 1.0), coat.dark, rimmed=False)
    if breed.coat is not None:
        breed.coat(pen, coat, trunk)
    if behind:
        _neck(pen, breed, coat, posture)
    for index in (0, 1):
        _leg(pen, breed, coat, posture, index)
    if posture.rest != "":
        breed.tail(pen, coat, posture, root)
    spot = posture.head
    if posture.rest == "lie":
        spot = (spot[0], max(spot[1], breed.skull * breed.chin))
    head = pen.part(*spot, scale=breed.skull, angle=posture.nod)
    breed.head(head, coat, posture)


def _tail_root(breed: Breed, posture: Posture) -> Point:
    if posture.rest == "sit":
        return posture.rump[0] - breed.rump * 0.7, posture.rump[1] - breed.rump * 0.4
    return posture.rump[0] - breed.rump * 0.85, posture.rump[1] + breed.rump * 0.35


def _neck(pen: Figure, breed: Breed, coat: Coat, posture: Posture) -> None:
    chest, head = posture.chest, posture.head
    base = (chest[0] - 0.02, chest[1] + breed.chest * 0.25)
    middle = between(base, head, 0.5)
    middle = (middle[0] - breed.crest * 0.4, middle[1] + breed.crest)
    wide, slim = breed.neck
    pen.tube(
        [base, middle, head],
        [wide, (wide + slim) * 0.48, slim],
        coat.fur,
        shade=None if breed.belly else coat.dark,
        edge=-0.55,
    )


def _leg(pen: Figure, breed: Breed, coat: Coat, posture: Posture, index: int) -> None:
    """One leg; even indices are hind legs, 0 and 1 are the near side."""
    far, hind = index > 1, index % 2 == 0
    color = coat.far if far else coat.fur
    if breed.socks:
        color = pen.dark(coat.mark, 0.35) if far else coat.mark
    foot, lift = posture.feet[index], posture.lifts[index]
    if posture.rest == "lie" or (posture.rest == "sit" and hind):
        _folded(pen, breed, color, posture, index)
        return
    joints = _hind(breed, posture, foot, lift) if hind else _fore(breed, posture, foot, lift)
    thick = breed.leg * (1.25 if hind else 1.0)
    radii = [thick, thick * (0.58 if far else 0.72), breed.shank * 1.08, breed.shank]
    path = [joints[0], joints[1], joints[2], joints[3]]
    shade = None if far else pen.dark(color, 0.22)
    pen.tube(path, radii, color, shade=shade, edge=-0.30, begin=0.42)
    _foot(pen, breed, coat, color, joints[3], lift=lift * (1.0 if hind else 0.8))


def _fore(breed: Breed, posture: Posture, foot: Point, lift: float) -> list[Point]:
    top = (posture.chest[0], posture.chest[1] - (breed.frame.spine - breed.frame.hip))
    span = breed.frame.hip
    rise = breed.shank * 0.9
    ankle = (foot[0] - 0.03 * lift, foot[1] + rise)
    pastern = span * 0.20
    tilt = -0.10 - 1.0 * lift
    wrist = (
        ankle[0] - pastern * math.sin(tilt) * (1.0 if lift else 0.4),
        ankle[1] + pastern * math.cos(tilt),
    )
    rest = span - rise - pastern
    elbow, wrist = two_bone(top, wrist, rest * 0.50, rest * 0.58, -1.0)
    return [top, elbow, wrist, ankle]


def _hind(breed: Breed, posture: Posture, foot: Point, lift: float) -> list[Point]:
    top = (posture.rump[0], posture.rump[1] - (breed.frame.spine - breed.frame.hip))
    span = breed.frame.hip
    rise = breed.shank * 0.9
    ankle = (foot[0], foot[1] + rise)
    metatarsal = span * 0.34
    tilt = max(-0.40, 0.34 + 1.1 * (foot[0] - top[0]) - 0.75 * lift)
    hock = (ankle[0] - metatarsal * math.sin(tilt), ankle[1] + metatarsal * math.cos(tilt))
    knee, hock = two_bone(top, hock, span * 0.40, span * 0.42, 1.0)
    return [top, knee, hock, ankle]


def _foot(
    pen: Figure, breed: Breed, coat: Coat, color: Color, ankle: Point, *, lift: float
) -> None:
    if breed.hoof:
        hoof = pen.part(*ankle, angle=-0.9 * lift)
        r = breed.shank
        hoof.fill(
            [(-r * 0.95, r * 0.1), (r * 1.0, r * 0.1), (r * 1.45, -r * 0.9), (-r * 1.0, -r * 0.9)],
            mix(coat.ink, pen.pose.shade, 0.35),
        )
        return
    paw = pen.part(*ankle, angle=-1.1 * lift)
    r, size = breed.shank, breed.paw
    paw.blob(
        [
            (-r * 1.05, 0.0),
            (r * 0.6, r * 0.7),
            (size * 0.95, -r * 0.05),
            (size * 1.05, -r * 0.7),
            (size * 0.6, -r * 0.92),
            (-r * 0.8, -r * 0.92),
        ],
        color,
        samples=3,
    )


def _folded(pen: Figure, breed: Breed, color: Color, posture: Posture, index: int) -> None:
    """A leg of a sitting or lying animal: the haunch and the foot on the ground."""
    hind = index % 2 == 0
    foot = posture.feet[index]
    r = breed.shank
    if hind:
        x, y = posture.rump
        size = breed.rump * (1.02 if posture.rest == "sit" else 0.92)
        pen.ellipse(x + size * 0.35, max(size * 0.98, y - 0.01), size * 1.05, size, color)
        start = (x + size * 0.4, r * 1.05)
    else:
        start = (posture.chest[0] - 0.04, max(posture.chest[1] - breed.chest * 0.5, r * 1.6))
    end = (foot[0], r * 1.0)
    if breed.hoof:
        knee = (end[0] + 0.02, r * 1.3) if not hind else (end[0] + 0.04, r * 1.3)
        back = (knee[0] - 0.17, r * 0.9)
        shin = between(knee, back, 0.5)
        pen.tube([start, knee], [breed.leg * 0.8, r * 1.3], color)
        pen.tube([knee, shin, back], [r * 1.35, r * 1.2, r], color)
        return
    pen.tube([start, between(start, end, 0.6), end], [r * 1.25, r * 1.15, r * 1.05], color)
    _toe = (end[0] + breed.paw * 0.4, r * 0.95)
    pen.ellipse(_toe[0], _toe[1], breed.paw * 0.75, r * 1.02, color)
