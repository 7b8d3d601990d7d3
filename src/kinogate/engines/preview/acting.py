"""Staging: where each subject stands or goes, moment by moment, with its shadow and reflection.

Turns the plan's subjects into poses; the figures themselves are drawn by `subjects`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from kinogate.engines.preview.canvas import Color, disc, fill_alpha, mix
from kinogate.engines.preview.foliage import ellipse
from kinogate.engines.preview.layers import Frame, glow
from kinogate.engines.preview.palette import Palette
from kinogate.engines.preview.places.base import Stage
from kinogate.engines.preview.scene import Camera, SceneSpec, SubjectSpec
from kinogate.engines.preview.subjects import KINDS, Pose, draw_subject
from kinogate.engines.preview.subjects.base import SubjectKind

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
_MOVES = frozenset({"run", "walk", "drive", "jump", "sail", "fly", "swim"})
_GROUND_MOVERS = frozenset({"run", "walk", "drive"})
_WHEELS = frozenset({"car", "bus", "train", "bicycle"})
_HEIGHTS = {"balloon": 0.30, "airplane": 0.11, "rocket": 0.34, "dragon": 0.30, "kite": 0.13}
"""Fliers whose size in the picture is their own, not beside a person; world units."""


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
    facing: int
    body: Color
    accent: Color
    seed: int
    phase: float
    is_followed: bool


def lead_action(spec: SceneSpec) -> str:
    """What the first subject does, with its kind's default filled in."""
    if not spec.subjects:
        return ""
    lead = spec.subjects[0]
    if lead.action:
        return "drive" if lead.kind in _WHEELS else lead.action
    if lead.kind in _WHEELS:
        return "drive"
    kind = KINDS.get(lead.kind)
    return kind.default_action if kind else "stand"


def lead_facing(spec: SceneSpec, seed: int) -> int:
    """Which way the first subject goes; a pan goes along with it."""
    if spec.camera is Camera.PAN_LEFT:
        return -1
    if spec.camera is Camera.PAN_RIGHT:
        return 1
    return 1 if seed % 3 else -1


def follow_speed(spec: SceneSpec, stage: Stage) -> float:
    """Speed of the ground under a followed lead, world units per second."""
    if not spec.subjects or spec.camera is Camera.STATIC:
        return 0.0
    lead = spec.subjects[0]
    kind = KINDS.get(lead.kind)
    action = lead_action(spec)
    if kind is None or kind.habitat not in ("ground", "road") or action not in _GROUND_MOVERS:
        return 0.0
    pace = {"run": 1.0, "walk": 0.55, "drive": 1.0}[action]
    if action == "walk" and kind.default_action == "walk":
        pace = 1.0
    own = kind.speed * kind.natural_height * stage.person * pace
    limit = 0.75 if action == "drive" else 0.55 if action == "run" else 0.2
    return min(limit, max(0.07, own))


def cast_parts(
    spec: SceneSpec,
    stage: Stage,
    palette: Palette,
    aspect: float,
    facing: int,
    rng: np.random.Generator,
) -> tuple[Part, ...]:
    """Give every individual its place; the nearest comes last."""
    parts: list[Part] = []
    follow = follow_speed(spec, stage)
    wanted = [subject for subject in spec.subjects if subject.kind in KINDS]
    shares = _shares(len(wanted), spec.camera)
    for order, subject in enumerate(wanted):
        kind = KINDS[subject.kind]
        for index in range(subject.count):
            parts.append(
                _part(
                    subject,
                    kind,
                    stage,
                    palette,
                    aspect,
                    facing,
                    rng,
                    share=shares[order],
                    order=order,
                    index=index,
                    follow=follow,
                )
            )
    return tuple(sorted(parts, key=lambda part: (part.habitat != "air", part.y)))


def _shares(count: int, camera: Camera) -> tuple[float, ...]:
    """Where the subjects stand, as shares of the half width."""
    if count == 1:
        still = camera in (Camera.PAN_LEFT, Camera.PAN_RIGHT, Camera.ORBIT)
        return (0.0 if still else -0.24,)
    return (-0.26, 0.24, 0.02)[:count]


def _part(
    subject: SubjectSpec,
    kind: SubjectKind,
    stage: Stage,
    palette: Palette,
    aspect: float,
    facing: int,
    rng: np.random.Generator,
    *,
    share: float,
    order: int,
    index: int,
    follow: float,
) -> Part:
    habitat = _habitat(subject, kind, stage)
    height = _HEIGHTS.get(subject.kind, stage.person * kind.natural_height)
    if habitat == "air" and subject.kind in ("bird", "butterfly", "birds"):
        height *= 1.25
    smaller = 1.0 if index == 0 else rng.uniform(0.82, 0.98)
    height = min(height, 0.62 * aspect / kind.aspect, 0.56) * smaller
    half = height * kind.aspect / 2
    body, accent = kind.default_colors
    if subject.color is not None:
        body = _COLORS[subject.color]
        accent = mix(accent, body, 0.2)
    elif index:
        body = mix(body, accent, float(rng.uniform(0.0, 0.35)))
    spread = (index + 1) // 2 * (1 if index % 2 else -1)
    gap = max(1.25 * half * 2, 0.10) * (0.8 if subject.kind == "fish" else 1.0)
    room = max(0.0, aspect / 2 - half - 0.03)
    x = share * aspect * 0.9 * facing + spread * gap
    x = max(-room, min(room, x))
    action = subject.action
    if subject.kind in _WHEELS:
        action = "drive"
    action = action or kind.default_action
    y, reach = _lane(habitat, subject, stage, height, order, index, room, rng)
    speed = 0.0
    if habitat == "ground" and action in _GROUND_MOVERS:
        speed = follow or min(
            0.5, max(0.06, kind.speed * height * (0.55 if action == "walk" else 1))
        )
    elif habitat in ("air", "space"):
        speed = {"airplane": 0.10, "balloon": 0.022, "kite": 0.0, "lantern": 0.012}.get(
            subject.kind, 0.06
        )
    elif habitat == "water":
        speed = 0.030
    elif habitat == "underwater":
        speed = 0.07 if subject.kind == "fish" else 0.045
    dark = stage.dim
    return Part(
        kind=subject.kind,
        action=action,
        habitat=habitat,
        height=height,
        x=x,
        y=y,
        reach=reach,
        speed=speed,
        facing=facing,
        body=_subject_light(palette, body, dark),
        accent=_subject_light(palette, accent, dark),
        seed=int(rng.integers(0, 1 << 30)),
        phase=float(rng.uniform(0, 6.0)) if index or order else 0.0,
        is_followed=bool(follow) and habitat == "ground",
    )


def _subject_light(palette: Palette, color: Color, dim: float) -> Color:
    """Subjects keep a little more of their own colour than the land, so that they read."""
    return mix(palette.lit(color, 1.0, dim), color, 0.14 if palette.is_dark else 0.20)


def _habitat(subject: SubjectSpec, kind: SubjectKind, stage: Stage) -> str:
    if subject.kind == "rocket" and subject.action == "launch":
        return "ground"
    if kind.habitat == "air":
        return "air" if subject.action not in ("stand", "sit") else "ground"
    if kind.habitat == "underwater" and stage.waterline is not None and stage.has_sky:
        return "water"
    if kind.habitat == "water" and stage.waterline is None:
        return "underwater" if not stage.has_sky else "ground"
    if kind.habitat in ("road", "ground"):
        if subject.action == "fly":
            return "air"
        return "ground"
    return kind.habitat


def _lane(
    habitat: str,
    subject: SubjectSpec,
    stage: Stage,
    height: float,
    order: int,
    index: int,
    room: float,
    rng: np.random.Generator,
) -> tuple[float, float]:
    """World y of the feet, and how far to either side it may roam."""
    if habitat in ("air", "space", "underwater"):
        top, bottom = stage.air
        middle = (top + bottom) / 2 + (order - 0.5) * 0.04
        if index:
            middle += float(rng.uniform(-0.5, 0.5)) * (bottom - top)
        y = min(max(middle + height / 2, top + height), max(bottom, top + height))
        return y, room * (0.35 if subject.kind in ("balloon", "lantern", "kite") else 0.8)
    if habitat == "water" and stage.waterline is not None:
        return stage.waterline + 0.02 * index - 0.012 * order, room * 0.5
    return stage.ground + 0.016 * order + 0.012 * (index % 3), room * 0.72


class Actors:
    """Draws every part of a scene, back to front."""

    def __init__(
        self,
        parts: tuple[Part, ...],
        palette: Palette,
        stage: Stage,
        spec: SceneSpec,
        duration: float,
    ) -> None:
        self._parts = parts
        self._palette = palette
        self._stage = stage
        self._spec = spec
        self._duration = duration
        self._shade = palette.lit((24, 28, 52))

    def draw(self, frame: Frame) -> None:
        """Draw all subjects with their shadows."""
        for part in self._parts:
            self._draw_part(frame, part)

    def _draw_part(self, frame: Frame, part: Part) -> None:
        t = frame.t
        x, facing, clock = self._course(part, t)
        y = self._height(part, t)
        if part.is_followed or part.habitat in ("air", "space", "underwater"):
            x += frame.view.x * (1.0 if part.is_followed else 0.85)
        if part.habitat in ("air", "space", "underwater"):
            x += frame.view.pan * 0.75
        scale, x0, y0 = frame.view.at(1.0)
        px, py, high = x * scale + x0, y * scale + y0, part.height * scale
        if part.habitat == "ground" and part.kind != "rocket":
            self._shadow(frame, part, px, self._stage_y(part) * scale + y0, high)
        pose = Pose(
            x=px,
            ground_y=py,
            height=high,
            t=clock + part.phase,
            action=part.action,
            facing=facing,
            body=part.body,
            accent=part.accent,
            shade=mix(part.body, self._shade, 0.55),
            rim=self._palette.rim,
            seed=part.seed,
        )
        if part.kind == "rocket":
            self._exhaust(frame, px, py, high)
        draw_subject(frame.canvas, part.kind, pose)
        if part.kind == "lantern":
            glow(frame, px, py - high * 0.5, high * 1.8, (120, 70, 24))

    def _stage_y(self, part: Part) -> float:
        return part.y

    def _course(self, part: Part, t: float) -> tuple[float, int, float]:
        """World x relative to the followed ground, facing, and the figure's own clock."""
        kind = KINDS[part.kind]
        if part.speed <= 0.0 or part.action in ("launch",):
            return part.x, part.facing, t
        if part.is_followed:
            drift = min(part.reach, 0.10) * math.sin(t * 0.42 + part.seed % 7)
            share = t / self._duration - 0.5
            x = part.x * 0.6 + drift * 0.5 + part.facing * share * min(part.reach, 0.16)
            return x, part.facing, t
        # Crossing the picture: over and back again, slow enough to be watched.
        width = 2 * part.reach
        if width <= 0.02:
            return part.x, part.facing, t
        start = min(max(part.x * part.facing + part.reach, 0.0), width) * 0.55
        run = start + part.speed * t
        lap, rest = divmod(run, width)
        forward = int(lap) % 2 == 0
        place = rest if forward else width - rest
        ease = place / width
        ease = ease * 0.6 + 0.4 * (ease * ease * (3 - 2 * ease))
        x = (ease * width - part.reach) * part.facing
        facing = part.facing if forward else -part.facing
        clock = t
        if part.habitat == "ground":
            clock = t * part.speed / max(1e-6, kind.speed * part.height)
        return x, facing, clock

    def _height(self, part: Part, t: float) -> float:
        phase = part.seed % 628 / 100
        match part.habitat:
            case "water":
                return part.y + 0.006 * math.sin(t * 1.5 + phase) + 0.003 * math.sin(t * 2.7)
            case "air" | "space" | "underwater":
                pace = 0.35 if part.kind == "balloon" else 0.8
                lift = 0.012 * math.sin(t * pace + phase) + 0.008 * math.sin(t * 1.7 * pace)
                if part.kind in ("butterfly", "dragon"):
                    lift *= 2.0
                return part.y + lift
        if part.kind == "rocket" and part.action == "launch":
            share = min(1.0, max(0.0, t / self._duration - 0.12) / 0.88)
            return part.y - (part.y - part.height - 0.10) * share**1.7
        return part.y

    def _shadow(self, frame: Frame, part: Part, x: float, y: float, high: float) -> None:
        kind = KINDS[part.kind]
        wide = high * min(kind.aspect, 2.4) * 0.46
        dark = mix(self._palette.lit((20, 26, 44)), (0, 0, 0), 0.3)
        for share, alpha in ((1.0, 0.16), (0.68, 0.22)):
            shape = ellipse(x, y, wide * share, max(1.5, high * 0.045 * share), 20)
            fill_alpha(frame.canvas, shape, dark, alpha)

    def _exhaust(self, frame: Frame, x: float, y: float, high: float) -> None:
        """Fire and rolling smoke under a rising rocket."""
        t = frame.t
        ground = frame.view.at(1.0)
        foot = self._stage.ground * ground[0] + ground[2]
        smoke = self._palette.lit((226, 222, 220))
        warm = mix(smoke, (255, 196, 120), 0.45)
        for index in range(26):
            age = (t * 0.55 + index * 0.6180339) % 1.0
            way = math.sin(index * 2.4)
            spread = high * (0.10 + 0.9 * age)
            px = x + way * spread * 0.9
            py = min(foot, y + high * 0.1 + (foot - y) * (0.35 + 0.65 * ((index * 0.37) % 1.0)))
            color = mix(warm, smoke, min(1.0, age * 1.6))
            disc(frame.canvas, px, py, high * (0.05 + 0.15 * age), color)
        glow(frame, x, y + high * 0.12, high * 0.9, (255, 170, 80))
