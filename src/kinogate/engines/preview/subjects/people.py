"""People: woman, man, girl, boy, child, old man, dancer, runner, couple, and one with an umbrella.

Who someone is comes from the kind and the seed; how the body is drawn is in `body` and `heads`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TypedDict, Unpack

from kinogate.engines.preview.canvas import Color, mix
from kinogate.engines.preview.subjects.base import SubjectKind
from kinogate.engines.preview.subjects.body import draw_body
from kinogate.engines.preview.subjects.figure import Figure, chance, cycle
from kinogate.engines.preview.subjects.look import Look
from kinogate.engines.preview.subjects.rig import Build, Joints
from kinogate.engines.preview.subjects.stances import RUN_SPEED, WALK_SPEED, Stance, stance_for

_SKINS: Sequence[Color] = (
    (246, 210, 182),
    (236, 190, 156),
    (222, 170, 130),
    (196, 140, 102),
    (140, 94, 68),
)
_HAIRS: Sequence[Color] = (
    (44, 32, 34),
    (34, 30, 40),
    (74, 48, 36),
    (132, 82, 46),
    (186, 128, 66),
)
_TROUSERS: Sequence[Color] = (
    (58, 70, 104),
    (84, 76, 72),
    (66, 62, 76),
    (112, 96, 76),
)

WOMAN = Build(shoulders=0.078, hips=0.050, girth=0.92, waist=0.82, head=0.160)
MAN = Build(shoulders=0.098, hips=0.046, girth=1.06, waist=1.0, head=0.154)
OLD = Build(shoulders=0.088, girth=1.06, torso=0.285, waist=1.10, head=0.165, stoop=0.16)
CHILD = Build(
    head=0.232, neck=0.022, torso=0.262, shoulders=0.082, hips=0.046, thigh=0.182, shin=0.172,
    ankle=0.042, upper_arm=0.128, forearm=0.108, girth=1.05,
)  # fmt: skip


def _pick(options: Sequence[Color], seed: int, salt: int) -> Color:
    return options[min(len(options) - 1, int(chance(seed, salt) * len(options)))]


class Touches(TypedDict, total=False):
    """The fields of `Look` that a kind of person settles itself."""

    skin: Color
    hair: Color
    top: Color
    bottom: Color
    shoes: Color
    accent: Color
    outfit: str
    hair_style: str
    hat: str
    scarf: bool
    beard: bool
    backpack: bool


def look_for(fig: Figure, seed: int, **touches: Unpack[Touches]) -> Look:
    """The clothes and colouring of one person: from the seed, then from `touches`."""
    pose = fig.pose
    skin = _pick(_SKINS, seed, 31)
    look = Look(
        skin=fig.tone(skin),
        hair=fig.tone(_pick(_HAIRS[: 5 if skin in _SKINS[:2] else 3], seed, 32)),
        top=pose.body,
        bottom=mix(fig.tone(_pick(_TROUSERS, seed, 33)), pose.shade, 0.15),
        shoes=mix(fig.tone((70, 52, 48)), pose.shade, 0.3),
        accent=pose.accent,
    )
    return replace(look, **touches)


def _someone(
    build: Build, styles: Sequence[str], outfits: Sequence[str], **touches: Unpack[Touches]
) -> Callable[[Figure], None]:
    def draw(fig: Figure) -> None:
        draw_person(fig, build, styles, outfits, **touches)

    return draw


def draw_person(
    fig: Figure,
    build: Build,
    styles: Sequence[str],
    outfits: Sequence[str],
    *,
    stance: Stance | None = None,
    seed: int | None = None,
    **touches: Unpack[Touches],
) -> Joints:
    """Add one person whose hair and outfit the seed picks; returns the joints."""
    pose = fig.pose
    who = pose.seed if seed is None else seed
    look = look_for(
        fig,
        who,
        hair_style=styles[int(chance(who, 34) * len(styles)) % len(styles)],
        outfit=outfits[int(chance(who, 35) * len(outfits)) % len(outfits)],
    )
    look = replace(look, **touches)
    held = stance or stance_for(pose.action, "stand", pose.t, who)
    return draw_body(fig, build, look, held)


def _old_man(fig: Figure) -> None:
    action = fig.pose.action
    grey = fig.tone((214, 212, 208))
    stance = stance_for(action, "stand", fig.pose.t * 0.75, fig.pose.seed)
    cane = action not in ("sit", "read", "sleep", "drive", "swim", "fly", "float")
    if cane and action != "dance":
        swing = 0.16 * cycle(fig.pose.t, 0.7)
        stance = replace(
            stance,
            arm=(0.42 + swing, stance.arm[1] * 0.6),
            elbow=(0.38, 0.2),
            thigh=(stance.thigh[0] * 0.7, stance.thigh[1] * 0.7),
            open=min(0.3, stance.open),
        )
    joints = draw_person(
        fig, OLD, ("bald",), ("coat", "trousers"), stance=stance, hair=grey, beard=True
    )
    if cane:
        x, y = joints.hands[0]
        wood = fig.tone((104, 70, 46))
        tip = (x + 0.055, max(0.0, y - 0.47))
        fig.line([(x, y + 0.01), tip], wood, 0.016, smooth=False)
        fig.line(
            [
                (x, y + 0.01),
                (x + 0.004, y + 0.035),
                (x - 0.02, y + 0.045),
                (x - 0.036, y + 0.028),
            ],
            wood,
            0.016,
        )


def _dancer(fig: Figure) -> None:
    action = fig.pose.action
    used = action if action in ("sit", "sleep", "run", "wave", "jump", "stand") else "dance"
    stance = stance_for(used, "dance", fig.pose.t, fig.pose.seed)
    draw_person(
        fig,
        replace(WOMAN, head=0.145, girth=0.84),
        ("bun", "ponytail"),
        ("dress",),
        stance=stance,
        shoes=fig.pose.accent,
    )


def _runner(fig: Figure) -> None:
    action = fig.pose.action
    used = action if action in ("sit", "sleep", "stand", "wave", "jump", "walk") else "run"
    stance = stance_for(used, "run", fig.pose.t, fig.pose.seed)
    draw_person(
        fig,
        replace(MAN, girth=0.94),
        ("ponytail", "short", "crop"),
        ("shorts",),
        stance=stance,
        bottom=fig.dark(fig.pose.accent, 0.25),
        shoes=fig.pose.accent,
    )


def _couple(fig: Figure) -> None:
    pose = fig.pose
    seed = pose.seed
    walking = pose.action in ("walk", "run")
    his = stance_for(pose.action, "stand", pose.t, seed)
    hers = stance_for(pose.action, "stand", pose.t + 0.06, seed + 17)
    if pose.action not in (
        "dance",
        "sit",
        "sleep",
        "read",
        "jump",
        "swim",
        "float",
        "fly",
    ):
        swing = 0.06 * cycle(pose.t, 0.95 if walking else 0.2)
        his = replace(his, arm=(his.arm[0], 0.42 + swing), elbow=(his.elbow[0], 0.05))
        hers = replace(hers, arm=(-0.42 + swing, hers.arm[1]), elbow=(0.02, hers.elbow[1]))
    if pose.action == "dance":
        hers = stance_for("dance", "dance", pose.t, seed + 2)
    gap = {"sleep": 0.46, "swim": 0.46, "fly": 0.46, "dance": 0.27}.get(pose.action, 0.150)
    him = fig.part(-gap, 0.0, scale=1.0)
    her = fig.part(gap, 0.0, scale=0.93)
    draw_person(
        him,
        MAN,
        ("short", "crop"),
        ("trousers", "coat"),
        stance=his,
        bottom=mix(fig.tone((58, 62, 88)), pose.shade, 0.15),
    )
    draw_person(
        her,
        WOMAN,
        ("long", "bob"),
        ("dress",),
        stance=hers,
        seed=seed + 17,
        top=pose.accent,
        accent=pose.body,
    )


def _umbrella_person(fig: Figure) -> None:
    pose = fig.pose
    still = pose.action in ("stand", "wave", "sit", "read", "sleep", "float")
    stance = stance_for("hold_still" if still else "hold", "hold", pose.t, pose.seed)
    fig = fig.part(-0.1, 0.0)
    inner = fig.part(0.0, 0.0, scale=0.84)
    joints = draw_person(
        inner,
        WOMAN,
        ("bob", "long", "short"),
        ("coat",),
        stance=stance,
        top=mix(pose.body, pose.shade, 0.25),
        accent=pose.accent,
    )
    x, y = joints.hands[0][0] * 0.84, joints.hands[0][1] * 0.84
    tilt = -0.05 + 0.035 * cycle(pose.t, 0.6, chance(pose.seed, 41))
    pen = fig.part(x - 0.005, y, angle=-tilt)
    pen.line([(0.0, -0.05), (0.0, 0.40)], fig.tone((66, 58, 62)), 0.014, smooth=False)
    top, rim = 0.985 - y, 0.775 - y
    half = 0.315
    dome = [
        (half * math.sin(a), rim + (top - rim) * math.cos(a))
        for a in (i * math.pi / 16 - math.pi / 2 for i in range(17))
    ]
    scallops = []
    for rib in range(5):
        for step in range(6):
            u = 1.0 - 2.0 * (rib + step / 6.0) / 5.0
            lift = 0.030 * math.sin(math.pi * step / 6.0)
            scallops.append((half * u, rim + lift))
    shade = fig.dark(pose.accent, 0.30)
    pen.fill(dome + scallops, pose.accent)
    pen.fill(
        [
            (half * math.sin(a), rim + (top - rim) * math.cos(a))
            for a in (-math.pi / 2 + i * 0.11 for i in range(9))
        ]
        + [
            (-half * 0.30, rim + 0.022),
            (-half * 0.6, rim + 0.002),
            (-half * 0.82, rim + 0.028),
        ],
        shade,
        rimmed=False,
    )
    for u in (-0.2, 0.2, 0.6):
        pen.line(
            [(0.0, top), (half * u * 0.75, rim + (top - rim) * 0.62), (half * u, rim)],
            shade,
            0.006,
        )
    pen.line(
        [(0.0, top - 0.01), (0.0, top + 0.03)],
        fig.tone((66, 58, 62)),
        0.012,
        smooth=False,
    )


def _kind(
    draw: Callable[[Figure], None],
    body: Color,
    accent: Color,
    *,
    aspect: float = 0.46,
    speed: float = WALK_SPEED,
    natural_height: float = 1.0,
    default_action: str = "walk",
) -> SubjectKind:
    return SubjectKind(
        draw=draw,
        aspect=aspect,
        habitat="ground",
        speed=speed,
        default_colors=(body, accent),
        natural_height=natural_height,
        run_speed=RUN_SPEED,
        default_action=default_action,
    )


_ADULT_HAIR = ("short", "long", "bob", "ponytail", "curly", "bun")
_WOMAN_HAIR = ("long", "bob", "bun", "ponytail")
_MAN_HAIR = ("short", "crop", "curly")

KINDS: Mapping[str, SubjectKind] = MappingProxyType(
    {
        "person": _kind(
            _someone(Build(), _ADULT_HAIR, ("coat", "trousers"), scarf=True),
            (72, 112, 148), (226, 104, 84),
        ),
        "woman": _kind(_someone(WOMAN, _WOMAN_HAIR, ("dress",)), (206, 76, 88), (250, 214, 140)),
        "man": _kind(
            _someone(MAN, _MAN_HAIR, ("trousers", "coat")), (62, 124, 128), (236, 190, 110),
            natural_height=1.06,
        ),
        "child": _kind(
            _someone(CHILD, ("short", "bob", "curly"), ("trousers", "shorts"), hat="beanie"),
            (240, 176, 72), (208, 84, 92), natural_height=0.66, aspect=0.46,
        ),
        "girl": _kind(
            _someone(CHILD, ("pigtails", "ponytail"), ("dress",)), (236, 128, 150),
            (255, 226, 140), natural_height=0.68, aspect=0.48,
        ),
        "boy": _kind(
            _someone(CHILD, ("short", "crop"), ("shorts",), hat="cap"), (92, 152, 206),
            (226, 92, 74), natural_height=0.68, aspect=0.46,
        ),
        "old_man": _kind(_old_man, (128, 112, 98), (176, 96, 80), natural_height=0.96, speed=0.4),
        "dancer": _kind(_dancer, (214, 70, 112), (252, 214, 150), aspect=0.66, speed=0.25,
                        default_action="dance"),
        "runner": _kind(_runner, (238, 108, 72), (62, 92, 168), speed=RUN_SPEED, aspect=0.6,
                        default_action="run"),
        "couple": _kind(_couple, (70, 104, 150), (214, 92, 96), aspect=0.72),
        "umbrella_person": _kind(
            _umbrella_person, (104, 116, 150), (214, 68, 70), natural_height=1.2, aspect=0.64,
        ),
    }
)  # fmt: skip
