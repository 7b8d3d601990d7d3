"""Measure what drawing a text-to-video frame costs, in milliseconds of CPU time.

python tools/bench_scenes.py [--frames 60] [--size 1280x720]
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from contact_sheet import PROMPTS
from kinogate.engines.preview.render import Scene
from kinogate.engines.preview.shots import plan_shots

_FPS = 30


def measure(prompt: str, size: tuple[int, int], frames: int) -> tuple[float, float]:
    """Milliseconds to build the scene of a prompt, and to draw one of its frames."""
    (shot,) = plan_shots(prompt, "", 7, 5 * _FPS, _FPS, multi=False)
    canvas = np.zeros((size[1], size[0], 3), dtype=np.uint8)
    start = time.process_time()
    scene = Scene(shot, *size, _FPS)
    built = time.process_time()
    for number in range(frames):
        scene.draw(canvas, number / _FPS)
    return (built - start) * 1e3, (time.process_time() - built) * 1e3 / frames


def main() -> None:
    """Print one line for each sample prompt, and the mean."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--size", default="1280x720")
    options = parser.parse_args()
    width, height = (int(part) for part in options.size.split("x"))
    costs = []
    for prompt in PROMPTS:
        setup, frame = measure(prompt, (width, height), options.frames)
        costs.append(frame)
        sys.stdout.write(f"{prompt[:48]:50s} setup {setup:5.0f} ms   frame {frame:5.2f} ms\n")
    sys.stdout.write(f"mean of {len(costs)} prompts: {np.mean(costs):.2f} ms per frame\n")


if __name__ == "__main__":
    main()
