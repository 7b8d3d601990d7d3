"""Frames and samples in, one finished MP4 out, as a stream of constant memory.

H.264 High, yuv420p, with AAC-LC beside it when asked for. What is drawn is not decided here, and
nothing of a stranger's is decoded here. The colour matrix is BT.601 because that is what OpenCV's
conversion makes, eight times faster than swscale's (measured at 720p).
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Self

import av
import av.error
import cv2
import numpy as np
import numpy.typing as npt
from av.video.stream import VideoStream

from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.media.encoders import NVENC, NVENC_OPTIONS, X264

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future
    from pathlib import Path
    from types import TracebackType

    from av.audio.stream import AudioStream
    from av.container import OutputContainer

Frame = npt.NDArray[np.uint8]
"""`[H, W, 3]` uint8, RGB, full range."""

Samples = npt.NDArray[np.float32]
"""`[2, N]` float32, planar stereo, -1.0 to 1.0."""

_MEDIA_ERRORS = (av.error.FFmpegError, OSError, ValueError)  # what PyAV raises

AAC_FRAME = 1024
"""Samples in one AAC-LC frame."""

_AHEAD = 6  # pieces (frames and sounds) that may wait for the encoder: some 20 MB at 1080p

_AUDIO_BITS_PER_S = 128_000
_TIMESCALE = 48_000  # a multiple of every whole fps we offer, so durations come out exact

# Beside veryfast this halves the encoder's time at 720p; it costs 0.2-0.6 dB and a tenth more bytes
# on drawn scenes, and on moving photographs a quarter more bytes at equal PSNR.
_LESS_SEARCH = "subme=1:me=dia:weightp=0:bframes=2:partitions=none"

# x264's vector code for macroblock trees reads memory it never wrote: on calm pictures with B-frames
# the same input then gave other bytes whenever the heap had been used before. This switch takes the
# exact code instead, at no cost that could be measured.
_EXACT = "cpu-independent=1"

# H.264 tables E-3, E-4, E-5: what the stream says about its colours.
_MATRIX_SMPTE170M = 6
_RANGE_TV = 1
_PRIMARIES_BT709 = 1
_TRANSFER_BT709 = 1


@dataclass(slots=True, kw_only=True)
class _Streams:
    container: OutputContainer
    video: VideoStream
    audio: AudioStream | None
    lane: ThreadPoolExecutor  # one thread: order is kept, so the bytes do not depend on timing
    pending: deque[Future[None]]


class Mp4Writer:
    """Writes one MP4: use it as a context manager and feed it frames and samples in step.

    The file appears under its name only when the block ends without an exception; before that it
    is a `.part` beside it, which is removed when anything goes wrong. Frame count and length are
    exactly what was written. The same input with the same `threads` gives the same bytes; another
    number of threads gives other bytes (x264 decides per thread).
    """

    def __init__(
        self,
        path: Path,
        *,
        width: int,
        height: int,
        fps: int | Fraction,
        audio_rate: int | None,
        tags: Sequence[tuple[str, str]],
        preset: str = "veryfast",
        crf: int = 20,
        threads: int = 2,
        encoder: str = X264,
    ) -> None:
        """Prepare a writer; nothing is created on disk before the `with` block.

        Args:
            path: Where the finished file goes; an older file there is replaced.
            width: Pixels, even.
            height: Pixels, even.
            fps: Frames a second, above 0; a fraction for rates such as 30000/1001.
            audio_rate: Samples a second of the sound to come, or None for no audio stream.
            tags: Metadata, key and value; any key is kept.
            preset: x264 preset.
            crf: x264 constant rate factor, 0–51, lower is better.
            threads: x264 threads, 1 or more; part of what decides the bytes.
            encoder: X264 or NVENC of `encoders`; the latter takes neither preset, crf nor threads.

        Raises:
            InternalError: `ENGINE_FAILED` for an odd or empty size.
        """
        if width <= 0 or height <= 0 or width % 2 or height % 2 or fps <= 0:
            raise InternalError(
                ErrorCode.ENGINE_FAILED, f"A {width}×{height} video at {fps} fps cannot be written."
            )
        self._path = path
        self._part = path.with_name(path.name + ".part")
        self._size = (width, height)
        self._fps = fps
        self._audio_rate = audio_rate
        self._tags = tuple(tags)
        self._encoder = encoder
        self._video_options = (
            NVENC_OPTIONS
            if encoder == NVENC
            else {
                "preset": preset,
                "crf": str(crf),
                "profile": "high",
                "x264-params": f"{_LESS_SEARCH}:{_EXACT}",
            }
        )
        self._threads = threads
        self._frames = 0
        self._samples = 0
        self._waiting = np.empty((2, 0), dtype=np.float32)
        self._open: _Streams | None = None

    def __enter__(self) -> Self:
        """Create the file and its streams.

        Raises:
            InternalError: `ENGINE_FAILED` when the encoder or the folder is not usable.
        """
        try:
            container = av.open(
                str(self._part),
                "w",
                format="mp4",
                options={
                    # Without use_metadata_tags any key the format does not know (AIGC) is dropped.
                    "movflags": "+faststart+use_metadata_tags",
                    "movie_timescale": str(_TIMESCALE),
                },
            )
        except _MEDIA_ERRORS as exc:
            raise _cannot_write() from exc
        try:
            for key, value in self._tags:
                container.metadata[key] = value
            video, audio = self._add_video(container), self._add_audio(container)
        except _MEDIA_ERRORS as exc:
            container.close()
            self._part.unlink(missing_ok=True)
            raise _cannot_write() from exc
        self._open = _Streams(
            container=container,
            video=video,
            audio=audio,
            lane=ThreadPoolExecutor(1, thread_name_prefix="mp4"),
            pending=deque(),
        )
        return self

    def _add_video(self, container: OutputContainer) -> VideoStream:
        stream = container.add_stream(self._encoder, rate=self._fps, options=self._video_options)
        if not isinstance(stream, VideoStream):
            raise ValueError("That encodes no pictures.")  # noqa: TRY004 - as PyAV says such things
        stream.width, stream.height = self._size
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = Fraction(1, self._fps)
        if self._encoder == X264:
            context.thread_count = self._threads
        context.colorspace = _MATRIX_SMPTE170M
        context.color_range = _RANGE_TV
        context.color_primaries = _PRIMARIES_BT709
        context.color_trc = _TRANSFER_BT709
        return stream

    def _add_audio(self, container: OutputContainer) -> AudioStream | None:
        if self._audio_rate is None:
            return None
        stream = container.add_stream(
            "aac",
            rate=self._audio_rate,
            layout="stereo",
            # A third of the default's time, and at this bit rate some 17 dB nearer to the source.
            options={"aac_coder": "fast"},
        )
        stream.bit_rate = _AUDIO_BITS_PER_S
        return stream

    def _streams(self) -> _Streams:
        if self._open is None:
            raise InternalError(ErrorCode.ENGINE_FAILED, "The video file is not open for writing.")
        return self._open

    @property
    def frame_count(self) -> int:
        """Frames written so far."""
        return self._frames

    def write(self, frame: Frame) -> None:
        """Append one `[H, W, 3]` uint8 RGB frame of the writer's size; it is not kept.

        Raises:
            InternalError: `ENGINE_FAILED` for another shape or a failed write.
        """
        width, height = self._size
        if frame.shape != (height, width, 3) or frame.dtype != np.uint8:
            raise InternalError(
                ErrorCode.ENGINE_FAILED,
                f"A frame of shape {frame.shape} does not fit a {width}×{height} video.",
            )
        streams = self._streams()
        planes = np.empty((height * 3 // 2, width), dtype=np.uint8)
        cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420, dst=planes)
        index = self._frames
        self._frames += 1
        _hand_over(streams, lambda: self._encode_picture(streams, planes, index))

    def _encode_picture(self, streams: _Streams, planes: Frame, index: int) -> None:
        # Not from_numpy_buffer, which saves this copy: it takes a height that is not a multiple of
        # four for a smaller one (PyAV 18.1).
        picture = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        picture.pts = index
        picture.time_base = Fraction(1, self._fps)
        streams.container.mux(streams.video.encode(picture))

    def write_audio(self, samples: Samples) -> None:
        """Append `[2, N]` float32 samples, any N; give about as much as the frames so far last.

        Raises:
            InternalError: `ENGINE_FAILED` for another shape, a writer without sound, or a failed
                write.
        """
        streams = self._streams()
        audio = streams.audio
        if audio is None or samples.ndim != 2 or samples.shape[0] != 2:
            raise InternalError(
                ErrorCode.ENGINE_FAILED, "These samples do not fit the video's audio stream."
            )
        owned = samples.astype(np.float32)
        _hand_over(streams, lambda: self._encode_sound(streams, audio, owned))

    def _encode_sound(self, streams: _Streams, audio: AudioStream, samples: Samples) -> None:
        """Encode the whole AAC frames there are and keep the rest for the next call."""
        waiting = np.concatenate((self._waiting, samples), axis=1)
        whole = waiting.shape[1] // AAC_FRAME * AAC_FRAME
        for start in range(0, whole, AAC_FRAME):
            self._encode_block(streams, audio, waiting[:, start : start + AAC_FRAME])
        self._waiting = waiting[:, whole:].copy()

    def _encode_block(self, streams: _Streams, audio: AudioStream, block: Samples) -> None:
        planar = np.ascontiguousarray(block)
        sound = av.AudioFrame.from_ndarray(planar, format="fltp", layout="stereo")
        sound.sample_rate = audio.rate
        sound.pts = self._samples
        sound.time_base = Fraction(1, audio.rate)
        streams.container.mux(audio.encode(sound))
        self._samples += block.shape[1]

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish the file under its name, or remove what there is of it.

        Raises:
            InternalError: `ENGINE_FAILED` when the end could not be written.
        """
        streams, self._open = self._open, None
        if streams is None:
            return
        try:
            if kind is None:
                self._finish(streams)
        finally:
            streams.lane.shutdown(cancel_futures=True)
            # What is left under this name is unfinished, and then it does not matter how its
            # closing went.
            if self._part.exists():
                with suppress(*_MEDIA_ERRORS):
                    streams.container.close()
                self._part.unlink(missing_ok=True)

    def _finish(self, streams: _Streams) -> None:
        while streams.pending:
            _wait_for_oldest(streams)
        try:
            if streams.audio is not None:
                if self._waiting.shape[1]:
                    self._encode_block(streams, streams.audio, self._waiting)
                streams.container.mux(streams.audio.encode(None))
            streams.container.mux(streams.video.encode(None))
            streams.container.close()
            self._part.replace(self._path)
        except _MEDIA_ERRORS as exc:
            raise _cannot_write() from exc


def _hand_over(streams: _Streams, work: Callable[[], None]) -> None:
    """Give one piece to the encoder's thread; wait when too many are ahead of it."""
    if len(streams.pending) >= _AHEAD:
        _wait_for_oldest(streams)
    streams.pending.append(streams.lane.submit(work))


def _wait_for_oldest(streams: _Streams) -> None:
    try:
        streams.pending.popleft().result()
    except _MEDIA_ERRORS as exc:
        raise _cannot_write() from exc


def _cannot_write() -> InternalError:
    return InternalError(ErrorCode.ENGINE_FAILED, "The video file could not be written.")
