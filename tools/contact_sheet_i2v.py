"""Draw the contact sheets of image-to-video: one row per picture and move, one per effect.

Writes `docs/pictures/preview-i2v.jpg` and `docs/pictures/preview-templates.jpg`. Run it from the
root of the repository: `python tools/contact_sheet_i2v.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from kinogate.engines.preview.canvas import Canvas
from kinogate.engines.preview.keyframes import keyframe_frames
from kinogate.engines.preview.motion import image_frames
from kinogate.engines.preview.sequence import portrait_frames
from kinogate.engines.preview.templates import TEMPLATES, template_frames
from sample_images import sample

_FPS = 24
_COUNT = 120
_SIZE = (640, 360)
_LABEL = 22

_MOVES = (
    ("portrait", "camera pushes in"),
    ("couple", "petals fall, orbit"),
    ("cat", "snow falls, 镜头向左移动"),
    ("landscape", "pan right, rain"),
    ("bottle", "orbit around the bottle, sparkles"),
    ("building", "zoom out"),
    ("food", "steam rises, zoom in"),
    ("flower", "wind, sunlight"),
    ("car", "镜头拉远"),
    ("screenshot", "tilt down"),
    ("night city", "tilt up, fog"),
    ("abstract", "handheld camera"),
)

_SUBJECTS = {
    "hug": "couple",
    "frenchkiss": "couple",
    "coupleheart": "couple",
    "rotation": "bottle",
    "poke": "cat",
    "inflate": "cat",
    "melt": "cat",
    "flying": "cat",
    "crystalrose": "cat",
    "dance2": "cat",
    "dance5": "cat",
}

_SHARES = {
    # The eye is reached at about seven tenths; a turn and a press are short.
    "pupil": (0.25, 0.52, 0.66),
    "rotation": (0.16, 0.28, 0.42),
    "squish": (0.10, 0.16, 0.30),
    "poke": (0.04, 0.12, 0.38),
    "dissolve": (0.30, 0.45, 0.60),
}
"""When to look, as shares of the clip; elsewhere the last third says most."""


def _pick(frames: Iterator[Canvas], shares: tuple[float, ...], tile: tuple[int, int]) -> Canvas:
    """Some frames of a clip side by side."""
    wanted = [round(share * (_COUNT - 1)) for share in shares]
    tiles = [
        cv2.resize(frame, tile, interpolation=cv2.INTER_AREA)
        for i, frame in enumerate(frames)
        if i in wanted
    ]
    return np.hstack(tiles)


def _labelled(row: Canvas, text: str) -> Canvas:
    head = np.full((_LABEL, row.shape[1], 3), 24, dtype=np.uint8)
    ascii_text = text.encode("ascii", "ignore").decode() or "(Chinese prompt)"
    cv2.putText(
        head, ascii_text, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (235, 235, 235), 1, cv2.LINE_AA
    )
    return np.vstack([head, row])


def i2v_sheet() -> Canvas:
    """Twelve pictures with a move each, a transition, and a speaking portrait."""
    shares = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    tile = (232, 130)
    width, height = _SIZE
    english = {"镜头向左移动": "pan left (zh)", "镜头拉远": "pull back (zh)"}
    rows = []
    for name, prompt in _MOVES:
        frames = image_frames(sample(name), prompt, "", 7, width, height, _FPS, _COUNT)
        label = prompt
        for chinese, words in english.items():
            label = label.replace(chinese, words)
        rows.append(_labelled(_pick(frames, shares, tile), f"{name}: {label}"))
    passage = keyframe_frames(
        sample("landscape"), sample("night city"), "", 7, width, height, _FPS, _COUNT
    )
    rows.append(_labelled(_pick(passage, shares, tile), "first and last frame"))
    loudness = np.abs(np.sin(np.arange(_COUNT) * 0.4))
    speaker = portrait_frames(sample("portrait"), loudness, 7, width, height, _FPS, _COUNT)
    rows.append(_labelled(_pick(speaker, shares, tile), "portrait that speaks"))
    return np.vstack(rows)


def template_sheet() -> Canvas:
    """Every effect in three phases, three effects to a row."""
    width, height = _SIZE
    cells = []
    for name in TEMPLATES:
        picture = sample(_SUBJECTS.get(name, "portrait"))
        frames = template_frames(name, picture, 7, width, height, _FPS, _COUNT)
        shares = _SHARES.get(name, (0.16, 0.42, 0.88))
        cells.append(_labelled(_pick(frames, shares, (192, 108)), name))
    blank = np.full_like(cells[0], 24)
    rows = []
    for start in range(0, len(cells), 3):
        some = cells[start : start + 3]
        rows.append(np.hstack([*some, *([blank] * (3 - len(some)))]))
    return np.vstack(rows)


def _save(path: Path, sheet: Canvas, limit_bytes: int) -> None:
    """Write a JPEG, as good as the limit allows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    bgr = cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR)
    for quality in range(88, 40, -6):
        _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if len(data) < limit_bytes:
            path.write_bytes(data.tobytes())
            print(f"{path}: {len(data) / 1000:.0f} kB")
            return


def main() -> None:
    """Draw and write both sheets."""
    pictures = Path("docs/pictures")
    _save(pictures / "preview-i2v.jpg", i2v_sheet(), 500_000)
    _save(pictures / "preview-templates.jpg", template_sheet(), 600_000)


if __name__ == "__main__":
    main()
