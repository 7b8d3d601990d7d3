"""Casting: who stands where, how large, which way and how fast, for every subject of a plan.

Decides once per shot; `acting` turns the result into poses moment by moment.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kinogate.engines.preview.build import Build
from kinogate.engines.preview.canvas import Color, mix
from kinogate.engines.preview.palette import Palette
from kinogate.engines.preview.places.base import Stage
from kinogate.engines.preview.spec import Camera, Place, SceneSpec, SubjectSpec
from kinogate.engines.preview.subjects import KINDS, SubjectKind

_COLORS: dict[str, Color] = {
    "red": (206, 48, 44),
    "orange": (236, 128, 44),
    "yellow": (244, 196, 60),
    "green": (62, 146, 84),
    "blue": (52, 108, 196),
    "purple": (124, 78, 172),
    "pink": (238, 140, 168),
    "white": (242, 242, 238),
    "black": (44, 44, 52),
    "gray": (140, 144, 152),
    "brown": (136, 88, 56),
}
_GROUND_MOVERS = frozenset({"run", "walk", "drive"})
_WHEELS = frozenset({"car", "bus", "train", "bicycle"})
_HEIGHTS = {"balloon": 0.30, "airplane": 0.11, "rocket": 0.36, "dragon": 0.27, "kite": 0.13}
"""Fliers whose size in the picture is their own, not beside a person; world units."""
_SMALL = {
    "tree": 0.42,
    "boat": 0.36,
    "ship": 0.26,
    "bus": 0.30,
    "train": 0.17,
    "whale": 0.30,
    "elephant": 0.36,
}
"""The most some large kinds may take of the picture's height."""
_AIR_SPEEDS = {"airplane": 0.10, "balloon": 0.022, "kite": 0.006, "lantern": 0.012}
_GALLOP = 2.8
"""How much faster a run is than the walk a kind's own speed is told for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One individual of a scene and the course it takes.

    Attributes:
        kind: Key of `KINDS`.
        action: What it does.
        habitat: `ground`, `air`, `water`, `underwater` or `space`.
        height: World units.
        x: Middle of its course relative to the camera, world units.
        y: World y of its feet, hull or lowest point.
        reach: Half the width it may roam, world units.
        speed: World units per second along the ground; 0.0 stands.
        gait: Speed at which its own cycle keeps the feet from sliding; 0.0 for no gait.
        facing: +1 right, -1 left.
        body: Main colour, lit.
        accent: Second colour, lit.
        seed: Individual variation.
        phase: Seconds added to its own clock.
        is_followed: Whether the camera goes with it.
    """

    kind: str
    action: str
    habitat: str
    height: float
    x: float
    y: float
    reach: float
    speed: float
    gait: float
    facing: int
    body: Color
    accent: Color
    seed: int
    phase: float
    is_followed: bool

    @property
    def focus(self) -> tuple[float, float]:
        """Where a camera that closes in should aim, world x and y."""
        roams = self.speed > 0.0 and not self.is_followed
        floats = self.habitat in ("air", "space", "underwater")
        return 0.0 if roams else self.x, self.y - self.height / 2 if floats else self.y


def lead_action(spec: SceneSpec) -> str:
    """What the first subject does, with its kind's default filled in."""
    if not spec.subjects:
        return ""
    lead = spec.subjects[0]
    if lead.kind in _WHEELS:
        return "drive"
    kind = KINDS.get(lead.kind)
    return lead.action or (kind.default_action if kind else "stand")


def is_followed(spec: SceneSpec) -> bool:
    """Whether the camera goes along with the lead over the ground."""
    if not spec.subjects or spec.camera is Camera.STATIC:
        return False
    if spec.place in (Place.ROOM, Place.CAFE, Place.STAGE):
        return False
    kind = KINDS.get(spec.subjects[0].kind)
    on_ground = kind is not None and (
        kind.habitat in ("ground", "road") or spec.place is Place.MOON
    )
    return on_ground and lead_action(spec) in _GROUND_MOVERS


def cast_parts(build: Build, stage: Stage) -> tuple[Part, ...]:
    """Give every individual its place; the nearest comes last."""
    casting = _Casting(build, stage)
    wanted = [subject for subject in build.spec.subjects if subject.kind in KINDS]
    shares = _shares(len(wanted), build.spec.camera)
    parts = [
        casting.part(subject, shares[order], order, index)
        for order, subject in enumerate(wanted)
        for index in range(1 if subject.kind == "birds" else subject.count)
    ]
    return tuple(sorted(parts, key=lambda part: (part.habitat != "air", part.y)))


def _shares(count: int, camera: Camera) -> tuple[float, ...]:
    """Where the subjects stand, as shares of the width from the middle."""
    if count == 1:
        still = camera in (Camera.PAN_LEFT, Camera.PAN_RIGHT, Camera.ORBIT)
        return (0.0 if still else -0.20,)
    return (-0.22, 0.20, 0.0)[:count]


class _Casting:
    """Places one individual after another."""

    def __init__(self, build: Build, stage: Stage) -> None:
        self._build, self._stage = build, stage
        self._spec, self._aspect = build.spec, build.aspect
        # Its own stream: with or without subjects, the land around them stays the same.
        self._rng = np.random.default_rng(build.cast_seed & 0xFFFFFFFF)

    def part(self, subject: SubjectSpec, share: float, order: int, index: int) -> Part:
        kind = KINDS[subject.kind]
        habitat = self._habitat(subject, kind)
        height = self._height(subject, kind, habitat, is_lead=order == 0)
        if index:
            height *= float(self._rng.uniform(0.80, 0.96))
        zoom = self._build.zoom
        half = height * kind.aspect / 2
        room = max(0.0, self._aspect / 2 - half * zoom - 0.03)
        spread = (index + 1) // 2 * (1 if index % 2 else -1)
        gap = max(2.3 * half, 0.10)
        x = share * self._aspect * self._build.facing * 0.85 + spread * gap
        action = "drive" if subject.kind in _WHEELS else subject.action or kind.default_action
        x = max(-room, min(room, x))
        followed = is_followed(self._spec) and habitat == "ground"
        free = (room - abs(x) if followed else room) / zoom
        y, reach = self._lane(subject, habitat, height, free, order, index)
        body, accent = self._colors(subject, kind, index)
        run = action == "run" and kind.default_action != "run"
        own = (kind.run_speed or kind.speed * _GALLOP) if run else kind.speed
        gait = own * height
        return Part(
            kind=subject.kind,
            action=action,
            habitat=habitat,
            height=height,
            x=x,
            y=y,
            reach=reach,
            speed=self._speed(subject.kind, habitat, action, gait),
            gait=gait if habitat == "ground" else 0.0,
            facing=self._build.facing,
            body=body,
            accent=accent,
            seed=int(self._rng.integers(0, 1 << 30)),
            phase=float(self._rng.uniform(0, 6.0)) if index or order else 0.0,
            is_followed=followed,
        )

    def _habitat(self, subject: SubjectSpec, kind: SubjectKind) -> str:
        place, stage = self._spec.place, self._stage
        if place is Place.SPACE:
            return "space"
        if subject.kind == "rocket" and subject.action == "launch":
            return "ground"
        if kind.habitat == "space":
            return "air" if subject.kind == "rocket" else "ground"
        if kind.habitat == "air":
            return "air" if subject.action not in ("stand", "sit") else "ground"
        if kind.habitat in ("water", "underwater"):
            if place is Place.UNDERWATER:
                return "underwater"
            return "water" if stage.waterline is not None else "ground"
        return "air" if subject.action == "fly" else "ground"

    def _height(
        self, subject: SubjectSpec, kind: SubjectKind, habitat: str, *, is_lead: bool
    ) -> float:
        own = self._stage.person * kind.natural_height
        height = _HEIGHTS.get(subject.kind, min(own, _SMALL.get(subject.kind, own)))
        if habitat == "air" and subject.kind in ("bird", "butterfly"):
            height = max(height, 0.075)
        if subject.kind == "birds":
            height = 0.16
        if is_lead:  # whoever leads must be seen, kittens too
            smallest = 0.18 if habitat == "ground" else 0.11
            height = max(height, smallest, 0.16 if habitat == "underwater" else 0.0)
        if habitat == "underwater" and subject.kind == "fish":
            height = 0.15 if subject.count < 4 else 0.12
        zoom = self._build.zoom
        return min(height, 0.70 * self._aspect / kind.aspect / zoom, 0.66 / zoom)

    def _colors(self, subject: SubjectSpec, kind: SubjectKind, index: int) -> tuple[Color, Color]:
        body, accent = kind.default_colors
        if subject.color is not None:
            body = _COLORS[subject.color]
            accent = mix(accent, body, 0.2)
        elif index:
            body = mix(body, accent, float(self._rng.uniform(0.0, 0.35)))
        palette, dim = self._build.palette, self._stage.dim
        return subject_light(palette, body, dim), subject_light(palette, accent, dim)

    @staticmethod
    def _speed(kind: str, habitat: str, action: str, gait: float) -> float:
        match habitat:
            case "ground":
                limit = 0.22 if action == "walk" else 0.62
                return min(limit, max(0.05, gait)) if action in _GROUND_MOVERS else 0.0
            case "water":
                return 0.030
            case "underwater":
                return 0.07 if kind == "fish" else 0.045
            case _:
                return _AIR_SPEEDS.get(kind, 0.06)

    def _lane(  # noqa: PLR0917
        self,
        subject: SubjectSpec,
        habitat: str,
        height: float,
        room: float,
        order: int,
        index: int,
    ) -> tuple[float, float]:
        """World y of the feet, and how far to either side it may roam."""
        stage = self._stage
        if habitat in ("air", "space", "underwater"):
            top, bottom = stage.air
            middle = (top + bottom) / 2 + (order - 0.5) * 0.04
            if index:
                middle += float(self._rng.uniform(-0.5, 0.5)) * (bottom - top)
            y = min(max(middle + height / 2, top + height), max(bottom, top + height))
            calm = subject.kind in ("balloon", "lantern", "kite", "astronaut")
            return y, room * (0.30 if calm else 0.8)
        if habitat == "water" and stage.waterline is not None:
            return stage.waterline + 0.02 * index - 0.012 * order, room * 0.5
        return stage.ground + 0.016 * order + 0.012 * (index % 3), room * 0.72


def subject_light(palette: Palette, color: Color, dim: float) -> Color:
    """Subjects keep a little more of their own colour than the land, so that they read."""
    return mix(palette.lit(color, 1.0, dim), color, 0.16 if palette.is_dark else 0.20)
