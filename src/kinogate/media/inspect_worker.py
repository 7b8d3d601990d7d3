"""The worker module that `procs.child` runs to inspect strangers' files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kinogate.domain.media import AudioFacts, FootageFacts, ImageFacts, ReceivedClip
from kinogate.media.inspect import inspect_audio, inspect_image, inspect_video
from kinogate.media.inspector import AudioJob, ImageJob, ShrinkJob, VideoJob
from kinogate.media.received import check_received, shrink_image
from kinogate.procs.protocol import Method, Report


def _image(job: ImageJob, _: Report) -> ImageFacts:
    return inspect_image(Path(job.path), job.rules)


def _audio(job: AudioJob, _: Report) -> AudioFacts:
    return inspect_audio(Path(job.path), job.limits)


def _video(job: VideoJob, _: Report) -> FootageFacts:
    return inspect_video(Path(job.path), job.limits)


def _received(path: str, _: Report) -> ReceivedClip:
    return check_received(Path(path))


def _shrink(job: ShrinkJob, _: Report) -> int:
    return shrink_image(Path(job.path), Path(job.out), job.max_bytes)


METHODS: Mapping[str, Method] = {
    "image": Method(ImageJob, _image),
    "audio": Method(AudioJob, _audio),
    "video": Method(VideoJob, _video),
    "received": Method(str, _received),
    "shrink": Method(ShrinkJob, _shrink),
}
