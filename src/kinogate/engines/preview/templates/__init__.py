"""The effect templates of the model catalogue (§5 of its document): one picture, one known motion.

Each is drawn by code so that a caller can see which effect was asked for; none claims to look like
the vendor's. What an effect works on is in `stage.py`; the effects are grouped by what they do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

import cv2

from kinogate.engines.preview.canvas import Canvas
from kinogate.engines.preview.templates import (
    dance,
    love,
    matter,
    mech,
    party,
    rubber,
    sea,
    transform,
    wonder,
)
from kinogate.engines.preview.templates.stage import Shot, Stage

Effect = Callable[[Stage], Shot]

TEMPLATES: Mapping[str, Effect] = MappingProxyType(
    {
        "squish": rubber.squish,
        "rotation": rubber.rotation,
        "poke": rubber.poke,
        "inflate": rubber.inflate,
        "dissolve": matter.dissolve,
        "melt": matter.melt,
        "icecream": matter.icecream,
        "carousel": party.carousel,
        "singleheart": love.singleheart,
        "dance1": dance.dance1,
        "dance2": dance.dance2,
        "dance3": dance.dance3,
        "dance4": dance.dance4,
        "dance5": dance.dance5,
        "mermaid": sea.mermaid,
        "graduation": party.graduation,
        "dragon": wonder.dragon,
        "money": party.money,
        "jellyfish": sea.jellyfish,
        "pupil": wonder.pupil,
        "flying": wonder.flying,
        "rose": love.rose,
        "crystalrose": love.crystalrose,
        "hug": love.hug,
        "frenchkiss": love.frenchkiss,
        "coupleheart": love.coupleheart,
        "hanfu-1": transform.hanfu,
        "solaron": transform.solaron,
        "magazine": transform.magazine,
        "mech1": mech.mech1,
        "mech2": mech.mech2,
    }
)
"""Every template of the catalogue by its name there."""

_ALSO = MappingProxyType({"hufu-1": "hanfu-1"})  # one of the vendor's pages spells it so
_BLEND_IN_S = 0.3


def template_frames(
    name: str,
    image: Canvas,
    seed: int,
    width: int,
    height: int,
    fps: int,
    frame_count: int,
) -> Iterator[Canvas]:
    """Make the clip of an effect.

    Args:
        name: A key of `TEMPLATES`, or "hufu-1" for "hanfu-1".
        image: `[h, w, 3]` uint8 RGB of any size, upright, its subject near the middle.
        seed: Decides what the effect leaves to chance; same arguments, same bytes.
        width: Pixels.
        height: Pixels.
        fps: Frames a second.
        frame_count: How many frames are yielded, exactly.

    Yields:
        Fresh `[height, width, 3]` frames; the first equals `fit_cover(image, width, height)`.

    Raises:
        KeyError: There is no such template.
    """
    effect = TEMPLATES[_ALSO.get(name, name)]
    stage = Stage(image, seed, width, height, fps=fps, frame_count=frame_count)
    if frame_count > 0:
        yield stage.still.copy()
    shot = effect(stage)
    for i in range(1, frame_count):
        frame = shot(i / fps)
        share = 0.3 + 0.7 * i / fps / _BLEND_IN_S
        if share < 1.0:
            # The cut-out's rim differs a little from the picture: let it come in unseen, yet not
            # so gently that the first frames round to the same bytes.
            cv2.addWeighted(frame, share, stage.still, 1.0 - share, 0.0, dst=frame)
        yield frame
