"""Render every kind of figure in a labelled grid, to be judged by looking.

python tools/subject_sheet.py sheet.png [--kinds cat,dog] [--actions walk,run] [--height 150]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from kinogate.engines.preview.canvas import Canvas, Color, mix
from kinogate.engines.preview.subjects import KINDS, Pose, draw_subject

_PAPER: Color = (196, 216, 226)
_GROUND: Color = (176, 196, 190)
_INK: Color = (50, 56, 66)


def cell(kind: str, action: str, t: float, height: float, *, night: bool, facing: int) -> Canvas:
    """One figure standing in its own little picture."""
    subject = KINDS[kind]
    wide = max(int(height * (subject.aspect + 0.5)), int(height * 0.8), 60)
    tall = int(height * 1.45)
    canvas = np.zeros((tall, wide, 3), np.uint8)
    canvas[:] = (24, 32, 58) if night else _PAPER
    ground = int(tall * 0.86)
    canvas[ground:] = (16, 22, 40) if night else _GROUND
    body, accent = subject.default_colors
    if night:
        body, accent = mix(body, (20, 26, 50), 0.55), mix(accent, (20, 26, 50), 0.5)
    pose = Pose(
        x=wide / 2,
        ground_y=ground + height * 0.03,
        height=height,
        t=t,
        action=action,
        facing=facing,
        body=body,
        accent=accent,
        shade=mix(body, (24, 24, 56), 0.62),
        rim=(190, 206, 240) if night else None,
        light=(120, 132, 168) if night else None,
        seed=int(t * 10) // 7,
    )
    draw_subject(canvas, kind, pose)
    label = f"{kind} {action}"
    cv2.putText(canvas, label, (4, 11), cv2.FONT_HERSHEY_SIMPLEX, 0.34, _INK, 1, cv2.LINE_AA)
    return canvas


def sheet(cells: list[Canvas], width: int) -> Canvas:
    """Pack cells into rows no wider than `width`."""
    rows: list[list[Canvas]] = [[]]
    for one in cells:
        if rows[-1] and sum(c.shape[1] + 4 for c in rows[-1]) + one.shape[1] > width:
            rows.append([])
        rows[-1].append(one)
    strips = []
    for row in rows:
        tall = max(c.shape[0] for c in row) + 4
        strip = np.full((tall, width, 3), 255, np.uint8)
        x = 0
        for one in row:
            right = min(width, x + one.shape[1])
            strip[: one.shape[0], x:right] = one[:, : right - x]
            x += one.shape[1] + 4
        strips.append(strip)
    return np.concatenate(strips)


def main() -> None:
    """Write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--kinds", default="")
    parser.add_argument("--actions", default="")
    parser.add_argument("--height", type=float, default=150.0)
    parser.add_argument("--phases", type=int, default=3)
    parser.add_argument("--step", type=float, default=0.23)
    parser.add_argument("--width", type=int, default=1500)
    parser.add_argument("--night", action="store_true")
    parser.add_argument("--left", action="store_true")
    options = parser.parse_args()
    kinds = options.kinds.split(",") if options.kinds else list(KINDS)
    cells = []
    for kind in kinds:
        actions = options.actions.split(",") if options.actions else [KINDS[kind].default_action]
        cells += [
            cell(
                kind,
                action,
                0.4 + phase * options.step,
                options.height,
                night=options.night,
                facing=-1 if options.left else 1,
            )
            for action in actions
            for phase in range(options.phases)
        ]
    image = cv2.cvtColor(sheet(cells, options.width), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(options.path), image)


if __name__ == "__main__":
    main()
