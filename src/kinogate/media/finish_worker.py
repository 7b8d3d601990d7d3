"""The worker module that `procs.child` runs to finish results."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kinogate.media.conform import finish_clip
from kinogate.media.finish_job import ClipFacts, FinishJob
from kinogate.media.finisher import LookJob, SignJob
from kinogate.media.provenance import sign_clip
from kinogate.media.stills import make_stills, small_jpeg
from kinogate.procs.protocol import Method, Report


def _finish(job: FinishJob, _: Report) -> ClipFacts:
    return finish_clip(job)


def _stills(clip: str, _: Report) -> bool:
    make_stills(Path(clip))
    return True


def _look(job: LookJob, _: Report) -> bytes:
    return small_jpeg(Path(job.picture), job.longest_px)


def _sign(job: SignJob, _: Report) -> bool:
    sign_clip(Path(job.clip), Path(job.out), job.signer, is_algorithmic=job.is_algorithmic)
    return True


METHODS: Mapping[str, Method] = {
    "finish": Method(FinishJob, _finish),
    "stills": Method(str, _stills),
    "look": Method(LookJob, _look),
    "sign": Method(SignJob, _sign),
}
