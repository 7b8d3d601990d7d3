"""Which H.264 encoder this machine has: a card's own where it really opens, x264 otherwise.

Many builds of FFmpeg name NVENC, many cards have none (A100 and H100 among them), and those that do
allow few sessions and no tiny pictures. So it is tried, at the size that is wanted.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import av
import av.error
from av.codec.context import CodecContext
from av.video.codeccontext import VideoCodecContext

X264 = "libx264"
NVENC = "h264_nvenc"

NVENC_OPTIONS = {"preset": "p5", "tune": "hq", "rc": "vbr", "cq": "19", "profile": "high"}
"""About what x264 makes at our own settings; not yet measured on a card."""


def best_encoder(width: int, height: int, wanted: Sequence[str] = (NVENC,)) -> str:
    """The first of `wanted` that takes a picture of this size here and now, else x264.

    Args:
        width: Pixels, even.
        height: Pixels, even.
        wanted: Names of FFmpeg's encoders, the best first.
    """
    return next((name for name in wanted if _does_open(name, width, height)), X264)


def _does_open(name: str, width: int, height: int) -> bool:
    try:
        context = CodecContext.create(name, "w")
        if not isinstance(context, VideoCodecContext):
            return False
        context.width, context.height = width, height
        context.pix_fmt = "yuv420p"
        context.time_base = Fraction(1, 30)
        context.open()
        context.encode(av.VideoFrame(width, height, "yuv420p"))
    except (av.error.FFmpegError, OSError, ValueError):
        return False
    return True
