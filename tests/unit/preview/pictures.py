"""Small pictures with enough texture to see a motion in, and a way to measure that motion."""

import cv2
import numpy as np


def textured(width=320, height=180, seed=1):
    """Soft coloured clouds and discs; never darker than 60."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(70, 230, (max(2, height // 20), max(2, width // 20), 3), dtype=np.uint8)
    picture = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(12):
        center = (int(rng.integers(width)), int(rng.integers(height)))
        color = tuple(int(c) for c in rng.integers(60, 250, 3))
        cv2.circle(picture, center, max(2, height // 14), color, -1, cv2.LINE_AA)
    return np.clip(picture, 60, 255)


def person(width=320, height=180):
    """A head on shoulders before a plain wall, in the middle."""
    picture = np.full((height, width, 3), (150, 170, 180), dtype=np.uint8)
    middle, unit = width // 2, height
    cv2.ellipse(picture, (middle, unit), (unit // 3, unit // 3), 0, 0, 360, (40, 60, 140), -1)
    cv2.ellipse(
        picture, (middle, unit * 4 // 10), (unit // 7, unit // 5), 0, 0, 360, (226, 178, 150), -1
    )
    cv2.ellipse(
        picture, (middle, unit * 3 // 10), (unit // 7, unit // 8), 0, 180, 360, (60, 40, 30), -1
    )
    for side in (-1, 1):
        cv2.circle(
            picture, (middle + side * unit // 18, unit * 38 // 100), unit // 45, (20, 20, 20), -1
        )
    return picture


def flow(first, second):
    """`[h, w, 2]` float32: how many pixels the content moved from `first` to `second`."""
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (first, second)]
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return search.calc(grey[0], grey[1], None)


def spread(field):
    """How much a flow moves away from the middle: positive when the picture grows."""
    height, width = field.shape[:2]
    x, y = np.meshgrid(np.arange(width) - width / 2, np.arange(height) - height / 2)
    return float((field[..., 0] * x + field[..., 1] * y).mean())
