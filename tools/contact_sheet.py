"""Draw contact sheets of the built-in preview engine, to be judged by looking.

python tools/contact_sheet.py t2v --out docs/pictures/preview-t2v.jpg
python tools/contact_sheet.py motion "a kitten runs in the moonlight" --out strip.jpg
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from kinogate.engines.preview.canvas import Canvas
from kinogate.engines.preview.render import scene_frames
from kinogate.engines.preview.shots import plan_shots

PROMPTS = (
    "A kitten running in the moonlight",
    "dance",
    "a sailboat on the ocean at sunset, pan right",
    "rainy neon city at night, zoom in",
    "hot air balloon over mountains in the morning",
    "an old man walks with a dog on the beach",
    "snow falling in a pine forest, a woman walking",
    "astronaut on the moon",
    "a whale underwater",
    "spring garden with butterflies",
    "desert caravan at noon",
    "train through autumn forest",
    "Chinese pavilion by a lake in the mist",
    "fireworks over the city",
    "a red car on a mountain road",
    "a girl with a red umbrella in the rain",
    "aurora over snowy mountains",
    "a lighthouse in a storm",
    "children fly a kite on the meadow",
    "a cup of coffee by the window, rain outside",
    "a rocket launch",
    "fish and coral reef",
    "horse galloping across the prairie at dawn",
    "一只狐狸在雪地里奔跑",
    "a cat sits by the window at night",
    "sky lanterns over the lake at night",
    "rainbow over the farm",
)
_FPS = 24
_SECONDS = 5


def frames_of(
    prompt: str, size: tuple[int, int], numbers: Sequence[int], seed: int
) -> list[Canvas]:
    """Copies of the frames with these numbers from a five-second clip."""
    shots = plan_shots(prompt, "", seed, _SECONDS * _FPS, _FPS, multi=False)
    wanted, found = set(numbers), []
    for number, frame in enumerate(scene_frames(shots, *size, _FPS)):
        if number in wanted:
            found.append(frame.copy())
        if number >= max(numbers):
            break
    return found


def grid(pictures: Sequence[Canvas], columns: int) -> Canvas:
    """Pictures of one size, laid out row by row; the last row is filled with black."""
    blank = np.zeros_like(pictures[0])
    padded = [*pictures, *[blank] * (-len(pictures) % columns)]
    rows = [np.hstack(padded[start : start + columns]) for start in range(0, len(padded), columns)]
    return np.vstack(rows)


def save(picture: Canvas, out: Path, quality: int) -> None:
    """Write an RGB picture as JPEG."""
    out.parent.mkdir(parents=True, exist_ok=True)
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(out), bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])


def t2v(options: argparse.Namespace) -> None:
    """One still from each of the sample prompts, about a second and a half into the clip."""
    stills = [frames_of(prompt, (960, 540), [38], options.seed)[0] for prompt in PROMPTS]
    small = [
        np.asarray(cv2.resize(still, (480, 270), interpolation=cv2.INTER_AREA), dtype=np.uint8)
        for still in stills
    ]
    save(grid(small, 3), options.out, 80)


def motion(options: argparse.Namespace) -> None:
    """Six frames of one prompt, a fifth of a second apart."""
    numbers = [24 + step * 5 for step in range(6)]
    strip = frames_of(options.prompt, (options.width, options.height), numbers, options.seed)
    save(grid(strip, 3), options.out, 85)


def main() -> None:
    """Run the chosen subcommand."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    sheet = commands.add_parser("t2v", help="stills of many prompts")
    sheet.add_argument("--out", type=Path, default=Path("docs/pictures/preview-t2v.jpg"))
    sheet.add_argument("--seed", type=int, default=7)
    sheet.set_defaults(run=t2v)
    strip = commands.add_parser("motion", help="six frames of one prompt")
    strip.add_argument("prompt")
    strip.add_argument("--out", type=Path, required=True)
    strip.add_argument("--seed", type=int, default=7)
    strip.add_argument("--width", type=int, default=640)
    strip.add_argument("--height", type=int, default=360)
    strip.set_defaults(run=motion)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
