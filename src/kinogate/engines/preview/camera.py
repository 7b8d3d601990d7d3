"""Where the camera is at a moment, and how world points at a depth become pixels.

World points are in picture heights: x from the centre to the right, y from 0.0 (top) to 1.0
(bottom). Depth 0.0 is infinitely far, 1.0 the plane of the subject, more is nearer. A move is a
transform of points; no pixel is ever warped.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from kinogate.engines.preview.spec import Camera


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The camera at one moment.

    Attributes:
        width: Canvas width in pixels.
        height: Canvas height in pixels.
        x: Sideways travel; near things move more than far ones.
        y: Upwards travel is negative; near things move more.
        pan: Turn to the right; everything moves alike.
        tilt: Turn down; everything moves alike.
        zoom: 1.0 or more.
        focus_x: What the zoom closes in on, from the picture's centre.
        focus_y: The same, from the top.
    """

    width: int
    height: int
    x: float = 0.0
    y: float = 0.0
    pan: float = 0.0
    tilt: float = 0.0
    zoom: float = 1.0
    focus_x: float = 0.0
    focus_y: float = 0.6

    def at(self, depth: float) -> tuple[float, float, float]:
        """The transform of a depth: `(scale, x0, y0)`; pixel = world * scale + offset."""
        scale = self.height * (1.0 + (self.zoom - 1.0) * (0.12 + 0.88 * depth))
        x0 = self.width / 2 + self.focus_x * self.height
        x0 -= (self.x * depth + self.pan + self.focus_x) * scale
        y0 = self.focus_y * self.height - (self.y * depth + self.tilt + self.focus_y) * scale
        return scale, x0, y0

    def visible(self, depth: float) -> tuple[float, float]:
        """The world x of the left and the right edge at a depth."""
        scale, x0, _ = self.at(depth)
        return -x0 / scale, (self.width - x0) / scale


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Who moves the camera, for one shot.

    Attributes:
        move: The move.
        width: Canvas width in pixels.
        height: Canvas height in pixels.
        duration: Length of the shot in seconds, above 0.
        facing: Way the leading subject goes, +1 right, -1 left.
        speed: Speed of the followed ground, in heights per second; 0.0 where nothing is followed.
        focus: What zooms close in on, world x and y.
        closeness: Framing, 1.0 or thereabouts.
        steady: Scales how far moves go; less than 1.0 in narrow places.
    """

    move: Camera
    width: int
    height: int
    duration: float
    facing: int = 1
    speed: float = 0.0
    focus: tuple[float, float] = (0.0, 0.6)
    closeness: float = 1.0
    steady: float = 1.0

    def view(self, t: float) -> View:
        """The camera `t` seconds into the shot."""
        share = _glide(t / self.duration)
        aspect = self.width / self.height
        # A hand's breadth of life: even a locked-off camera breathes, so no frame repeats.
        x = 0.006 * math.sin(t * 0.53) + self.facing * self.speed * t
        y = 0.003 * math.sin(t * 0.71 + 1.0)
        pan = tilt = 0.0
        zoom = max(1.0, self.closeness)
        match self.move:
            case Camera.PAN_LEFT | Camera.PAN_RIGHT:
                way = 1.0 if self.move is Camera.PAN_RIGHT else -1.0
                reach = way * min(0.11 * self.duration, 0.30 * min(aspect, 1.8)) * (share - 0.5)
                reach *= self.steady
                pan += reach
                x += reach * 0.8
            case Camera.TILT_UP | Camera.TILT_DOWN:
                way = -1.0 if self.move is Camera.TILT_UP else 1.0
                tilt += way * min(0.05 * self.duration, 0.2) * (share - 0.5) * self.steady
            case Camera.ZOOM_IN:
                zoom *= 1.0 + min(0.05 * self.duration, 0.26) * share
            case Camera.ZOOM_OUT:
                zoom *= 1.0 + min(0.05 * self.duration, 0.26) * (1.0 - share)
            case Camera.ORBIT:
                swing = (
                    0.16
                    * self.steady
                    * math.sin(2 * math.pi * (t / max(9.0, self.duration) - 0.25))
                )
                x += swing
                pan -= swing
            case Camera.HANDHELD:
                x += 0.010 * math.sin(t * 1.9) + 0.005 * math.sin(t * 4.3 + 2.0)
                tilt += 0.006 * math.sin(t * 2.3 + 0.5) + 0.003 * math.sin(t * 5.1)
                pan += 0.006 * math.sin(t * 1.3 + 1.0)
                zoom *= 1.03
            case Camera.CRANE:
                y += 0.10 * (0.5 - share) * self.steady
                zoom *= 1.08 - 0.07 * share
                x += 0.05 * (share - 0.5)
            case Camera.TRACKING:
                zoom *= 1.0 + min(0.006 * self.duration, 0.05) * share
            case Camera.STATIC:
                zoom *= 1.0 + 0.004 * math.sin(t * 0.37)
        return View(
            width=self.width,
            height=self.height,
            x=x,
            y=y,
            pan=pan,
            tilt=tilt,
            zoom=max(1.0, zoom),
            focus_x=self.focus[0],
            focus_y=self.focus[1],
        )


def closest(move: Camera, closeness: float) -> float:
    """The largest zoom a move of any length reaches."""
    own = {Camera.ZOOM_IN: 1.26, Camera.ZOOM_OUT: 1.26, Camera.CRANE: 1.08, Camera.TRACKING: 1.05}
    return max(1.0, closeness) * own.get(move, 1.03)


def _glide(share: float) -> float:
    """Ease in and out without ever standing still."""
    share = min(1.0, max(0.0, share))
    return 0.7 * share + 0.3 * share * share * (3.0 - 2.0 * share)
