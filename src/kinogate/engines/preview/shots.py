"""Cutting a clip into shots: one for a plain request, two to four when several are asked for.

Which frames belong to which scene plan; what a plan looks like is drawn elsewhere.
"""

from __future__ import annotations

import random
import zlib
from dataclasses import dataclass, replace

from kinogate.engines.preview.scene import Camera, SceneSpec, Time, plan_scene

_MAX_SHOTS = 4
_NEXT_TIME = {
    Time.DAWN: Time.MORNING,
    Time.MORNING: Time.NOON,
    Time.NOON: Time.SUNSET,
    Time.SUNSET: Time.DUSK,
    Time.DUSK: Time.NIGHT,
    Time.NIGHT: Time.NIGHT,
}
_CUTS = (
    Camera.ZOOM_IN,
    Camera.TRACKING,
    Camera.ORBIT,
    Camera.CRANE,
    Camera.PAN_RIGHT,
    Camera.PAN_LEFT,
    Camera.ZOOM_OUT,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One uncut stretch of a clip.

    Attributes:
        spec: What it shows.
        start_frame: First frame, counted from the start of the clip.
        end_frame: One past its last frame.
        seed: Chooses everything the plan leaves open.
        closeness: Framing: 1.0 is the plan's own, more is closer to the subject.
        facing: Way the leading subject goes in all shots of a clip, +1 right, -1 left.
        cast_seed: Chooses how the individuals look, the same in all shots of a clip.
    """

    spec: SceneSpec
    start_frame: int
    end_frame: int
    seed: int
    closeness: float = 1.0
    facing: int = 1
    cast_seed: int = 0


def plan_shots(
    prompt: str,
    negative_prompt: str,
    seed: int,
    frame_count: int,
    fps: int,
    *,
    multi: bool,
) -> tuple[Shot, ...]:
    """Plan a clip of `frame_count` frames; the shots follow each other without gap or overlap.

    Args:
        prompt: See `plan_scene`.
        negative_prompt: See `plan_scene`.
        seed: See `plan_scene`.
        frame_count: Frames in the clip, at least 1.
        fps: Frames per second.
        multi: Two to four shots with hard cuts, each of a second or more where the clip allows.
    """
    spec = plan_scene(prompt, negative_prompt, seed)
    count = _shot_count(frame_count, fps) if multi else 1
    edges = [round(frame_count * index / count) for index in range(count + 1)]
    chance = random.Random(f"{seed}:shots")
    facing = _facing(spec.camera, seed)
    against = Camera.PAN_LEFT if facing > 0 else Camera.PAN_RIGHT
    cameras = [camera for camera in _CUTS if camera not in (spec.camera, against)]
    chance.shuffle(cameras)
    shots = []
    time = spec.time
    for index in range(count):
        framed = spec
        closeness = 1.0
        if index:
            if index >= 2:  # the story moves on only after its first two shots share one hour
                time = _NEXT_TIME[time]
            framed = replace(spec, camera=cameras[index - 1], time=time)
            closeness = (1.45, 0.85, 1.2)[index - 1]
        shots.append(
            Shot(
                spec=framed,
                start_frame=edges[index],
                end_frame=edges[index + 1],
                seed=_layout_seed(spec, seed, index),
                closeness=closeness,
                facing=facing,
                cast_seed=seed,
            )
        )
    return tuple(shots)


def _layout_seed(spec: SceneSpec, seed: int, index: int) -> int:
    """By what the layout is drawn: the subjects count, the hour does not.

    A cat and a dog of one seed should not stand in the very same meadow; a scene by day and by
    night should.
    """
    kinds = ",".join(subject.kind for subject in spec.subjects)
    return zlib.crc32(f"{seed}:{index}:{spec.place}:{kinds}".encode())


def _facing(camera: Camera, seed: int) -> int:
    """A pan goes along with the subject; without one the seed decides."""
    if camera in (Camera.PAN_LEFT, Camera.PAN_RIGHT):
        return 1 if camera is Camera.PAN_RIGHT else -1
    return 1 if seed % 3 else -1


def _shot_count(frame_count: int, fps: int) -> int:
    seconds = frame_count / fps
    return max(1, min(_MAX_SHOTS, int(seconds), 2 if seconds < 4 else 3 if seconds < 9 else 4))
