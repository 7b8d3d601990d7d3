"""The four-legged kinds: each is a breed of measures and a choice of head, tail and markings."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from kinogate.engines.preview.canvas import Color
from kinogate.engines.preview.subjects import beast_heads as heads
from kinogate.engines.preview.subjects import beast_tails as tails
from kinogate.engines.preview.subjects import grazer_heads as grazers
from kinogate.engines.preview.subjects.base import SubjectKind
from kinogate.engines.preview.subjects.figure import Figure
from kinogate.engines.preview.subjects.gaits import Frame
from kinogate.engines.preview.subjects.quadruped import Breed, draw_quadruped

_CAT = Breed(
    frame=Frame(length=0.50, spine=0.46, hip=0.42, head=(0.16, 0.21), stride=0.38),
    chest=0.140, waist=0.128, rump=0.140, leg=0.068, shank=0.036, paw=0.062,
    neck=(0.115, 0.10), skull=0.45, shift=0.12, head=heads.cat_head,
    tail=tails.curled_tail(0.62, 0.036), coat=tails.tabby,
)  # fmt: skip
_KITTEN = Breed(
    frame=Frame(length=0.42, spine=0.38, hip=0.33, head=(0.14, 0.20), stride=0.30,
                walk_hertz=1.6, run_hertz=2.7),
    chest=0.150, waist=0.150, rump=0.150, leg=0.070, shank=0.042, paw=0.066,
    neck=(0.12, 0.10), skull=0.60, head=heads.cat_head,
    tail=tails.curled_tail(0.46, 0.036), coat=tails.tabby,
)  # fmt: skip
_DOG = Breed(
    frame=Frame(length=0.54, spine=0.56, hip=0.52, head=(0.17, 0.25), stride=0.44),
    chest=0.160, waist=0.115, rump=0.130, leg=0.075, shank=0.036, paw=0.062,
    neck=(0.125, 0.10), skull=0.42, head=heads.dog_head, tail=tails.wagging_tail(0.36, 0.038),
)  # fmt: skip
_PUPPY = Breed(
    frame=Frame(length=0.40, spine=0.40, hip=0.34, head=(0.13, 0.26), stride=0.30,
                walk_hertz=1.6, run_hertz=2.7),
    chest=0.165, waist=0.150, rump=0.150, leg=0.078, shank=0.048, paw=0.074,
    neck=(0.13, 0.12), skull=0.60, head=heads.dog_head, tail=tails.wagging_tail(0.26, 0.036),
)  # fmt: skip
_FOX = Breed(
    frame=Frame(length=0.52, spine=0.46, hip=0.43, head=(0.17, 0.20), stride=0.42),
    chest=0.130, waist=0.105, rump=0.120, leg=0.058, shank=0.028, paw=0.05,
    neck=(0.11, 0.09), skull=0.44, shift=0.15, head=heads.fox_head, tail=tails.bushy_tail(0.62),
)  # fmt: skip
_HORSE = Breed(
    frame=Frame(length=0.50, spine=0.575, hip=0.55, head=(0.25, 0.30), stride=0.46,
                walk_hertz=0.95, run_hertz=1.9, flex=0.4, pitch=0.026, rise=0.105, sits=False),
    chest=0.140, waist=0.128, rump=0.140, leg=0.080, shank=0.026, hoof=True,
    neck=(0.125, 0.072), crest=0.035, skull=0.24, shift=0.07, head=grazers.horse_head,
    tail=tails.flowing_tail(0.46), belly=False,
)  # fmt: skip
_DEER = Breed(
    frame=Frame(length=0.38, spine=0.46, hip=0.44, head=(0.15, 0.26), stride=0.36,
                walk_hertz=1.05, run_hertz=2.0, flex=0.6, pitch=0.026, rise=0.105, sits=False),
    chest=0.100, waist=0.092, rump=0.102, leg=0.055, shank=0.017, hoof=True,
    neck=(0.072, 0.045), crest=0.01, skull=0.185, head=grazers.deer_head,
    tail=tails.stub_tail(0.03, mark=True), coat=tails.spots,
)  # fmt: skip
_COW = Breed(
    frame=Frame(length=0.66, spine=0.58, hip=0.48, head=(0.27, 0.13), stride=0.40,
                walk_hertz=0.85, run_hertz=1.7, flex=0.3, pitch=0.026, rise=0.105, sits=False),
    chest=0.205, waist=0.215, rump=0.195, leg=0.088, shank=0.036, hoof=True,
    neck=(0.16, 0.11), skull=0.38, shift=0.06, head=grazers.cow_head, tail=tails.rope_tail(0.5),
    coat=tails.patches, belly=False,
)  # fmt: skip
_SHEEP = Breed(
    frame=Frame(length=0.50, spine=0.54, hip=0.42, head=(0.26, 0.18), stride=0.32,
                walk_hertz=1.2, run_hertz=2.2, flex=0.4, pitch=0.026, rise=0.105, sits=False),
    chest=0.20, waist=0.225, rump=0.20, leg=0.052, shank=0.032, hoof=True,
    neck=(0.12, 0.10), skull=0.40, head=grazers.sheep_head, tail=tails.stub_tail(0.07),
    coat=tails.wool, belly=False, socks=True,
)  # fmt: skip
_BEAR = Breed(
    frame=Frame(length=0.58, spine=0.54, hip=0.46, head=(0.28, 0.16), stride=0.36,
                walk_hertz=0.95, run_hertz=1.8, flex=0.7),
    chest=0.25, waist=0.245, rump=0.24, leg=0.125, shank=0.072, paw=0.105,
    neck=(0.20, 0.15), skull=0.44, head=heads.bear_head, tail=tails.stub_tail(0.05), belly=False,
)  # fmt: skip
_PANDA = Breed(
    frame=_BEAR.frame,
    chest=0.25, waist=0.26, rump=0.245, leg=0.130, shank=0.076, paw=0.105,
    neck=(0.19, 0.16), skull=0.52, head=heads.panda_head, tail=tails.stub_tail(0.05),
    coat=tails.shoulders, belly=False, socks=True,
)  # fmt: skip
_ELEPHANT = Breed(
    frame=Frame(length=0.50, spine=0.58, hip=0.46, head=(0.26, 0.13), stride=0.30,
                walk_hertz=0.7, run_hertz=1.2, gallops=False, sits=False),
    chest=0.265, waist=0.285, rump=0.265, leg=0.125, shank=0.088, paw=0.100,
    neck=(0.20, 0.17), skull=0.50, head=grazers.elephant_head, tail=tails.rope_tail(0.40),
    belly=False,
)  # fmt: skip
_TIGER = Breed(
    frame=Frame(length=0.66, spine=0.54, hip=0.47, head=(0.25, 0.18), stride=0.44,
                walk_hertz=1.0, run_hertz=2.0),
    chest=0.195, waist=0.165, rump=0.180, leg=0.100, shank=0.056, paw=0.085,
    neck=(0.17, 0.14), skull=0.46, shift=0.16, head=heads.tiger_head,
    tail=tails.curled_tail(0.72, 0.036, tip=False), coat=tails.stripes,
)  # fmt: skip
_LION = Breed(
    frame=Frame(length=0.60, spine=0.50, hip=0.44, head=(0.25, 0.16), stride=0.42,
                walk_hertz=1.0, run_hertz=2.0),
    chest=0.180, waist=0.145, rump=0.160, leg=0.090, shank=0.050, paw=0.080,
    neck=(0.16, 0.14), skull=0.42, chin=0.74, shift=0.13, head=heads.lion_head,
    tail=tails.curled_tail(0.62, 0.026, tip=True), belly=False,
)  # fmt: skip
_RABBIT = Breed(
    frame=Frame(length=0.26, spine=0.26, hip=0.20, head=(0.14, 0.22), stride=0.26,
                walk_hertz=1.7, run_hertz=2.5, flex=1.6),
    chest=0.130, waist=0.165, rump=0.175, leg=0.075, shank=0.038, paw=0.080,
    neck=(0.11, 0.10), skull=0.36, head=heads.rabbit_head, tail=tails.stub_tail(0.065, mark=True),
    default="run",
)  # fmt: skip
_CAMEL = Breed(
    frame=Frame(length=0.42, spine=0.57, hip=0.56, head=(0.29, 0.31), stride=0.42,
                walk_hertz=0.8, run_hertz=1.6, flex=0.2, pitch=0.026, rise=0.105, sits=False),
    chest=0.125, waist=0.130, rump=0.115, leg=0.070, shank=0.027, paw=0.052,
    neck=(0.085, 0.055), crest=-0.10, skull=0.24, head=grazers.camel_head,
    tail=tails.rope_tail(0.30), coat=tails.humps, belly=False,
)  # fmt: skip


def _run_speed(frame: Frame) -> float:
    if not frame.gallops:
        return frame.stride / 0.64 * frame.run_hertz
    return frame.stride * 1.75 / 0.30 * frame.run_hertz


def _kind(
    breed: Breed, body: Color, accent: Color, natural_height: float, aspect: float
) -> SubjectKind:
    def draw(fig: Figure) -> None:
        draw_quadruped(fig, breed)

    frame = breed.frame
    return SubjectKind(
        draw=draw,
        aspect=aspect,
        habitat="ground",
        speed=round(frame.stride / 0.64 * frame.walk_hertz, 2),
        run_speed=round(_run_speed(frame), 2),
        default_colors=(body, accent),
        natural_height=natural_height,
        default_action=breed.default,
    )


KINDS: Mapping[str, SubjectKind] = MappingProxyType(
    {
        "cat": _kind(_CAT, (226, 144, 72), (252, 232, 206), 0.4, 1.65),
        "kitten": _kind(_KITTEN, (150, 146, 152), (240, 238, 236), 0.3, 1.55),
        "dog": _kind(_DOG, (196, 136, 78), (250, 236, 214), 0.52, 1.4),
        "puppy": _kind(_PUPPY, (222, 170, 108), (255, 244, 226), 0.34, 1.3),
        "horse": _kind(_HORSE, (142, 84, 52), (58, 36, 32), 1.3, 1.35),
        "fox": _kind(_FOX, (224, 112, 48), (250, 244, 236), 0.4, 1.75),
        "rabbit": _kind(_RABBIT, (188, 168, 150), (250, 246, 240), 0.3, 0.85),
        "bear": _kind(_BEAR, (116, 78, 54), (186, 146, 110), 0.85, 1.4),
        "panda": _kind(_PANDA, (246, 244, 238), (42, 42, 48), 0.8, 1.4),
        "elephant": _kind(_ELEPHANT, (142, 148, 162), (196, 170, 172), 1.75, 1.6),
        "deer": _kind(_DEER, (182, 122, 74), (248, 236, 216), 1.1, 0.85),
        "cow": _kind(_COW, (248, 244, 236), (66, 54, 52), 0.95, 1.6),
        "sheep": _kind(_SHEEP, (246, 240, 228), (66, 58, 60), 0.62, 1.2),
        "tiger": _kind(_TIGER, (238, 146, 52), (254, 240, 218), 0.72, 2.0),
        "lion": _kind(_LION, (226, 172, 94), (150, 84, 40), 0.78, 1.85),
        "camel": _kind(_CAMEL, (206, 160, 104), (196, 72, 62), 1.35, 1.2),
    }
)
