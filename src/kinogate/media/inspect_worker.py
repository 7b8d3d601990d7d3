"""The worker module that `procs.child` runs to inspect strangers' files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kinogate.domain.media import AudioFacts, FootageFacts, ImageFacts
from kinogate.media.inspect import inspect_audio, inspect_image, inspect_video
from kinogate.media.inspector import AudioJob, ImageJob, VideoJob
from kinogate.procs.protocol import Method, Report


def _image(job: ImageJob, _: Report) -> ImageFacts:
    return inspect_image(Path(job.path), job.rules)


def _audio(job: AudioJob, _: Report) -> AudioFacts:
    return inspect_audio(Path(job.path), job.limits)


def _video(job: VideoJob, _: Report) -> FootageFacts:
    return inspect_video(Path(job.path), job.limits)


METHODS: Mapping[str, Method] = {
    "image": Method(ImageJob, _image),
    "audio": Method(AudioJob, _audio),
    "video": Method(VideoJob, _video),
}
