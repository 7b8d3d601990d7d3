"""From shots to frames: builds each scene's layers once, then draws them moment by moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from kinogate.engines.preview.acting import Actors
from kinogate.engines.preview.build import Build
from kinogate.engines.preview.camera import Operator, closest
from kinogate.engines.preview.canvas import Canvas, Color, mix
from kinogate.engines.preview.casting import cast_parts, is_followed
from kinogate.engines.preview.effects import Fireworks, SkyLanterns
from kinogate.engines.preview.layers import LIGHT_SCALE, Frame, Layer
from kinogate.engines.preview.palette import choose_palette
from kinogate.engines.preview.places import PLACES
from kinogate.engines.preview.places.base import Stage
from kinogate.engines.preview.places.road import rails
from kinogate.engines.preview.shots import Shot
from kinogate.engines.preview.sky import Aurora, Clouds, Rainbow, Sky, Stars, Sun
from kinogate.engines.preview.spec import Camera, Place, SceneSpec, Season, Time, Weather
from kinogate.engines.preview.weather import Drift, Fireflies, Fog, Lightning, Rain, Snow

_BARE = frozenset({Place.DESERT, Place.SEA, Place.BEACH, Place.SNOWFIELD, Place.CITY})


def scene_frames(shots: Sequence[Shot], width: int, height: int, fps: int) -> Iterator[Canvas]:
    """Yield every frame of the shots in order, `shots[-1].end_frame` in all.

    Args:
        shots: As `plan_shots` gives them.
        width: Picture width in pixels, at least 16.
        height: Picture height in pixels, at least 16.
        fps: Frames per second, at least 1.

    Yields:
        `[H, W, 3]` uint8 RGB, C-contiguous. The array is overwritten by the next step: use it or
        copy it before going on.
    """
    canvas: Canvas = np.zeros((height, width, 3), dtype=np.uint8)
    for shot in shots:
        scene = Scene(shot, width, height, fps)
        for number in range(shot.end_frame - shot.start_frame):
            scene.draw(canvas, number / fps)
            yield canvas
        del scene  # before the next one is built: one scene in memory at a time


class Scene:
    """One shot, built and ready to be drawn at any moment of it."""

    def __init__(self, shot: Shot, width: int, height: int, fps: int) -> None:
        spec = shot.spec
        duration = max(1, shot.end_frame - shot.start_frame) / fps
        palette = choose_palette(spec.time, spec.weather, shot.seed)
        rng = np.random.default_rng([shot.seed & 0xFFFFFFFF, list(Place).index(spec.place)])
        sun = _sun_place(spec, rng, width / height)
        build = Build(
            spec=spec,
            palette=palette,
            rng=rng,
            cast_seed=shot.cast_seed,
            width=width,
            height=height,
            sun=sun,
            facing=shot.facing,
            zoom=closest(spec.camera, shot.closeness),
            roams=is_followed(spec)
            or spec.camera in (Camera.PAN_LEFT, Camera.PAN_RIGHT, Camera.ORBIT),
        )
        stage = PLACES[spec.place](build)
        palette = build.palette
        parts = cast_parts(build, stage)
        focus = parts[-1].focus if parts else (0.1, 0.6)
        self.operator = Operator(
            move=spec.camera,
            width=width,
            height=height,
            duration=duration,
            facing=shot.facing,
            speed=next((part.speed for part in parts if part.is_followed), 0.0),
            focus=focus,
            closeness=shot.closeness,
            steady=stage.steady,
        )
        self._layers: list[Layer] = [
            *_heavens(build, stage),
            *_spectacles(build, stage),
            *stage.back,
            *(_air(build, stage) if stage.inside else ()),
            *stage.inside,
            *([rails(build, stage)] if _has_train(spec) else ()),
            Actors(parts, palette, stage, duration),
            *stage.front,
            *(() if stage.inside else _air(build, stage)),
        ]
        self._light = np.zeros(
            (max(1, height // LIGHT_SCALE), max(1, width // LIGHT_SCALE), 3), dtype=np.uint8
        )
        self._vignette = _vignette(width, height, rng)

    def draw(self, canvas: Canvas, t: float) -> None:
        """Draw the moment `t` seconds into the shot over the whole canvas."""
        self._light.fill(0)
        frame = Frame(canvas=canvas, t=t, view=self.operator.view(t), light=self._light)
        for layer in self._layers:
            layer.draw(frame)
        if frame.is_lit:
            soft = cv2.blur(self._light, (3, 3))
            size = (canvas.shape[1], canvas.shape[0])
            cv2.add(canvas, cv2.resize(soft, size, interpolation=cv2.INTER_LINEAR), dst=canvas)
        cv2.multiply(canvas, self._vignette, dst=canvas, scale=1 / 255)


def _sun_place(spec: SceneSpec, rng: np.random.Generator, aspect: float) -> tuple[float, float]:
    side = 1.0 if rng.random() < 0.6 else -1.0
    away = min(0.52, aspect * 0.30) * rng.uniform(0.7, 1.0) * side
    height = {
        Time.DAWN: 0.56,
        Time.MORNING: 0.36,
        Time.NOON: 0.10,
        Time.SUNSET: 0.55,
        Time.DUSK: 0.66,
        Time.NIGHT: 0.20,
    }[spec.time]
    return away, height + rng.uniform(-0.02, 0.02)


def _heavens(build: Build, stage: Stage) -> list[Layer]:
    if not stage.has_sky:
        return []
    spec, palette, rng = build.spec, build.palette, build.rng
    size = (build.width, build.height)
    hidden = spec.weather in (Weather.RAIN, Weather.STORM, Weather.SNOW, Weather.SANDSTORM)
    layers: list[Layer] = [Sky(palette, size, build.sun, stage.horizon, rng)]
    is_night = spec.time is Time.NIGHT
    clear = spec.weather in (Weather.CLEAR, Weather.WIND, Weather.CLOUDY)
    if (is_night or "stars" in spec.extras) and clear:
        count = 300 if "stars" in spec.extras else 170
        layers.append(
            Stars(build.aspect, rng, stage.horizon, round(count * min(1.3, build.aspect)))
        )
    elif spec.time is Time.DUSK and clear:
        layers.append(Stars(build.aspect, rng, 0.34, 40))
    if (
        stage.has_sun
        and not hidden
        and spec.weather is not Weather.FOG
        and spec.time is not Time.DUSK
    ):
        radius = {Time.NIGHT: 0.052, Time.NOON: 0.040, Time.SUNSET: 0.072}.get(spec.time, 0.052)
        layers.append(Sun(palette, *build.sun, radius, is_moon=is_night))
    if "aurora" in spec.extras:
        layers.append(Aurora(rng, stage.horizon))
    amount = {
        Weather.CLEAR: 0.25,
        Weather.WIND: 0.4,
        Weather.CLOUDY: 0.9,
        Weather.RAIN: 0.9,
        Weather.STORM: 1.0,
        Weather.SNOW: 0.4,
    }.get(spec.weather, 0.0)
    if "aurora" in spec.extras or "stars" in spec.extras:
        amount = 0.0
    if amount:
        top = 0.06 if amount < 0.8 else 0.0
        layers.append(
            Clouds(
                palette,
                size,
                rng,
                amount=amount,
                top=top,
                bottom=stage.horizon * 0.70,
                sun=build.sun,
                wind=build.wind,
            )
        )
    if "rainbow" in spec.extras:
        layers.append(Rainbow())
    return layers


def _has_train(spec: SceneSpec) -> bool:
    return any(subject.kind == "train" for subject in spec.subjects)


def _spectacles(build: Build, stage: Stage) -> list[Layer]:
    """What lights up the sky behind the land."""
    layers: list[Layer] = []
    if "fireworks" in build.spec.extras and stage.has_sky:
        layers.append(Fireworks(build.aspect, build.rng, stage.horizon))
    if "lanterns" in build.spec.extras and stage.has_sky:
        layers.append(SkyLanterns(build.aspect, build.rng, stage.horizon))
    return layers


def _air(build: Build, stage: Stage) -> list[Layer]:
    """What hangs or falls between the camera and the scene."""
    spec, palette, rng = build.spec, build.palette, build.rng
    layers: list[Layer] = []
    if not stage.has_sky:
        return layers
    if spec.weather in (Weather.RAIN, Weather.STORM):
        layers.append(Rain(palette, build.aspect, rng, heavy=spec.weather is Weather.STORM))
    if spec.weather is Weather.STORM:
        layers.append(Lightning(build.aspect, rng, stage.horizon))
    if spec.weather is Weather.SNOW:
        flake = mix(palette.haze, (255, 255, 255), 0.55 if palette.is_dark else 0.8)
        layers.append(Snow(build.aspect, rng, flake, 190))
    if spec.weather is Weather.FOG:
        layers.append(Fog(palette.haze, rng, top=0.35, bottom=0.95, strength=0.75))
    if spec.weather is Weather.SANDSTORM:
        sand = palette.lit((236, 190, 124))
        layers.append(Fog(sand, rng, top=0.0, bottom=1.0, strength=0.6, speed=0.3))
        layers.append(
            Drift(
                build.aspect,
                rng,
                (sand, palette.lit((190, 130, 76))),
                count=110,
                size=0.0035,
                speed=0.9,
                fall=0.05,
            )
        )
    layers += _drifting(build)
    if "fireflies" in spec.extras:
        layers.append(Fireflies(build.aspect, rng))
    return layers


def _drifting(build: Build) -> list[Layer]:
    spec, palette, rng = build.spec, build.palette, build.rng
    is_windy = spec.weather in (Weather.WIND, Weather.STORM)
    colors: tuple[Color, ...] | None = None
    if "petals" in spec.extras:
        colors = ((255, 196, 214), (250, 170, 196), (255, 226, 234))
    elif "leaves" in spec.extras or (is_windy and spec.season is not Season.WINTER):
        colors = (*build.leaves()[1:], (226, 132, 48))
    elif spec.season is Season.AUTUMN and spec.place in (
        Place.FOREST,
        Place.GARDEN,
        Place.PAVILION,
    ):
        colors = build.leaves()
    elif spec.season is Season.SPRING and spec.place in (Place.GARDEN, Place.PAVILION):
        colors = ((255, 196, 214), (250, 170, 196), (255, 226, 234))
    if is_windy and spec.place in _BARE:  # no tree for miles: the wind carries dust or spray
        grains = (mix(palette.haze, palette.lit((240, 214, 170)), 0.5), palette.cloud_lit)
        return [Drift(build.aspect, rng, grains, count=60, size=0.0032, speed=0.8, fall=0.04)]
    if colors is None:
        return []
    lit = tuple(palette.lit(color) for color in colors)
    speed, fall = (0.42, 0.06) if is_windy else (0.07, 0.06)
    return [
        Drift(
            build.aspect,
            rng,
            lit,
            count=46 if is_windy else 30,
            size=0.0095,
            speed=speed,
            fall=fall,
        )
    ]


def _vignette(width: int, height: int, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Darker corners, with a fixed grain so that flat colours do not band."""
    x = np.linspace(-1, 1, width // 4, dtype=np.float32)
    y = np.linspace(-1, 1, height // 4, dtype=np.float32)
    far = np.clip(np.hypot(x[None, :] * 0.86, y[:, None] * 0.86) - 0.55, 0, 1)
    mask = (255 - 96 * far**1.6).astype(np.float32)
    full = cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR)
    noise = rng.random((height, width), dtype=np.float32) * 1.6 - 0.8
    grey = np.clip(full + noise + 0.5, 0, 255).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)
