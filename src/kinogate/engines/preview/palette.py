"""Colour and light of a scene: one palette per time of day, bent by the weather.

Things have their daylight colour; `Palette.lit` says how they look at a distance under this light,
so that everything in a picture agrees.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from kinogate.engines.preview.canvas import Color, mix
from kinogate.engines.preview.spec import Season, Time, Weather

Stops = tuple[tuple[float, Color], ...]
"""Sky colours from the zenith (0.0) to the horizon (1.0)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """The light of one scene.

    Attributes:
        sky: Sky gradient.
        haze: What far things fade to.
        tint: Multiplies daylight colours, per channel.
        sun: Colour of the sun's or the moon's disc.
        glow: Light it spreads, as added to the sky.
        cloud_lit: Sunny side of clouds.
        cloud_shade: Other side of clouds.
        rim: Edge light on subjects, or None.
        haze_amount: 0.0 a crisp day, 1.0 thick fog.
        is_dark: Lamps and windows are lit.
    """

    sky: Stops
    haze: Color
    tint: tuple[float, float, float]
    sun: Color
    glow: Color
    cloud_lit: Color
    cloud_shade: Color
    rim: Color | None
    haze_amount: float
    is_dark: bool

    def lit(self, color: Color, depth: float = 1.0, light: float = 1.0) -> Color:
        """A daylight `color` at `depth` (0.0 far – 1.0 near and beyond) under this light."""
        red, green, blue = (
            min(255, round(channel * share * light))
            for channel, share in zip(color, self.tint, strict=True)
        )
        reach = (1.0 - min(1.0, depth)) ** 1.4
        fade = min(0.96, reach * (0.62 + 0.62 * self.haze_amount))
        return mix((red, green, blue), self.haze, fade)


_TIMES: dict[Time, Palette] = {
    Time.DAWN: Palette(
        sky=(
            (0.0, (48, 66, 128)),
            (0.38, (118, 112, 170)),
            (0.68, (222, 150, 166)),
            (0.88, (252, 192, 152)),
            (1.0, (255, 218, 172)),
        ),
        haze=(232, 178, 172),
        tint=(0.78, 0.62, 0.70),
        sun=(255, 240, 205),
        glow=(120, 72, 34),
        cloud_lit=(255, 206, 180),
        cloud_shade=(158, 128, 172),
        rim=(255, 206, 160),
        haze_amount=0.32,
        is_dark=False,
    ),
    Time.MORNING: Palette(
        sky=(
            (0.0, (58, 134, 206)),
            (0.45, (126, 190, 232)),
            (0.8, (206, 228, 232)),
            (1.0, (255, 234, 200)),
        ),
        haze=(214, 226, 226),
        tint=(1.0, 0.95, 0.86),
        sun=(255, 250, 225),
        glow=(88, 64, 30),
        cloud_lit=(255, 250, 238),
        cloud_shade=(176, 196, 216),
        rim=(255, 240, 205),
        haze_amount=0.22,
        is_dark=False,
    ),
    Time.NOON: Palette(
        sky=(
            (0.0, (28, 108, 200)),
            (0.5, (78, 162, 230)),
            (0.85, (158, 210, 244)),
            (1.0, (214, 236, 244)),
        ),
        haze=(186, 216, 236),
        tint=(1.0, 1.0, 0.97),
        sun=(255, 254, 240),
        glow=(60, 54, 38),
        cloud_lit=(255, 255, 255),
        cloud_shade=(184, 206, 228),
        rim=None,
        haze_amount=0.12,
        is_dark=False,
    ),
    Time.SUNSET: Palette(
        sky=(
            (0.0, (58, 44, 112)),
            (0.34, (140, 66, 126)),
            (0.62, (228, 96, 98)),
            (0.84, (255, 156, 88)),
            (1.0, (255, 204, 118)),
        ),
        haze=(242, 146, 108),
        tint=(0.72, 0.42, 0.44),
        sun=(255, 244, 196),
        glow=(130, 70, 26),
        cloud_lit=(255, 168, 112),
        cloud_shade=(142, 70, 118),
        rim=(255, 190, 110),
        haze_amount=0.3,
        is_dark=False,
    ),
    Time.DUSK: Palette(
        sky=(
            (0.0, (20, 26, 70)),
            (0.4, (52, 52, 116)),
            (0.72, (122, 84, 140)),
            (0.9, (206, 122, 134)),
            (1.0, (240, 158, 126)),
        ),
        haze=(118, 88, 136),
        tint=(0.42, 0.37, 0.52),
        sun=(255, 214, 170),
        glow=(84, 44, 36),
        cloud_lit=(196, 122, 146),
        cloud_shade=(74, 62, 118),
        rim=(236, 150, 140),
        haze_amount=0.3,
        is_dark=True,
    ),
    Time.NIGHT: Palette(
        sky=(
            (0.0, (6, 10, 34)),
            (0.45, (14, 26, 68)),
            (0.8, (30, 54, 108)),
            (1.0, (56, 88, 142)),
        ),
        haze=(34, 56, 108),
        tint=(0.25, 0.32, 0.54),
        sun=(232, 232, 220),
        glow=(40, 52, 80),
        cloud_lit=(88, 108, 160),
        cloud_shade=(24, 36, 82),
        rim=(168, 194, 240),
        haze_amount=0.22,
        is_dark=True,
    ),
}
# How much of a grey veil each weather draws over the sky, how bright it stays, and its haze.
_WEATHERS: dict[Weather, tuple[float, float, float]] = {
    Weather.CLEAR: (0.0, 1.0, 0.0),
    Weather.CLOUDY: (0.30, 0.96, 0.08),
    Weather.RAIN: (0.62, 0.66, 0.30),
    Weather.STORM: (0.74, 0.56, 0.22),
    Weather.SNOW: (0.50, 0.98, 0.20),
    Weather.FOG: (0.55, 1.0, 0.42),
    Weather.WIND: (0.08, 1.0, 0.02),
    Weather.SANDSTORM: (0.85, 0.92, 0.45),
}
_VEIL: dict[Time, Color] = {
    Time.DAWN: (178, 168, 190),
    Time.MORNING: (190, 204, 214),
    Time.NOON: (180, 196, 208),
    Time.SUNSET: (190, 132, 126),
    Time.DUSK: (92, 88, 124),
    Time.NIGHT: (40, 52, 90),
}
_SAND: Color = (222, 164, 98)


def choose_palette(time: Time, weather: Weather, seed: int) -> Palette:
    """The light at a time of day in a weather; the seed turns the hues a little."""
    base = _TIMES[time]
    grey, bright, haze = _WEATHERS[weather]
    veil = _VEIL[time]
    if base.is_dark:  # what is dark already need not go black in the rain
        bright = 1.0 - 0.4 * (1.0 - bright)
    if weather is Weather.SANDSTORM:
        veil = mix(veil, _dim(_SAND, 0.35 if time is Time.NIGHT else 0.95), 0.85)
    nudge = random.Random(f"{seed}:hue").uniform(-1.0, 1.0)

    def bend(color: Color, share: float = 1.0) -> Color:
        turned = (color[0] + 5 * nudge, color[1] + 2 * nudge, color[2] - 7 * nudge)
        red, green, blue = (max(0, min(255, round(channel))) for channel in turned)
        return _dim(mix((red, green, blue), veil, grey * share), bright)

    dull = grey * 0.55
    mean = sum(base.tint) / 3
    tint = tuple((share * (1 - dull) + mean * dull) * (0.4 + 0.6 * bright) for share in base.tint)
    return replace(
        base,
        sky=tuple((place, bend(color)) for place, color in base.sky),
        haze=bend(base.haze),
        tint=(tint[0], tint[1], tint[2]),
        glow=_dim(base.glow, 1.0 - 0.7 * grey),
        cloud_lit=bend(base.cloud_lit, 0.6),
        cloud_shade=bend(base.cloud_shade, 0.8),
        haze_amount=min(1.0, base.haze_amount + haze),
        is_dark=base.is_dark or weather is Weather.STORM,
    )


def foliage(season: Season) -> tuple[Color, Color, Color]:
    """Dark, middle and light leaf colours of a season, in daylight."""
    match season:
        case Season.SPRING:
            return (66, 124, 66), (112, 168, 76), (170, 208, 104)
        case Season.SUMMER:
            return (34, 94, 62), (62, 132, 70), (122, 176, 84)
        case Season.AUTUMN:
            return (142, 58, 32), (206, 98, 36), (240, 162, 58)
        case Season.WINTER:
            return (52, 82, 92), (128, 158, 172), (232, 240, 246)


def grass(season: Season) -> Color:
    """Ground cover of a season, in daylight."""
    match season:
        case Season.SPRING:
            return (122, 182, 84)
        case Season.SUMMER:
            return (92, 156, 72)
        case Season.AUTUMN:
            return (186, 146, 72)
        case Season.WINTER:
            return (228, 236, 244)


def _dim(color: Color, share: float) -> Color:
    return (round(color[0] * share), round(color[1] * share), round(color[2] * share))
